r"""Learned metrics of clusters: distances, extents and estimates.

A metric is an array: (k, d) of the diagonals, or (k, d, d) of the matrices A of
:math:`\lVert x \rVert_A^2 = x^T A x`, one for each cluster.
"""

import numpy as np

from skpairclust.baselines._lloyd import iter_blocks, sum_by_label

# Maximum number of hops in the search for two points that are far apart.
_MOST_HOPS = 8


def unit_metrics(n_clusters, n_features, *, is_full):
    """Return the Euclidean metric for each cluster."""
    if is_full:
        return np.tile(np.eye(n_features), (n_clusters, 1, 1))
    return np.ones((n_clusters, n_features))


def log_determinants(metrics):
    """Return the logarithm of each metric's determinant, (k,)."""
    if metrics.ndim == 2:
        return np.log(metrics).sum(axis=1)
    return np.linalg.slogdet(metrics)[1]


def distances_to_centers(points, centers, metrics):
    """Return the (n, k) squared distances, each under the cluster's metric."""
    result = np.empty((len(points), len(centers)))
    if metrics.ndim == 2:
        _diagonal_distances(points, centers, metrics, result)
    else:
        for label, (center, metric) in enumerate(zip(centers, metrics, strict=True)):
            root = np.linalg.cholesky(metric)
            for block in iter_blocks(*points.shape):
                gap = (points[block] - center) @ root
                result[block, label] = np.einsum("ij,ij->i", gap, gap)
    return np.maximum(result, 0.0, out=result)


def _diagonal_distances(points, centers, metrics, result):
    """Fill in squared distances under diagonal metrics."""
    scaled = (metrics * centers).T
    constant = np.einsum("kd,kd->k", metrics, centers**2)
    for block in iter_blocks(*points.shape):
        x = points[block].astype(np.float64, copy=False)
        result[block] = (x * x) @ metrics.T
        result[block] -= 2.0 * (x @ scaled)
        result[block] += constant


def squared_lengths(gaps, metrics):
    """Return the (m, k) squared lengths of differences under each metric."""
    if metrics.ndim == 2:
        return (gaps * gaps) @ metrics.T
    lengths = [np.einsum("ij,ij->i", gaps @ metric, gaps) for metric in metrics]
    return np.maximum(np.stack(lengths, axis=1), 0.0)


def farthest_gaps(points, metrics):
    """Return for each metric the difference of two points that are far apart.

    From the point farthest from the mean the search hops to the point farthest from
    the last one, as long as the distance grows. This takes a few passes instead of
    comparing all pairs.
    The result is at least half as long as the longest difference.
    """
    gaps = np.zeros((len(metrics), points.shape[1]))
    longest = np.zeros(len(metrics))
    places = np.tile(points.mean(axis=0), (len(metrics), 1))
    hopping = np.arange(len(metrics))
    for hop in range(_MOST_HOPS):
        rows = _farthest(points, places[hopping], metrics[hopping])
        found = points[rows].astype(np.float64)
        gap = found - places[hopping]
        length = own_squared_lengths(gap, metrics[hopping])
        places[hopping] = found
        if hop:
            is_longer = length > longest[hopping]
            hopping = hopping[is_longer]
            longest[hopping], gaps[hopping] = length[is_longer], gap[is_longer]
        if not len(hopping):
            break
    return gaps


def own_squared_lengths(gaps, metrics):
    """Return the squared length of each difference under a metric of its own, (k,)."""
    if metrics.ndim == 2:
        return np.einsum("kd,kd,kd->k", gaps, gaps, metrics)
    return np.maximum(np.einsum("ki,kij,kj->k", gaps, metrics, gaps), 0.0)


def _farthest(points, places, metrics):
    """Return the row farthest from each place, under the metric of the place, (k,)."""
    best = np.zeros(len(places), dtype=np.int64)
    longest = np.full(len(places), -1.0)
    for block in iter_blocks(len(points), len(places)):
        squared = distances_to_centers(points[block], places, metrics)
        rows = squared.argmax(axis=0)
        lengths = squared[rows, np.arange(len(places))]
        is_longer = lengths > longest
        best[is_longer] = block.start + rows[is_longer]
        longest[is_longer] = lengths[is_longer]
    return best


def scatter_by_label(points, labels, centers, *, is_full):
    """Return each cluster's sum of products of differences from its center."""
    n_clusters, n_features = centers.shape
    if is_full:
        result = np.zeros((n_clusters, n_features, n_features))
        for label in range(n_clusters):
            gap = points[labels == label] - centers[label]
            result[label] = gap.T @ gap
        return result
    result = np.zeros((n_clusters, n_features))
    for block in iter_blocks(*points.shape):
        gap = points[block] - centers[labels[block]]
        ones = np.ones(len(gap))
        result += sum_by_label(gap * gap, ones, labels[block], n_clusters)[0]
    return result


def products_by_label(gaps, weights, labels, n_clusters, *, is_full):
    """Return each label's weighted sum of products of differences."""
    if not is_full:
        if not len(gaps):
            return np.zeros((n_clusters, gaps.shape[1]))
        return sum_by_label(gaps * gaps, weights, labels, n_clusters)[0]
    result = np.zeros((n_clusters, gaps.shape[1], gaps.shape[1]))
    for label in np.unique(labels):
        own = labels == label
        result[label] = (gaps[own] * weights[own, None]).T @ gaps[own]
    return result


def invert(scatters, counts, ridge):
    """Return the metrics ``(S_h / n_h + ridge I)^-1``; negative parts count as 0."""
    counts = np.maximum(counts, 1.0)
    if scatters.ndim == 2:
        return 1.0 / (np.maximum(scatters / counts[:, None], 0.0) + ridge)
    values, vectors = np.linalg.eigh(scatters / counts[:, None, None])
    scaled = vectors / (np.maximum(values, 0.0) + ridge)[:, None, :]
    metrics = scaled @ vectors.transpose(0, 2, 1)
    # make it exactly symmetric, as the Cholesky decomposition requires
    return (metrics + metrics.transpose(0, 2, 1)) / 2
