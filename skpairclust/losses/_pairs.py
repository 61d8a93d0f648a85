"""Pair losses on the outputs of a batch: pure functions of tensors.

A batch of B samples goes through the network once. Its relation matrix of shape
(B, B) holds the signed weight of what is known about each pair: positive for a
must-link, negative for a cannot-link, 0 for unknown. It is symmetric with a zero
diagonal. Every pair is enumerated here as a product of the (B, k) outputs, so
memory is O(B^2), whatever the number of clusters k. Of a large batch with few known
pairs, a `PairList` of these is the faster relation.
"""

import torch

from skpairclust.losses._relations import PairList
from skpairclust.losses._slopes import inner, with_slope
from skpairclust.losses._stated_pairs import state_pairs

# Keeps the logarithm of a pair's probability finite in float32. Only pairs whose
# logits lie some 69 apart come near it.
_TINY = 1e-30

REDUCTIONS = ("mean", "sum")


def kcl_loss(log_p, relation, *, margin=2.0, reduction="mean"):
    r"""Contrastive loss on the Kullback-Leibler divergence of two outputs.

    For a must-link the cost is :math:`KL(P \| Q) + KL(Q \| P)`, for a cannot-link
    :math:`\max(0, m - KL(P \| Q)) + \max(0, m - KL(Q \| P))`, with the first
    argument of each divergence held constant (Hsu & Kira 2016, eq. 1-6).

    Parameters
    ----------
    log_p : Tensor of shape (B, k)
        Logarithms of the cluster probabilities.
    relation : Tensor of shape (B, B) or PairList
        Signed pair weights, symmetric, zero where nothing is known.
    margin : float, default=2.0
        Divergence, in nats, beyond which a cannot-link costs nothing.
    reduction : {"mean", "sum"}, default="mean"
        "mean" divides by the total weight of the known pairs, each unordered pair
        counted once; "sum" is what the authors' code propagates back.

    Returns
    -------
    Tensor
        A scalar.
    """
    with torch.no_grad():
        both = _in_both_orders(relation)
        p, weight = log_p.exp(), _weight(both)
        # Of a probability of 0 too: 0 log 0 is 0, and q log 0 huge, but no infinity.
        logs = log_p.clamp_min(torch.finfo(log_p.dtype).min / 2)
        # KL(P_i || P_j)
        divergence = _own((p * logs).sum(1), both) - _products(p, logs, both)
        must = weight.clamp_min(0)
        # Cannot-links beyond the margin neither cost nor pull.
        cannot = weight.clamp_max(0) * (divergence < margin)
        active = must + cannot
        cost = inner(active, divergence) - margin * cannot.sum()
        # d cost / d log P_j, the first argument of each divergence held constant.
        slope = -_collect(p, active, both)
        mass = _weight(relation).abs().sum() / _n_orders(relation)
    return _reduce(cost + with_slope(log_p, slope), mass, reduction)


def mcl_loss(log_p, relation, *, flip_rate=0.0, reduction="mean"):
    r"""Binary cross-entropy of "same cluster" against must-link or cannot-link.

    The probability of a must-link is :math:`s = \sum_c P_c Q_c`; the cost is
    :math:`-\log s` for a must-link and :math:`-\log(1 - s)` for a cannot-link (Hsu
    et al. 2019, eq. 3). When a share r of the pairs is known to be wrong,
    s becomes :math:`s (1 - r) + (1 - s) r` (forward correction, Patrini et al.
    2017).

    Parameters
    ----------
    log_p : Tensor of shape (B, k)
        Logarithms of the cluster probabilities.
    relation : Tensor of shape (B, B) or PairList
        Signed pair weights, symmetric, zero where nothing is known.
    flip_rate : float, Tensor or callable, default=0.0
        Share of pairs whose kind is wrong, in [0, 0.5), or what says it of the pairs as
        `state_pairs` returns them.
    reduction : {"mean", "sum"}, default="mean"
        "mean" divides by the total weight of the known pairs.

    Returns
    -------
    Tensor
        A scalar.
    """
    with torch.no_grad():
        p = log_p.exp()
        stated = state_pairs(p, relation)
        rate = flip_rate(stated) if callable(flip_rate) else flip_rate
        cost, slope = _log_loss(stated.weight, stated.likelihood, rate)
        slope = stated.pull(slope).mul_(p)
    return _reduce(cost + with_slope(log_p, slope), stated.mass, reduction)


