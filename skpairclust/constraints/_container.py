"""Must-link and cannot-link constraints that are sliced together with X."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skpairclust.constraints._blocks import ConstraintBlocks
from skpairclust.constraints._classes import NamedClasses
from skpairclust.constraints._findings import ConstraintFindings
from skpairclust.constraints._graph import (
    ConstraintConflicts,
    close,
    find_conflicts,
    label_components,
)
from skpairclust.constraints._groups import slice_relation
from skpairclust.constraints._makers import ConstraintMakers
from skpairclust.constraints._named import NamedConstraints
from skpairclust.constraints._pairs import (
    as_integers,
    canonicalize,
    check_n_samples,
    check_pairs,
    check_rows,
    check_weights,
    freeze,
    induce,
)
from skpairclust.constraints._store import ConstraintStore
from skpairclust.constraints._typing import AnyArray
from skpairclust.constraints._views import count_pairs, list_pairs


class PairwiseConstraints(
    ConstraintMakers,
    NamedConstraints,
    ConstraintFindings,
    ConstraintBlocks,
    NamedClasses,
    ConstraintStore,
):
    """Pairs of samples that belong together (must-link) or do not (cannot-link).

    Pass the container as ``y``. Like labels, it is sliced together with X:
    ``constraints[rows]`` keeps the pairs among these rows and renumbers them.
    Therefore it works in cross-validation, ``train_test_split`` and searches.

    Parameters
    ----------
    must_link : array-like of shape (m, 2) or None
        Positions of rows of X, where 0 is the first row; one pair per row. They are
        not labels of a DataFrame's index, see :meth:`from_ids` for these. The order
        within a pair does not matter.
    cannot_link : array-like of shape (c, 2) or None
        The same for cannot-links. A pair that is in both arrays is kept, and
        reported by :meth:`conflicts`; estimators raise an error for it.
    n_samples : int
        The number of rows of X.
    must_link_weight : array-like of shape (m,), float or None, default=None
        Confidence in each pair, in (0, inf), 1 by default. Repeated pairs are merged
        and their weights are added.
    cannot_link_weight : array-like of shape (c,), float or None, default=None
        The same for cannot-links.

    Attributes
    ----------
    n_samples : int
        The number of rows of X.
    shape : tuple of one int
        ``(n_samples,)``, as for a label array; ``len`` is also `n_samples`.

    Raises
    ------
    TypeError
        If indices are not integers, or weights not numbers.
    ValueError
        If indices are out of range, a sample is paired with itself, shapes do not
        match, or weights are not positive and finite.

    See Also
    --------
    PairwiseConstraints.from_frame : From a table of pairs with ids.
    PairwiseConstraints.from_labels : From partial class labels.
    PairwiseConstraints.with_labels : Pairs and labels that name the class.

    Notes
    -----
    Instances are immutable. Constraints from labels, sequences and closures are
    stored as groups of samples. Their pairs are listed only when the arrays
    `must_link` and `cannot_link` are read; an error is raised if these would hold
    more than 50 million pairs.

    Examples
    --------
    >>> from skpairclust import PairwiseConstraints
    >>> c = PairwiseConstraints([(0, 1), (1, 2)], [(2, 3)], n_samples=5)
    >>> c
    PairwiseConstraints(n_samples=5, must_link=2, cannot_link=1)
    >>> c[[3, 2, 1]].must_link
    array([[1, 2]])
    >>> c.closure()
    PairwiseConstraints(n_samples=5, must_link=3, cannot_link=3)
    """

    def __init__(
        self,
        must_link: AnyArray | None = None,
        cannot_link: AnyArray | None = None,
        *,
        n_samples: int,
        must_link_weight: ArrayLike | None = None,
        cannot_link_weight: ArrayLike | None = None,
    ) -> None:
        n_samples = check_n_samples(n_samples)
        kinds = []
        for name, pairs, weight in (
            ("must_link", must_link, must_link_weight),
            ("cannot_link", cannot_link, cannot_link_weight),
        ):
            pairs = check_pairs(pairs, n_samples, name)
            weight = check_weights(weight, len(pairs), f"{name}_weight")
            kinds.append(canonicalize(pairs, weight, n_samples))
        self._set_parts(n_samples, *kinds, ())

    @property
    def shape(self) -> tuple[int]:
        """``(n_samples,)``, as for a label array."""
        return (self.n_samples,)

    @property
    def must_link(self) -> NDArray[np.int64]:
        """All must-links, (m, 2) int64, i < j, in lexicographic order."""
        return list_pairs(self, "must_link")[0]

    @property
    def cannot_link(self) -> NDArray[np.int64]:
        """All cannot-links, (c, 2) int64, i < j, in lexicographic order."""
        return list_pairs(self, "cannot_link")[0]

    @property
    def must_link_weight(self) -> NDArray[np.float64]:
        """The must-links' weights, (m,) float64."""
        return list_pairs(self, "must_link")[1]

    @property
    def cannot_link_weight(self) -> NDArray[np.float64]:
        """The cannot-links' weights, (c,) float64."""
        return list_pairs(self, "cannot_link")[1]

    @property
    def n_pairs(self) -> int:
        """The number of pairs of both kinds, counted without listing them."""
        return sum(count_pairs(self))

    @property
    def n_must_link(self) -> int:
        """The number of must-links, counted without listing them."""
        return count_pairs(self)[0]

    @property
    def n_cannot_link(self) -> int:
        """The number of cannot-links, counted without listing them."""
        return count_pairs(self)[1]

    def subset(self, mask: AnyArray) -> Self:
        """Keep some of the pairs.

        Parameters
        ----------
        mask : array-like of bool, shape (n_pairs,), or of int
            Which pairs to keep: first the must-links and then the cannot-links, in
            the order of the arrays `must_link` and `cannot_link`. If an integer is
            repeated, the pair is merged and its weight is added each time.

        Returns
        -------
        constraints : PairwiseConstraints
            For the same samples, without their :attr:`labels`.

        Raises
        ------
        TypeError
            If `mask` is neither boolean nor integer.
        IndexError
            If it does not fit the number of pairs.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> c = PairwiseConstraints([(0, 1), (1, 2)], [(2, 3)], n_samples=5)
        >>> c.subset([True, False, True])
        PairwiseConstraints(n_samples=5, must_link=1, cannot_link=1)
        """
        kept = np.asarray(mask)
        if kept.dtype != bool:
            hint = "Choose pairs with a boolean mask or integer positions."
            kept = as_integers(kept, "mask", hint)
        kept = np.arange(self.n_pairs)[kept]
        must, must_weight = list_pairs(self, "must_link")
        cannot, cannot_weight = list_pairs(self, "cannot_link")
        in_must, in_cannot = kept[kept < len(must)], kept[kept >= len(must)] - len(must)
        return type(self)(
            must[in_must],
            cannot[in_cannot],
            n_samples=self.n_samples,
            must_link_weight=must_weight[in_must],
            cannot_link_weight=cannot_weight[in_cannot],
        )

    def components(self) -> NDArray[np.int64]:
        """Label the components that the must-links connect.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int64
            Equal for samples that must be together; numbered from 0 in the order
            of first appearance. A sample without must-links is a component.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> PairwiseConstraints([(0, 2)], [], n_samples=4).components()
        array([0, 1, 0, 2])
        """
        if "components" not in self._cache:
            labels = label_components(self._must_link, self._relations, self.n_samples)
            self._cache["components"] = freeze(labels)
        return self._cache["components"]

    def conflicts(self) -> ConstraintConflicts:
        """Find the constraints that cannot all be kept.

        Returns
        -------
        conflicts : ConstraintConflicts
            False if there are none. `direct` holds the pairs that are both
            must-link and cannot-link, and `entailed` the other cannot-links between
            samples of one must-link component. If constraints come from labels or
            a closure, there is one pair for each two groups in conflict.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> c = PairwiseConstraints([(0, 1), (1, 2)], [(0, 2)], n_samples=3)
        >>> c.conflicts()
        ConstraintConflicts(direct=0, entailed=1 [(0, 2)])
        """
        return find_conflicts(self, self.components())

    def closure(self) -> Self:
        """Add every pair that follows from the constraints.

        Samples of one must-link component become must-linked, and a cannot-link
        between two components holds for all their samples.

        Returns
        -------
        constraints : PairwiseConstraints
            All pairs of weight 1, kept as groups of samples and not listed.

        Raises
        ------
        ValueError
            If the constraints contradict each other, see :meth:`conflicts`: a
            single wrong pair would spread to whole components.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> c = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=3).closure()
        >>> c.cannot_link.tolist()
        [[0, 2], [1, 2]]
        """
        relations = close(self, self.components())
        closed = self._from_parts(self.n_samples, relations=relations)
        return closed._set_classes(self._classes, self._class_names)

    def __getitem__(self, rows: Any) -> Self:
        rows = check_rows(rows, self.n_samples)
        n_rows = len(rows)
        positions = np.full(self.n_samples, -1, dtype=np.int32)
        positions[rows] = np.arange(n_rows)
        must, cannot = (
            induce(pairs, weights, positions, n_rows)
            for pairs, weights in (
                (self._must_link, self._must_link_weight),
                (self._cannot_link, self._cannot_link_weight),
            )
        )
        relations = [slice_relation(relation, rows) for relation in self._relations]
        part = self._from_parts(n_rows, must, cannot, sum(relations, ()))
        return part._set_classes(*self._slice_classes(rows))

    def __or__(self, other: Self) -> Self:
        if not isinstance(other, PairwiseConstraints):
            return NotImplemented
        if other.n_samples != self.n_samples:
            raise ValueError(
                "only constraints for the same samples can be combined: n_samples is "
                f"{self.n_samples} here and {other.n_samples} there."
            )
        must, cannot = (
            canonicalize(
                np.concatenate((getattr(self, kind), getattr(other, kind))),
                np.concatenate(
                    (getattr(self, f"{kind}_weight"), getattr(other, f"{kind}_weight"))
                ),
                self.n_samples,
            )
            for kind in ("_must_link", "_cannot_link")
        )
        relations = self._relations + other._relations
        union = self._from_parts(self.n_samples, must, cannot, relations)
        return union._set_classes(*self._unite_classes(other))

    def __len__(self) -> int:
        # As for an array of labels: scikit-learn permutes and counts by it.
        return self.n_samples

    def __repr__(self) -> str:
        n_must, n_cannot = count_pairs(self)
        return (
            f"{type(self).__name__}(n_samples={self.n_samples}, "
            f"must_link={n_must}, cannot_link={n_cannot})"
        )
