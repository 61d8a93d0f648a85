"""Local search of labels without conflicts: annealing and tabu search."""

import time

import numpy as np

from skpairclust.baselines._descent import PairGraph, descend

# Temperatures in conflicts; a sweep visits the nodes in so many parts.
_HOT, _COLD, _N_PARTS = 0.6, 0.05, 10


def color_by_search(others, n_colors, rng, n_sweeps, max_moves, deadline):
    """Return a coloring by annealing and tabu search, None if they fail.

    Parameters
    ----------
    others : list of list of int
        Neighbors of each node.
    n_colors : int
    rng : RandomState
    n_sweeps, max_moves : int
        Effort of the two.
    deadline : float
        `time.monotonic` after which the search ends.

    Returns
    -------
    ndarray of shape (n_nodes,), int64, or None
    """
    left = np.repeat(np.arange(len(others)), [len(o) for o in others])
    right = np.concatenate([np.asarray(o, dtype=np.int64) for o in others])
    pairs = np.column_stack((left, right))[left < right]
    graph = PairGraph.from_pairs(pairs[:0], pairs, len(others))
    graph = graph.priced(np.broadcast_to(np.ones((1, 1)), (len(pairs), n_colors)))
    unary = np.zeros((len(others), n_colors))
    labels = _anneal(unary, graph, rng, n_sweeps, deadline)
    labels = descend(unary, labels, graph)
    return tabu_search(
        graph.starts, graph.others, unary, 1.0, labels, rng, max_moves, deadline
    )


def _anneal(unary, graph, rng, n_sweeps, deadline):
    """Draw each node's label by its costs, at a falling temperature.

    Neighbors that are drawn at the same time do not take each other into account. The
    next sweeps repair this error, which makes it possible to work with arrays.
    """
    n_nodes, n_labels = unary.shape
    labels = rng.randint(n_labels, size=n_nodes, dtype=np.int64)
    for temperature in np.linspace(_HOT, _COLD, n_sweeps):
        if time.monotonic() > deadline:
            break
        for nodes in np.array_split(rng.permutation(n_nodes), _N_PARTS):
            costs = graph.costs_of_moves(unary, labels, nodes)
            costs -= temperature * rng.gumbel(size=costs.shape)
            labels[nodes] = costs.argmin(axis=1)
    return labels


def tabu_search(starts, others, unary, price, labels, rng, max_moves, deadline):
    """Move one node in conflict at a time to where conflicts and costs are least.

    Hertz and de Werra (1987); a label that was left is barred for a while.

    Parameters
    ----------
    starts, others : ndarray of int64
        Neighbors, as in `PairGraph`.
    unary : ndarray of shape (n_nodes, n_labels)
        Cost of each label.
    price : float
        Cost of a conflict.
    labels : ndarray of shape (n_nodes,), int64
        Where to start from.
    rng : RandomState
    max_moves : int
    deadline : float
        `time.monotonic` after which the search ends.

    Returns
    -------
    labels : ndarray of shape (n_nodes,), int64, or None
        Without conflicts; None if they were not reached.
    """
    labels = labels.copy()
    n_nodes, n_labels = unary.shape
    source = np.repeat(np.arange(n_nodes), np.diff(starts))
    counts = np.bincount(source * n_labels + labels[others], minlength=unary.size)
    counts = counts.reshape(unary.shape)
    # a node's neighbors of its own label
    own = counts[np.arange(n_nodes), labels]
    n_conflicts = best = int(own.sum()) // 2
    free_at = np.zeros(unary.shape, dtype=np.int64)
    for move in range(max_moves):
        nodes = np.flatnonzero(own)
        if not len(nodes):
            return labels
        if move % 256 == 0 and time.monotonic() > deadline:
            return None
        near = counts[nodes]
        change = near - own[nodes][:, None]
        costs = unary[nodes] + price * near
        costs -= costs[np.arange(len(nodes)), labels[nodes]][:, None]
        barred = (free_at[nodes] > move) & (n_conflicts + change >= best)
        costs[barred] = np.inf
        costs[np.arange(len(nodes)), labels[nodes]] = np.inf
        flat = costs.ravel()
        ties = np.flatnonzero(flat == flat.min())
        row, new = divmod(int(ties[rng.randint(len(ties))]), n_labels)
        node, old = nodes[row], labels[nodes[row]]
        n_conflicts += int(change[row, new])
        best = min(best, n_conflicts)
        around = others[starts[node] : starts[node + 1]]
        own[around] += (labels[around] == new).astype(np.int64) - (
            labels[around] == old
        )
        counts[around, old] -= 1
        counts[around, new] += 1
        labels[node] = new
        own[node] = counts[node, new]
        free_at[node, old] = move + rng.randint(10) + int(0.6 * len(nodes)) + 1
    return None
