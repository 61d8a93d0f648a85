"""What constraints say of any two samples, without listing what follows from them."""

import numpy as np
from scipy import sparse

from skpairclust.constraints._groups import (
    first_samples,
    group_pairs,
    mark_constrained,
)
from skpairclust.constraints._pairs import contains, decode, encode, unique_keys


class Knowledge:
    """Groups of samples that belong together, and which groups are apart.

    A group is a must-link component with at least one sample that a constraint or an
    excluded pair names.

    Parameters
    ----------
    constraints : PairwiseConstraints
        Cannot-links that contradict must-links are passed over.
    excluded : ndarray of shape (e, 2), int64
        Pairs that may not be asked; nothing is asked about their groups either.

    Attributes
    ----------
    component : ndarray of shape (n_samples,), int64
        Must-link component of each sample.
    is_named : ndarray of shape (n_samples,), bool
        Whether a sample is in some pair.
    members : ndarray of shape (n_named,), int64
        The named samples, ordered by group.
    group : ndarray of shape (n_named,), int64
        The group of each of them.
    starts : ndarray of shape (n_groups,), int64
        Where each group starts in `members`.
    settled : csr_array of shape (n_groups, n_groups)
        Which groups there is nothing to ask about: apart, or excluded.
    """

    def __init__(self, constraints, excluded):
        self.n_samples = constraints.n_samples
        self.component = constraints.components()
        self.is_named = mark_constrained(constraints)
        self.is_named[excluded] = True
        self._n_components = int(self.component.max(initial=-1)) + 1
        self._keys = self._settled_keys(constraints, excluded)
        self._number_groups()

    def _settled_keys(self, constraints, excluded):
        """Return the sorted keys of pairs of components that need no question."""
        found = [self.component[constraints._cannot_link], self.component[excluded]]
        for relation in constraints._relations:
            of_group = self.component[first_samples(relation)]
            found.append(of_group[group_pairs(relation)])
        found = np.concatenate(found)
        found = found[found[:, 0] != found[:, 1]]
        return unique_keys(encode(found, self._n_components))

    def _number_groups(self):
        """Give numbers to the components of named samples; note which are settled."""
        named = np.flatnonzero(self.is_named)
        names, group = np.unique(self.component[named], return_inverse=True)
        order = np.argsort(group, kind="stable")
        self.members, self.group = named[order], group[order]
        self.sizes = np.bincount(group, minlength=len(names))
        self.starts = np.cumsum(self.sizes) - self.sizes
        left, right = np.searchsorted(names, decode(self._keys, self._n_components)).T
        half = sparse.csr_array(
            (np.ones(len(left), dtype=bool), (left, right)),
            shape=(len(names), len(names)),
        )
        self.settled = (half + half.T).tocsr()
        self._names = names

    @property
    def n_groups(self):
        """Number of groups."""
        return len(self.sizes)

    def members_of(self, group):
        """Return the named samples of a group."""
        start = self.starts[group]
        return self.members[start : start + self.sizes[group]]

    def settled_with(self, group):
        """Return the groups that there is nothing to ask about, for one group."""
        return self.settled.indices[
            self.settled.indptr[group] : self.settled.indptr[group + 1]
        ]

    def group_of(self, samples):
        """Return the group of samples, -1 for those that nothing is known of."""
        place = np.searchsorted(self._names, self.component[samples])
        place = np.minimum(place, max(self.n_groups - 1, 0))
        if self.n_groups == 0:
            return np.full(len(samples), -1)
        found = self._names[place] == self.component[samples]
        return np.where(found, place, -1)

    def knows(self, pairs):
        """Mark the pairs that are known, follow from what is known, or are excluded."""
        left, right = self.component[pairs].T
        keys = encode(np.column_stack((left, right)), self._n_components)
        return (left == right) | contains(self._keys, keys)

    def keep_new(self, pairs, n_pairs=None):
        """Return the pairs worth a question, in order, each about two other groups."""
        pairs = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        pairs = pairs[~self.knows(pairs)]
        keys = encode(self.component[pairs], self._n_components)
        first = np.sort(np.unique(keys, return_index=True)[1])
        return pairs[first[:n_pairs]]
