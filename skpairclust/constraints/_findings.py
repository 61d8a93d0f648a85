"""What people ask about constraints: how many, which are violated, and why."""

import numbers
from collections.abc import Hashable, Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skpairclust.constraints._explanation import PairExplanation, find_chains
from skpairclust.constraints._groups import mark_constrained
from skpairclust.constraints._labels import encode_values, split_missing
from skpairclust.constraints._names import locate, name_rows, number_ids
from skpairclust.constraints._pairs import first_few
from skpairclust.constraints._views import count_pairs, list_pairs


class ConstraintFindings:
    """Violated pairs, explanations, and a summary for notebooks."""

    def violated(self, labels: ArrayLike) -> Self:
        """Return the pairs that a clustering does not keep.

        Parameters
        ----------
        labels : array-like of shape (n_samples,)
            The cluster of each sample: numbers or names, none of them missing.

        Returns
        -------
        constraints : PairwiseConstraints
            The must-links between different clusters and the cannot-links within
            one, with their weights, for the same samples. :meth:`to_frame` lists
            them with ids.

        Raises
        ------
        ValueError
            If `labels` has another length or misses a cluster, or there are too many
            pairs to list.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> c = PairwiseConstraints([(0, 1), (1, 2)], [(2, 3)], n_samples=4)
        >>> c.violated([0, 0, 1, 1]).to_frame(index=["ann", "bob", "cleo", "dan"])
           left right   same  weight
        0   bob  cleo   True     1.0
        1  cleo   dan  False     1.0
        """
        codes = _read_clusters(labels, self.n_samples)
        must = list_pairs(self, "must_link")[0]
        cannot = list_pairs(self, "cannot_link")[0]
        is_violated = np.concatenate(
            (
                codes[must[:, 0]] != codes[must[:, 1]],
                codes[cannot[:, 0]] == codes[cannot[:, 1]],
            )
        )
        return self.subset(is_violated)

    def explain(
        self, i: Any, j: Any, *, index: Iterable[Hashable] | None = None
    ) -> PairExplanation:
        """Say why two samples belong together or apart.

        Parameters
        ----------
        i, j : int, or ids if `index` is given
            Two different samples.
        index : array-like of shape (n_samples,), pandas.DataFrame or None, default=None
            The id of each sample, as in :meth:`from_frame`. None means that samples
            are named by position.

        Returns
        -------
        explanation : PairExplanation
            The shortest chain of must-links between them, and the shortest chain
            with one cannot-link. Constraints from labels, sequences or a closure
            count as pairs.

        Raises
        ------
        TypeError
            If a position is not an integer.
        ValueError
            If a sample is unknown, or both are the same.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> c = PairwiseConstraints([(0, 1), (1, 2)], [(2, 3)], n_samples=4)
        >>> c.explain(0, 3)
        0 and 3 do not belong together: 0 = 1 = 2 != 3
        >>> c.explain("ann", "cleo", index=["ann", "bob", "cleo", "dan"])
        'ann' and 'cleo' belong together: 'ann' = 'bob' = 'cleo'
        """
        if index is None:
            rows = [_check_position(row, self.n_samples) for row in (i, j)]
        else:
            rows = locate([i, j], number_ids(index), "(i, j)").tolist()
        if rows[0] == rows[1]:
            raise ValueError(f"i and j are the same sample: {i!r}.")
        together, apart = find_chains(self, *rows)

        def name(chain):
            return tuple(name_rows(chain, index, self.n_samples))

        return PairExplanation(
            pair=(i, j),
            must_link_chain=together and name(together),
            cannot_link_chain=apart and name(apart[0] + apart[1]),
            cannot_link=apart and name([apart[0][-1], apart[1][0]]),
        )

    def _repr_html_(self):
        """Return a table of counts, which notebooks show."""
        must, cannot = count_pairs(self)
        sizes = np.bincount(self.components())
        rows = {
            "samples": self.n_samples,
            "of which in pairs": np.count_nonzero(mark_constrained(self)),
            "must-links": must,
            "cannot-links": cannot,
            "groups joined by must-links": np.count_nonzero(sizes > 1),
            "samples of the largest group": sizes.max(initial=0),
        }
        cells = "".join(
            f"<tr><th style='text-align: left'>{name}</th><td>{count:,}</td></tr>"
            for name, count in rows.items()
        )
        return (
            f"<table><caption><code>{type(self).__name__}</code></caption>"
            f"<tbody>{cells}</tbody></table>"
        )


def _read_clusters(labels, n_samples):
    """Return the number of each sample's cluster, or raise."""
    known, missing = split_missing(labels, "labels", column=True)
    if missing.any():
        raise ValueError(
            "labels must hold a cluster for each sample; got none for the samples "
            f"{first_few(np.flatnonzero(missing))}. Look at the others alone: "
            "`constraints[rows].violated(labels[rows])`."
        )
    if len(known) != n_samples:
        raise ValueError(
            f"labels has {len(known)} entries, but the constraints are about "
            f"{n_samples} samples: give one label per sample."
        )
    return encode_values(known)[1]


def _check_position(row, n_samples):
    """Return a position as an int, or raise."""
    if isinstance(row, (bool, np.bool_)) or not isinstance(row, numbers.Integral):
        raise TypeError(
            f"i and j must be positions of rows; got {row!r:.60}. For ids, give index="
            " as well."
        )
    if not 0 <= row < n_samples:
        raise ValueError(f"the position {row} is out of range for {n_samples} samples.")
    return int(row)
