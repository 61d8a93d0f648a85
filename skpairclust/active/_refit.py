"""Fit a clusterer to what the answers say."""

import copy
from numbers import Integral

import numpy as np
from sklearn.base import clone

from skpairclust.metrics import constraint_accuracy_score

# A fit that respects so many answers needs no other one beside it.
_RESPECTED = 0.995
# An estimate below this is not worth a different loss.
_LEAST_NOISE = 0.01
# The most that a clusterer is told: an estimate from few answers may be anything.
_MOST_NOISE = 0.3


def seeded(estimator, rng, random_state):
    """Return a clone whose random states are set, where they were None.

    Parameters
    ----------
    estimator : estimator
    rng : numpy.random.RandomState
    random_state : int, RandomState instance or None
        None leaves them None.
    """
    estimator = clone(estimator)
    if random_state is None:
        return estimator
    names = estimator.get_params(deep=True)
    free = [n for n, v in names.items() if _is_random_state(n) and v is None]
    # sorted, so that one more parameter does not change the other seeds
    seeds = {n: int(rng.randint(2**31, dtype=np.int64)) for n in sorted(free)}
    return estimator.set_params(**seeds)


def _is_random_state(name):
    """Whether a parameter, maybe of a part, is a random state."""
    return name.rpartition("__")[2] == "random_state"


def fit_to_answers(template, earlier, X, constraints, *, refit, noise_rate):
    """Return a clusterer that is fitted to all that follows from constraints.

    Parameters
    ----------
    template : estimator
        It is cloned.
    earlier : estimator or None
        The last fit, to start from if `refit` is "warm".
    X : array-like
    constraints : PairwiseConstraints
        Without contradictions.
    refit : {"warm", "cold"} or dict
        As in `ActivePairLearner`.
    noise_rate : float
    """
    estimator, params = template, {}
    if isinstance(refit, dict):
        params = dict(refit)
    elif refit == "warm" and "warm_start" in template.get_params(deep=False):
        params = {"warm_start": True}
    if earlier is not None and params.get("warm_start"):
        estimator = earlier
    else:
        estimator = clone(template)
    estimator.set_params(**params, **_noise_params(template, noise_rate))
    return estimator.fit(X, with_implied(constraints))


def with_implied(constraints):
    """Return answers together with all that follows from them.

    Answers alone are too few for a loss of pairs. What follows from them is mostly that
    the largest groups are apart, which is seen soonest.
    """
    implied = constraints.closure()
    # Groups, as of labels, are in there already.
    listed = constraints._from_parts(
        constraints.n_samples,
        (constraints._must_link, constraints._must_link_weight),
        (constraints._cannot_link, constraints._cannot_link_weight),
    )
    return implied | listed if listed.n_pairs else implied


def fit_best(template, earlier, X, constraints, *, n_init, noise_rate):
    """Return the best of some fits to constraints.

    A training may end with two clusters merged, against the answers. There are at most
    `n_init` fits from different seeds, and none after one that respects the answers,
    but for the share that is wrong. If none does, one more starts from the earlier fit,
    where clusters may be apart.

    Parameters
    ----------
    template : estimator
    earlier : estimator or None
        The fit before. It is not changed.
    X : array-like
    constraints : PairwiseConstraints
    n_init : int
    noise_rate : float

    Returns
    -------
    estimator
        The one whose clusters respect most: the mean of the shares of must-links and of
        cannot-links, of the answers or of all that follows from them, whichever is
        lower.
    """
    best, most = None, -1.0
    # a fit that respects more than the answers that are right memorized wrong ones
    enough = min(_RESPECTED, 1 - noise_rate)
    options = {"X": X, "constraints": constraints, "noise_rate": noise_rate}
    for number in range(n_init):
        seeds = _next_seeds(template, number)
        seeded_template = clone(template).set_params(**seeds)
        fitted = fit_to_answers(seeded_template, None, refit="cold", **options)
        share = _respected(labels_of(fitted, X), constraints)
        if share > most:
            best, most = fitted, share
        if share >= enough or not _is_random(template):
            break
    params = template.get_params(deep=False)
    may_go_on = earlier is not None and "warm_start" in params
    if most < enough and n_init > 1 and may_go_on:
        warm = copy.deepcopy(earlier).set_params(**params)
        fitted = fit_to_answers(template, warm, refit="warm", **options)
        fitted.set_params(warm_start=params["warm_start"])
        if _respected(labels_of(fitted, X), constraints) > most:
            best = fitted
    return best


def _respected(labels, constraints):
    """Return the mean of the shares of must-links and of cannot-links that are kept."""
    if not constraints.n_pairs:
        return 1.0
    # few answers may say that two clusters are apart, from which much follows
    forms = (constraints, constraints.closure())
    return min(constraint_accuracy_score(form, labels) for form in forms)


def _is_random(estimator):
    """Whether another fit may come out differently."""
    return any(map(_is_random_state, estimator.get_params(deep=True)))


def _next_seeds(estimator, number):
    """Return the seeds of a fit that is not the first; those of the first are kept."""
    params = estimator.get_params(deep=True)
    return {
        name: int(value) + number
        for name, value in params.items()
        if number and _is_random_state(name) and isinstance(value, Integral)
    }


def labels_of(estimator, X):
    """Return the clusters of X, from `fit` or from `predict`."""
    if hasattr(estimator, "labels_"):
        return estimator.labels_
    return estimator.predict(X)


def _noise_params(template, noise_rate):
    """Return the noise rate as a parameter, if the clusterer has it and it is free."""
    given = template.get_params(deep=False).get("noise_rate")
    # of the losses of this package's clusterer, one cannot be told of noise
    takes_it = getattr(template, "loss", "mcl") == "mcl"
    if given != 0 or not takes_it or noise_rate < _LEAST_NOISE:
        return {}
    return {"noise_rate": float(min(noise_rate, _MOST_NOISE))}
