"""Chains of answers: what contradicts one of them, and how much hangs on it."""

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._explanation import find_chains


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
    must, cannot = np.split(place[1:], [len(must_link)])
    others = PairwiseConstraints(must, cannot, n_samples=len(named))
    together, apart = find_chains(others, *place[0].tolist())
    if is_same:
        together = None if apart is None else [*apart[0], *apart[1]]
    way = named[np.array(together or [], dtype=np.int64)]
    links = np.sort(np.column_stack((way[:-1], way[1:])), axis=1)
    return np.concatenate((pair[None], links))


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
