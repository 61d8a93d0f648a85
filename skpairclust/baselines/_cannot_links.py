"""The best labels that keep every cannot-link."""

import time

import numpy as np
from scipy.optimize import linear_sum_assignment

from skpairclust.baselines._coloring import color_graph
from skpairclust.baselines._descent import PairGraph, best_by_part, descend
from skpairclust.baselines._local_search import tabu_search

# Number of moves to repair the conflicts that greedy moves leave.
_MOVES_PER_CONFLICT, _MOST_MOVES = 50, 5_000


class CannotLinkAssigner:
    """Give linked nodes different labels at a low cost, over and over.

    Greedy moves start from each node's cheapest label. If they end in conflicts, tabu
    search repairs them. If that fails, a coloring of the graph is found once, without
    regard to the costs, and its colors are assigned to labels at the lowest cost. Each
    connected component keeps its previous labels if they cost less, so that the sum of
    costs never grows while the costs stay the same.

    Parameters
    ----------
    pairs : ndarray of shape (n_pairs, 2), int64
    n_nodes, n_labels : int
    rng : RandomState
    max_seconds : float
        Time for the search where greedy moves fail, of all calls together.
    """

    def __init__(self, pairs, n_nodes, n_labels, rng, max_seconds):
        none = np.empty((0, 2), dtype=np.int64)
        self.graph = PairGraph.from_pairs(none, pairs, n_nodes)
        self.n_labels = n_labels
        self.rng = rng
        self._seconds_left = max_seconds
        self._colors = None

    def assign(self, unary, previous=None):
        """Return labels without conflicts.

        Parameters
        ----------
        unary : ndarray of shape (n_nodes, n_labels), float64
            Cost of each label, not negative.
        previous : ndarray of shape (n_nodes,), int64, or None
            Labels without conflicts.

        Returns
        -------
        ndarray of shape (n_nodes,), int64

        Raises
        ------
        Uncolorable
            If there are no such labels.
        SearchExhausted
            If none were found in time.
        """
        # a conflict costs more than any single move can save
        price = 2.0 * float(unary.max(initial=0.0)) or 1.0
        shape = len(self.graph.pairs), self.n_labels
        graph = self.graph.priced(np.broadcast_to(np.array([[price]]), shape))
        labels = descend(unary, unary.argmin(axis=1), graph)
        if graph.violated(labels).any():
            start = time.monotonic()
            deadline = start + self._seconds_left
            labels = self._repair(unary, labels, graph, price, deadline)
            self._seconds_left -= time.monotonic() - start
        candidates = [labels]
        if previous is not None:
            candidates.append(descend(unary, previous, graph))
        return best_by_part(unary, graph, candidates)

    def _repair(self, unary, labels, graph, price, deadline):
        """Return labels without conflicts, made from labels with conflicts."""
        if self._colors is None:
            # now it is worth knowing whether there is any solution
            self._colors = color_graph(self.graph, self.n_labels, self.rng, deadline)
        labels = labels.copy()
        stuck = np.unique(graph.part[graph.pairs[graph.violated(labels), 0]])
        is_stuck = np.zeros(graph.part.max() + 1, dtype=bool)
        is_stuck[stuck] = True
        nodes = np.flatnonzero(is_stuck[graph.part])
        fitted = labels.copy()
        fitted[nodes] = self._fit_colors(unary, nodes, stuck)
        fitted = descend(unary, fitted, graph)
        # the fitted coloring is the best there is of two labels
        repaired = None
        if self.n_labels > 2:
            repaired = self._repair_by_moves(
                unary, labels, graph, price, nodes, deadline
            )
        if repaired is None:
            return fitted
        return best_by_part(unary, graph, [descend(unary, repaired, graph), fitted])

    def _repair_by_moves(self, unary, labels, graph, price, nodes, deadline):
        """Return `labels` with the conflicts among the nodes removed, or None."""
        place = np.full(graph.n_nodes, -1)
        place[nodes] = np.arange(len(nodes))
        # the nodes are whole components: all neighbors are among them
        _, others, _ = graph.incident(nodes)
        degree = graph.starts[nodes + 1] - graph.starts[nodes]
        n_conflicts = int(graph.violated(labels).sum())
        found = tabu_search(
            np.concatenate(([0], np.cumsum(degree))),
            place[others],
            unary[nodes],
            price,
            labels[nodes],
            self.rng,
            min(_MOVES_PER_CONFLICT * n_conflicts + 200, _MOST_MOVES),
            deadline,
        )
        if found is None:
            return None
        repaired = labels.copy()
        repaired[nodes] = found
        return repaired

    def _fit_colors(self, unary, nodes, parts):
        """Name the colors of each connected component so that they cost least."""
        k = self.n_labels
        number = np.searchsorted(parts, self.graph.part[nodes])
        colors = self._colors[nodes]
        costs = np.empty((len(parts) * k, k))
        for label in range(k):
            costs[:, label] = np.bincount(
                number * k + colors, unary[nodes, label], len(costs)
            )
        costs = costs.reshape(-1, k, k)
        if k == 2:
            swap = costs[:, 0, 1] + costs[:, 1, 0] < costs[:, 0, 0] + costs[:, 1, 1]
            return colors ^ swap[number]
        names = np.stack([linear_sum_assignment(table)[1] for table in costs])
        return names[number, colors]
