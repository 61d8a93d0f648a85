"""Scores of cluster probabilities against constraints.

Two samples with cluster probabilities P and Q are in the same cluster with
probability P.Q.
"""

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.utils.validation import check_array

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._groups import (
    cannot_pairs,
    count_pairs,
    must_pairs,
)
from skpairclust.constraints._typing import AnyArray
from skpairclust.metrics._labels import check_constraints

# If labels, sequences or a closure imply more pairs of a kind than this, so many are
# drawn. The standard error of an AUC is then below .0005.
MAX_IMPLIED_PAIRS = 1_000_000
# Number of values that are gathered at once.
_BLOCK_VALUES = 2**22


def constraint_roc_auc_score(
    constraints: PairwiseConstraints, probabilities: AnyArray
) -> float:
    """Probability that a must-link looks more similar than a cannot-link.

    P.Q is the probability that the two samples of a pair are in the same cluster.
    The score is the area under the ROC curve when P.Q is used to separate must-links
    from cannot-links. It depends neither on the number of pairs of each kind nor on
    a threshold. Weights of pairs are not used.

    Parameters
    ----------
    constraints : PairwiseConstraints
        What is known of the samples.
    probabilities : array-like of shape (n_samples, n_clusters)
        Probability of each cluster, as from `predict_proba`.

    Returns
    -------
    float
        In [0, 1]; 1 is perfect, 0.5 is chance.

    Raises
    ------
    TypeError
        If `constraints` is not a `PairwiseConstraints`.
    ValueError
        If there are no must-links or no cannot-links, shapes do not fit, or
        `probabilities` are not probabilities.

    Notes
    -----
    Pairs implied by labels, sequences or a closure are not listed. If there are more
    than a million of a kind, a million are drawn with a fixed seed, so that the same
    constraints are always scored on the same pairs.

    Examples
    --------
    >>> from skpairclust import PairwiseConstraints
    >>> from skpairclust.metrics import constraint_roc_auc_score
    >>> constraints = PairwiseConstraints([[0, 1]], [[0, 2], [1, 2]], n_samples=3)
    >>> constraint_roc_auc_score(constraints, [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    1.0
    """
    kinds = _score_pairs(constraints, probabilities)
    for name, (same, _) in zip(("must-link", "cannot-link"), kinds, strict=True):
        if not len(same):
            raise ValueError(
                f"constraints hold no {name}, but a ROC-AUC compares must-links with "
                "cannot-links: score on samples with both, use fewer folds, or use "
                "constraint_accuracy_score."
            )
    is_must = np.repeat([1, 0], [len(same) for same, _ in kinds])
    same, weight = map(np.concatenate, zip(*kinds, strict=True))
    return float(roc_auc_score(is_must, same, sample_weight=weight))


def constraint_log_loss(
    constraints: PairwiseConstraints, probabilities: AnyArray
) -> float:
    """Mean negative log-likelihood of the constraints, in nats.

    P.Q is the probability that the two samples of a pair are in the same cluster. A
    must-link costs -log(P.Q), a cannot-link -log(1 - P.Q), and the score is the mean
    of the means of both kinds. Both kinds count equally, no matter how many pairs
    there are of each. If there are pairs of one kind only, the score is the mean of
    that kind. Weights of pairs are not used.

    Parameters
    ----------
    constraints : PairwiseConstraints
        What is known of the samples.
    probabilities : array-like of shape (n_samples, n_clusters)
        Probability of each cluster, as from `predict_proba`.

    Returns
    -------
    float
        At least 0; 0 is perfect. Probabilities are clipped away from 0 and 1 by the
        precision of their dtype.

    Raises
    ------
    TypeError
        If `constraints` is not a `PairwiseConstraints`.
    ValueError
        If there are no pairs, shapes do not fit, or `probabilities` are not
        probabilities.

    Notes
    -----
    If labels imply more than a million pairs, a million are drawn, as in
    :func:`constraint_roc_auc_score`.

    Examples
    --------
    >>> from skpairclust import PairwiseConstraints
    >>> from skpairclust.metrics import constraint_log_loss
    >>> constraints = PairwiseConstraints([[0, 1]], [[1, 2]], n_samples=3)
    >>> round(constraint_log_loss(constraints, [[1, 0], [0.5, 0.5], [0, 1]]), 3)
    0.693
    """
    kinds = _score_pairs(constraints, probabilities)
    probabilities = np.asarray(probabilities)
    dtype = probabilities.dtype if probabilities.dtype.kind == "f" else float
    eps = np.finfo(dtype).eps
    means = []
    for (same, weight), is_must in zip(kinds, (True, False), strict=True):
        if len(same):
            right = same if is_must else 1 - same
            means.append(np.average(-np.log(np.clip(right, eps, 1)), weights=weight))
    if not means:
        raise ValueError(
            "constraints hold no pair, so there is no loss to compute: score "
            "on samples that have constraints among them."
        )
    return float(np.mean(means))


