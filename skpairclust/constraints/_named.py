"""Constraints between samples that have ids: from tables of pairs, and back."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skpairclust.constraints._answers import read_answers
from skpairclust.constraints._names import (
    check_distinct,
    locate,
    name_rows,
    number_ids,
)
from skpairclust.constraints._tables import make_frame, split_columns, take_columns
from skpairclust.constraints._views import list_pairs


class NamedConstraints:
    """What the container can do with ids in the place of row positions."""

    @classmethod
    def from_frame(
        cls,
        pairs: Any,
        left: Hashable = "left",
        right: Hashable = "right",
        same: Hashable = "same",
        *,
        index: Iterable[Hashable],
        weight: Hashable | None = None,
    ) -> Self:
        """Read a table with one row per pair, in which samples are named by ids.

        Parameters
        ----------
        pairs : DataFrame or dict of array-likes
            A table of pandas, polars or pyarrow, or a dict of columns.
        left, right : str, default="left" and "right"
            The columns that hold the ids of the two samples.
        same : str, default="same"
            The column that holds the answers:

            - must-link: True, 1, or one of the words same, must-link, yes, true;
            - cannot-link: False, -1, different, cannot-link, no, false;
            - left out, because nobody could tell: 0, None, NaN, unknown, unsure, or
              an empty string.

            Upper and lower case are equal. A column with 0 and without -1 is an
            error, because 0 then often means "different".
        index : array-like of shape (n_samples,) or pandas.DataFrame
            The id of each row of X, in the order of X: numbers, strings, dates or
            tuples. Of a pandas DataFrame, its index is taken.
        weight : str or None, default=None
            The column of the weights, see `must_link_weight`. None means 1.

        Returns
        -------
        constraints : PairwiseConstraints
            Repeated pairs are merged, and their weights are added.

        Raises
        ------
        TypeError
            If `pairs` is no table, or ids cannot be compared.
        ValueError
            If a column is not there, an id is missing, unknown or twice in `index`,
            a pair joins a sample with itself, or an answer cannot be read.

        See Also
        --------
        PairwiseConstraints.from_ids : From arrays of ids.
        PairwiseConstraints.to_frame : The way back.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> pairs = {
        ...     "left": ["ann", "bob", "ann"],
        ...     "right": ["bob", "cleo", "dan"],
        ...     "same": ["same", "different", "unsure"],
        ... }
        >>> index = ["ann", "bob", "cleo", "dan"]
        >>> PairwiseConstraints.from_frame(pairs, index=index)
        PairwiseConstraints(n_samples=4, must_link=1, cannot_link=1)
        """
        names = {"left": left, "right": right, "same": same}
        if weight is not None:
            names["weight"] = weight
        columns = take_columns(pairs, **names)
        places = number_ids(index)
        ends = [
            locate(columns[side], places, f"the column {names[side]!r}")
            for side in ("left", "right")
        ]
        check_distinct(*ends, columns["left"])
        answers = read_answers(columns["same"], str(same))
        pairs, weights = np.column_stack(ends), columns.get("weight")
        kinds = [np.flatnonzero(answers == answer) for answer in (1, -1)]
        must_weight, cannot_weight = (
            None if weights is None else [weights[row] for row in rows]
            for rows in kinds
        )
        return cls(
            pairs[kinds[0]],
            pairs[kinds[1]],
            n_samples=len(places),
            must_link_weight=must_weight,
            cannot_link_weight=cannot_weight,
        )

    @classmethod
    def from_ids(
        cls,
        must_link: Any = None,
        cannot_link: Any = None,
        *,
        index: Iterable[Hashable],
        must_link_weight: ArrayLike | None = None,
        cannot_link_weight: ArrayLike | None = None,
    ) -> Self:
        """Build from pairs of ids instead of pairs of row positions.

        Parameters
        ----------
        must_link, cannot_link : array-like of shape (m, 2) or None, default=None
            Pairs of ids, for instance of labels of a DataFrame's index.
        index : array-like of shape (n_samples,) or pandas.DataFrame
            The id of each row of X, in the order of X, as in :meth:`from_frame`.
        must_link_weight, cannot_link_weight : array-like of shape (m,) or None, \
                default=None
            Confidence in each pair, 1 by default.

        Returns
        -------
        constraints : PairwiseConstraints
            Positions of rows of X, as estimators take them.

        Raises
        ------
        TypeError
            If ids cannot be compared.
        ValueError
            If an id is missing, unknown or twice in `index`, or a pair joins a
            sample with itself.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> index = ["ann", "bob", "cleo"]
        >>> c = PairwiseConstraints.from_ids(
        ...     [("cleo", "ann")], [("ann", "bob")], index=index
        ... )
        >>> c.must_link
        array([[0, 2]])
        """
        places = number_ids(index)
        kinds = []
        for name, pairs in (("must_link", must_link), ("cannot_link", cannot_link)):
            left, right = split_columns(pairs, name)
            ends = [locate(side, places, name) for side in (left, right)]
            check_distinct(*ends, left)
            kinds.append(np.column_stack(ends))
        return cls(
            *kinds,
            n_samples=len(places),
            must_link_weight=must_link_weight,
            cannot_link_weight=cannot_link_weight,
        )

    def to_frame(
        self,
        index: Iterable[Hashable] | None = None,
        *,
        constructor: Callable[[dict[str, list[Any]]], Any] | None = None,
    ) -> Any:
        """List all pairs in a table, with the ids of the samples.

        Parameters
        ----------
        index : array-like of shape (n_samples,), pandas.DataFrame or None, default=None
            The id of each sample, as in :meth:`from_frame`. None gives positions.
        constructor : callable or None, default=None
            Makes the table from a dict of columns, such as ``polars.DataFrame``.
            None means ``pandas.DataFrame``.

        Returns
        -------
        frame : DataFrame
            One row per pair, the must-links first: `left` and `right` are ids, `same`
            is a boolean, and `weight` a float. ``from_frame(frame, index=index,
            weight="weight")`` reads it again.

        Raises
        ------
        ImportError
            If pandas is needed and not installed.
        ValueError
            If `index` does not fit, or there are too many pairs to list.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> c = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=3)
        >>> c.to_frame(index=["ann", "bob", "cleo"])
          left right   same  weight
        0  ann   bob   True     1.0
        1  bob  cleo  False     1.0
        """
        listed = [list_pairs(self, kind) for kind in ("must_link", "cannot_link")]
        pairs = np.concatenate([pairs for pairs, _ in listed])
        n_must = len(listed[0][0])
        columns = {
            "left": name_rows(pairs[:, 0], index, self.n_samples),
            "right": name_rows(pairs[:, 1], index, self.n_samples),
            "same": (np.arange(len(pairs)) < n_must).tolist(),
            "weight": np.concatenate([weight for _, weight in listed]).tolist(),
        }
        return make_frame(columns, constructor)
