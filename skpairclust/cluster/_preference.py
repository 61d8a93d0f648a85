"""The search for a preference of affinity propagation that gives k clusters."""

from typing import NamedTuple

import numpy as np
from sklearn.cluster import affinity_propagation
from sklearn.exceptions import ConvergenceWarning

from skpairclust.utils._warnings import caught_warnings

# If the depths of two preferences below the highest similarity differ by less than
# this, relative to the larger one, the number of clusters is assumed to jump between
# them.
_TOLERANCE = 1e-6


class Run(NamedTuple):
    """The outcome of affinity propagation with one preference."""

    exemplars: np.ndarray
    labels: np.ndarray
    preference: float
    n_iter: int
    converged: bool


class _Point(NamedTuple):
    """The number of clusters at a depth of the preference."""

    depth: float
    n_found: int


def find_preference(similarities, n_clusters, *, max_runs, **options):
    """Return the run of affinity propagation that comes closest to `n_clusters`.

    Parameters
    ----------
    similarities : ndarray of shape (n_samples, n_samples)
    n_clusters : int
        From 1 to n_samples.
    max_runs : int
        Maximum number of preferences to try.
    **options
        Passed to `sklearn.cluster.affinity_propagation`.

    Returns
    -------
    best : Run
    tried : dict of float to int
        The number of clusters found with each preference tried.
    """
    n_samples = len(similarities)
    if n_clusters == 1:
        return _put_together(similarities), {}
    if n_clusters == n_samples:
        every = np.arange(n_samples, dtype=np.int64)
        return Run(every, every, np.nan, 1, True), {}
    best, tried = _bisect(similarities, n_clusters, max_runs, options)
    if not len(best.exemplars):
        best = _put_together(similarities)._replace(converged=False)
    return best, tried


def _bisect(similarities, n_clusters, max_runs, options):
    """Return the closest run of a bisection, and what was tried.

    The search is for the depth of the preference below the highest similarity:
    over orders of magnitude its logarithm and that of the number of clusters are
    about proportional, and so the interval is divided.
    """
    top, depth = _preference_range(similarities)
    many, few = _Point(depth * 1e-6, len(similarities)), _Point(depth, 1)
    is_few_tested, best, tried = False, None, {}
    while len(tried) < max_runs:
        # every second time by half: interpolation can creep along a curved line
        wanted = n_clusters if len(tried) % 2 == 0 else None
        depth = _divide(many, few, wanted)
        run = _run(similarities, float(top - depth), options)
        n_found = tried[run.preference] = len(run.exemplars)
        best = min(best or run, run, key=lambda run: _badness(run, n_clusters))
        if _badness(best, n_clusters) == (0, False):
            break
        if n_found > n_clusters:
            many = _Point(depth, n_found)
        else:
            few, is_few_tested = _Point(depth, max(n_found, 1)), True
        if few.depth <= many.depth * (1 + _TOLERANCE):
            break
        if not is_few_tested and few.depth < 2 * many.depth:
            # the bound is on the best exemplars, and messages may find others
            few = _Point(16 * few.depth, 1)
    return best, tried


def _badness(run, n_clusters):
    """Return a key that is smaller for runs that are closer to what is wanted."""
    n_found = len(run.exemplars)
    return abs(n_found - n_clusters) if n_found else np.inf, not run.converged


def _run(similarities, preference, options):
    """Run affinity propagation with one preference."""
    with caught_warnings(ConvergenceWarning) as caught:
        exemplars, labels, n_iter = affinity_propagation(
            similarities, preference=preference, return_n_iter=True, **options
        )
    converged = not any(w.category is ConvergenceWarning for w in caught)
    exemplars = np.asarray(exemplars, dtype=np.int64)
    return Run(exemplars, labels.astype(np.int64), preference, n_iter, converged)


def _divide(many, few, wanted):
    """Return a depth between two, in the middle if nothing is wanted."""
    share = 0.5
    if wanted is not None:
        logs = np.log([many.n_found, wanted, few.n_found])
        share = np.clip((logs[0] - logs[1]) / max(logs[0] - logs[2], 1e-9), 0.1, 0.9)
    return float(many.depth ** (1 - share) * few.depth**share)


def _put_together(similarities):
    """Return one cluster, with the sample most similar to all others as exemplar."""
    similarities = similarities - np.diag(np.diag(similarities))
    exemplar = np.array([similarities.sum(axis=0).argmax()])
    labels = np.zeros(len(similarities), dtype=np.int64)
    return Run(exemplar, labels, np.nan, 1, True)


def _preference_range(similarities):
    """Return the highest similarity, and how far below one cluster is certain.

    One exemplar is best for sure where a second one adds less than its preference:
    the bound of Frey's `preferenceRange`.
    """
    off_diagonal = similarities.astype(np.float64)
    np.fill_diagonal(off_diagonal, -np.inf)
    nearest = off_diagonal.max(axis=1)
    top = nearest.max()
    np.fill_diagonal(off_diagonal, 0)
    single = off_diagonal.sum(axis=0).max()
    lowest = single - (nearest.sum() - np.sort(nearest)[:2].sum())
    spread = top - lowest
    # equal similarities leave no range
    return top, spread if spread > 0 else max(abs(top), 1.0)
