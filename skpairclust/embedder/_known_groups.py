"""Which samples belong to one group, and which groups are known to differ."""

import numpy as np
from scipy import sparse


class KnownGroups:
    """Must-link components as groups, cannot-links as pairs of groups.

    What follows from the constraints counts as known, unless they contradict each
    other: then only the pairs as they were given count. Weights of pairs are kept.

    Parameters
    ----------
    constraints : PairwiseConstraints

    Attributes
    ----------
    groups : ndarray of shape (n_samples,), int64
        Component of each sample, -1 for samples without constraints.
    members : list of ndarray
        Rows of each group.
    sizes : ndarray of int64
        Their numbers of rows.
    rich : ndarray of int64
        Groups of two samples or more that are known to differ from another group.
    are_most_rich : bool
        Whether these are half of the groups of two samples or more.
    is_complete : bool
        Whether any two groups are known to differ, as with labels.
    """

    def __init__(self, constraints):
        self.constraints = constraints
        conflicts = constraints.conflicts()
        self._known = constraints if len(conflicts) else constraints.closure()
        self._is_weighted = not (
            np.all(constraints._must_link_weight == 1)
            and np.all(constraints._cannot_link_weight == 1)
        )
        self.groups, pairs = _read_groups(self._known)
        self.is_complete = pairs is None
        self.members = _split_by(self.groups)
        n_groups = len(self.members)
        self._differing = None
        if pairs is not None:
            both = np.concatenate([pairs, pairs[:, ::-1]])
            ones = np.ones(len(both), dtype=bool)
            shape = (n_groups, n_groups)
            self._differing = sparse.csr_array((ones, tuple(both.T)), shape=shape)
        self.sizes = np.array([len(rows) for rows in self.members], dtype=np.int64)
        has_pairs = self.sizes > 1
        self.rich = np.flatnonzero(has_pairs & (self._count_differing() > 0))
        self.are_most_rich = 2 * len(self.rich) >= np.count_nonzero(has_pairs)

    def relation(self, rows):
        """Return the signed weights (B, B) float32 of what is known among rows."""
        block = self._known.relation_block(rows)
        if self._is_weighted and self._known is not self.constraints:
            given = self.constraints.relation_block(rows)
            block = np.where(given != 0, given, block)
        return block

    def number(self, rows):
        """Return the groups of rows, numbered from 0 on without a gap.

        Rows of no group are a group of their own, with their copies.
        """
        groups = self.groups[rows]
        groups = np.where(groups < 0, len(self.members) + rows, groups)
        return np.unique(groups, return_inverse=True)[1]

    def differing(self, group):
        """Return the groups known to differ from `group`, an array."""
        if self.is_complete:
            others = np.arange(len(self.members) - 1)
            return others + (others >= group)
        row = self._differing.indptr
        return self._differing.indices[row[group] : row[group + 1]]

    def differ(self, rows, others):
        """Return which rows are known to differ from which others, a bool matrix."""
        left, right = self.groups[rows], self.groups[others]
        known = (left >= 0)[:, None] & (right >= 0)
        if self.is_complete:
            return known & (left[:, None] != right)
        return known & self._differing[left].toarray()[:, right]

    def _count_differing(self):
        """Return of each group the number of groups known to differ from it."""
        if self.is_complete:
            return np.full(len(self.members), len(self.members) - 1)
        return np.diff(self._differing.indptr)


def _read_groups(known):
    """Return groups of samples and the pairs of groups that differ, None for all."""
    if not len(known._must_link) and not len(known._cannot_link):
        if len(known._relations) == 1:
            return known._relations[0]
        if not known._relations:
            return np.full(known.n_samples, -1), np.empty((0, 2), dtype=np.int64)
    groups = known.components()
    pairs = groups[known.cannot_link]
    # Contradictions: pairs inside a component say nothing about groups.
    return groups, np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)


def _split_by(groups):
    """Return the rows of each group."""
    known = np.flatnonzero(groups >= 0)
    order = known[np.argsort(groups[known], kind="stable")]
    bounds = np.cumsum(np.bincount(groups[known]))[:-1]
    return np.split(order, bounds) if len(known) else []
