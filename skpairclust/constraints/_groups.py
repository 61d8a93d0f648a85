"""Pairs that are implied by groups of samples and never stored one by one."""

from typing import NamedTuple

import numpy as np

from skpairclust.constraints._pairs import (
    check_listable,
    contains,
    decode,
    encode,
    freeze,
    ragged_arange,
    restore,
    unique_keys,
)


class GroupRelation(NamedTuple):
    """Samples of one group are must-linked, some pairs of groups cannot-linked.

    Every pair has weight 1. Relations are canonical: groups are numbered in the
    order of first appearance and take part in at least one pair, and `cannot` is
    None as soon as it would hold every pair of groups.
    """

    # (n_samples,) int64, -1 = in no group
    groups: np.ndarray
    # None = any two groups are cannot-linked, else canonical (c, 2) group pairs
    cannot: np.ndarray | None

    @property
    def n_groups(self):
        """Number of groups."""
        return int(self.groups.max(initial=-1)) + 1

    @property
    def sizes(self):
        """Number of samples of each group."""
        return np.bincount(self.groups[self.groups >= 0], minlength=self.n_groups)


def number_by_appearance(labels, n_labels=None):
    """Renumber non-negative labels consecutively by first appearance; keep -1.

    Returns the new labels and the table from old to new labels.
    """
    if n_labels is None:
        n_labels = int(labels.max(initial=-1)) + 1
    known = np.flatnonzero(labels >= 0)
    first = np.full(n_labels, len(labels), dtype=np.int64)
    # of repeated indices the last assignment stays, so go backwards
    first[labels[known[::-1]]] = known[::-1]
    order = np.argsort(first, kind="stable")
    present = order[first[order] < len(labels)]
    # the additional last entry is what label -1 reads
    table = np.full(n_labels + 1, -1, dtype=np.int64)
    table[present] = np.arange(len(present))
    return table[labels], table[:-1]


def make_relation(groups, cannot=None):
    """Return a tuple with the canonical relation, or () if it implies no pair.

    `groups` are integers from 0, -1 for none; `cannot` holds pairs of them.
    """
    if cannot is None:
        groups, _ = number_by_appearance(groups)
    else:
        groups, cannot = _drop_unused_groups(groups, cannot)
    if np.count_nonzero(groups >= 0) < 2:
        return ()
    return (GroupRelation(freeze(groups), cannot),)


def _drop_unused_groups(groups, cannot):
    """Keep groups that take part in a pair; `cannot` is None if all are linked."""
    n_labels = int(max(groups.max(initial=-1), cannot.max(initial=-1))) + 1
    sizes = np.bincount(groups[groups >= 0], minlength=n_labels)
    # groups without a sample are gone, and so are their pairs
    cannot = cannot[(sizes[cannot] > 0).all(axis=1)]
    is_used = np.append(sizes > 1, False)
    is_used[cannot] = True
    groups, table = number_by_appearance(
        np.where(is_used[groups], groups, -1), n_labels
    )
    n_groups = int(groups.max(initial=-1)) + 1
    keys = unique_keys(encode(table[cannot], n_groups))
    if len(keys) == n_groups * (n_groups - 1) // 2:
        return groups, None
    return groups, freeze(decode(keys, n_groups))


def slice_relation(relation, rows):
    """Return the relation among some rows, as a tuple of none or one."""
    return make_relation(relation.groups[rows], relation.cannot)


