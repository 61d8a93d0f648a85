"""The share of wrong pairs: given, or estimated while training."""

import numpy as np
import torch

from skpairclust.losses._pairs import flip_share, wrong_probability
from skpairclust.metrics._probabilities import draw_pairs, same_cluster_probability

# What an estimate starts from, and how much of it a step keeps.
_START, _MEMORY = 0.1, 0.98

# Beyond a half "same" would mean "different".
_LEAST, _MOST = 1e-3, 0.4


class NoiseEstimate:
    """The flip rate of a step's pairs.

    Parameters
    ----------
    rate : float or Tensor
        Where it starts.
    least : float
        It never falls below.
    fixed : bool
        Whether it stays.
    """

    def __init__(self, rate, least, *, fixed):
        self.rate = rate
        self.least = least
        self.fixed = fixed

    @classmethod
    def start(cls, noise_rate, walk, device):
        """Return the estimate for a parameter `noise_rate`, a number or "estimate".

        With a walk, more pairs are wrong than the parameter says. The share that it
        adds is estimated as well.
        """
        given = 0.0 if noise_rate == "estimate" else float(noise_rate)
        if noise_rate != "estimate" and walk is None:
            return cls(given, given, fixed=True)
        start = torch.tensor(max(given, _START), device=device)
        return cls(start, max(given, _LEAST), fixed=False)

    def __call__(self, stated):
        """Return the rate for these pairs, a number or a scalar tensor."""
        rate = self.rate
        if not self.fixed:
            share = flip_share(stated, rate)
            # The rate before: that of this step. In place, as a recorded step needs it.
            rate = rate.clone()
            self.rate.lerp_(share, 1 - _MEMORY).clamp_(self.least, _MOST)
        return rate


def estimate_flip_rate(probabilities, constraints, n_iter=50):
    """Return the share of pairs that are wrong according to a fitted model.

    Expectation maximization of the rate alone, the model held fixed.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_clusters)
    constraints : PairwiseConstraints
    n_iter : int, default=50

    Returns
    -------
    float
        In [0, 0.4]; 0.0 without a pair.
    """
    likelihood, weight = _stated_likelihood(probabilities, constraints)
    if not len(likelihood):
        return 0.0
    rate = _START
    for _ in range(n_iter):
        wrong = wrong_probability(likelihood, rate)
        rate = np.average(wrong, weights=weight).clip(1e-9, _MOST)
    return float(rate)


def _stated_likelihood(probabilities, constraints):
    """Return the likelihood of the stated kind of each pair, and its weight."""
    parts = []
    for kind in ("must_link", "cannot_link"):
        pairs, weight = draw_pairs(constraints, kind)
        same = same_cluster_probability(probabilities, pairs)
        parts.append((same if kind == "must_link" else 1 - same, weight))
    likelihood, weight = map(np.concatenate, zip(*parts, strict=True))
    return likelihood.clip(1e-6, 1 - 1e-6), weight
