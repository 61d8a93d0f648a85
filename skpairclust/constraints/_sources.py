"""Read constraints out of labels, triples, matrices, neighbors and sequences.

Each function returns what the container needs and knows nothing of it.
"""

import numpy as np
from scipy import sparse

from skpairclust.constraints._groups import make_relation
from skpairclust.constraints._labels import encode_labels
from skpairclust.constraints._pairs import (
    as_integers,
    check_listable,
    first_few,
    ragged_arange,
)
from skpairclust.constraints._sampling import draw_distinct, pair_of_index
from skpairclust.constraints._sparse import canonical
from skpairclust.constraints._times import add_up, read_span, read_times

# Values of features compared at once.
_BLOCK_VALUES = 2**24


def split_triples(triples):
    """Split rows (i, j, r) into must-link and cannot-link index arrays."""
    triples = as_integers(
        triples,
        "triples",
        "Give rows (i, j, r), r = +1 must-link, -1 cannot-link: read a file of them "
        "with `np.loadtxt(path, dtype=int)`, and a table of names and answers with "
        "`PairwiseConstraints.from_frame`.",
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
    row, column, values = _read_entries(matrix)
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


def _read_entries(matrix):
    """Return rows, columns and values of the entries; repeated ones are added."""
    entries = sparse.coo_array(matrix, dtype=np.float64)
    is_bad = ~np.isfinite(entries.data)
    if is_bad.any():
        raise ValueError(
            "the relation matrix must be finite; got "
            f"{first_few(entries.data[is_bad])}. Unknown pairs are 0."
        )
    sizes = entries.copy()
    sizes.data = np.abs(sizes.data)
    for summed in (entries, sizes):
        summed.sum_duplicates()
    row, column = (
        entries.coords if hasattr(entries, "coords") else (entries.row, entries.col)
    )
    is_mixed = np.abs(entries.data) < sizes.data
    if is_mixed.any():
        pairs = np.column_stack((row, column))[is_mixed]
        raise ValueError(
            "the relation matrix holds entries of both signs at one place, at "
            f"{first_few(pairs)}, so that these pairs would be must-link and "
            "cannot-link. Repeated entries are added up: remove the wrong ones."
        )
    _check_diagonal(row, column, entries.data)
    return row, column, entries.data


def _check_diagonal(row, column, values):
    """Refuse samples that differ from themselves."""
    # a positive diagonal is true of every sample and says nothing
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
    index = NearestNeighbors(metric=metric, n_jobs=n_jobs).fit(canonical(X))
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

    X = check_array(canonical(X), accept_sparse="csr")
    n_samples = X.shape[0]
    n_all = n_samples * (n_samples - 1) // 2
    # a fixed number of candidates: far pairs may be rare, and the search must end
    n_candidates = min(n_all, 10 * n_pairs)
    first, second = pair_of_index(draw_distinct(n_all, n_candidates, rng), n_samples)
    far = []
    step = min(10_000, max(1, _BLOCK_VALUES // max(X.shape[1], 1)))
    for start in range(0, n_candidates, step):
        part = slice(start, start + step)
        ends = (X[first[part]], X[second[part]])
        # scikit-learn takes no sparse rows here
        ends = (end.toarray() if sparse.issparse(end) else end for end in ends)
        distances = paired_distances(*ends, metric=metric)
        far.append(start + np.flatnonzero(distances > radius))
        if sum(map(len, far)) >= n_pairs:
            break
    kept = np.concatenate([np.empty(0, dtype=np.int64), *far])[:n_pairs]
    return np.column_stack((first[kept], second[kept]))


def relate_sequences(sequence_ids, times, max_gap, tolerance):
    """Return the number of samples, and the group relation as a tuple of none or one.

    Tracks are cut at gaps; those that are present at the same time differ.
    """
    tracks = encode_labels(sequence_ids, "sequence_ids")
    n_samples, none = len(tracks), np.empty((0, 2), dtype=np.int64)
    if times is None:
        for name, span in (("max_gap", max_gap), ("tolerance", tolerance)):
            if span is not None:
                raise ValueError(f"{name} needs times, the time of each sample.")
        return n_samples, make_relation(tracks, none)
    known = tracks >= 0
    times = read_times(times, known)
    gap = None if max_gap is None else read_span(max_gap, "max_gap", times)
    within = read_span(0 if tolerance is None else tolerance, "tolerance", times)
    # by track, and by time within each
    order = np.lexsort((times.values, tracks[known]))
    whole = track = tracks[known][order]
    times = times.take(order)
    if gap is not None:
        track = cut_at_gaps(track, times, gap)
    met = track[find_meetings(track, times, within)]
    # pieces of one sequence may show one thing
    of_piece = np.zeros(track.max(initial=-1) + 1, dtype=np.int64)
    of_piece[track] = whole
    met = met[of_piece[met[:, 0]] != of_piece[met[:, 1]]]
    tracks[np.flatnonzero(known)[order]] = track
    return n_samples, make_relation(tracks, met)


def cut_at_gaps(track, times, gap):
    """Give a number to each piece of a track without a gap of more than so much."""
    is_new = np.diff(track, prepend=-1) != 0
    is_new[1:] |= times.steps() > gap
    return np.cumsum(is_new) - 1


def find_meetings(track, times, within):
    """Return pairs of samples of all tracks that come at most so close in time.

    A track that is seen at least every `2 * within` is within reach of every moment
    from its first to its last sample, so that a few runs stand for all samples: two
    runs meet if none of them ends more than `within` before the other begins.
    """
    is_new = np.diff(track, prepend=-1) != 0
    is_new[1:] |= times.steps(rounded=False) > add_up(np.atleast_1d(within), within)
    start = np.flatnonzero(is_new)
    stop = np.append(start[1:], len(track)) - 1
    order = np.argsort(times.values[start], kind="stable")
    start, stop = start[order], stop[order]
    reach = times.reach(stop, within)
    ends = np.searchsorted(times.values[start], reach, side="right")
    n_partners = ends - np.arange(len(start)) - 1
    check_listable(int(n_partners.sum()), "meetings of sequences")
    left = np.repeat(np.arange(len(start)), n_partners)
    right = left + 1 + ragged_arange(n_partners)
    return np.column_stack((start[left], start[right]))