def same_cluster_probability(probabilities, pairs):
    """Return P.Q of each pair of rows, (m,) float64, by blocks of pairs."""
    same = np.empty(len(pairs))
    step = max(1, _BLOCK_VALUES // max(probabilities.shape[1], 1))
    for start in range(0, len(pairs), step):
        first, second = (probabilities[side] for side in pairs[start : start + step].T)
        same[start : start + step] = np.einsum(
            "ij,ij->i", first, second, dtype=np.float64
        )
    return same


def _score_pairs(constraints, probabilities):
    """Return (P.Q, weight) of the must-links and of the cannot-links."""
    check_constraints(constraints)
    probabilities = _check_probabilities(probabilities, constraints.n_samples)
    kinds = []
    for kind in ("must_link", "cannot_link"):
        pairs, weight = draw_pairs(constraints, kind)
        kinds.append((same_cluster_probability(probabilities, pairs), weight))
    return kinds


def _check_probabilities(probabilities, n_samples):
    """Return an array with one row of probabilities per sample, or raise."""
    probabilities = check_array(
        probabilities, dtype=[np.float64, np.float32], input_name="probabilities"
    )
    if len(probabilities) != n_samples:
        raise ValueError(
            f"probabilities have {len(probabilities)} rows, but constraints are about "
            f"{n_samples} samples: give one row per sample."
        )
    # float32 rows of many clusters do not sum to 1 exactly
    if probabilities.min() < 0 or np.abs(probabilities.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError(
            "probabilities must not be negative and must sum to 1 in each row; pass "
            "the result of predict_proba."
        )
    return probabilities


def draw_pairs(constraints, kind, max_implied=None):
    """List the pairs of a kind, those implied by groups up to a number.

    Parameters
    ----------
    constraints : PairwiseConstraints
    kind : {"must_link", "cannot_link"}
    max_implied : int, default=MAX_IMPLIED_PAIRS
        Pairs drawn of each relation that implies more.

    Returns
    -------
    pairs : ndarray of shape (m, 2), int64
    weight : ndarray of shape (m,), float64
        How many pairs each of them stands for.
    """
    max_implied = MAX_IMPLIED_PAIRS if max_implied is None else max_implied
    pairs = [getattr(constraints, f"_{kind}")]
    weights = [np.ones(len(pairs[0]))]
    rng = np.random.RandomState(0)
    is_must = kind == "must_link"
    for relation in constraints._relations:
        n_implied = count_pairs(relation)[not is_must]
        if n_implied <= max_implied:
            listed = must_pairs(relation) if is_must else cannot_pairs(relation)
        else:
            listed = _draw_implied(relation, is_must, max_implied, rng)
        pairs.append(listed)
        weights.append(np.full(len(listed), n_implied / max(len(listed), 1)))
    return np.concatenate(pairs), np.concatenate(weights)


def _draw_implied(relation, is_must, n_draws, rng):
    """Draw pairs that a relation implies, uniformly, with replacement."""
    order = np.argsort(relation.groups, kind="stable")
    members = order[np.count_nonzero(relation.groups < 0) :]
    sizes = relation.sizes
    starts = np.cumsum(sizes) - sizes
    if is_must:
        groups = _draw_weighted(sizes * (sizes - 1), n_draws, rng)
        first = rng.randint(sizes[groups], dtype=np.int64)
        # one of the others: never the first itself
        second = (first + 1 + rng.randint(sizes[groups] - 1, dtype=np.int64)) % sizes[
            groups
        ]
        return np.column_stack([members[starts[groups] + p] for p in (first, second)])
    if relation.cannot is None:
        # a second member from those outside of the first one's group
        n_members = len(members)
        groups = _draw_weighted(sizes * (n_members - sizes), n_draws, rng)
        first = starts[groups] + rng.randint(sizes[groups], dtype=np.int64)
        beyond = rng.randint(n_members - sizes[groups], dtype=np.int64)
        second = (starts[groups] + sizes[groups] + beyond) % n_members
        return np.column_stack((members[first], members[second]))
    left, right = relation.cannot.T
    drawn = _draw_weighted(sizes[left] * sizes[right], n_draws, rng)
    sides = (left[drawn], right[drawn])
    return np.column_stack(
        [members[starts[s] + rng.randint(sizes[s], dtype=np.int64)] for s in sides]
    )


def _draw_weighted(weights, n_draws, rng):
    """Draw positions with probabilities in proportion to integer weights."""
    ends = np.cumsum(weights)
    # up to n_samples ** 2 pairs: more than the default integer of Windows may hold
    drawn = rng.randint(ends[-1], size=n_draws, dtype=np.int64)
    return np.searchsorted(ends, drawn, side="right")
