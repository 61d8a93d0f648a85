"""The pairs among some samples as matrices and lists, as training reads them."""

from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from skpairclust.constraints._adjacency import InducedPairs
from skpairclust.constraints._pairs import check_listable, check_rows
from skpairclust.constraints._views import (
    explicit_block,
    group_block,
    list_pairs,
    make_adjacency,
    make_group_adjacencies,
)


class ConstraintBlocks:
    """What is known among all samples, or those of a batch."""

    def to_matrix(self) -> sparse.csr_array:
        """Write all pairs into a symmetric sparse matrix.

        Returns
        -------
        M : csr_array of shape (n_samples, n_samples), float64
            The weights of must-links minus those of cannot-links; 0 for unknown.

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

    def relation_block(self, rows: ArrayLike) -> NDArray[np.float32]:
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
        """Return the part of `relation_block` from groups, without checks."""
        if "groups" not in self._cache:
            self._cache["groups"] = make_group_adjacencies(self)
        parts = zip(self._relations, self._cache["groups"], strict=True)
        return reduce(np.add, (group_block(*part, rows) for part in parts))

    def induced_pairs(
        self, rows: NDArray[np.int64], offsets: NDArray[np.int64]
    ) -> InducedPairs:
        """Find the explicit pairs inside each of many batches at once.

        Pairs that come from labels, sequences or a closure are left out:
        :meth:`relation_block` knows them.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), int64
            The rows of all batches, one batch after the other. Rows are numbered
            from 0 and must differ within a batch; this is not checked.
        offsets : ndarray of shape (n_batches + 1,), int64
            Batch b is ``rows[offsets[b]:offsets[b + 1]]``.

        Returns
        -------
        batch, i, j : ndarray of shape (n_pairs,), int64
            The batch of each pair and its positions in the batch, i < j.
        weight : ndarray of shape (n_pairs,), float64
            Positive for must-links, negative for cannot-links. A pair that is both
            has one entry, the difference of its weights.

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
