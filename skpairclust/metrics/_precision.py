"""Precision at K: how many of the K nearest samples are of the same class.

Scores from matrix products of blocks say which samples may be among the K nearest. The
distances of these are computed again from differences in float64, so that equal ones
are known to be equal.
"""

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from skpairclust.constraints._typing import AnyArray
from skpairclust.metrics._retrieval import _check_k, _check_samples

# Values of a block of scores.
_BLOCK_VALUES = 2**22


@overload
def precision_at_k(
    X: AnyArray,
    labels: AnyArray,
    k: int = 1,
    *,
    X_gallery: AnyArray | None = None,
    gallery_labels: AnyArray | None = None,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> float: ...


@overload
def precision_at_k(
    X: AnyArray,
    labels: AnyArray,
    k: Sequence[int] | NDArray[Any],
    *,
    X_gallery: AnyArray | None = None,
    gallery_labels: AnyArray | None = None,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> NDArray[np.float64]: ...


def precision_at_k(
    X: AnyArray,
    labels: AnyArray,
    k: int | Sequence[int] | NDArray[Any] = 1,
    *,
    X_gallery: AnyArray | None = None,
    gallery_labels: AnyArray | None = None,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> float | NDArray[np.float64]:
    """Mean share of a sample's K nearest others that are of its class.

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
        In [0, 1]. It is 1 only if each class has more than K samples.

    Raises
    ------
    ValueError
        If shapes do not fit, `k` is below 1 or more than the samples that can be found,
        an argument is unknown, or no sample has another of its class.

    See Also
    --------
    recall_at_k : Share of samples with any of their class among the K nearest.

    Notes
    -----
    Samples without another one of their class in the gallery are left out. If several
    samples have the same distance, the expected score over their random order is used.

    Examples
    --------
    >>> from skpairclust.metrics import precision_at_k
    >>> X, y = [[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 0]
    >>> precision_at_k(X, y, k=[1, 2])
    array([0.66666667, 0.5       ])
    """
    sizes = _check_k(k)
    queries, gallery = _check_samples(X, labels, X_gallery, gallery_labels, metric)
    among_themselves = X_gallery is None
    n_others = len(gallery[0]) - among_themselves
    if sizes.max() > n_others:
        raise ValueError(
            f"k={sizes.max()} is more than the {n_others} samples that could be found."
        )
    shares = _measure(queries, gallery, sizes, among_themselves)
    if not len(shares):
        raise ValueError(
            "no sample has another one of its class to be found: a precision needs two "
            "samples of one class at least."
        )
    precision = shares.mean(axis=0)
    return float(precision[0]) if np.ndim(k) == 0 else precision


def _measure(queries, gallery, sizes, among_themselves):
    """Return each query's share of its class among the nearest, by number of them."""
    (X, codes), (others, other_codes) = queries, gallery
    X, others = (x.astype(np.float64, copy=False) for x in (X, others))
    # Squares lose fewer digits near the origin.
    origin = others.mean(axis=0)
    centered, factors = X - origin, others - origin
    norms = np.einsum("ij,ij->i", factors, factors)
    counts = np.bincount(other_codes, minlength=max(codes.max(), other_codes.max()) + 1)
    asked = np.flatnonzero(counts[codes] > among_themselves)
    # A bound on the rounding of a score: a sum of n_features + 1 products.
    unit = (2 * X.shape[1] + 8) * np.finfo(np.float64).eps
    radius = np.sqrt(norms.max())
    shares = np.empty((len(asked), len(sizes)))
    step = max(1, _BLOCK_VALUES // len(others))
    for start in range(0, len(asked), step):
        rows = asked[start : start + step]
        scores = norms - 2 * centered[rows] @ factors.T
        if among_themselves:
            scores[np.arange(len(rows)), rows] = np.inf
        last = sizes.max() - 1
        limit = np.partition(scores, last, axis=1)[:, last]
        error = unit * (np.linalg.norm(centered[rows], axis=1) + radius) ** 2
        for place, row in enumerate(rows):
            near = np.flatnonzero(scores[place] <= limit[place] + 2 * error[place])
            difference = others[near] - X[row]
            distances = np.einsum("ij,ij->i", difference, difference)
            is_same = other_codes[near] == codes[row]
            shares[start + place] = _expected_shares(distances, is_same, sizes)
    return shares


def _expected_shares(distances, is_same, sizes):
    """Return the expected share of True among the nearest, ties in random order."""
    order = np.argsort(distances, kind="stable")
    distances, is_same = distances[order], is_same[order]
    found = np.concatenate([[0], np.cumsum(is_same)])
    limit = distances[sizes - 1]
    first = np.searchsorted(distances, limit, side="left")
    last = np.searchsorted(distances, limit, side="right")
    of_tied = (found[last] - found[first]) * (sizes - first) / (last - first)
    return (found[first] + of_tied) / sizes
