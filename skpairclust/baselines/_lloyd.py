"""The parts of Lloyd's algorithm: distances, nearest centers, sums, seeds."""

import numpy as np
from scipy import sparse
from sklearn.cluster import kmeans_plusplus

# Number of distances in a block, so that it stays in the cache of a core.
_BLOCK_SIZE = 2**17
# Of the precision: what the mean of many equal points may be off.
_ROUNDING = 256


def iter_blocks(n_rows, n_columns):
    """Yield slices of rows such that a block of these rows and all columns is small."""
    step = max(_BLOCK_SIZE // max(n_columns, 1), 64)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def nearest_centers(points, centers):
    """Return the index of the center nearest to each point, (n,) int32."""
    labels = np.empty(len(points), dtype=np.int32)
    product, squares = _expanded(points, centers)
    for block in iter_blocks(*labels.shape, len(centers)):
        # the squared norm of a point is the same for all centers
        distances = points[block] @ product
        distances += squares
        labels[block] = distances.argmin(axis=1)
    return first_equal(centers).astype(np.int32)[labels]


def first_equal(*arrays):
    """Return the number of the first row that equals each, in all arrays.

    Distances to equal centers are told apart by rounding alone, which differs between
    the columns of a product: equal samples would be split.
    """
    rows = np.column_stack([array.reshape(len(array), -1) for array in arrays])
    _, first, number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first[number.reshape(-1)]


def squared_distances(points, centers):
    """Return the (n, k) squared distances, float64, exact zeros not guaranteed."""
    centers = np.asarray(centers, dtype=np.float64)
    result = np.empty((len(points), len(centers)))
    for block in iter_blocks(len(points), max(len(centers), points.shape[1])):
        # the difference of large squares is only safe in double precision
        x = points[block].astype(np.float64, copy=False)
        result[block] = x @ (-2.0 * centers.T)
        result[block] += np.einsum("ij,ij->i", x, x)[:, None]
    result += np.einsum("ij,ij->i", centers, centers)
    return np.maximum(result, 0.0, out=result)


def _expanded(points, centers):
    """Return -2 c and |c|^2 in the dtype of the points."""
    centers = np.asarray(centers, dtype=np.float64)
    squares = np.einsum("ij,ij->i", centers, centers)
    return (
        np.ascontiguousarray(-2.0 * centers.T, dtype=points.dtype),
        squares.astype(points.dtype),
    )


def sum_by_label(points, weights, labels, n_labels):
    """Return each label's weighted sum of points, (k, d), and weight, (k,)."""
    sums = np.zeros((n_labels, points.shape[1]))
    # large blocks: a sparse matrix is costly to make
    for block in iter_blocks(len(points), points.shape[1] // 8):
        x = points[block]
        member = sparse.csc_array(
            (
                weights[block].astype(points.dtype, copy=False),
                labels[block],
                np.arange(len(x) + 1),
            ),
            shape=(n_labels, len(x)),
        )
        # blocks are added up in double precision
        sums += member @ x
    return sums, np.bincount(labels, weights=weights, minlength=n_labels)


def inertia(points, weights, labels, centers):
    """Return the weighted sum of squared distances to each point's own center."""
    total = 0.0
    for block in iter_blocks(*points.shape):
        gap = points[block] - centers[labels[block]]
        total += weights[block] @ np.einsum("ij,ij->i", gap, gap)
    return float(total)


def mean_variance(points, weights):
    """Return the mean variance of the features of points around the origin."""
    total = sum(
        weights[block] @ np.einsum("ij,ij->i", points[block], points[block])
        for block in iter_blocks(*points.shape)
    )
    return float(total / max(weights.sum(), np.finfo(float).tiny) / points.shape[1])


def means_by_label(points, weights, labels, centers):
    """Return the weighted means, and the weight of each label.

    Clusters without weight keep their centers, and those without points repeat the
    center of the first with some.
    """
    sums, totals = sum_by_label(points, weights, labels, len(centers))
    known = totals > 0
    result = centers.copy()
    result[known] = sums[known] / totals[known, None]
    is_empty = np.bincount(labels, minlength=len(centers)) == 0
    result[is_empty] = result[labels.min()]
    return result, totals


def fill_empty(points, weights, labels, centers):
    """Move the point that costs most to each cluster without points, in place.

    Points at their centers stay: equal ones belong together, and a cluster that they
    would have to fill is left empty.
    """
    counts = np.bincount(labels, minlength=len(centers))
    empty = np.flatnonzero(counts == 0)
    if not len(empty):
        return
    gap = points - centers[labels]
    squares = np.einsum("ij,ij->i", gap, gap)
    rounding = _ROUNDING * np.finfo(points.dtype).eps * np.abs(points).max(initial=0)
    away = np.flatnonzero(squares > rounding**2)
    worst = iter(away[np.argsort(-(weights * squares)[away], kind="stable")])
    for label in empty:
        # points that are the last of their cluster stay
        point = next((p for p in worst if counts[labels[p]] > 1), None)
        if point is None:
            return
        counts[labels[point]] -= 1
        counts[label] = 1
        labels[point] = label


def seed_centers(points, weights, n_clusters, rng):
    """Return the centers that k-means++ draws, as float64."""
    if np.count_nonzero(weights) < n_clusters:
        # too few points have weight, so all points have to be drawn from
        weights = np.where(weights > 0, weights, np.finfo(np.float32).tiny)
    centers, _ = kmeans_plusplus(
        points, n_clusters, sample_weight=weights, random_state=rng
    )
    return centers.astype(np.float64)
