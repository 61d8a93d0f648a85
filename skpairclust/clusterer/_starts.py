"""Labels to start from, found by structure: groups of pairs merged, or k-means.

Random outputs of many clusters all begin alike: cannot-links are content with that, and
the few must-links pull everything together. A network that was taught some clustering
first sets out with clusters that are apart.
"""

import warnings

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import KMeans
from sklearn.metrics.pairwise import euclidean_distances

from skpairclust.constraints._groups import (
    first_samples,
    group_pairs,
    mark_constrained,
)

# Groups at most that are merged: their distances are a matrix.
_MOST_GROUPS = 2000

# How many numbers of clusters are tried where the number is a bound, and by what factor
# they differ.
_MOST_NUMBERS, _FEWER = 6, 1.4

# Groups that all samples of which nothing is known are put into first.
_N_PATCHES = 400


def propose_starts(points, nodes, constraints, n_clusters, rng):
    """Return clusterings of some samples that a network may start from.

    Parameters
    ----------
    points : ndarray of shape (n_nodes, d)
        Features of the samples `nodes`.
    nodes : ndarray of shape (n_nodes,), int64
        Their numbers, ascending.
    constraints : PairwiseConstraints
    n_clusters : int
    rng : numpy.random.RandomState

    Returns
    -------
    dict of str to ndarray of shape (n_samples,), int64
        Clusters by the name of the start; -1 for samples that it says nothing of.
        "groups" merges must-link components, "ward" these and patches of all other
        samples, and "kmeans" looks at no pair.
    """
    starts = {}
    groups = list_groups(nodes, constraints)
    n_groups = groups.max() + 1
    if 1 < n_groups <= _MOST_GROUPS:
        starts["groups"] = merge_groups(points, nodes, groups, constraints, n_clusters)
    patched = _add_patches(points, nodes, groups, rng)
    if n_groups and n_clusters < patched.max() + 1 <= _MOST_GROUPS + _N_PATCHES:
        starts["ward"] = merge_groups(points, nodes, patched, constraints, n_clusters)
    if n_clusters < len(points):
        kmeans = KMeans(n_clusters, n_init=1, random_state=rng)
        labels = np.full(len(constraints), -1, dtype=np.int64)
        labels[nodes] = kmeans.fit_predict(points)
        starts["kmeans"] = labels
    return starts


def propose_numbers(points, nodes, constraints, n_clusters, rng):
    """Return clusterings with `n_clusters` and with fewer clusters, down to two.

    Parameters
    ----------
    points, nodes, constraints, n_clusters, rng
        As in `propose_starts`; the number is a bound.

    Returns
    -------
    dict of str to ndarray of shape (n_samples,), int64
        By "ward" and the number.
    """
    patched = _add_patches(points, nodes, list_groups(nodes, constraints), rng)
    if patched.max() >= _MOST_GROUPS + _N_PATCHES:
        return {}
    starts, number = {}, float(min(n_clusters, patched.max() + 1))
    while round(number) >= 2 and len(starts) < _MOST_NUMBERS:
        labels = merge_groups(points, nodes, patched, constraints, round(number))
        starts[f"ward {round(number)}"] = labels
        number /= _FEWER
    return starts


def propose_known_groups(constraints, n_clusters):
    """Return must-link groups as a start, if they are at most as many as clusters.

    Nothing needs to be merged then, as with labels of all classes.

    Returns
    -------
    dict of str to ndarray of shape (n_samples,), int64
        Empty if there are more groups, or a single one.
    """
    groups = list_groups(np.arange(len(constraints)), constraints)
    if not 1 < groups.max() + 1 <= n_clusters:
        return {}
    return {"groups": groups}


def list_groups(nodes, constraints):
    """Return the must-link component of constrained samples among the nodes.

    Returns
    -------
    ndarray of shape (n_samples,), int64
        Numbers from 0; -1 for all other samples.
    """
    is_node = np.zeros(len(constraints), dtype=bool)
    is_node[nodes] = True
    named = np.flatnonzero(is_node & mark_constrained(constraints))
    groups = np.full(len(constraints), -1, dtype=np.int64)
    groups[named] = np.unique(constraints.components()[named], return_inverse=True)[1]
    return groups


