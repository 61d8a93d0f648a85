"""Read constraints out of labels, triples, matrices, neighbors and sequences.

Each function returns what the container needs and knows nothing of it.
"""

import numbers

import numpy as np
from scipy import sparse

from skpairclust.constraints._groups import make_relation, pairs_within
from skpairclust.constraints._pairs import as_integers, first_few
from skpairclust.constraints._sampling import draw_distinct, pair_of_index


def check_labels(labels, name="y"):
    """Return labels numbered from 0, with -1 for none."""
    array = np.asarray(labels)
    if array.ndim != 1:
        raise ValueError(
            f"{name} must be one-dimensional, one entry per sample; got shape "
            f"{array.shape}. Flatten a column with `{name}.ravel()`."
        )
    hint = (
        "-1 means unlabeled; turn names into numbers with "
        f"`np.unique({name}, return_inverse=True)[1]`."
    )
    if array.dtype.kind == "f":
        is_whole = np.isfinite(array) & (array == np.floor(array))
        if not is_whole.all():
            raise ValueError(
                f"{name} must hold whole numbers; got {first_few(array[~is_whole])}. "
                f"{hint}"
            )
        array = array.astype(np.int64)
    array = as_integers(array, name, hint)
    if array.min(initial=0) < -1:
        raise ValueError(
            f"{name} holds labels below -1: {first_few(np.unique(array[array < -1]))}. "
            f"{hint}"
        )
    known = array >= 0
    labels = np.full(len(array), -1, dtype=np.int64)
    labels[known] = np.unique(array[known], return_inverse=True)[1]
    return labels


def split_triples(triples):
    """Split rows (i, j, r) into must-link and cannot-link index arrays."""
    triples = as_integers(
        triples, "triples", "Give rows (i, j, r), r = +1 must-link, -1 cannot-link."
    )
    if triples.size == 0:
        triples = triples.reshape(0, 3)
    if triples.ndim != 2 or triples.shape[1] != 3:
        raise ValueError(
            f"triples must have shape (m, 3), rows (i, j, r); got {triples.shape}."
        )
    relation = triples[:, 2]
    is_bad = np.abs(relation) != 1
    if is_bad.any():
        raise ValueError(
            "triples need +1 (must-link) or -1 (cannot-link) in the third column; got "
            f"{first_few(triples[is_bad])}. Leave out pairs that are not known."
        )
    return triples[relation == 1, :2], triples[relation == -1, :2]


def read_matrix(matrix):
    """Return must-links, cannot-links and their weights from a relation matrix."""
    if not sparse.issparse(matrix):
        matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"the relation matrix must be square; got {matrix.shape}.")
    if matrix.dtype.kind not in "iuf":
        raise TypeError(
            "the relation matrix must hold numbers (+1 must-link, -1 cannot-link, 0 "
            f"unknown); got dtype {matrix.dtype}."
        )
    entries = sparse.coo_array(matrix, dtype=np.float64)
    entries.sum_duplicates()
    row, column = (
        entries.coords if hasattr(entries, "coords") else (entries.row, entries.col)
    )
    values = entries.data
    _check_entries(row, column, values)
    is_upper, is_lower = row < column, row > column
    upper = _entries_by_pair(row, column, values, is_upper)
    lower = _entries_by_pair(column, row, values, is_lower)
    if len(upper[0]) and len(lower[0]):
        _check_symmetric(upper, lower)
    pairs, weights = upper if len(upper[0]) else lower
    is_must = weights > 0
    return (
        pairs[is_must],
        pairs[~is_must & (weights != 0)],
        weights[is_must],
        -weights[weights < 0],
    )


def _check_entries(row, column, values):
    """Raise on entries that are not finite, and on negative diagonal entries."""
    is_bad = ~np.isfinite(values)
    if is_bad.any():
        raise ValueError(
            "the relation matrix must be finite; got "
            f"{first_few(values[is_bad])}. Unknown pairs are 0."
        )
    # a positive diagonal holds for every sample and carries no information
    is_bad = (row == column) & (values < 0)
    if is_bad.any():
        raise ValueError(
            "the relation matrix has negative entries on its diagonal, for samples "
            f"{first_few(row[is_bad])}. A sample cannot differ from itself."
        )


def _entries_by_pair(low, high, values, mask):
    """Return masked non-zero entries in the order of their pairs."""
    mask = np.flatnonzero(mask & (values != 0))
    order = mask[np.lexsort((high[mask], low[mask]))]
    pairs = np.column_stack((low[order], high[order])).astype(np.int64)
    return pairs, values[order]


