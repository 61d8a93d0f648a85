"""Clusterings that were tried vote on the cluster of each sample.

References
----------
Dudoit, Fridlyand (2003). Bagging to improve the accuracy of a clustering procedure.
Bioinformatics.
"""

from typing import NamedTuple

import numpy as np

from skpairclust.metrics._matching import match_groups

# What a walked pair tells, as a share of what a new pair would.
_WORTH = 0.3


class Trial(NamedTuple):
    """What a short training came to.

    Attributes
    ----------
    start : str
        What it started from.
    misfit : float
        Negative log-likelihood of a pair whose samples walked, in nats.
    labels : ndarray of shape (n_nodes,), int64
        Cluster of each sample that `Trials` looks at.
    """

    start: str
    misfit: float
    labels: np.ndarray


def vote(trials, n_pairs, n_clusters):
    """Return the clusters that trials give samples together.

    A trial has the weight of a model among others, given the pairs: the likelihood of
    all pairs, as if those that were walked were new ones. Clusters are matched with
    those of the best trial.

    Parameters
    ----------
    trials : list of Trial
    n_pairs : int
    n_clusters : int

    Returns
    -------
    ndarray of shape (n_nodes,), int64
    """
    misfit = np.array([trial.misfit for trial in trials])
    best = trials[int(misfit.argmin())].labels
    weights = np.exp(_WORTH * n_pairs * (misfit.min() - misfit))
    matched = [match(trial.labels, best, n_clusters) for trial in trials]
    # Of each trial the weight of all that agree with it.
    support = [
        sum(w * (own == labels) for w, own in zip(weights, matched, strict=True))
        for labels in matched
    ]
    return np.choose(np.argmax(support, axis=0), matched)


def match(labels, reference, n_clusters):
    """Return `labels` renamed so that as many as possible agree with the reference.

    Both are numbers below `n_clusters`. Clusters without a counterpart get numbers
    that the reference does not use.
    """
    names, own = np.unique(labels, return_inverse=True)
    others = np.unique(reference)
    rows, columns = match_groups(labels, reference)
    renamed = np.full(len(names), -1, dtype=np.int64)
    renamed[rows] = others[columns]
    free = np.setdiff1d(np.arange(n_clusters), others[columns])
    left = np.flatnonzero(renamed < 0)
    renamed[left] = free[: len(left)]
    return renamed[own]
