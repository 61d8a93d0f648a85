"""Components, conflicts and closure of constraints, by graph search."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from skpairclust.constraints._groups import (
    first_samples,
    is_cannot,
    is_must,
    make_relation,
    number_by_appearance,
    pairs_within,
)
from skpairclust.constraints._pairs import (
    check_listable,
    common_keys,
    contains,
    decode,
    encode,
    first_few,
    freeze,
    unique_keys,
)


@dataclass(frozen=True, eq=False, repr=False)
class ConstraintConflicts:
    """The constraints that cannot all be kept.

    Its length is the number of conflicts, and it is false when there is none.

    Attributes
    ----------
    direct : ndarray of shape (d, 2), int64
        Pairs that are both must-link and cannot-link.
    entailed : ndarray of shape (e, 2), int64
        Cannot-links between samples that a chain of must-links connects.

    Examples
    --------
    >>> from skpairclust import PairwiseConstraints
    >>> PairwiseConstraints([[0, 1], [1, 2]], [[0, 2]], n_samples=3).conflicts()
    ConstraintConflicts(direct=0, entailed=1 [(0, 2)])
    """

    direct: NDArray[np.int64]
    entailed: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.direct) + len(self.entailed)

    def __repr__(self) -> str:
        parts = [
            f"{name}={len(pairs)}" + (f" [{first_few(pairs, 3)}]" if len(pairs) else "")
            for name, pairs in (("direct", self.direct), ("entailed", self.entailed))
        ]
        return f"ConstraintConflicts({', '.join(parts)})"


def must_link_graph(must_link, relations, n_samples):
    """Return the graph of must-links, with a further node for each group.

    The node of a group is linked to each member, which stands for all pairs of the
    group. An edge to it is half a must-link long.
    """
    ends, tails, n_nodes = [must_link[:, 0]], [must_link[:, 1]], n_samples
    for relation in relations:
        members = np.flatnonzero(relation.groups >= 0)
        ends.append(members)
        tails.append(relation.groups[members] + n_nodes)
        n_nodes += relation.n_groups
    ends, tails = np.concatenate(ends), np.concatenate(tails)
    # csgraph computes in float64 and would copy anything else
    lengths = np.ones(len(ends))
    lengths[len(must_link) :] = 0.5
    return sparse.coo_array(
        (lengths, (ends.astype(np.int32), tails.astype(np.int32))),
        shape=(n_nodes, n_nodes),
    )


def label_components(must_link, relations, n_samples):
    """Label the must-link components in the order of their first samples."""
    graph = must_link_graph(must_link, relations, n_samples)
    _, labels = csgraph.connected_components(graph, directed=False)
    return number_by_appearance(labels[:n_samples].astype(np.int64))[0]


def find_conflicts(constraints, labels):
    """Return all conflicts, given the must-link components' labels."""
    n_samples = constraints.n_samples
    must, cannot = constraints._must_link, constraints._cannot_link
    relations = constraints._relations
    direct = [common_keys(encode(must, n_samples), encode(cannot, n_samples))]
    entailed = [encode(cannot[_within(cannot, labels)], n_samples)]
    for relation in relations:
        direct.append(encode(cannot[is_must(relation, *cannot.T)], n_samples))
        direct.append(encode(must[is_cannot(relation, *must.T)], n_samples))
        for other in relations:
            if other is not relation:
                direct.append(encode(_must_against_cannot(other, relation), n_samples))
    direct = unique_keys(np.concatenate(direct))
    for relation in relations:
        pairs = _entailed_by_groups(relation, labels, decode(direct, n_samples))
        entailed.append(encode(pairs, n_samples))
    entailed = unique_keys(np.concatenate(entailed))
    entailed = entailed[~contains(direct, entailed)]
    return ConstraintConflicts(
        freeze(decode(direct, n_samples)), freeze(decode(entailed, n_samples))
    )


def _within(pairs, labels):
    """Mark the pairs inside one component."""
    return labels[pairs[:, 0]] == labels[pairs[:, 1]]