def _add_patches(points, nodes, groups, rng):
    """Return groups with all other nodes put into groups of near ones."""
    groups, free = groups.copy(), np.flatnonzero(groups[nodes] < 0)
    patch = np.arange(len(free))
    if len(free) > _N_PATCHES:
        # A rough partition serves: careful centers would take four times as long.
        kmeans = KMeans(
            _N_PATCHES, init="random", n_init=1, max_iter=10, random_state=rng
        )
        patch = np.unique(kmeans.fit_predict(points[free]), return_inverse=True)[1]
    groups[nodes[free]] = groups.max() + 1 + patch
    return groups


def merge_groups(points, nodes, groups, constraints, n_clusters):
    """Merge groups of samples by Ward's criterion, never across a cannot-link.

    Parameters
    ----------
    points : ndarray of shape (n_nodes, d)
    nodes : ndarray of shape (n_nodes,), int64
    groups : ndarray of shape (n_samples,), int64
        Numbers from 0 of samples among the nodes, -1 for others.
    constraints : PairwiseConstraints
    n_clusters : int

    Returns
    -------
    ndarray of shape (n_samples,), int64
        Cluster of each sample of a group. -1 for others, and for the smallest clusters
        where cannot-links keep more of them apart.
    """
    is_grouped = groups[nodes] >= 0
    points, group = points[is_grouped], groups[nodes[is_grouped]]
    sizes = np.bincount(group).astype(np.float64)
    centers = np.zeros((len(sizes), points.shape[1]))
    np.add.at(centers, group, points)
    centers /= sizes[:, None]
    apart = _keep_apart(groups, len(sizes), constraints)
    merged = ward(centers, sizes, apart, n_clusters)
    cluster = _keep_largest(merged, sizes, n_clusters)
    return np.where(groups >= 0, cluster[groups], -1)


def _keep_apart(groups, n_groups, constraints):
    """Return which groups of samples cannot-links keep apart, (g, g) bool."""
    apart = np.zeros((n_groups, n_groups), dtype=bool)
    for pairs in _cannot_links(constraints):
        i, j = groups[pairs].T
        known = (i >= 0) & (j >= 0) & (i != j)
        apart[i[known], j[known]] = apart[j[known], i[known]] = True
    return apart


def warn_of_too_few_clusters(constraints, n_clusters):
    """Warn if more groups exclude each other than there are clusters, and name them.

    They are found by one greedy search: those that it misses are not warned of.
    """
    groups = list_groups(np.arange(len(constraints)), constraints)
    n_groups = groups.max() + 1
    if not n_clusters < n_groups <= _MOST_GROUPS:
        return
    apart = _keep_apart(groups, n_groups, constraints)
    clique = _find_clique(apart, n_clusters)
    if len(clique) > n_clusters:
        firsts = [int(np.flatnonzero(groups == group)[0]) for group in clique]
        warnings.warn(
            f"Samples {firsts} are cannot-linked to each other, themselves or by "
            f"must-links, and do not fit into n_clusters={n_clusters} clusters: some "
            f"pairs will not be kept. Use n_clusters={len(clique)} or more, or check "
            "these pairs.",
            # From here over make_task to fit, its two decorators, and the caller.
            stacklevel=6,
        )


def all_apart(constraints):
    """Whether cannot-links keep each two groups apart, as of one sample a class."""
    groups = list_groups(np.arange(len(constraints)), constraints)
    n_groups = groups.max() + 1
    if n_groups > _MOST_GROUPS:
        return False
    apart = _keep_apart(groups, n_groups, constraints)
    return np.count_nonzero(apart) == n_groups * (n_groups - 1)


def _find_clique(apart, n_clusters):
    """Return groups that all exclude each other, more than `n_clusters` if possible."""
    # Only groups with so many others may be in such a clique.
    while True:
        alive = apart.sum(axis=1) >= n_clusters
        if (apart[~alive].sum()) == 0:
            break
        apart = apart & alive & alive[:, None]
    clique, candidates = [], alive
    while candidates.any():
        n_links = np.where(candidates, apart[:, candidates].sum(axis=1), -1)
        clique.append(int(n_links.argmax()))
        candidates = candidates & apart[clique[-1]]
    return sorted(clique)


