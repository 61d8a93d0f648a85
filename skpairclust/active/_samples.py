"""Which samples are worth a question: typical ones, far ones, and in which order."""

import zlib
from typing import NamedTuple

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from skpairclust.active._groups_view import distances
from skpairclust.active._model_view import as_dense
from skpairclust.constraints._pairs import count_samples
from skpairclust.utils._indexing import take_rows
from skpairclust.utils._warnings import caught_warnings

# Of larger data, questions are about a sample of so many rows.
MOST_CANDIDATES = 10_000
# Of larger data, so many values are looked at to notice a change.
_DIGEST_VALUES = 2**23


def draw_candidates(n_samples, rng):
    """Return the rows that questions may be about, ascending."""
    if n_samples <= MOST_CANDIDATES:
        return np.arange(n_samples)
    return np.sort(rng.choice(n_samples, MOST_CANDIDATES, replace=False))


def digest(X):
    """Return a number that changes when X does; of large X, evenly spread rows count.

    The rows looked at hold about 8 million values, so that it takes milliseconds.
    """
    n_samples = count_samples(X)
    n_values = int(np.prod(getattr(X, "shape", (n_samples, 1))[1:], dtype=np.int64))
    step = max(1, n_samples * n_values // _DIGEST_VALUES)
    rows = as_dense(take_rows(X, np.arange(0, n_samples, step)))
    if rows.dtype == object:
        rows = np.frombuffer(repr(rows.tolist()).encode(), dtype=np.uint8)
    return zlib.crc32(np.ascontiguousarray(rows).view(np.uint8), n_samples)


class Cells(NamedTuple):
    """Clusters of k-means and the row nearest to the center of each.

    Attributes
    ----------
    typical : ndarray of shape (n_cells,), int64
        That row of each cell, those of big cells first.
    of_row : ndarray of shape (n_rows,), int64
        The cell of each row.
    """

    typical: np.ndarray
    of_row: np.ndarray


def divide(features, n_cells, rng):
    """Divide rows into cells by k-means.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
    n_cells : int
        At most `n_rows`; fewer are returned if rows are equal.
    rng : numpy.random.RandomState

    Returns
    -------
    Cells
    """
    # equal rows leave clusters empty, which is no matter here
    with caught_warnings(UserWarning):
        kmeans = MiniBatchKMeans(
            n_cells,
            init="random" if n_cells > 300 else "k-means++",
            n_init=1,
            batch_size=max(1024, 4 * n_cells),
            max_iter=50,
            random_state=rng,
        ).fit(features)
    labels = kmeans.labels_
    gaps = np.linalg.norm(features - kmeans.cluster_centers_[labels], axis=1)
    by_gap = np.lexsort((gaps, labels))
    _, first, of_row, sizes = np.unique(
        labels[by_gap], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(-sizes, kind="stable")
    rank = np.argsort(order)
    cell = np.empty(len(labels), dtype=np.int64)
    cell[by_gap] = rank[of_row]
    return Cells(by_gap[first][order], cell)


def farthest_first(features, n_rows, known=None):
    """Return rows, each the farthest from those before it and from known points.

    Parameters
    ----------
    features : ndarray of shape (n_candidates, d)
    n_rows : int
    known : ndarray of shape (n_known, d) or None
        None or none starts with the first row.

    Returns
    -------
    ndarray of shape (min(n_rows, n_candidates),), int64
        Gonzalez (1985), Clustering to minimize the maximum intercluster distance.
    """
    n_rows = min(n_rows, len(features))
    gaps = np.full(len(features), np.inf)
    if known is not None and len(known):
        for start in range(0, len(features), 1024):
            part = slice(start, start + 1024)
            gaps[part] = distances(features[part], known).min(axis=1)
    picked = np.empty(n_rows, dtype=np.int64)
    for i in range(n_rows):
        picked[i] = gaps.argmax()
        gaps = np.minimum(gaps, distances(features, features[picked[i : i + 1]])[:, 0])
        # equal rows must not be taken twice
        gaps[picked[: i + 1]] = -1
    return picked
