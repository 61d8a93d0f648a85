"""Must-link and cannot-link constraints that are sliced together with X."""

from functools import reduce

import numpy as np
from scipy import sparse

from skpairclust.constraints._graph import (
    close,
    find_conflicts,
    label_components,
)
from skpairclust.constraints._groups import slice_relation
from skpairclust.constraints._makers import ConstraintMakers
from skpairclust.constraints._pairs import (
    as_integers,
    canonicalize,
    check_listable,
    check_n_samples,
    check_pairs,
    check_rows,
    check_weights,
    freeze,
    induce,
)
from skpairclust.constraints._store import ConstraintStore
from skpairclust.constraints._views import (
    count_pairs,
    explicit_block,
    group_block,
    list_pairs,
    make_adjacency,
    make_group_adjacencies,
)


class PairwiseConstraints(ConstraintMakers, ConstraintStore):
    """Pairs of samples that belong together (must-link) or apart (cannot-link).

    The container belongs to the rows of X as labels do: ``constraints[rows]``
    keeps the pairs inside the rows and renumbers them, so that it survives
    cross-validation, ``train_test_split`` and searches in the ``y`` slot.

    Parameters
    ----------
    must_link : array-like of shape (m, 2) or None
        Positions of rows of X, from 0, one pair a row; not labels of a DataFrame's
        index. Order within a pair does not matter.
    cannot_link : array-like of shape (c, 2) or None
        Likewise. A pair in both is kept, and reported by :meth:`conflicts`;
        estimators refuse it.
    n_samples : int
        The number of rows of X.
    must_link_weight : array-like of shape (m,), float or None, default=None
        Confidence in (0, inf), 1 by default. Repeated pairs are merged and their
        weights added.
    cannot_link_weight : array-like of shape (c,), float or None, default=None
        Likewise.

    Attributes
    ----------
    n_samples : int
        The number of rows of X.
    shape : tuple of one int
        ``(n_samples,)``, as of a label array; ``len`` is `n_samples`, too.

    Raises
    ------
    TypeError
        If indices are not integers, or weights not numbers.
    ValueError
        If indices are out of range, a sample is paired with itself, shapes do not
        match, or weights are not positive and finite.

    See Also
    --------
    PairwiseConstraints.from_labels : From partial class labels.

    Notes
    -----
    Instances are immutable. Constraints from labels, sequences and closures are
    kept as groups of samples; their pairs are listed only when the arrays
    `must_link` and `cannot_link` are read, with at most 50 million pairs.

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
        must_link=None,
        cannot_link=None,
        *,
        n_samples,
        must_link_weight=None,
        cannot_link_weight=None,
    ):
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
    def shape(self):
        """``(n_samples,)``, as of a label array."""
        return (self.n_samples,)

    @property
    def must_link(self):
        """All must-links, (m, 2) int64, i < j, in lexicographic order."""
        return list_pairs(self, "must_link")[0]

    @property
    def cannot_link(self):
        """All cannot-links, (c, 2) int64, i < j, in lexicographic order."""
        return list_pairs(self, "cannot_link")[0]

    @property
    def must_link_weight(self):
        """The must-links' weights, (m,) float64."""
        return list_pairs(self, "must_link")[1]

    @property
    def cannot_link_weight(self):
        """The cannot-links' weights, (c,) float64."""
        return list_pairs(self, "cannot_link")[1]

    @property
    def n_pairs(self):
        """The number of pairs of both kinds, counted without listing them."""
        return sum(count_pairs(self))

    @property
    def n_must_link(self):
        """The number of must-links, counted without listing them."""
        return count_pairs(self)[0]

    @property
    def n_cannot_link(self):
        """The number of cannot-links, counted without listing them."""
        return count_pairs(self)[1]

    def subset(self, mask):
        """Keep some of the pairs.

        Parameters
        ----------
        mask : array-like of bool, shape (n_pairs,), or of int
            Which pairs to keep, the must-links first and then the cannot-links, in
            the order of the arrays `must_link` and `cannot_link`. With integers a
            repeated pair is merged and counts with its weight as often.

        Returns
        -------
        constraints : PairwiseConstraints
            For the same samples.

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

    def components(self):
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

    def conflicts(self):
        """Find the constraints that cannot all be kept.

        Returns
        -------
        conflicts : ConstraintConflicts
            False if there are none. `direct` holds the pairs that are both
            must-link and cannot-link, `entailed` the other cannot-links between
            samples of one must-link component. Where constraints come from labels
            or a closure, one pair stands for each two groups in conflict.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> c = PairwiseConstraints([(0, 1), (1, 2)], [(0, 2)], n_samples=3)
        >>> c.conflicts()
        ConstraintConflicts(direct=0, entailed=1 [(0, 2)])
        """
        return find_conflicts(self, self.components())

    def closure(self):
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
        return self._from_parts(self.n_samples, relations=relations)

    def to_matrix(self):
        """Write all pairs into a symmetric sparse matrix.

        Returns
        -------
        M : csr_array of shape (n_samples, n_samples), float64
            The weight of a must-link, minus that of a cannot-link, 0 = unknown.

        Raises
        ------
        ValueError
            If there are too many pairs to list.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> c = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=3)
        >>> c.to_matrix().toarray()
        array([[ 0.,  1.,  0.],
               [ 1.,  0., -1.],
               [ 0., -1.,  0.]])
        """
        check_listable(self.n_pairs, "pairs")
        must, must_weight = list_pairs(self, "must_link")
        cannot, cannot_weight = list_pairs(self, "cannot_link")
        row, column = np.concatenate((must, cannot)).T
        values = np.concatenate((must_weight, -cannot_weight))
        shape = (self.n_samples, self.n_samples)
        upper = sparse.csr_array((values, (row, column)), shape=shape)
        return (upper + upper.T).tocsr()

    def relation_block(self, rows):
        """Return what is known among the samples of a batch.

        Parameters
        ----------
        rows : array-like of shape (n_rows,)
            Different samples, as for ``constraints[rows]``.

        Returns
        -------
        block : ndarray of shape (n_rows, n_rows), float32
            Symmetric: the weights of must-links minus those of cannot-links, 0 for
            unknown pairs and on the diagonal.

        Raises
        ------
        ValueError
            If rows are repeated.

        Examples
        --------
        >>> from skpairclust import PairwiseConstraints
        >>> PairwiseConstraints.from_labels([0, 0, 1, -1]).relation_block([0, 2, 3])
        array([[ 0., -1.,  0.],
               [-1.,  0.,  0.],
               [ 0.,  0.,  0.]], dtype=float32)
        """
        rows = check_rows(rows, self.n_samples)
        block = explicit_block(self._adjacency, rows)
        return block + self._group_block(rows) if self._relations else block

    def _group_block(self, rows):
        """Return the part of `relation_block` that comes from groups, unchecked."""
        if "groups" not in self._cache:
            self._cache["groups"] = make_group_adjacencies(self)
        parts = zip(self._relations, self._cache["groups"], strict=True)
        return reduce(np.add, (group_block(*part, rows) for part in parts))

    def induced_pairs(self, rows, offsets):
        """Find the explicit pairs inside each of many batches at once.

        Pairs that come from labels, sequences or a closure are left out:
        :meth:`relation_block` knows them.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), int64
            The batches, one behind the other. Samples from 0, different within a
            batch; this is not checked.
        offsets : ndarray of shape (n_batches + 1,), int64
            Batch b is ``rows[offsets[b]:offsets[b + 1]]``.

        Returns
        -------
        batch, i, j : ndarray of shape (n_pairs,), int64
            The batch of each pair and its positions in the batch, i < j.
        weight : ndarray of shape (n_pairs,), float64
            Positive for must-links, negative for cannot-links. A pair of both
            kinds has one entry, the difference.

        Examples
        --------
        >>> import numpy as np
        >>> from skpairclust import PairwiseConstraints
        >>> c = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=4)
        >>> rows, offsets = np.array([2, 1, 3, 0, 1]), np.array([0, 3, 5])
        >>> batch, i, j, weight = c.induced_pairs(rows, offsets)
        >>> batch, i, j, weight
        (array([0, 1]), array([0, 0]), array([1, 1]), array([-1.,  1.]))
        """
        return self._adjacency.induced(rows, offsets)

    @property
    def _adjacency(self):
        """The index of explicit pairs by sample, made when first needed."""
        if "adjacency" not in self._cache:
            self._cache["adjacency"] = make_adjacency(self)
        return self._cache["adjacency"]

    def __getitem__(self, rows):
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
        return self._from_parts(n_rows, must, cannot, sum(relations, ()))

    def __or__(self, other):
        if not isinstance(other, PairwiseConstraints):
            return NotImplemented
        if other.n_samples != self.n_samples:
            raise ValueError(
                "only constraints of the same samples can be united: n_samples is "
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
        return self._from_parts(self.n_samples, must, cannot, relations)

    def __len__(self):
        # As of an array of labels: scikit-learn permutes and counts by it.
        return self.n_samples

    def __repr__(self):
        n_must, n_cannot = count_pairs(self)
        return (
            f"{type(self).__name__}(n_samples={self.n_samples}, "
            f"must_link={n_must}, cannot_link={n_cannot})"
        )
