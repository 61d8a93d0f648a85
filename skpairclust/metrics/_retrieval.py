"""Recall@K without a distance matrix of all samples, exact in the presence of ties.

A query is a hit if fewer than K samples of other classes are nearer than the nearest
sample of its own class. Therefore nothing is sorted. The distance to the nearest sample
of the own class is a threshold, and nearer samples of other classes are counted until
there are K. Distances come from matrix products of blocks. Distances that are equal to
the threshold within the rounding error are computed again from differences in float64.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_array, check_consistent_length

from skpairclust.constraints._labels import encode_values, split_missing
from skpairclust.constraints._typing import AnyArray
from skpairclust.metrics._checks import encode_together

# Samples in a block of queries and in a block of the gallery: their product fits the
# cache.
_BLOCK_QUERIES = 512
_BLOCK_GALLERY = 1024
# Values of differences computed at once.
_BLOCK_VALUES = 2**21
_SIDES = ("left", "right")


@overload
def recall_at_k(
    X: AnyArray,
    labels: AnyArray,
    k: int = 1,
    *,
    X_gallery: AnyArray | None = None,
    gallery_labels: AnyArray | None = None,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> float: ...


@overload
def recall_at_k(
    X: AnyArray,
    labels: AnyArray,
    k: Sequence[int] | NDArray[Any],
    *,
    X_gallery: AnyArray | None = None,
    gallery_labels: AnyArray | None = None,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> NDArray[np.float64]: ...


def recall_at_k(
    X: AnyArray,
    labels: AnyArray,
    k: int | Sequence[int] | NDArray[Any] = 1,
    *,
    X_gallery: AnyArray | None = None,
    gallery_labels: AnyArray | None = None,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> float | NDArray[np.float64]:
    """Share of samples that have one of their own class among the K nearest others.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), float32 or float64
        Samples, as from `transform`. The neighbors of each are searched among all
        others.
    labels : array-like of shape (n_samples,)
        Their classes: integers or names. Samples whose class is missing (None, NaN,
        ``pandas.NA``) are neither searched for nor found; -1 is a class like any
        other.
    k : int or array-like of int, default=1
        Numbers of neighbors, from 1.
    X_gallery : array-like of shape (n_gallery, n_features), default=None
        Samples to search instead of `X` itself. None of them is left out.
    gallery_labels : array-like of shape (n_gallery,), default=None
        Their classes; needed with `X_gallery`.
    metric : {"euclidean", "cosine"}, default="euclidean"
        Distance.

    Returns
    -------
    float or ndarray of the shape of `k`, float64
        In [0, 1]; 1 is perfect.

    Raises
    ------
    ValueError
        If shapes do not fit, `k` is below 1, an argument is unknown, or no sample
        has another of its class.

    Notes
    -----
    Samples without another one of their class in the gallery are left out, because no
    ranking could find one.

    If several samples have the same distance, the expected score over their random
    order is used, so that the order of rows has no influence. If all samples are
    equal, the score is that of guessing.

    No N x N matrix is stored. Apart from copies of the data, memory is bounded.

    References
    ----------
    Jegou, Douze, Schmid (2011). Product quantization for nearest neighbor search.
    IEEE TPAMI 33 (1). Oh Song, Xiang, Jegelka, Savarese (2016). Deep metric learning
    via lifted structured feature embedding. CVPR, section 6.

    Examples
    --------
    >>> from skpairclust.metrics import recall_at_k
    >>> recall_at_k([[0.0], [1.0], [3.0], [5.0]], [0, 0, 1, 0])
    0.6666666666666666
    >>> recall_at_k([[0.0], [1.0], [3.0], [5.0]], [0, 0, 1, 0], k=[1, 2])
    array([0.66666667, 1.        ])
    """
    sizes = _check_k(k)
    queries, gallery = _check_samples(X, labels, X_gallery, gallery_labels, metric)
    # as NumPy does by default: chances underflow to zero
    with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
        hits, n_answered = _search(queries, gallery, sizes, X_gallery is None)
    if not n_answered:
        raise ValueError(
            "no sample has another one of its class to be found: a recall needs two "
            "samples of one class at least."
        )
    recall = hits / n_answered
    return float(recall[0]) if np.ndim(k) == 0 else recall


def _search(queries, gallery, sizes, among_themselves):
    """Return the sum of the chances of a hit, (n_sizes,), and how many were asked."""
    gallery = _Gallery(*gallery)
    X, codes = queries
    order = np.argsort(codes, kind="stable")
    hits, n_answered = np.zeros(len(sizes)), 0
    for start in range(0, len(order), _BLOCK_QUERIES):
        rows = order[start : start + _BLOCK_QUERIES]
        # sorted alike, a query has its own number in the gallery
        own = start + np.arange(len(rows)) if among_themselves else None
        block = gallery.search_for(X[rows], codes[rows], own, sizes)
        hits += block.sum(axis=0)
        n_answered += len(block)
    return hits, n_answered


def _check_k(k):
    """Return `k` as a 1-d integer array."""
    sizes = np.atleast_1d(k)
    if sizes.dtype.kind not in "iu" or sizes.ndim != 1 or sizes.min(initial=1) < 1:
        raise ValueError(f"k must be integers of at least 1; got {k!r}.")
    if not len(sizes):
        raise ValueError("k is empty: give at least one number of neighbors.")
    return sizes.astype(np.int64)


def _check_samples(X, labels, X_gallery, gallery_labels, metric):
    """Return (samples, class codes) of queries and gallery, for Euclidean distances."""
    queries, gallery = _read_both(X, labels, X_gallery, gallery_labels)
    if metric not in ("euclidean", "cosine"):
        raise ValueError(f"metric must be 'euclidean' or 'cosine'; got {metric!r}.")
    if metric == "cosine":
        queries, gallery = ((normalize(x), codes) for x, codes in (queries, gallery))
    return queries, gallery


def _read_both(X, labels, X_gallery, gallery_labels):
    """Return (samples, class codes) of the queries and of the gallery."""
    if (X_gallery is None) != (gallery_labels is None):
        raise ValueError("X_gallery and gallery_labels go together: give both or none.")
    X, labels = _read_labeled(X, labels, ("X", "labels"), [np.float64, np.float32])
    if X_gallery is None:
        codes = encode_values(labels)[1]
        return (X, codes), (X, codes)
    # of the same dtype: mixed ones would compare rounded with unrounded
    names = "X_gallery", "gallery_labels"
    X_gallery, gallery_labels = _read_labeled(X_gallery, gallery_labels, names, X.dtype)
    if X.shape[1] != X_gallery.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} features, but X_gallery has {X_gallery.shape[1]}."
        )
    codes, gallery_codes = encode_together(labels, gallery_labels)
    return (X, codes), (X_gallery, gallery_codes)


def _read_labeled(X, labels, names, dtype):
    """Return the samples that have a class, and their classes."""
    X = check_array(X, dtype=dtype, input_name=names[0])
    labels, missing = split_missing(labels, names[1], column=True)
    check_consistent_length(X, missing)
    if not len(labels):
        raise ValueError(
            f"{names[1]} holds missing labels alone: nothing can be found."
        )
    return X[~missing] if missing.any() else X, labels


class _Gallery:
    """Samples sorted by class, to be searched.

    The score of a sample y for a query x is |x - y|^2 - |x|^2, as far as rounding
    permits. It is the product of (x, 1) and (-2 y, |y|^2).
    """

    def __init__(self, X, codes):
        order = np.argsort(codes, kind="stable")
        self.X, self.codes = X[order], codes[order]
        # squares lose fewer digits near the origin
        self.origin = self.X.mean(axis=0)
        centered = self.X - self.origin
        norms = np.einsum("ij,ij->i", centered, centered)
        self.factors = np.column_stack((-2 * centered, norms))
        self.radius = np.sqrt(norms.max(), dtype=np.float64)

    def search_for(self, X, codes, own, sizes):
        """Return the chances of a hit among the nearest, (n_answered, n_sizes).

        Parameters
        ----------
        X : ndarray of shape (n_queries, n_features)
        codes : ndarray of shape (n_queries,)
            Classes, sorted.
        own : ndarray of shape (n_queries,) or None
            The row of each query in the gallery, if it is there.
        sizes : ndarray of shape (n_sizes,)
            Numbers of neighbors.
        """
        first, last = (np.searchsorted(self.codes, codes, side=s) for s in _SIDES)
        found = last - first > (own is not None)
        if not found.any():
            return np.empty((0, len(sizes)))
        own = None if own is None else own[found]
        queries = _Queries(self, X[found], codes[found], own)
        self._find_nearest_of_class(queries, first[found], last[found])
        self._count_others(queries, sizes.max())
        return queries.hit_chances(sizes)

    def _find_nearest_of_class(self, queries, first, last):
        """Set `nearest` and `tied_same` of the queries."""
        bounds = np.flatnonzero(np.diff(first, prepend=-1, append=-1))
        for start, stop in pairwise(bounds):
            members = np.arange(start, stop)
            for tile in _tiles(first[start], last[start]):
                near = self._list_near(queries, members, tile, bounded=False)
                for rows, columns, _ in _chunks(near, self.X.shape[1]):
                    queries.take_nearest(rows, self._exact(queries, rows, columns))

    def _count_others(self, queries, enough):
        """Set `nearer` and `tied_other` of the queries, up to enough nearer ones."""
        for tile in _tiles(0, len(self.X)):
            active = np.flatnonzero(queries.nearer < enough)
            if not len(active):
                return
            rows, columns, scores = self._list_near(queries, active, tile)
            other = self.codes[columns] != queries.codes[rows]
            rows, columns, scores = rows[other], columns[other], scores[other]
            sure = scores < (queries.threshold - queries.error)[rows]
            queries.nearer += np.bincount(rows[sure], minlength=len(queries.X))
            unsure = tuple(part[~sure] for part in (rows, columns, scores))
            for rows, columns, _ in _chunks(unsure, self.X.shape[1]):
                queries.count_other(rows, self._exact(queries, rows, columns))

    def _list_near(self, queries, members, tile, *, bounded=True):
        """Return queries, samples and scores of what may be within the threshold.

        If not `bounded`, the nearest sample of the tile lowers the threshold.
        """
        scores = queries.factors[members] @ self.factors[tile].T
        if queries.own is not None and not bounded:
            own = queries.own[members] - tile.start
            inside = np.flatnonzero((own >= 0) & (own < scores.shape[1]))
            scores[inside, own[inside]] = np.inf
        lowest = scores.min(axis=1)
        limit = queries.threshold[members] + queries.error[members]
        if not bounded:
            limit = np.minimum(limit, lowest + 2 * queries.error[members])
        some = np.flatnonzero((lowest <= limit) & (lowest < np.inf))
        scores = scores[some]
        rows, columns = np.nonzero(scores <= limit[some, None])
        return members[some[rows]], tile.start + columns, scores[rows, columns]

    def _exact(self, queries, rows, columns):
        """Return squared distances in float64."""
        difference = queries.X[rows].astype(np.float64) - self.X[columns]
        return np.einsum("ij,ij->i", difference, difference)


class _Queries:
    """A block of samples to be searched for, and what has been found of them."""

    def __init__(self, gallery, X, codes, own):
        self.X, self.codes, self.own = X, codes, own
        centered = X - gallery.origin
        self.factors = np.column_stack((centered, np.ones(len(X), dtype=X.dtype)))
        self.norms = np.einsum("ij,ij->i", centered, centered, dtype=np.float64)
        # a bound on the error of a score: a sum of n_features + 1 rounded products
        self.error = (2 * X.shape[1] + 8) * np.finfo(X.dtype).eps
        self.error = self.error * (np.sqrt(self.norms) + gallery.radius) ** 2
        self.nearest = np.full(len(X), np.inf)
        self.tied_same, self.tied_other, self.nearer = np.zeros(
            (3, len(X)), dtype=np.int64
        )

    @property
    def threshold(self):
        """The score of the nearest sample of the own class."""
        return self.nearest - self.norms

    def take_nearest(self, rows, distances):
        """Take in squared distances to samples of the own class."""
        before = self.nearest.copy()
        np.minimum.at(self.nearest, rows, distances)
        self.tied_same[self.nearest < before] = 0
        tied = rows[distances == self.nearest[rows]]
        self.tied_same += np.bincount(tied, minlength=len(self.X))

    def count_other(self, rows, distances):
        """Take in squared distances to samples of other classes."""
        for counts, counted in (
            (self.nearer, distances < self.nearest[rows]),
            (self.tied_other, distances == self.nearest[rows]),
        ):
            counts += np.bincount(rows[counted], minlength=len(self.X))

    def hit_chances(self, sizes):
        """Return the chance of one of the own class among the nearest."""
        places = sizes - self.nearer[:, None]
        other, all_tied = self.tied_other[:, None], self.tied_other + self.tied_same
        all_tied = all_tied[:, None]
        drawn = np.clip(places, 0, other)
        # of `drawn` tied samples in random order, all are of other classes
        missed = np.exp(_log_choose(other, drawn) - _log_choose(all_tied, drawn))
        return np.where(places > other, 1.0, np.where(places > 0, 1 - missed, 0.0))


def _tiles(start, stop):
    """Return slices of the gallery."""
    return [
        slice(at, min(at + _BLOCK_GALLERY, stop))
        for at in range(start, stop, _BLOCK_GALLERY)
    ]


def _chunks(arrays, n_features):
    """Cut arrays of the same length for computations of bounded memory."""
    step = max(1, _BLOCK_VALUES // n_features)
    for start in range(0, len(arrays[0]), step):
        yield tuple(array[start : start + step] for array in arrays)


def _log_choose(n, k):
    """Return the logarithm of n over k."""
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
