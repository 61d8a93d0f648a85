"""The metric in which samples are near each other, learned from must-links.

References
----------
Bar-Hillel, Hertz, Shental, Weinshall (2005). Learning a Mahalanobis metric from
equivalence constraints. JMLR.

Friedman (1989). Regularized discriminant analysis. JASA.
"""

import numpy as np
from scipy.stats import rankdata

from skpairclust.metrics._probabilities import draw_pairs

# Pairs of a kind that are looked at.
_MOST_PAIRS = 4_000

# Shares of the Euclidean metric that are tried: how few are of use depends on the data
# more than on the number of pairs. 1 is first, so that a tie leaves things as they are.
_SHARES = (1.0, 0.8, 0.6, 0.4, 0.2, 0.1, 0.03, 0.01, 0.001)

_N_FOLDS = 5


def learn_metric(points, place, constraints, rng):
    """Return points between which Euclidean distances tell clusters apart better.

    Directions in which must-linked samples differ count for less (relevant component
    analysis). The covariance C of these differences is shrunk to a multiple of the
    identity, by as much as makes the distances of must-links that were left out differ
    most from those of cannot-links. Neighbors in all directions alike, which is full
    shrinkage, are one of the choices.

    Parameters
    ----------
    points : ndarray of shape (n_nodes, d)
    place : ndarray of shape (n_samples,), int64
        Number of each sample's point, -1 for none.
    constraints : PairwiseConstraints
    rng : numpy.random.RandomState

    Returns
    -------
    ndarray of shape (n_nodes, d), float32
        `points` as they are if pairs do not say how to improve them.
    """
    must = _draw_pairs(constraints, "must_link", place, rng)
    cannot = _draw_pairs(constraints, "cannot_link", place, rng)
    group = constraints.components()[must[:, 0]]
    fold = _deal(group, rng)
    variance = float(points.var(axis=0, dtype=np.float64).mean())
    if not (len(cannot) and fold.any() and variance > 0):
        return points
    near = _subtract(points, place[must])
    far = _subtract(points, place[cannot])
    scores = [_score(share, variance, near, far, fold) for share in _SHARES]
    share = _SHARES[int(np.argmax(scores))]
    if share == 1:
        return points
    values, vectors = np.linalg.eigh(_mix(share, variance, near))
    return (points @ (vectors / np.sqrt(values))).astype(np.float32)


def _draw_pairs(constraints, kind, place, rng):
    """Return some pairs of a kind between two samples that have points, (m, 2)."""
    pairs, weight = draw_pairs(constraints, kind, max_implied=_MOST_PAIRS)
    usable = (place[pairs] >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])
    pairs, weight = pairs[usable], weight[usable]
    if len(pairs) <= _MOST_PAIRS:
        return pairs
    share = weight / weight.sum()
    return pairs[rng.choice(len(pairs), _MOST_PAIRS, replace=False, p=share)]


def _deal(group, rng):
    """Return the fold of each must-link, (m,) int64: a group stays together."""
    names, number = np.unique(group, return_inverse=True)
    return (rng.permutation(len(names)) % _N_FOLDS)[number]


def _subtract(points, pairs):
    """Return differences of pairs, with the covariance of the samples themselves."""
    first, second = points[pairs].astype(np.float64).swapaxes(0, 1)
    return (first - second) / np.sqrt(2)


def _mix(share, variance, differences):
    """Return the covariance of differences, shrunk by `share`."""
    covariance = differences.T @ differences / len(differences)
    return (1 - share) * covariance + share * variance * np.eye(len(covariance))


def _score(share, variance, near, far, fold):
    """Return the area under the ROC curve of the distances of pairs left out."""
    total = 0.0
    for number in range(fold.max() + 1):
        is_left_out = fold == number
        inverse = np.linalg.inv(_mix(share, variance, near[~is_left_out]))
        left = near[is_left_out]
        area = _area(_measure(left, inverse), _measure(far, inverse))
        total += len(left) * area
    return total / len(near)


def _area(low, high):
    """Return the area under the ROC curve, from ranks (Mann & Whitney 1947).

    The function of scikit-learn takes ten times as long, most of it for checks.
    """
    ranks = rankdata(np.concatenate([low, high]))[len(low) :]
    return (ranks.mean() - (len(high) + 1) / 2) / len(low)


def _measure(differences, inverse):
    """Return squared Mahalanobis distances."""
    return ((differences @ inverse) * differences).sum(axis=1)