def balance_kinds(relation, must_share):
    """Return `relation` with the share of its weight on must-links set.

    Parameters
    ----------
    relation : Tensor of shape (B, B) or PairList
        Signed pair weights.
    must_share : float
        In (0, 1). The total weight stays.

    Returns
    -------
    Tensor of shape (B, B) or PairList
        With the weights as they were where only one kind is known.
    """
    weight = _weight(relation)
    must, cannot = weight.clamp_min(0), weight.clamp_max(0)
    must_total, cannot_total = must.sum(), -cannot.sum()
    total = must_total + cannot_total
    must = must * (must_share * total / must_total)
    cannot = cannot * ((1 - must_share) * total / cannot_total)
    both = (must_total > 0) & (cannot_total > 0)
    balanced = torch.where(both, must + cannot, weight)
    if isinstance(relation, PairList):
        return relation._replace(weight=balanced)
    return balanced


def flip_share(stated, flip_rate):
    r"""Return the expected share of wrong pairs in a batch, given the overall rate.

    The E-step of expectation maximization for the rate: see `wrong_probability`.

    Parameters
    ----------
    stated : StatedMatrix or StatedList
    flip_rate : float or Tensor
        The rate r, in (0, 0.5).

    Returns
    -------
    Tensor
        A scalar in [0, 1], the mean by weight; `flip_rate` without a known pair.
    """
    wrong = wrong_probability(stated.likelihood.clamp_max(1), flip_rate)
    # Half a pair's worth of the old rate: a batch may hold no pair at all.
    total = (stated.weight * wrong).sum() + flip_rate / 2
    return total / (stated.mass + 0.5)


def wrong_probability(likelihood, flip_rate):
    r"""Return how likely pairs are wrong, whose stated kind has a likelihood l.

    :math:`r (1 - l) / (r (1 - l) + (1 - r) l)` at the flip rate r, of arrays or
    tensors.
    """
    wrong = flip_rate * (1 - likelihood)
    return wrong / (wrong + (1 - flip_rate) * likelihood + _TINY)


def _in_both_orders(relation):
    """Return a list of pairs with each in both orders, as in a matrix."""
    if not isinstance(relation, PairList):
        return relation
    i, j, weight = relation
    return PairList(torch.cat([i, j]), torch.cat([j, i]), torch.cat([weight, weight]))


def _weight(relation):
    """Return the weights of all pairs, a matrix, or of the listed ones."""
    return relation.weight if isinstance(relation, PairList) else relation


def _n_orders(relation):
    """Return how often a pair stands in a relation."""
    return 1 if isinstance(relation, PairList) else 2


def _own(values, relation):
    """Return a value of each sample for the pairs in which it comes first."""
    return values[relation.i] if isinstance(relation, PairList) else values[:, None]


def _products(a, b, relation):
    """Return the product of row i of `a` with row j of `b`, for the pairs (i, j)."""
    if isinstance(relation, PairList):
        return torch.linalg.vecdot(a[relation.i], b[relation.j])
    return a @ b.T


def _collect(a, values, relation):
    """Return, for each sample j, the sum of value times row i of `a` over pairs."""
    if isinstance(relation, PairList):
        parts = a[relation.i] * values[:, None]
        return torch.zeros_like(a).index_add_(0, relation.j, parts)
    return (a.T @ values).T


def _log_loss(weight, likelihood, flip_rate):
    """Return the sum of -weight * log(likelihood) and its slope; overwrites it."""
    likelihood.mul_(1 - 2 * flip_rate).add_(flip_rate + _TINY)
    slope = (weight / likelihood).mul_(2 * flip_rate - 1)
    return -inner(weight, likelihood.log_()), slope


def _reduce(total, mass, reduction):
    """Return `total`, or its mean over `mass`, the weight of the known pairs."""
    if reduction == "sum":
        return total
    # A batch without a known pair has cost 0, not 0 / 0.
    return total / mass.clamp_min(torch.finfo(mass.dtype).tiny)


PAIR_LOSSES = {"kcl": kcl_loss, "mcl": mcl_loss}
