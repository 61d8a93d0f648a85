"""How sure a clusterer may be: one temperature for all of its probabilities."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from skpairclust.metrics._probabilities import draw_pairs, same_cluster_probability

# Networks that have memorized their pairs are too sure. On four tables and a set of
# images, with 30 to 1,000 pairs, pairs that were not fitted asked for temperatures
# about this one (benchmarks/NOTES.md): it stands where there are none.
DEFAULT_TEMPERATURE = 1.6

# Standard deviation of the logarithm around the default, and its bounds.
_SPREAD, _BOUNDS = 0.3, (-2.0, 4.0)


def fit_temperature(probabilities, constraints, flip_rate=0.0):
    r"""Return the temperature under which pairs are most probable.

    The probability of a must-link is :math:`P \cdot Q`, with P and Q proportional to
    powers :math:`1 / T` of the given ones: temperature scaling (Guo et al. 2017), with
    pairs in place of labels. A log-normal prior around the default keeps few pairs from
    deciding alone.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_clusters)
        Of temperature 1.
    constraints : PairwiseConstraints
        With pairs that were not fitted.
    flip_rate : float, default=0.0
        Share of pairs whose kind is wrong.

    Returns
    -------
    float

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017). On calibration of modern neural networks. ICML.
    """
    kinds = [draw_pairs(constraints, kind) for kind in ("must_link", "cannot_link")]
    logs = np.log(probabilities.clip(1e-30))

    def cost(log_temperature):
        scaled = softmax(logs / np.exp(log_temperature), axis=1)
        total = (log_temperature - np.log(DEFAULT_TEMPERATURE)) ** 2 / (2 * _SPREAD**2)
        for (pairs, weight), is_must in zip(kinds, (True, False), strict=True):
            same = same_cluster_probability(scaled, pairs)
            likelihood = same if is_must else 1 - same
            likelihood = likelihood * (1 - 2 * flip_rate) + flip_rate
            total -= weight @ np.log(likelihood.clip(1e-12))
        return total

    return float(np.exp(minimize_scalar(cost, bounds=_BOUNDS, method="bounded").x))
