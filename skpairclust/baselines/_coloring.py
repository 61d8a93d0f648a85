"""Assign k labels so that the ends of every cannot-link differ: graph coloring.

Nodes with fewer than k neighbors can always be labeled last. Therefore only the k-core,
which is mostly empty, is searched. Backtracking, which can also prove that there is no
solution, and local search alternate.
"""

import time

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from skpairclust.baselines._exact_coloring import dsatur, find_clique
from skpairclust.baselines._local_search import color_by_search

# Effort of the first turn; each turn doubles it.
_FIRST_STEPS, _FIRST_SWEEPS = 4_000, 200
_CLIQUE_STEPS = 20_000


class Uncolorable(Exception):
    """There is no solution; `clique` is the reason, if it is known."""

    def __init__(self, clique=None):
        super().__init__(clique)
        self.clique = clique


class SearchExhausted(Exception):
    """The time ran out before a solution was found or excluded."""


def color_graph(graph, n_colors, rng, deadline):
    """Return a label below `n_colors` for each node, linked nodes' different.

    Parameters
    ----------
    graph : PairGraph
        Of cannot-links alone.
    n_colors : int
    rng : RandomState
    deadline : float
        `time.monotonic` after which the search ends.

    Returns
    -------
    colors : ndarray of shape (n_nodes,), int64

    Raises
    ------
    Uncolorable
        If there is no solution.
    SearchExhausted
        If none was found in time.
    """
    if n_colors == 1 and len(graph.pairs):
        raise Uncolorable(graph.pairs[0])
    if n_colors == 2:
        return _color_with_two(graph)
    others = np.split(graph.others, graph.starts[1:-1]) if graph.n_nodes else []
    others = [neighbors.tolist() for neighbors in others]
    last, in_core = _peel(others, n_colors)
    colors = np.full(graph.n_nodes, -1, dtype=np.int64)
    for nodes in _core_components(graph, in_core):
        place = dict(zip(nodes, range(len(nodes)), strict=True))
        inner = [[place[j] for j in others[i] if j in place] for i in nodes]
        try:
            colors[nodes] = _color_core(inner, n_colors, rng, deadline)
        except Uncolorable as error:
            clique = error.clique
            raise Uncolorable(
                None if clique is None else [nodes[i] for i in clique]
            ) from None
    colors = colors.tolist()
    for node in reversed(last):
        taken = {colors[other] for other in others[node]}
        colors[node] = next(c for c in range(n_colors) if c not in taken)
    return np.array(colors, dtype=np.int64)


def _color_with_two(graph):
    """Color a bipartite graph with two colors."""
    # a node and its double are connected if an odd cycle leads back to the node
    n = graph.n_nodes
    left, right = graph.pairs.T
    double = sparse.coo_array(
        (
            np.ones(2 * len(left)),
            (np.concatenate((left, left + n)), np.concatenate((right + n, right))),
        ),
        shape=(2 * n, 2 * n),
    )
    side = csgraph.connected_components(double, directed=False)[1]
    odd = np.flatnonzero(side[:n] == side[n:])
    if len(odd):
        raise Uncolorable(_find_triangle(graph, odd))
    return (side[:n] > side[n:]).astype(np.int64)


def _find_triangle(graph, nodes):
    """Return three linked nodes among those given, None if there are none."""
    rows = np.concatenate((graph.pairs[:, 0], graph.pairs[:, 1]))
    columns = np.concatenate((graph.pairs[:, 1], graph.pairs[:, 0]))
    table = sparse.coo_array(
        (np.ones(len(rows), dtype=np.int64), (rows, columns)),
        shape=(graph.n_nodes, graph.n_nodes),
    ).tocsr()[nodes][:, nodes]
    # a few rows at a time: the square of the matrix may be large
    for start in range(0, min(len(nodes), 4096), 64):
        paths = (table[start : start + 64] @ table).multiply(table[start : start + 64])
        first, second = paths.tocsr().nonzero()
        if len(first):
            i, j = start + first[0], second[0]
            third = (table[[i]].multiply(table[[j]])).tocsr().indices[0]
            return nodes[[i, j, third]]
    return None


def _peel(others, n_colors):
    """Remove nodes with fewer than `n_colors` neighbors, over and over.

    Returns the nodes in the order of removal, and a mask of those that stay.
    """
    degree = [len(neighbors) for neighbors in others]
    order = [node for node, d in enumerate(degree) if d < n_colors]
    stays = np.ones(len(others), dtype=bool)
    stays[order] = False
    left = stays.tolist()
    # grows while it is read
    for node in order:
        for other in others[node]:
            if left[other]:
                degree[other] -= 1
                if degree[other] < n_colors:
                    left[other] = False
                    order.append(other)
    return order, np.array(left, dtype=bool)


def _core_components(graph, in_core):
    """List the nodes of each connected component of the core."""
    core = np.flatnonzero(in_core)
    if not len(core):
        return []
    kept = graph.pairs[in_core[graph.pairs].all(axis=1)]
    table = sparse.coo_array(
        (np.ones(len(kept)), tuple(kept.T)), shape=(graph.n_nodes, graph.n_nodes)
    )
    part = csgraph.connected_components(table, directed=False)[1][core]
    order = np.argsort(part, kind="stable")
    cuts = np.flatnonzero(np.diff(part[order])) + 1
    return [nodes.tolist() for nodes in np.split(core[order], cuts)]


def _color_core(others, n_colors, rng, deadline):
    """Color a graph in which every node has at least `n_colors` neighbors."""
    n_steps = _FIRST_STEPS + 2 * len(others)
    n_sweeps = _FIRST_SWEEPS
    clique = None
    while True:
        colors, is_proof = dsatur(others, n_colors, n_steps, deadline, rng)
        if colors is not None:
            return colors
        # once: a second look would see the same
        if clique is None:
            clique = find_clique(others, n_colors + 1, _CLIQUE_STEPS, deadline) or []
        if clique or is_proof:
            raise Uncolorable(clique or None)
        colors = color_by_search(others, n_colors, rng, n_sweeps, 5 * n_steps, deadline)
        if colors is not None:
            return colors
        if time.monotonic() > deadline:
            raise SearchExhausted
        n_steps, n_sweeps = 2 * n_steps, 2 * n_sweeps
