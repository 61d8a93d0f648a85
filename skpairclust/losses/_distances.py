"""Losses of an embedding: pure functions of a batch and of what is known of it.

A batch of B embeddings comes with its relation matrix of shape (B, B): the signed
weight of what is known about each pair, positive for a must-link, negative for a
cannot-link, 0 for unknown; symmetric with a zero diagonal. Unknown pairs are neither
positive nor negative.

A loss finds its slope in each distance in closed form, without a graph; one product
of matrices carries the slopes over to the embedding. Memory is O(B^2).
"""

from typing import NamedTuple

import torch

REDUCTIONS = ("active", "mean", "sum")

# Squared distances below this share of the squared norms are rounding: they count
# as 0, and a distance of 0 has no direction to push in.
_ROUNDING = 8


class Cost(NamedTuple):
    """The sum of one kind of costs over a batch.

    Attributes
    ----------
    total : Tensor
        Weighted sum of the costs, a scalar.
    slope : Tensor of shape (B, B)
        Its derivative in each distance, both orders of a pair apart.
    weight : Tensor
        Sum of the weights of all terms, a scalar.
    active : Tensor
        Sum of the weights of the terms that are not 0, a scalar.
    """

    total: torch.Tensor
    slope: torch.Tensor
    weight: torch.Tensor
    active: torch.Tensor


def contrastive_loss(x, relation, *, margin=1.0, reduction="active"):
    r"""Contrastive loss of squared distances.

    A must-link costs :math:`d^2`, a cannot-link :math:`\max(0, m - d)^2` (Hadsell,
    Chopra & LeCun 2006, "Dimensionality reduction by learning an invariant mapping",
    eq. 4, without its factors of one half).

    Parameters
    ----------
    x : Tensor of shape (B, d)
        Embeddings.
    relation : Tensor of shape (B, B)
        Signed pair weights, symmetric, zero where nothing is known.
    margin : float, default=1.0
        Distance beyond which a cannot-link costs nothing.
    reduction : {"active", "mean", "sum"}, default="active"
        "active" adds the mean of the must-links that cost something to that of such
        cannot-links, "mean" takes all known pairs together.

    Returns
    -------
    Tensor
        A scalar.
    """
    distance = pairwise_distances(x)
    must, cannot = _halved(relation)
    gap = (margin - distance).clamp_min_(0)
    costs = (
        _pair_cost(must, distance.square(), 2 * distance),
        _pair_cost(cannot, gap.square(), -2 * gap),
    )
    return attach(x, distance, *reduce_costs(costs, reduction))


def hinge_embedding_loss(x, relation, *, margin=1.0, reduction="active"):
    r"""Contrastive loss of plain distances.

    A must-link costs :math:`d`, a cannot-link :math:`\max(0, m - d)`: the hinge
    embedding criterion of torch on distances, the first stage of the baseline of Hsu &
    Kira (2016), arXiv:1511.06321, section 4.

    Parameters
    ----------
    x : Tensor of shape (B, d)
        Embeddings.
    relation : Tensor of shape (B, B)
        Signed pair weights, symmetric, zero where nothing is known.
    margin : float, default=1.0
        Distance beyond which a cannot-link costs nothing.
    reduction : {"active", "mean", "sum"}, default="active"
        As in `contrastive_loss`.

    Returns
    -------
    Tensor
        A scalar.
    """
    distance = pairwise_distances(x)
    must, cannot = _halved(relation)
    gap = (margin - distance).clamp_min_(0)
    costs = (
        _pair_cost(must, distance, torch.ones_like(distance)),
        _pair_cost(cannot, gap, -(gap > 0).to(gap.dtype)),
    )
    return attach(x, distance, *reduce_costs(costs, reduction))


def lifted_loss(x, relation, *, margin=1.0, nested_max=False, reduction="mean"):
    r"""Lifted structure loss: each must-link against all negatives of both ends.

    :math:`J_{ij} = \log(\sum_{(i,k) \in N} e^{m - d_{ik}} + \sum_{(j,l) \in N} e^{m -
    d_{jl}}) + d_{ij}`, and the loss is :math:`\frac{1}{2|P|} \sum_{(i,j) \in P}
    \max(0, J_{ij})^2` (Oh Song, Xiang, Jegelka & Savarese 2016, "Deep metric
    learning via lifted structured feature embedding", eq. 4). Weights multiply the
    terms of both sums. A must-link whose ends have no negative costs nothing.

    Parameters
    ----------
    x : Tensor of shape (B, d)
        Embeddings.
    relation : Tensor of shape (B, B)
        Signed pair weights, symmetric, zero where nothing is known.
    margin : float, default=1.0
        The constant in the exponents.
    nested_max : bool, default=False
        Whether to take the largest :math:`m - d` instead of the logarithm of the sum,
        that is, the nearest negative of both ends (eq. 3). Weights of cannot-links then
        do not matter.
    reduction : {"active", "mean", "sum"}, default="mean"
        "mean" is the equation, "active" counts only terms above 0 in \|P\|.

    Returns
    -------
    Tensor
        A scalar.
    """
    distance = pairwise_distances(x)
    must = relation.clamp_min(0)
    if nested_max:
        cost = _nearest_cost(distance, must, relation < 0, margin)
        return attach(x, distance, *reduce_costs((cost,), reduction))
    # log(weight) is -inf for all pairs that are no negatives: they drop out.
    exponent = relation.neg().clamp_min_(0).log_().add_(margin - distance)
    row = exponent.logsumexp(1)
    both = torch.logaddexp(row[:, None], row)
    hinge = (both + distance).clamp_min_(0)
    # Each pair stands in the matrix twice, which makes up for the factor 1/2 below.
    slope = must * hinge
    share = _shares(slope, row, both)
    total = (must * hinge.square()).sum() / 4
    slope = slope / 2 - share[:, None] * (exponent - _finite(row)[:, None]).exp_()
    weight, active = must.sum() / 2, (must * (hinge > 0)).sum() / 2
    costs = (Cost(total, slope, weight, active),)
    return attach(x, distance, *reduce_costs(costs, reduction))


