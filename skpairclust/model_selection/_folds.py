"""Divide the rows of constraints into folds: stateless functions.

Each maker returns a list of (train, test) row numbers, sorted. They differ in which
pairs they keep; see `ConstraintKFold`.
"""

import heapq

import numpy as np
from scipy import sparse

from skpairclust.constraints._graph import label_components
from skpairclust.constraints._groups import first_samples
from skpairclust.constraints._pairs import ragged_arange

# Rounds in which many rows are taken at once. Random pairs need some twenty; a chain
# needs half as many as it has rows, so that the rest is taken one by one.
_MOST_ROUNDS = 64


def cover_folds(constraints, n_splits, rng, *, least_share=None):
    """Test on the samples of a fold's pairs, and train without a cover of these pairs.

    Lists the pairs that groups imply. Returns None as soon as a fold keeps no more
    than `least_share` of the pairs for training.
    """
    must, cannot = constraints.must_link, constraints.cannot_link
    pairs = np.concatenate((must, cannot))
    fold = deal(np.repeat([0, 1], [len(must), len(cannot)]), n_splits, rng)
    folds = []
    for number in range(n_splits):
        is_test = np.zeros(constraints.n_samples, dtype=bool)
        is_test[pairs[fold == number]] = True
        inside = is_test[pairs].all(axis=1)
        # tested pairs are never trained on: this check is cheap and may be enough
        if least_share and np.mean(~inside) <= least_share:
            return None
        # what else is lost with a row: pairs with an end outside the test rows
        cost = np.bincount(pairs[~inside].ravel(), minlength=len(is_test))
        is_kept = ~greedy_cover(pairs[inside], cost)
        if least_share and np.mean(is_kept[pairs].all(axis=1)) <= least_share:
            return None
        folds.append((np.flatnonzero(is_kept), np.flatnonzero(is_test)))
    return folds


def greedy_cover(pairs, cost):
    """Choose rows so that each pair has one of them, at a low total cost.

    Takes the row with the lowest ``(cost + 1) / uncovered pairs`` until all pairs
    are covered (Chvatal's greedy rule, within ln(largest degree) + 1 of the best).

    Parameters
    ----------
    pairs : ndarray of shape (m, 2)
        Different pairs of different rows.
    cost : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_rows,), bool
    """
    is_covering = np.zeros(len(cost), dtype=bool)
    for _ in range(_MOST_ROUNDS):
        if not len(pairs):
            break
        is_covering[_cheapest_among_neighbors(pairs, cost)] = True
        pairs = pairs[~is_covering[pairs].any(axis=1)]
    is_covering[_take_one_by_one(pairs, cost)] = True
    return is_covering


def _cheapest_among_neighbors(pairs, cost):
    """Return the rows that the greedy rule takes before any of their neighbors.

    Prices only rise, and that of a row stays until a neighbor is taken. Therefore
    rows that are cheaper than all their neighbors can be taken at once.
    """
    degree = np.bincount(pairs.ravel(), minlength=len(cost))
    rows = np.flatnonzero(degree)
    order = np.argsort((cost[rows] + 1.0) / degree[rows], kind="stable")
    rank = np.empty(len(cost), dtype=np.int64)
    rank[rows[order]] = np.arange(len(rows))
    is_dearer = np.zeros(len(cost), dtype=bool)
    dearer_end = rank[pairs].argmax(axis=1)
    is_dearer[pairs[np.arange(len(pairs)), dearer_end]] = True
    return rows[~is_dearer[rows]]


def _take_one_by_one(pairs, cost):
    """Return the rows of a greedy cover, by a heap."""
    ends, other_ends = np.concatenate((pairs, pairs[:, ::-1])).T
    graph = sparse.csr_array(
        (np.ones(len(ends), dtype=np.int8), (ends, other_ends)),
        shape=(len(cost), len(cost)),
    )
    degree = np.diff(graph.indptr).astype(np.int64)
    taken = []
    rows = np.flatnonzero(degree)
    price = (cost[rows] + 1.0) / degree[rows]
    heap = list(zip(price.tolist(), rows.tolist(), strict=True))
    heapq.heapify(heap)
    while heap:
        listed, row = heapq.heappop(heap)
        if degree[row] == 0:
            continue
        # prices only rise, so a stale entry is met too early and goes back
        current = (cost[row] + 1.0) / degree[row]
        if current > listed:
            heapq.heappush(heap, (float(current), row))
            continue
        taken.append(row)
        neighbors = graph.indices[graph.indptr[row] : graph.indptr[row + 1]]
        # a covering neighbor has degree 0 and must keep it
        degree[neighbors[degree[neighbors] > 0]] -= 1
        degree[row] = 0
    return np.array(taken, dtype=np.int64)


def component_folds(constraints, n_splits, rng):
    """Keep whole components of the constraint graph together: no pair is lost."""
    labels, counts = count_by_component(constraints)
    fold = np.full(len(counts), -1, dtype=np.int64)
    has_pairs = np.flatnonzero(counts.any(axis=1))
    fold[has_pairs] = pack(counts[has_pairs], n_splits, rng)
    return _hold_out(fold[labels], n_splits)