def _keep_largest(merged, sizes, n_clusters):
    """Return clusters of groups renumbered by size, -1 for those beyond the number."""
    total = np.bincount(merged, weights=sizes)
    rank = np.empty(len(total), dtype=np.int64)
    rank[np.argsort(-total, kind="stable")] = np.arange(len(total))
    return np.where(rank[merged] < n_clusters, rank[merged], -1)


def _cannot_links(constraints):
    """Yield arrays of cannot-links, one for each two groups of a relation."""
    yield constraints._cannot_link
    for relation in constraints._relations:
        yield first_samples(relation)[group_pairs(relation)]


def ward(centers, sizes, apart, n_clusters):
    """Merge groups, each time those that add least to the sum of squares.

    Chains of nearest neighbors find all merges, each where it is cheapest for both of
    its groups; in the order of what they add, they are those of the greedy search.

    Parameters
    ----------
    centers : ndarray of shape (g, d)
    sizes : ndarray of shape (g,)
    apart : bool ndarray of shape (g, g)
        Which groups may not be one.
    n_clusters : int
        Ends with as many, or with more where all that are left are kept apart.

    Returns
    -------
    ndarray of shape (g,), int64
        Cluster of each group, numbered from 0.

    References
    ----------
    Murtagh (1983). A survey of recent advances in hierarchical clustering algorithms.
    The Computer Journal.
    """
    pairs, heights = _find_merges(centers, sizes, apart)
    first = np.argsort(heights, kind="stable")[: max(0, len(sizes) - n_clusters)]
    i, j = pairs[first].T
    graph = sparse.coo_array((np.ones(len(i)), (i, j)), shape=apart.shape)
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _find_merges(centers, sizes, apart):
    """Return all merges of Ward's criterion that nothing keeps apart.

    Returns
    -------
    pairs : ndarray of shape (n_merges, 2), int64
        A group of each of the two clusters.
    heights : ndarray of shape (n_merges,)
        What the merge adds to the sum of squares.
    """
    sizes = sizes.copy()
    # What each merge would add: infinitely much where it must not be.
    cost = _ward_costs(centers, sizes)
    cost[apart] = np.inf
    np.fill_diagonal(cost, np.inf)
    heights, merges, chain = np.zeros(len(sizes)), [], []
    unvisited = list(range(len(sizes)))[::-1]
    while chain or unvisited:
        if not chain:
            chain.append(unvisited.pop())
        i = chain[-1]
        j = int(cost[i].argmin())
        if len(chain) > 1 and cost[i, chain[-2]] <= cost[i, j]:
            j = chain[-2]
        if np.isinf(cost[i, j]):
            # It is part of another one, or nothing may ever join it.
            chain.pop()
        elif len(chain) < 2 or j != chain[-2]:
            chain.append(j)
        else:
            del chain[-2:]
            # Of merges that add the same, rounding must not turn the order around.
            heights[i] = max(cost[i, j], heights[i], heights[j])
            merges.append((i, j, heights[i]))
            _merge(cost, sizes, i, j)
            unvisited.append(i)
    merges = np.array(merges).reshape(-1, 3)
    return merges[:, :2].astype(np.int64), merges[:, 2]


def _merge(cost, sizes, i, j):
    """Put group j into group i: Lance & Williams (1967), without the centers."""
    added = (sizes[i] + sizes) * cost[i] + (sizes[j] + sizes) * cost[j]
    added = (added - sizes * cost[i, j]) / (sizes[i] + sizes[j] + sizes)
    cost[i] = cost[:, i] = added
    cost[j] = cost[:, j] = np.inf
    sizes[i] += sizes[j]


def _ward_costs(centers, sizes):
    """Return what merging each two groups adds to the sum of squares, (g, g)."""
    weights = np.multiply.outer(sizes, sizes) / np.add.outer(sizes, sizes)
    cost = weights * euclidean_distances(centers, squared=True)
    # Rounded differently in both directions, costs of groups that are equally far from
    # each other would let a chain of nearest ones go round in circles.
    return np.minimum(cost, cost.T)
