"""Whether the clusters of a fit keep the pairs that it was given."""

import warnings

import numpy as np

from skpairclust.metrics._probabilities import draw_pairs

# Pairs of each kind from which on something can be said, and the standard errors that
# chance would not often exceed.
_N_ENOUGH, _BEYOND_CHANCE = 20, 2

# Pairs of each group relation looked at.
_MOST_IMPLIED = 2000


def warn_of_violated(constraints, labels):
    """Warn if clusters keep no more pairs than clusters drawn at random would.

    Parameters
    ----------
    constraints : PairwiseConstraints
    labels : ndarray of shape (n_samples,), int64
    """
    shares, errors = [], []
    for kind in ("must_link", "cannot_link"):
        pairs, weight = draw_pairs(constraints, kind, max_implied=_MOST_IMPLIED)
        if len(pairs) < _N_ENOUGH:
            return
        is_same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
        share = np.average(is_same, weights=weight)
        shares.append(share)
        errors.append(share * (1 - share) / len(pairs))
    # Wrong pairs pull the shares together, but never to one value.
    must, cannot = shares
    if must - cannot <= _BEYOND_CHANCE * np.sqrt(sum(errors)):
        warnings.warn(
            f"The clusters keep {must:.0%} of the must-links and {1 - cannot:.0%} of "
            "the cannot-links, no more than clusters drawn at random would: nothing "
            "was learned from the pairs. Are single values of X huge, or all nearly "
            "equal (see StandardScaler), are pairs of other rows, or is max_iter too "
            "small?",
            UserWarning,
            # from here over fit and its two decorators, to its caller
            stacklevel=5,
        )
