"""Weights of pairs that a training in float32 can compute with."""

# Sums of products of two of them are still numbers, and not 0, in float32.
_LEAST, _MOST = 1e-18, 1e18


def check_pair_weights(constraints):
    """Raise unless all weights of pairs are in the range of the training.

    Parameters
    ----------
    constraints : PairwiseConstraints

    Raises
    ------
    ValueError
    """
    for kind in ("must_link", "cannot_link"):
        weights = getattr(constraints, f"_{kind}_weight")
        if not len(weights):
            continue
        for extreme in (weights.min(), weights.max()):
            if not _LEAST <= extreme <= _MOST:
                raise ValueError(
                    f"{kind}_weight holds {extreme:.3g}: networks are trained in "
                    f"float32, where weights must be between {_LEAST:g} and {_MOST:g}. "
                    "What counts is how they compare: divide all weights by their mean."
                )