def count_pairs(relation):
    """Return the numbers of must-links and of cannot-links."""
    sizes = relation.sizes
    n_must = int((sizes * (sizes - 1) // 2).sum())
    if relation.cannot is None:
        n_known = int(sizes.sum())
        return n_must, n_known * (n_known - 1) // 2 - n_must
    left, right = relation.cannot.T
    return n_must, int((sizes[left] * sizes[right]).sum())


def pairs_within(classes):
    """List all pairs of items of equal class; -1 is no class."""
    members, _, sizes = _members_by_class(classes)
    check_listable(int((sizes * (sizes - 1) // 2).sum()), "pairs")
    # each member meets those behind it in its class
    n_partners = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(members)) - 1
    left = np.repeat(np.arange(len(members)), n_partners)
    right = left + 1 + ragged_arange(n_partners)
    return np.column_stack((members[left], members[right]))


def _members_by_class(classes):
    """Return items ordered by class, where each class starts, and its size."""
    order = np.argsort(classes, kind="stable")
    members = order[np.count_nonzero(classes < 0) :]
    sizes = np.bincount(classes[members])
    return members, np.cumsum(sizes) - sizes, sizes


def must_pairs(relation):
    """List the relation's must-links."""
    return pairs_within(relation.groups)


def group_pairs(relation):
    """List the pairs of groups that are cannot-linked."""
    if relation.cannot is None:
        return pairs_within(np.zeros(relation.n_groups, dtype=np.int64))
    return relation.cannot


def cannot_pairs(relation):
    """List the relation's cannot-links."""
    check_listable(count_pairs(relation)[1], "cannot-links")
    members, starts, sizes = _members_by_class(relation.groups)
    left, right = group_pairs(relation).T
    counts = sizes[left] * sizes[right]
    within = ragged_arange(counts)
    row, column = np.divmod(within, np.repeat(sizes[right], counts))
    return np.column_stack(
        (
            members[np.repeat(starts[left], counts) + row],
            members[np.repeat(starts[right], counts) + column],
        )
    )


def is_must(relation, left, right):
    """Mark which pairs of samples share a group."""
    group = relation.groups[left]
    return (group == relation.groups[right]) & (group >= 0)


def is_cannot(relation, left, right):
    """Mark which pairs of samples are in cannot-linked groups."""
    left, right = relation.groups[left], relation.groups[right]
    is_known = (left >= 0) & (right >= 0)
    if relation.cannot is None:
        return is_known & (left != right)
    low, high = np.minimum(left, right), np.maximum(left, right)
    keys = encode(relation.cannot, relation.n_groups)
    return is_known & contains(keys, low * relation.n_groups + high)


def mark_constrained(constraints):
    """Mark the samples that take part in a pair, (n_samples,) bool."""
    marked = np.zeros(constraints.n_samples, dtype=bool)
    for pairs in (constraints._must_link, constraints._cannot_link):
        marked[pairs] = True
    for relation in constraints._relations:
        # of canonical relations all groups take part in pairs
        marked |= relation.groups >= 0
    return marked


def first_samples(relation):
    """Return one sample of each group, the first."""
    # canonical numbering: a group is new where the running maximum grows
    highest = np.maximum.accumulate(relation.groups)
    return np.flatnonzero(np.diff(highest, prepend=-1))


def count_union(relations):
    """Return the numbers of different must-links and cannot-links of relations."""
    if len(relations) == 1:
        return count_pairs(relations[0])
    # samples with the same groups everywhere are alike: count by kinds of them
    stacked = np.column_stack([relation.groups for relation in relations])
    _, kinds, sizes = np.unique(stacked, axis=0, return_index=True, return_counts=True)
    counts = np.zeros(2, dtype=np.int64)
    # rows in chunks, so that kinds x kinds masks are never held
    for start in range(0, len(kinds), 256):
        left = kinds[start : start + 256, None]
        for number, test in enumerate((is_must, is_cannot)):
            linked = np.zeros((len(left), len(kinds)), dtype=bool)
            for relation in relations:
                linked |= test(relation, left, kinds)
            counts[number] += sizes[start : start + 256] @ (linked @ sizes)
    in_group = (stacked[kinds] >= 0).any(axis=1)
    n_self = int(sizes[in_group].sum())
    return (int(counts[0]) - n_self) // 2, int(counts[1]) // 2


def sort_relations(relations):
    """Sort relations, so that their order does not depend on the input order."""
    if len(relations) < 2:
        return tuple(relations)
    return tuple(
        sorted(
            relations,
            key=lambda r: (
                r.groups.tobytes(),
                b"" if r.cannot is None else r.cannot.tobytes(),
            ),
        )
    )


def restore_relation(groups, cannot):
    """Rebuild a relation from a pickle."""
    return GroupRelation(
        freeze(restore(groups)), None if cannot is None else freeze(restore(cannot))
    )