def count_by_component(constraints):
    """Label what pairs of either kind connect, and count pairs by component.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int64
    counts : ndarray of shape (n_components, 2), int64
        Must-links and cannot-links. A pair known from two sources counts twice.
    """
    edges = [constraints._must_link, constraints._cannot_link]
    for relation in constraints._relations:
        firsts = first_samples(relation)
        if relation.cannot is None:
            # all groups are cannot-linked: a chain connects them as well
            edges.append(np.column_stack((firsts[:-1], firsts[1:])))
        else:
            edges.append(firsts[relation.cannot])
    labels = label_components(
        np.concatenate(edges), constraints._relations, constraints.n_samples
    )
    counts = np.zeros((labels.max(initial=-1) + 1, 2), dtype=np.int64)
    for kind, pairs in enumerate(edges[:2]):
        counts[:, kind] += np.bincount(labels[pairs[:, 0]], minlength=len(counts))
    for relation in constraints._relations:
        _count_implied(relation, labels[first_samples(relation)], counts)
    return labels, counts


def _count_implied(relation, component_of_group, counts):
    """Add the pairs that a relation implies to the counts of its components."""
    sizes = relation.sizes
    np.add.at(counts[:, 0], component_of_group, sizes * (sizes - 1) // 2)
    if relation.cannot is None:
        n_pairs = (int(sizes.sum()) ** 2 - int((sizes**2).sum())) // 2
        counts[component_of_group[:1], 1] += n_pairs
    else:
        left, right = relation.cannot.T
        np.add.at(counts[:, 1], component_of_group[left], sizes[left] * sizes[right])


def pack(counts, n_splits, rng):
    """Give components to folds so that both kinds of pairs are spread evenly.

    Large components come first. Each goes to the fold that has the fewest pairs of the
    kinds that it adds. Components with the same counts are distributed at once, so the
    loop is over different counts.

    Parameters
    ----------
    counts : ndarray of shape (n_components, 2)
    n_splits : int
    rng : RandomState
        Shuffles components of the same counts.

    Returns
    -------
    ndarray of shape (n_components,), int64
    """
    kinds, kind_of = np.unique(counts, axis=0, return_inverse=True)
    kind_of = kind_of.reshape(-1)
    share = kinds / np.maximum(counts.sum(axis=0), 1)
    order = rng.permutation(len(counts))
    order = order[np.argsort(kind_of[order], kind="stable")]
    ends = np.cumsum(np.bincount(kind_of, minlength=len(kinds)))
    fold = np.empty(len(counts), dtype=np.int64)
    load = np.zeros((n_splits, 2))
    for kind in np.argsort(-share.sum(axis=1), kind="stable"):
        members = order[ends[kind - 1] if kind else 0 : ends[kind]]
        # the second key decides among folds that lack this kind alike
        emptiest = np.lexsort((load.sum(axis=1), load @ share[kind]))
        fold[members] = emptiest[np.arange(len(members)) % n_splits]
        n_dealt = np.bincount(fold[members], minlength=n_splits)
        load += n_dealt[:, None] * share[kind]
    return fold


def row_folds(constraints, n_splits, rng):
    """Divide the rows that have pairs into folds; pairs across folds are lost.

    Rows of one group (class, sequence) are distributed evenly, two at a time, so that
    small groups keep must-links.
    """
    relations = constraints._relations
    ends = [constraints._must_link.ravel(), constraints._cannot_link.ravel()]
    ends += [np.flatnonzero(relation.groups >= 0) for relation in relations]
    is_known = np.zeros(constraints.n_samples, dtype=bool)
    is_known[np.concatenate(ends)] = True
    known = np.flatnonzero(is_known)
    groups = None
    if len(relations) == 1:
        # rows in no group, but with explicit pairs, make the first stratum
        groups = relations[0].groups[known] + 1
    fold = np.full(constraints.n_samples, -1, dtype=np.int64)
    fold[known] = deal(groups, n_splits, rng, n_items=len(known), couples=True)
    return _hold_out(fold, n_splits)


def deal(strata, n_splits, rng, *, n_items=None, couples=False):
    """Deal items out in turn, stratum by stratum.

    Parameters
    ----------
    strata : ndarray of shape (n_items,), int, or None for one of all
    n_splits : int
    rng : RandomState
        Shuffles the items of a stratum.
    n_items : int, optional
        Needed where there are no strata.
    couples : bool
        Deal out two items of a stratum at once.

    Returns
    -------
    ndarray of shape (n_items,), int64
        The fold of each item.
    """
    n_items = len(strata) if n_items is None else n_items
    order = rng.permutation(n_items)
    turn = np.arange(n_items, dtype=np.int64)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
        if couples:
            place = ragged_arange(np.bincount(strata))
            turn = np.cumsum(place % 2 == 0) - 1
    fold = np.empty(n_items, dtype=np.int64)
    fold[order] = turn % n_splits
    return fold


def _hold_out(fold, n_splits):
    """Test on each fold's rows and train on all others; -1 is never tested."""
    rows = np.arange(len(fold), dtype=np.int64)
    return [(rows[fold != k], rows[fold == k]) for k in range(n_splits)]