def _must_against_cannot(must_relation, cannot_relation):
    """Return pairs that one relation must-links and another cannot-links.

    One pair for each two cannot-linked groups with samples in one must-linked group.
    """
    both = np.column_stack((must_relation.groups, cannot_relation.groups))
    known = np.flatnonzero((both >= 0).all(axis=1))
    # samples with the same two groups are alike: take the first of each kind
    kinds = known[np.unique(both[known], axis=0, return_index=True)[1]]
    if cannot_relation.cannot is None:
        pairs = kinds[pairs_within(must_relation.groups[kinds])]
        return pairs[is_cannot(cannot_relation, *pairs.T)]
    # look only at the listed pairs of groups: do they share a must-linked group?
    meets = sparse.csr_array(
        (kinds + 1, (cannot_relation.groups[kinds], must_relation.groups[kinds])),
        shape=(cannot_relation.n_groups, must_relation.n_groups),
    )
    left, right = (meets[side] for side in cannot_relation.cannot.T)
    shared = (left.multiply(right != 0), right.multiply(left != 0))
    return np.column_stack([side.tocsr().sorted_indices().data for side in shared]) - 1


def _entailed_by_groups(relation, labels, direct):
    """Return one pair for each two cannot-linked groups of one component.

    Pairs of groups that a direct conflict stands for already are left out.
    """
    firsts = first_samples(relation)
    pairs = _conflicting_groups(relation, labels[firsts])
    if len(pairs) == 0:
        return pairs
    reported = relation.groups[direct]
    reported = reported[(reported >= 0).all(axis=1)]
    is_known = np.isin(
        encode(pairs, relation.n_groups), encode(reported, relation.n_groups)
    )
    return firsts[pairs[~is_known]]


def _conflicting_groups(relation, component_of_group):
    """List the cannot-linked groups that share a component."""
    if relation.cannot is None:
        return pairs_within(component_of_group)
    return relation.cannot[_within(relation.cannot, component_of_group)]


def close(constraints, labels):
    """Return the closure as a tuple of at most one relation.

    Components become groups, cannot-links become pairs of groups.
    """
    n_components = int(labels.max(initial=-1)) + 1
    keys, complete = [], []
    keys.append(_component_keys(labels[constraints._cannot_link], n_components))
    for relation in constraints._relations:
        of_group = labels[first_samples(relation)]
        if relation.cannot is None:
            complete.append(np.sort(of_group))
            _raise_if_contradictory(complete[-1][1:] == complete[-1][:-1])
        else:
            keys.append(_component_keys(of_group[relation.cannot], n_components))
    listed = decode(unique_keys(np.concatenate(keys)), n_components)
    return _close_components(labels, listed, complete, n_components)


def _component_keys(pairs, n_components):
    """Encode cannot-links between components, or raise on conflicts."""
    _raise_if_contradictory(pairs[:, 0] == pairs[:, 1])
    return unique_keys(encode(pairs, n_components))


def _raise_if_contradictory(is_conflict):
    """Raise if any cannot-link lies inside a component."""
    n_conflicts = np.count_nonzero(is_conflict)
    if n_conflicts:
        raise ValueError(
            f"closure() needs constraints that agree, but {n_conflicts} or more "
            "cannot-links lie inside a must-link component. List them with "
            "`conflicts()` and remove the wrong ones, e.g. with `subset(mask)`."
        )


def _close_components(labels, listed, complete, n_components):
    """Make the relation from listed pairs and fully cannot-linked sets."""
    is_used = np.bincount(labels, minlength=n_components) > 1
    is_used[listed] = True
    for components in complete:
        is_used[components] = True
    for components in complete:
        # class labels and nothing else: every pair, without a list
        if len(components) == np.count_nonzero(is_used):
            return make_relation(np.where(is_used[labels], labels, -1))
    for components in complete:
        n_pairs = len(components) * (len(components) - 1) // 2
        check_listable(n_pairs, "cannot-links between components")
    pairs = [
        components[np.column_stack(np.triu_indices(len(components), 1))]
        for components in complete
    ]
    return make_relation(labels, np.concatenate([listed, *pairs]))