def _check_symmetric(upper, lower):
    """Raise unless both triangles hold the same entries."""
    if np.array_equal(upper[0], lower[0]) and np.array_equal(upper[1], lower[1]):
        return
    n_nodes = int(max(upper[0].max(), lower[0].max())) + 1
    shape = (n_nodes, n_nodes)
    above, below = (
        sparse.csr_array((values, tuple(pairs.T)), shape=shape)
        for pairs, values in (upper, lower)
    )
    differing = np.column_stack((above != below).nonzero())
    raise ValueError(
        "the relation matrix is neither symmetric nor triangular: its two triangles "
        f"differ at {first_few(differing)}. Fill one triangle, or both equally."
    )


def find_neighbors(X, *, n_neighbors, radius, metric, n_jobs):
    """Return pairs of near samples: the nearest ones, within the radius."""
    from sklearn.neighbors import NearestNeighbors

    if n_neighbors is None and radius is None:
        raise ValueError("n_neighbors and radius are both None: give one of them.")
    index = NearestNeighbors(metric=metric, n_jobs=n_jobs).fit(X)
    if n_neighbors is None:
        graph = index.radius_neighbors_graph(radius=radius, mode="distance")
    else:
        graph = index.kneighbors_graph(n_neighbors=n_neighbors, mode="distance")
    near = graph.tocoo()
    kept = near.row != near.col
    if radius is not None:
        kept &= near.data <= radius
    return np.column_stack((near.row[kept], near.col[kept])).astype(np.int64)


def draw_far_pairs(X, n_pairs, *, radius, metric, rng):
    """Draw random pairs and keep up to n_pairs that lie beyond the radius."""
    from sklearn.metrics.pairwise import paired_distances
    from sklearn.utils import check_array

    X = check_array(X, accept_sparse="csr")
    n_samples = X.shape[0]
    n_all = n_samples * (n_samples - 1) // 2
    # a fixed number of candidates: far pairs may be rare, and the search must end
    n_candidates = min(n_all, 10 * n_pairs)
    first, second = pair_of_index(draw_distinct(n_all, n_candidates, rng), n_samples)
    far = []
    for start in range(0, n_candidates, 10_000):
        part = slice(start, start + 10_000)
        distances = paired_distances(X[first[part]], X[second[part]], metric=metric)
        far.append(start + np.flatnonzero(distances > radius))
        if sum(map(len, far)) >= n_pairs:
            break
    kept = np.concatenate([np.empty(0, dtype=np.int64), *far])[:n_pairs]
    return np.column_stack((first[kept], second[kept]))


def relate_sequences(sequence_ids, times, max_gap):
    """Return the group relation of tracks, as a tuple of none or one."""
    tracks = check_labels(sequence_ids, "sequence_ids")
    if times is None:
        if max_gap is not None:
            raise ValueError("max_gap needs times, the time of each sample.")
        return make_relation(tracks, np.empty((0, 2), dtype=np.int64))
    times = _check_times(times, len(tracks))
    if max_gap is not None:
        tracks = _cut_at_gaps(tracks, times, max_gap)
    known = np.flatnonzero(tracks >= 0)
    moments = np.unique(times[known], return_inverse=True)[1]
    # a track counts once at each moment
    present = np.unique(np.column_stack((moments, tracks[known])), axis=0)
    met = present[:, 1][pairs_within(present[:, 0])]
    return make_relation(tracks, met)


def _check_times(times, n_samples):
    """Return finite times, one per sample."""
    times = np.asarray(times)
    if times.dtype.kind not in "iufM":
        raise TypeError(f"times must be numbers or dates; got dtype {times.dtype}.")
    if times.shape != (n_samples,):
        raise ValueError(
            f"times must have one entry per sample, shape ({n_samples},); "
            f"got {times.shape}."
        )
    if not np.isfinite(times).all():
        raise ValueError("times must be finite; give samples without time the id -1.")
    return times


def _cut_at_gaps(tracks, times, max_gap):
    """Split tracks where neighboring samples are more than max_gap apart."""
    if isinstance(max_gap, numbers.Real) and not max_gap >= 0:
        raise ValueError(f"max_gap must not be negative; got {max_gap}.")
    order = np.lexsort((times, tracks))
    order = order[np.count_nonzero(tracks < 0) :]
    in_order = tracks[order]
    is_new = np.diff(in_order, prepend=-1) != 0
    is_new[1:] |= np.diff(times[order]) > max_gap
    pieces = np.full(len(tracks), -1, dtype=np.int64)
    pieces[order] = np.cumsum(is_new) - 1
    return pieces
