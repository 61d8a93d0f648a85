"""Chains of answers: what contradicts one of them, and how much hangs on it."""

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph


def find_chain(pair, is_same, must_link, cannot_link):
    """Return the fewest answers that cannot all be right, with `pair` among them.

    Parameters
    ----------
    pair : tuple of two int
        The answer that was left out.
    is_same : bool
        Whether it says "same".
    must_link, cannot_link : ndarray of shape (m, 2), int64
        Answers and constraints that are kept.

    Returns
    -------
    ndarray of shape (n_links, 2), int64
        `pair` first, then a way from one of its samples to the other: must-links, and
        one cannot-link if `pair` says "same". Only `pair` if nothing contradicts it.
    """
    pair = np.asarray(pair, dtype=np.int64)
    named, place = np.unique(
        np.concatenate((pair[None], must_link, cannot_link)), return_inverse=True
    )
    place = place.reshape(-1, 2)
    start, end = place[0]
    must, cannot = np.split(place[1:], [len(must_link)])
    gaps, before = _search(must, len(named), (start, end))
    if not is_same:
        chain = _path(before[0], end) if np.isfinite(gaps[0, end]) else []
        return _name(named, pair, chain)
    both_ways = np.concatenate((cannot, cannot[:, ::-1]))
    lengths = gaps[0, both_ways[:, 0]] + gaps[1, both_ways[:, 1]]
    if not len(lengths) or not np.isfinite(lengths.min()):
        return _name(named, pair, [])
    left, right = both_ways[lengths.argmin()]
    there, back = _path(before[0], left), _path(before[1], right)
    return _name(named, pair, [*there, (left, right), *reversed(back)])


def count_joined(must_link):
    """Return how many samples each link joins to others: the smaller side without it.

    Parameters
    ----------
    must_link : ndarray of shape (m, 2), int64

    Returns
    -------
    ndarray of shape (m,), int64
        0 for links that are not in a spanning tree. What a tree says of the others is
        exact where there is no second way between two samples.
    """
    named, place = np.unique(must_link, return_inverse=True)
    place = place.reshape(-1, 2)
    n = len(named)
    graph = sparse.csr_array(
        (np.ones(len(place)), tuple(place.astype(np.int32).T)), shape=(n, n)
    )
    _, part = csgraph.connected_components(graph, directed=False)
    above, below = np.full(n, -1), np.ones(n, dtype=np.int64)
    for root in np.unique(part, return_index=True)[1]:
        order, before = csgraph.breadth_first_order(graph, root, directed=False)
        above[order[1:]] = before[order[1:]]
        for node in order[:0:-1]:
            below[above[node]] += below[node]
    smaller = np.minimum(below, np.bincount(part, minlength=1)[part] - below)
    left, right = place.T
    return np.where(
        above[left] == right,
        smaller[left],
        np.where(above[right] == left, smaller[right], 0),
    )


def _search(pairs, n_nodes, starts):
    """Return the number of links from two nodes to all, and each node's last step."""
    # csgraph of older scipy takes no indices of 64 bits
    ends = tuple(pairs.astype(np.int32).T)
    graph = sparse.csr_array((np.ones(len(pairs)), ends), shape=(n_nodes, n_nodes))
    return csgraph.dijkstra(
        graph, directed=False, indices=starts, unweighted=True, return_predecessors=True
    )


def _path(before, node):
    """Return the links from where a search started to a node."""
    links = []
    while before[node] >= 0:
        links.append((before[node], node))
        node = before[node]
    return links[::-1]


def _name(named, pair, links):
    """Return links under the samples' own numbers, behind the pair."""
    links = named[np.array(links, dtype=np.int64).reshape(-1, 2)]
    return np.concatenate((pair[None], np.sort(links, axis=1)))
