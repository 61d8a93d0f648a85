"""Judge each answer by all the others, without a model that was trained on it."""

import numpy as np
from scipy.special import log_softmax
from sklearn.cluster import KMeans

from skpairclust.active._groups_view import distances
from skpairclust.active._model_view import as_dense
from skpairclust.active._samples import draw_candidates
from skpairclust.constraints._pairs import count_samples
from skpairclust.utils._indexing import take_rows
from skpairclust.utils._warnings import caught_warnings

# Clusterings to start from; what follows from each is averaged.
_N_STARTS = 3
# A start is sure of its clusters to this share, and changed so many times.
_SURE, _N_ROUNDS = 0.8, 4
# Share of the answers that is taken to be wrong.
_WRONG = 0.1
# Messages are passed so often, each time half of the old ones is kept.
_N_PASSES, _KEPT = 15, 0.5
# Kernel ridge regression: samples to which others are compared, penalty, sharpness.
_MOST_LANDMARKS, _PENALTY, _SHARPNESS = 1000, 0.3, (2, 4, 8, 16, 32, 64)
# The width of the kernel is the usual distance to so many neighbors.
_N_NEIGHBORS = 5
# With fewer answered samples per cluster, or more clusters, there is no judgment.
_LEAST_PER_CLUSTER, _MOST_CLUSTERS = 5, 1000


class Judge:
    """Say how likely pairs belong together, each by the answers to the other pairs.

    A network memorizes wrong answers and is not surprised by them any more. Here, the
    cluster of a sample is unknown, samples that are near it say what it may be, and
    each answer is wrong with some probability. Belief propagation along the answers
    gives the cluster of either sample as it would be without the answer in question.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
    random_state : RandomState
        Controls the k-means to start from. No answer has a part in it.

    References
    ----------
    Yedidia, Freeman, Weiss (2003). Understanding belief propagation and its
    generalizations.
    """

    def __init__(self, X, random_state):
        self.seed = int(random_state.randint(2**31, dtype=np.int64))
        self.X = X
        self._starts = {}

    def same(self, votes, n_clusters):
        """Return the probability that each pair belongs together.

        Parameters
        ----------
        votes : Votes
        n_clusters : int

        Returns
        -------
        ndarray of shape (m,) or None
            None if there are too few answers to say it, or X does not hold numbers.
        """
        rows, place = np.unique(votes.pairs, return_inverse=True)
        if not 1 < n_clusters <= min(_MOST_CLUSTERS, len(rows) // _LEAST_PER_CLUSTER):
            return None
        points = self._points(rows)
        if points is None:
            return None
        place = place.reshape(-1, 2)
        smoother = LeaveOneOut(points)
        found = [
            _judge(smoother, labels, place, votes.lead)
            for labels in self._clusterings(points, n_clusters)
        ]
        return np.mean(found, axis=0)

    def _points(self, rows):
        """Return rows as finite numbers, or None."""
        points = as_dense(take_rows(self.X, rows)).reshape(len(rows), -1)
        if points.dtype.kind not in "biuf" or not np.isfinite(points).all():
            return None
        return points.astype(np.float64)

    def _clusterings(self, points, n_clusters):
        """Yield soft clusters of points by k-means, which looks at no answer."""
        if n_clusters not in self._starts:
            self._starts[n_clusters] = self._find_centers(n_clusters)
        for centers in self._starts[n_clusters]:
            own = distances(points, centers).argmin(axis=1)
            clusters = np.full((len(points), n_clusters), (1 - _SURE) / n_clusters)
            clusters[np.arange(len(points)), own] += _SURE
            yield clusters

    def _find_centers(self, n_clusters):
        """Return the centers of some k-means."""
        rng = np.random.RandomState(self.seed)
        points = self._points(draw_candidates(count_samples(self.X), rng))
        # equal samples leave clusters empty, which is no matter here
        with caught_warnings(UserWarning):
            return [
                KMeans(n_clusters, n_init=1, random_state=rng)
                .fit(points)
                .cluster_centers_
                for _ in range(_N_STARTS)
            ]


class LeaveOneOut:
    """Kernel ridge regression that predicts each point from all others.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    """

    def __init__(self, points):
        step = 1 + (len(points) - 1) // _MOST_LANDMARKS
        landmarks = points[::step]
        gaps = distances(points, landmarks) ** 2
        n_near = min(_N_NEIGHBORS + 1, gaps.shape[1])
        # one of them is mostly the point itself
        width = np.partition(gaps, n_near - 1, axis=1)[:, :n_near].sum(axis=1).mean()
        width = max(width / max(n_near - 1, 1), 1e-12)
        kernel = np.exp(-gaps / (2 * width))
        inner = kernel.T @ kernel + _PENALTY * kernel[::step]
        values, vectors = np.linalg.eigh((inner + inner.T) / 2)
        values = np.maximum(values, 1e-9 * values[-1])
        self.basis = kernel @ (vectors / np.sqrt(values))
        self.leverage = np.minimum((self.basis**2).sum(axis=1), 0.999)[:, None]

    def __call__(self, clusters):
        """Return the log probability of each point's clusters, (n, n_clusters)."""
        mean = clusters.mean(axis=0)
        found = mean + self.predict(clusters - mean)
        guesses = (log_softmax(s * found, axis=1) for s in _SHARPNESS)
        return max(guesses, key=lambda guess: (clusters * guess).sum())

    def predict(self, values):
        """Return what a regression on all other points says of each, (n, d)."""
        fitted = self.basis @ (self.basis.T @ values)
        return (fitted - self.leverage * values) / (1 - self.leverage)


def _judge(smoother, clusters, pairs, lead):
    """Return what all that is known but the pair itself says of each pair."""
    for _ in range(_N_ROUNDS):
        same, clusters = propagate(smoother(clusters), pairs, lead)
    return same


def propagate(prior, pairs, lead, wrong=_WRONG):
    """Pass what is known of samples along answers that may be wrong.

    Parameters
    ----------
    prior : ndarray of shape (n, n_clusters)
        Log probabilities of the clusters of each sample, without answers.
    pairs : ndarray of shape (m, 2), int64
    lead : ndarray of shape (m,)
        Number of "same" minus number of "different".
    wrong : float
        Probability that an answer is wrong.

    Returns
    -------
    same : ndarray of shape (m,)
        Probability that a pair belongs together by all but its own answers.
    clusters : ndarray of shape (n, n_clusters)
        Cluster probabilities by all answers.
    """
    start, end = np.concatenate((pairs, pairs[:, ::-1])).T
    n_pairs = len(pairs)
    back = np.roll(np.arange(2 * n_pairs), n_pairs)
    odds = (1 / wrong - 1) ** np.tile(lead.astype(np.float64), 2)[:, None]
    is_same, is_apart = odds / (1 + odds), 1 / (1 + odds)
    message = np.zeros((2 * n_pairs, prior.shape[1]))

    def collect():
        total = prior.copy()
        np.add.at(total, end, message)
        return total, np.exp(log_softmax(total[start] - message[back], axis=1))

    for _ in range(_N_PASSES):
        new = np.log(is_apart + (is_same - is_apart) * collect()[1])
        new -= new.max(axis=1, keepdims=True)
        message = _KEPT * message + (1 - _KEPT) * new
    total, without = collect()
    same = (without[:n_pairs] * without[n_pairs:]).sum(axis=1)
    return same, np.exp(log_softmax(total, axis=1))
