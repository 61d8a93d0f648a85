"""Lists and blocks of all pairs, from explicit pairs and group relations."""

import numpy as np

from skpairclust.constraints._adjacency import Adjacency
from skpairclust.constraints._groups import (
    cannot_pairs,
    count_union,
    first_samples,
    is_cannot,
    is_must,
    must_pairs,
)
from skpairclust.constraints._pairs import canonicalize, check_listable


def count_pairs(constraints):
    """Count different must-links and cannot-links without listing them."""
    relations = constraints._relations
    explicit = (constraints._must_link, constraints._cannot_link)
    if not relations:
        return tuple(map(len, explicit))
    counts = []
    for pairs, test, n_implied in zip(
        explicit, (is_must, is_cannot), count_union(relations), strict=True
    ):
        is_implied = np.zeros(len(pairs), dtype=bool)
        for relation in relations:
            is_implied |= test(relation, *pairs.T)
        counts.append(n_implied + int(np.count_nonzero(~is_implied)))
    return tuple(counts)


def list_pairs(constraints, kind):
    """List the pairs of a kind and their weights; those of groups included."""
    pairs = getattr(constraints, f"_{kind}")
    weights = getattr(constraints, f"_{kind}_weight")
    if not constraints._relations:
        return pairs, weights
    list_implied = must_pairs if kind == "must_link" else cannot_pairs
    n_pairs = count_pairs(constraints)[kind == "cannot_link"]
    check_listable(n_pairs, kind.replace("_", "-") + "s")
    listed = [pairs, *map(list_implied, constraints._relations)]
    n_implied = sum(map(len, listed[1:]))
    return canonicalize(
        np.concatenate(listed),
        np.concatenate((weights, np.ones(n_implied))),
        constraints.n_samples,
    )


def without_implied(constraints):
    """Return constraints in which closures are the pairs that they follow from.

    Of each group, its first sample is must-linked to the others, and the first samples
    of groups are cannot-linked. Groups of which all are told apart, as by labels, stay.
    """
    closures = [r for r in constraints._relations if r.cannot is not None]
    if not closures:
        return constraints
    must, cannot = [constraints._must_link], [constraints._cannot_link]
    for relation in closures:
        first = first_samples(relation)
        members = np.flatnonzero(relation.groups >= 0)
        links = np.column_stack((first[relation.groups[members]], members))
        must.append(links[links[:, 0] != links[:, 1]])
        cannot.append(first[relation.cannot])
    n_samples = constraints.n_samples
    listed = (
        canonicalize(pairs, np.ones(len(pairs)), n_samples)
        for pairs in map(np.concatenate, (must, cannot))
    )
    labels = tuple(r for r in constraints._relations if r.cannot is None)
    return constraints._from_parts(n_samples, *listed, labels)


def make_adjacency(constraints):
    """Index the explicit pairs by sample, cannot-links with negative weight."""
    pairs = np.concatenate((constraints._must_link, constraints._cannot_link))
    weights = np.concatenate(
        (constraints._must_link_weight, -constraints._cannot_link_weight)
    )
    return Adjacency.from_pairs(pairs, weights, constraints.n_samples)


def make_group_adjacencies(constraints):
    """Index each relation's listed pairs of groups; None where all are linked."""
    return [
        None
        if relation.cannot is None
        else Adjacency.from_pairs(
            relation.cannot, -np.ones(len(relation.cannot)), relation.n_groups
        )
        for relation in constraints._relations
    ]


def explicit_block(adjacency, rows):
    """Return the (B, B) float32 block of the explicit pairs among the rows."""
    return _fill(adjacency.induced(rows, np.array([0, len(rows)])), len(rows))


def group_block(relation, adjacency, rows):
    """Return the (B, B) float32 block of a relation among the rows."""
    groups = relation.groups[rows]
    # Where listed pairs of groups are cannot-linked, others start out unknown.
    block = _same_or_different(groups, other=-1 if adjacency is None else 0)
    if adjacency is not None:
        present, column = np.unique(groups[groups >= 0], return_inverse=True)
        known = np.flatnonzero(groups >= 0)
        between = explicit_block(adjacency, present)
        block[np.ix_(known, known)] += between[column[:, None], column]
    np.fill_diagonal(block, 0)
    return block


def _same_or_different(groups, *, other):
    """Return a block of 1 inside groups, `other` between them, 0 without one."""
    # This runs in every step on labels: plain arithmetic is the fastest.
    narrow = groups.astype(np.int32)
    block = (narrow[:, None] == narrow).astype(np.float32)
    if other:
        block *= 1 - other
        block += other
    unknown = narrow < 0
    if unknown.any():
        block[unknown] = 0
        block[:, unknown] = 0
    return block


def _fill(induced, n_rows):
    """Write the pairs of a single batch into a symmetric block."""
    block = np.zeros((n_rows, n_rows), dtype=np.float32)
    block[induced.i, induced.j] = induced.weight
    return block + block.T
