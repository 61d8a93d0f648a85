"""Labels of least cost under costs of single nodes and of pairs of nodes.

The cost of labels ``l`` is the sum of ``unary[i, l[i]]`` over nodes, of
``cost[e, a] + cost[e, b]`` over must-links whose ends have different labels a and b,
and of ``cost[e, a]`` over cannot-links whose ends both have the label a.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from skpairclust.constraints._pairs import ragged_arange

# Share of the largest cost below which differences are rounding errors, not gains.
_RELATIVE_GAIN = 1e-11


@dataclass(frozen=True, eq=False)
class PairGraph:
    """Must-links and cannot-links between nodes, listed at both ends.

    Attributes
    ----------
    pairs : ndarray of shape (n_pairs, 2), int64
        The must-links first.
    n_must : int
        Number of must-links.
    cost : ndarray of shape (n_pairs, n_labels), float64, or None
        Of a violation, not negative; see the module.
    starts, others, edges : ndarray of int64
        ``others[starts[i]:starts[i + 1]]`` are the neighbors of node i, `edges`
        the pairs that link to them.
    part : ndarray of shape (n_nodes,), int64
        Connected component of each node.
    base : ndarray of shape (n_nodes, n_labels), float64, or None
        Each node's sum of the costs of must-links; None if they are the same for
        all labels.
    """

    pairs: np.ndarray
    n_must: int
    starts: np.ndarray
    others: np.ndarray
    edges: np.ndarray
    part: np.ndarray
    cost: np.ndarray | None = None
    base: np.ndarray | None = None

    @classmethod
    def from_pairs(cls, must, cannot, n_nodes):
        """Index the pairs by node."""
        pairs = np.concatenate((must, cannot)).astype(np.int64, copy=False)
        ends = pairs.T.ravel()
        order = np.argsort(ends, kind="stable")
        starts = np.concatenate(([0], np.cumsum(np.bincount(ends, minlength=n_nodes))))
        others = pairs[:, ::-1].T.ravel()[order]
        edges = np.tile(np.arange(len(pairs)), 2)[order]
        return cls(pairs, len(must), starts, others, edges, _parts(pairs, n_nodes))

    @property
    def n_nodes(self):
        """Number of nodes."""
        return len(self.part)

    def priced(self, cost):
        """Return the graph with the costs of violations, (n_pairs, n_labels)."""
        base = None
        if self.n_must and cost.strides[1]:
            must = self.pairs[: self.n_must].T
            ones = np.ones(must.size)
            incidence = sparse.coo_array(
                (ones, (must.ravel(), np.tile(np.arange(self.n_must), 2))),
                shape=(self.n_nodes, self.n_must),
            )
            base = incidence.tocsr() @ cost[: self.n_must]
        return replace(self, cost=cost, base=base)

    def incident(self, nodes):
        """List the links of some nodes: position in `nodes`, neighbor, pair."""
        counts = self.starts[nodes + 1] - self.starts[nodes]
        row = np.repeat(np.arange(len(nodes)), counts)
        slot = np.repeat(self.starts[nodes], counts) + ragged_arange(counts)
        return row, self.others[slot], self.edges[slot]

    def violated(self, labels):
        """Mark the pairs that labels violate."""
        same = labels[self.pairs[:, 0]] == labels[self.pairs[:, 1]]
        same[: self.n_must] ^= True
        return same

    def pair_costs(self, edges, a, b):
        """Return the costs of pairs whose ends have the labels a and b."""
        cost = self.cost[edges, a]
        is_must = edges < self.n_must
        differs = a != b
        return np.where(
            is_must & differs,
            cost + self.cost[edges, b],
            np.where(is_must | differs, 0.0, cost),
        )

    def costs_of_moves(self, unary, labels, nodes):
        """Return the cost of each label for each of the nodes, up to a constant."""
        n_labels = unary.shape[1]
        row, other, edge = self.incident(nodes)
        at = labels[other]
        # the label of a neighbor saves the cost of a must-link, adds that of a
        # cannot-link
        signed = self.cost[edge, at] * np.where(edge < self.n_must, -2.0, 1.0)
        changes = np.bincount(row * n_labels + at, signed, len(nodes) * n_labels)
        costs = unary[nodes] + changes.reshape(len(nodes), n_labels)
        if self.base is not None:
            costs += self.base[nodes]
        return costs

    def costs_by_part(self, unary, labels):
        """Return the cost of each connected component."""
        of_node = unary[np.arange(len(labels)), labels]
        edges = np.arange(len(self.pairs))
        of_pair = self.pair_costs(edges, *labels[self.pairs].T)
        n_parts = int(self.part.max(initial=-1)) + 1
        return np.bincount(self.part, of_node, n_parts) + np.bincount(
            self.part[self.pairs[:, 0]], of_pair, n_parts
        )


def _parts(pairs, n_nodes):
    """Return the connected component of each node."""
    graph = sparse.coo_array(
        (np.ones(len(pairs)), tuple(pairs.T)), shape=(n_nodes, n_nodes)
    )
    return csgraph.connected_components(graph, directed=False)[1].astype(np.int64)


def descend(unary, labels, graph, *, max_rounds=10_000):
    """Move nodes to better labels until no single move lowers the cost.

    Iterated conditional modes (Besag 1986). In each round, every node finds its best
    label. Of nodes whose moves would interfere, only the one that gains most moves. All
    others move at once, so that the cost falls in each round.

    Parameters
    ----------
    unary : ndarray of shape (n_nodes, n_labels), float64
    labels : ndarray of shape (n_nodes,), int64
        Where to start from.
    graph : PairGraph
        With costs.
    max_rounds : int, default=10_000

    Returns
    -------
    labels : ndarray of shape (n_nodes,), int64
        A new array.
    """
    labels = labels.copy()
    least_gain = _RELATIVE_GAIN * max(
        np.abs(unary).max(initial=0.0), graph.cost.max(initial=0.0)
    )
    # a node at its best label whose pairs are all kept has nothing to gain
    restless = labels != unary.argmin(axis=1)
    restless[graph.pairs[graph.violated(labels)]] = True
    active = np.flatnonzero(restless)
    for _ in range(max_rounds):
        costs = graph.costs_of_moves(unary, labels, active)
        target = costs.argmin(axis=1)
        each = np.arange(len(active))
        gain = costs[each, labels[active]] - costs[each, target]
        moves = gain > least_gain
        nodes, target, gain = active[moves], target[moves], gain[moves]
        if not len(nodes):
            break
        wins = _uncontested(graph, labels, nodes, target, gain)
        labels[nodes[wins]] = target[wins]
        affected = graph.incident(nodes[wins])[1]
        active = np.unique(np.concatenate((nodes[~wins], affected)))
    return labels


def _uncontested(graph, labels, nodes, target, gain):
    """Mark the moves that can be made at once without losing what they gain."""
    place = np.full(graph.n_nodes, -1)
    place[nodes] = np.arange(len(nodes))
    row, other, edge = graph.incident(nodes)
    column = place[other]
    row, column, edge = (array[column >= 0] for array in (row, column, edge))
    old, new = labels[nodes], target
    a, b, a_new, b_new = old[row], old[column], new[row], new[column]
    together = graph.pair_costs(edge, a_new, b_new) + graph.pair_costs(edge, a, b)
    alone = graph.pair_costs(edge, a_new, b) + graph.pair_costs(edge, a, b_new)
    contested = together > alone
    row, column = row[contested], column[contested]
    loses = (gain[row] < gain[column]) | ((gain[row] == gain[column]) & (row > column))
    wins = np.ones(len(nodes), dtype=bool)
    wins[row[loses]] = False
    return wins


def best_by_part(unary, graph, candidates):
    """Take the labels of each connected component from its cheapest candidate."""
    if len(candidates) == 1:
        return candidates[0]
    costs = [graph.costs_by_part(unary, labels) for labels in candidates]
    choice = np.argmin(costs, axis=0)[graph.part]
    return np.stack(candidates)[choice, np.arange(len(choice))]
