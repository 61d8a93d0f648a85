"""Assignment and start of the soft methods, PCKMeans and MPCKMeans."""

import numpy as np
from scipy import sparse

from skpairclust.baselines._descent import PairGraph, best_by_part, descend
from skpairclust.baselines._lloyd import squared_distances
from skpairclust.constraints._pairs import decode, encode


class SoftAssigner:
    """Find labels of low cost if violated constraints have a cost.

    Parameters
    ----------
    pairs : SoftPairs
    constraints : PairwiseConstraints
        The source of the pairs; components of its must-links move as a whole.

    Attributes
    ----------
    nodes : ndarray of int64
        The samples with constraints; the others are not handled here.
    graph : PairGraph
        Constraints, with positions in `nodes` for samples.
    """

    def __init__(self, pairs, constraints):
        both = np.concatenate((pairs.must, pairs.cannot))
        self.nodes, place = np.unique(both, return_inverse=True)
        place = place.reshape(both.shape)
        n_must = len(pairs.must)
        self.graph = PairGraph.from_pairs(
            place[:n_must], place[n_must:], len(self.nodes)
        )
        self.weights = np.concatenate((pairs.must_weight, pairs.cannot_weight))
        components = constraints.components()[self.nodes]
        self._block = np.unique(components, return_inverse=True)[1]
        self._link_blocks(place[n_must:])

    def _link_blocks(self, cannot):
        """Make the graph of cannot-links between must-link components."""
        n_blocks = int(self._block.max(initial=-1)) + 1
        linked = self._block[cannot]
        between = np.flatnonzero(linked[:, 0] != linked[:, 1])
        keys, number = np.unique(encode(linked[between], n_blocks), return_inverse=True)
        pairs = decode(keys, n_blocks)
        self._blocks = PairGraph.from_pairs(pairs[:0], pairs, n_blocks)
        shape = (len(pairs), len(cannot))
        self._pairs_of_blocks = sparse.coo_array(
            (np.ones(len(between)), (number, between)), shape=shape
        ).tocsr()
        # whether there are blocks of more than one sample at all
        self._has_blocks = n_blocks < len(self.nodes)

    def assign(self, unary, cost, previous=None):
        """Return labels of the nodes.

        The best, for each connected component of the constraints, of three local
        minima: from each node's cheapest label, from the cheapest label of each
        must-link component as a whole, and from the previous labels.

        Parameters
        ----------
        unary : ndarray of shape (n_nodes, n_clusters), float64
            Cost of each label.
        cost : ndarray of shape (n_pairs, n_clusters), float64
            Cost of violations, as in `PairGraph`.
        previous : ndarray of shape (n_nodes,), int64, or None

        Returns
        -------
        labels : ndarray of shape (n_nodes,), int64
        """
        graph = self.graph.priced(cost)
        starts = [unary.argmin(axis=1)]
        if self._has_blocks:
            starts.append(self._assign_blocks(unary, cost[self.graph.n_must :]))
        if previous is not None:
            starts.append(previous)
        candidates = [descend(unary, labels, graph) for labels in starts]
        return best_by_part(unary, graph, candidates)

    def _assign_blocks(self, unary, cost):
        """Give each must-link component one label."""
        shape = (self._blocks.n_nodes, len(self._block))
        member = sparse.csc_array(
            (np.ones(len(self._block)), self._block, np.arange(len(self._block) + 1)),
            shape=shape,
        )
        of_block = member @ unary
        graph = self._blocks.priced(self._pairs_of_blocks @ cost)
        labels = descend(of_block, of_block.argmin(axis=1), graph)
        return labels[self._block]

    def violation_cost(self, cost, labels):
        """Return the total cost of the violated constraints."""
        graph = self.graph.priced(cost)
        edges = np.arange(len(graph.pairs))
        return float(graph.pair_costs(edges, *labels[graph.pairs].T).sum())


def seed_neighborhoods(points, components, n_clusters, rng, *, largest_first):
    """Return centers from must-link components, and from samples if these are too few.

    After Basu, Bilenko and Mooney (2004), centers are the centroids of must-link
    components of two or more samples. If there are more than `n_clusters`, a
    farthest-first traversal weighted by size chooses among them. If there are fewer,
    the missing centers are drawn as by k-means++.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_features)
    components : ndarray of shape (n_samples,), int64
    n_clusters : int
    rng : RandomState
    largest_first : bool
        Start the traversal at the largest component, or at one drawn by size.

    Returns
    -------
    ndarray of shape (n_clusters, n_features), float64
    """
    sizes = np.bincount(components)
    large = np.flatnonzero(sizes > 1)
    rows = np.flatnonzero(sizes[components] > 1)
    place = np.searchsorted(large, components[rows])
    member = sparse.csr_array(
        (1.0 / sizes[components[rows]], (place, np.arange(len(rows)))),
        shape=(len(large), len(rows)),
    )
    centroids = member @ points[rows].astype(np.float64)
    if len(large) <= n_clusters:
        return _draw_missing(points, centroids, n_clusters, rng)
    weight = sizes[large].astype(np.float64)
    first = weight.argmax()
    if not largest_first:
        first = rng.choice(len(large), p=weight / weight.sum())
    return _farthest_first(centroids, weight, int(first), n_clusters)


def _farthest_first(centroids, weights, first, n_clusters):
    """Visit the centroid that is farthest from those visited, times its weight."""
    visited = [first]
    nearest = np.full(len(centroids), np.inf)
    for _ in range(n_clusters - 1):
        distances = squared_distances(centroids, centroids[visited[-1:]])[:, 0]
        nearest = np.minimum(nearest, distances)
        score = weights * np.sqrt(nearest)
        score[visited] = -1.0
        visited.append(int(score.argmax()))
    return centroids[visited]


def _draw_missing(points, centers, n_clusters, rng):
    """Draw samples with a probability that grows as the squared distance."""
    nearest = np.full(len(points), np.inf)
    if len(centers):
        nearest = squared_distances(points, centers).min(axis=1)
    for _ in range(n_clusters - len(centers)):
        share = nearest if np.isfinite(nearest).all() else np.ones(len(points))
        if not share.sum() > 0:
            share = np.ones(len(points))
        row = rng.choice(len(points), p=share / share.sum())
        centers = np.concatenate((centers, points[[row]].astype(np.float64)))
        nearest = np.minimum(nearest, squared_distances(points, centers[-1:])[:, 0])
    return centers