def _nearest_cost(distance, must, negative, margin):
    """Return the lifted cost with the nearest negative of both ends alone."""
    near, place = distance.masked_fill(~negative, torch.inf).min(1)
    both = margin - torch.minimum(near[:, None], near)
    hinge = (both + distance).clamp_min_(0)
    slope = must * hinge
    # Each pair stands in the matrix twice: at (i, j), row i answers for its negative
    # if that is the nearest, and for half if both are as near.
    part = ((near[:, None] < near).to(slope) + (near[:, None] <= near)) / 2
    pull = torch.where(near.isfinite(), (slope * part).sum(1), 0)
    total = (slope * hinge).sum() / 4
    weight, active = must.sum() / 2, (must * (hinge > 0)).sum() / 2
    slope = (slope / 2).scatter_add_(1, place[:, None], -pull[:, None])
    return Cost(total, slope, weight, active)


def _shares(slope, row, both):
    """Return the slope of the lifted cost in each row's own log-sum-exp."""
    # Of both ends' slopes, which stand at (i, j) and (j, i), row i gets its part.
    part = (_finite(row)[:, None] - _finite(both)).exp_()
    return torch.where(row.isfinite(), (slope * part).sum(1), 0)


def _finite(x):
    """Return `x` with 0 for the logarithm of nothing."""
    return x.masked_fill(~x.isfinite(), 0)


def _halved(relation):
    """Return weights of must-links and cannot-links, half for each order."""
    return relation.clamp_min(0) / 2, relation.clamp_max(0) / -2


def _pair_cost(weight, cost, derivative):
    """Return the weighted sum of costs of pairs."""
    active = weight * (cost > 0)
    return Cost((weight * cost).sum(), weight * derivative, weight.sum(), active.sum())


def pairwise_distances(x, *, squared=False):
    """Return the distances of all rows, without a graph.

    Parameters
    ----------
    x : Tensor of shape (B, d)
    squared : bool, default=False

    Returns
    -------
    Tensor of shape (B, B)
        Exactly 0 on the diagonal and for equal rows.
    """
    with torch.no_grad():
        x = x - x.mean(0)
        gram = x @ x.T
        norms = gram.diagonal()
        norms = norms[:, None] + norms
        distance = torch.sub(norms, gram, alpha=2)
        floor = _ROUNDING * torch.finfo(x.dtype).eps
        distance.masked_fill_(distance <= floor * norms, 0).fill_diagonal_(0)
        return distance if squared else distance.sqrt_()


def attach(x, distance, total, slope, *, squared=False):
    """Return `total` with the gradient in `x` that its slopes in distances make.

    Parameters
    ----------
    x : Tensor of shape (B, d)
        The embeddings, part of a graph.
    distance : Tensor of shape (B, B)
        Their distances.
    total : Tensor
        The loss, a scalar.
    slope : Tensor of shape (B, B)
        Derivative of `total` in each entry of `distance`.
    squared : bool, default=False
        Whether distances are squared.

    Returns
    -------
    Tensor
        A scalar.
    """
    pull = slope + slope.T
    if squared:
        pull *= 2
    else:
        pull.div_(distance).masked_fill_(distance == 0, 0)
    gradient = pull.sum(1, keepdim=True) * x.detach() - pull @ x.detach()
    return total + ((x - x.detach()) * gradient).sum()


def reduce_costs(costs, reduction):
    """Return the total and the slope of several kinds of costs together.

    Parameters
    ----------
    costs : sequence of Cost
    reduction : {"active", "mean", "sum"}
        "active" divides each kind by the weight of its own terms that are not 0,
        "mean" their sum by the weight of all terms.

    Returns
    -------
    total : Tensor
        A scalar.
    slope : Tensor of shape (B, B)
    """
    if reduction == "active":
        divisors = [cost.active for cost in costs]
    elif reduction == "mean":
        divisors = [sum(cost.weight for cost in costs)] * len(costs)
    else:
        return sum(c.total for c in costs), sum(c.slope for c in costs)
    # Without any term the cost is 0, not 0 / 0.
    divisors = [d.clamp_min(torch.finfo(d.dtype).tiny) for d in divisors]
    parts = list(zip(costs, divisors, strict=True))
    return sum(c.total / d for c, d in parts), sum(c.slope / d for c, d in parts)
