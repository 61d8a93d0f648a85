"""Whether the clusters of a fit keep the pairs that it was given."""

import warnings

import numpy as np

from skpairclust.metrics._probabilities import draw_pairs

# Clusters that have nothing to do with the pairs keep one half: the mean of the shares
# of must-links and of cannot-links. Beyond it, and with so many of each kind, they do.
_LEAST_KEPT, _N_ENOUGH = 0.55, 20

# Pairs of each group relation looked at.
_MOST_IMPLIED = 2000


def warn_of_violated(constraints, labels):
    """Warn if clusters keep no more pairs than clusters drawn at random would.

    Parameters
    ----------
    constraints : PairwiseConstraints
    labels : ndarray of shape (n_samples,), int64
    """
    shares = []
    for kind in ("must_link", "cannot_link"):
        pairs, weight = draw_pairs(constraints, kind, max_implied=_MOST_IMPLIED)
        if len(pairs) < _N_ENOUGH:
            return
        is_same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
        is_kept = is_same if kind == "must_link" else ~is_same
        shares.append(np.average(is_kept, weights=weight))
    if np.mean(shares) < _LEAST_KEPT:
        must, cannot = shares
        warnings.warn(
            f"The clusters keep {must:.0%} of the must-links and {cannot:.0%} of the "
            "cannot-links, no more than clusters drawn at random would: nothing was "
            "learned from the pairs. Are single values of X huge, or all nearly equal "
            "(see StandardScaler), are pairs of other rows, or is max_iter too small?",
            UserWarning,
            # from here over fit and its two decorators, to its caller
            stacklevel=5,
        )
