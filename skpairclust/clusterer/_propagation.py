"""Pairs spread to near neighbors: a random walk before the pair loss is taken."""

import math

import numpy as np
from scipy import sparse
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.neighbors import NearestNeighbors
from sklearn.random_projection import SparseRandomProjection

from skpairclust.clusterer._batching import constrained_rows
from skpairclust.clusterer._metric import learn_metric
from skpairclust.utils._warnings import caught_warnings

# Maximum number of rows among which neighbors are searched: never n x n. Constrained
# rows come first, the others are drawn.
_MAX_NODES = 16_384

# Maximum number of principal components for distances.
_MAX_COMPONENTS = 64

# Values of all nodes together, 512 MiB. Photographs exceed them, and are read by the
# block and projected to so many directions, which keeps distances.
_MOST_VALUES, _BLOCK, _N_DIRECTIONS = 2**27, 256, 1024

# In a small table, ten neighbors are not all of one class: at most one per so many
# rows.
_ROWS_A_NEIGHBOR = 30


class NeighborWalk:
    """Random walks along nearest neighbors.

    Few pairs among many samples are memorized: the network separates the constrained
    samples and leaves all others where they were. If a pair is applied to a neighbor of
    a neighbor instead, it informs its surroundings. Constraint propagation along a
    neighborhood graph does the same for affinity matrices (Lu & Ip 2010).

    Parameters
    ----------
    place : ndarray of shape (n_samples,), int64
        Number of each sample's node in the graph, -1 for none.
    nodes : ndarray of shape (n_nodes,), int64
        The sample of each node.
    neighbors : ndarray of shape (n_nodes, n_neighbors), int64
        Nodes next to each node.
    length : int
        Maximum number of steps.
    share : float
        Share of the samples that walk at the start of the training; the others stay.
    last_share : float
        The same at its end.

    points : ndarray of shape (n_nodes, d), optional
        Features of the nodes in a few dimensions; not pickled.

    References
    ----------
    Lu, Ip (2010). Constrained spectral clustering via exhaustive and efficient
    constraint propagation. ECCV.
    """

    def __init__(
        self,
        place,
        nodes,
        neighbors,
        length,
        share=1.0,
        last_share=None,
        points=None,
    ):
        self.place = place
        self.nodes = nodes
        self.neighbors = neighbors
        self.length = length
        self.share = share
        self.last_share = share if last_share is None else last_share
        self.points = points

    def __getstate__(self):
        # Workers only walk.
        return {**vars(self), "points": None}

    def __call__(self, rows, rng, progress=0.0, *, least_share=0.0):
        """Return where walks from `rows` end, of 0 to `length` steps each.

        Parameters
        ----------
        rows : ndarray of shape (m,), int64
        rng : numpy.random.RandomState
        progress : float, default=0.0
            Position of the share of samples that walk between its value at the start,
            0, and at the end, 1.
        least_share : float, default=0.0
            Share of the samples that walk in any case.

        Returns
        -------
        ndarray of shape (m,), int64
            Samples; those without a node stay.
        """
        place = self.place[rows]
        share = self.share + min(1.0, progress) * (self.last_share - self.share)
        share = max(share, least_share)
        n_steps = rng.randint(self.length + 1, size=len(rows))
        n_steps[(place < 0) | (rng.uniform(size=len(rows)) >= share)] = 0
        for step in range(self.length):
            going = np.flatnonzero(n_steps > step)
            turn = rng.randint(self.neighbors.shape[1], size=len(going))
            place[going] = self.neighbors[place[going], turn]
        return np.where(place >= 0, self.nodes[place], rows)


def make_walk(X, constraints, *, n_neighbors, length, n_clusters, rng, lasting=1.0):
    """Return the walk along the nearest neighbors in X, None if there are none.

    What is near follows from the constraints as well: see `_metric`.

    Parameters
    ----------
    X : array or CSR matrix of shape (n_samples, ...)
    constraints : PairwiseConstraints
        Their samples are where walks begin.
    n_neighbors : int
        Neighbors of a node; fewer in tables with fewer than 30 rows per neighbor.
    length : int or "auto"
        Steps at most; "auto" reaches about as many samples as a cluster has.
    n_clusters : int
    rng : numpy.random.RandomState
    lasting : float, default=1.0
        Share of the walkers that still set out in the end.

    Returns
    -------
    NeighborWalk or None
    """
    n_samples = X.shape[0]
    constrained = constrained_rows(constraints)
    n_neighbors = min(n_neighbors, n_samples // _ROWS_A_NEIGHBOR)
    if not (n_neighbors and length and len(constrained)):
        return None
    if length == "auto":
        reach = math.log(n_samples / n_clusters) / math.log(max(2, n_neighbors))
        length = max(1, round(reach))
    nodes = _draw_nodes(n_samples, constrained, rng)
    place = np.full(n_samples, -1, dtype=np.int64)
    place[nodes] = np.arange(len(nodes))
    points = _reduce(_narrow(X, nodes, rng), rng)
    points = learn_metric(points, place, constraints, rng)
    # Here: a backend of joblib that a fit runs under would send the points to workers.
    search = NearestNeighbors(n_neighbors=n_neighbors, n_jobs=1).fit(points)
    neighbors = search.kneighbors(return_distance=False)
    # If all samples are in pairs, the pairs of neighbors would only blur these.
    share = 1 - len(constrained) / n_samples
    return NeighborWalk(
        place, nodes, neighbors, length, share, lasting * share, points=points
    )


def _draw_nodes(n_samples, constrained, rng):
    """Return the rows that make the graph, in order, the constrained first in line."""
    if n_samples <= _MAX_NODES:
        return np.arange(n_samples)
    priority = rng.uniform(size=n_samples)
    priority[constrained] += 1
    return np.sort(np.argpartition(-priority, _MAX_NODES)[:_MAX_NODES])


def _narrow(X, nodes, rng):
    """Return rows of X, projected at random if they would fill the memory."""
    n_values = math.prod(X.shape[1:])
    if sparse.issparse(X) or len(nodes) * n_values <= _MOST_VALUES:
        return X[nodes]
    projection = SparseRandomProjection(_N_DIRECTIONS, random_state=rng)
    projection.fit(np.zeros((1, n_values), dtype=np.float32))
    points = np.empty((len(nodes), _N_DIRECTIONS), dtype=np.float32)
    for start in range(0, len(nodes), _BLOCK):
        rows = X[nodes[start : start + _BLOCK]]
        rows = np.asarray(rows, dtype=np.float32).reshape(len(rows), -1)
        points[start : start + _BLOCK] = projection.transform(rows)
    return points


def _reduce(rows, rng):
    """Return `rows` as points of a few dimensions."""
    narrow = np.prod(rows.shape[1:]) <= _MAX_COMPONENTS
    if sparse.issparse(rows):
        if not narrow:
            svd = TruncatedSVD(_MAX_COMPONENTS, random_state=rng)
            # Of zeros alone, nothing has a share of the variance.
            with np.errstate(invalid="ignore"):
                return svd.fit_transform(rows)
        rows = rows.toarray()
    rows = np.asarray(rows, dtype=np.float32).reshape(len(rows), -1)
    if narrow:
        return rows
    # Far from 0, covariances would cancel.
    rows = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    n_components = min(_MAX_COMPONENTS, len(rows))
    pca = PCA(n_components, random_state=rng)
    # Equal rows have no variance to be shared out.
    with caught_warnings(RuntimeWarning):
        return pca.fit_transform(rows)
