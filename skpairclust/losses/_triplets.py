"""Triplet losses: all triplets of a batch, mined ones, or listed ones.

The hinge over all triplets is never written out: each anchor's negatives are sorted
once, and the sums over those that a positive violates are cumulative sums. Other costs
go through the triplets in chunks. See `_distances` for relations and slopes.
"""

from functools import partial
from typing import NamedTuple

import torch

from skpairclust.losses._distances import (
    Cost,
    attach,
    pairwise_distances,
    reduce_costs,
)
from skpairclust.losses._exact import exact_dtype
from skpairclust.losses._mining import (
    MINERS,
    Triplets,
    local_positives,
    mine,
    positive_columns,
    sort_rows,
)

# Triplets at once: some ten arrays of 2 MiB, which stay in the cache.
_CHUNK = 2**19


class Slopes(NamedTuple):
    """Costs of some triplets and their derivatives in the three distances."""

    cost: torch.Tensor
    ap: torch.Tensor
    an: torch.Tensor
    # None for costs that do not look at the distance of positive and negative
    pn: torch.Tensor | None = None


def hinge_cost(ap, an, pn, margin):
    r"""Return :math:`\max(0, d_{ap} - d_{an} + m)` and its slopes."""
    cost = (ap - an + margin).clamp_min_(0)
    on = (cost > 0).to(cost.dtype)
    return Slopes(cost, on, -on)


def ratio_cost(ap, an, pn, margin):
    r"""Return the ratio cost and its slopes; it has no margin.

    :math:`(\frac{e^{d_{ap}}}{e^{d_{ap}} + e^{d_{an}}})^2 -
    (\frac{e^{d_{an}}}{e^{d_{ap}} + e^{d_{an}}})^2`, after Hoffer & Ailon (2015), "Deep
    metric learning using triplet network". It is in (-1, 1), negative where the
    positive is nearer, and equals :math:`\tanh((d_{ap} - d_{an}) / 2)`.
    """
    cost = torch.tanh((ap - an) / 2)
    slope = (1 - cost.square()) / 2
    return Slopes(cost, slope, -slope)


def soft_cost(ap, an, pn, margin):
    r"""Return :math:`d_{ap} + \log(e^{m - d_{an}} + e^{m - d_{pn}})` and its slopes.

    The term of a positive and a negative not known to differ is left out; their
    distance comes as inf.
    """
    cost = ap + torch.logaddexp(margin - an, margin - pn)
    share = torch.sigmoid(pn - an)
    return Slopes(cost, torch.ones_like(ap), -share, share - 1)


def with_swap(compute):
    """Return `compute` with the positive as anchor where it is nearer to the negative.

    Balntas, Riba, Ponsa & Mikolajczyk (2016), "Learning local feature descriptors with
    triplets and shallow convolutional neural networks", section 2.3.
    """

    def swapped(ap, an, pn, margin):
        slopes = compute(ap, torch.minimum(an, pn), pn, margin)
        is_swapped = pn < an
        return slopes._replace(
            an=slopes.an.masked_fill(is_swapped, 0),
            pn=slopes.an.masked_fill(~is_swapped, 0),
        )

    return swapped


COSTS = {"hinge": hinge_cost, "ratio": ratio_cost, "soft": soft_cost}


def triplet_loss(
    x,
    relation,
    *,
    cost="hinge",
    squared=False,
    margin=0.2,
    mining="all",
    swap=False,
    positive_percentile=100,
    triplets=None,
    reduction="active",
    generator=None,
    most_positives=None,
):
    r"""Triplet loss of a batch.

    A triplet of anchor, positive and negative counts with the product of the weights
    of its must-link and its cannot-link.

    Parameters
    ----------
    x : Tensor of shape (B, d)
        Embeddings.
    relation : Tensor of shape (B, B)
        Signed pair weights, symmetric, zero where nothing is known.
    cost : {"hinge", "ratio", "soft"}, default="hinge"
        :math:`\max(0, d_{ap} - d_{an} + m)`, the ratio of exponentials, or
        :math:`d_{ap} + \log(e^{m - d_{an}} + e^{m - d_{pn}})`.
    squared : bool, default=False
        Whether d is the squared distance.
    margin : float, default=0.2
        The constant m.
    mining : {"all", "violating", "hardest", "semihard", "random"}, default="all"
        Which triplets of the batch count. "violating" are all whose negative is nearer
        than the positive, :math:`d_{an} < d_{ap}`.
    swap : bool, default=False
        Take the distance of positive and negative for that of anchor and negative
        where it is smaller and the two are known to differ.
    positive_percentile : float, default=100
        Positives count up to this percentile of each anchor's own distances.
    triplets : tuple of three int64 Tensors, optional
        Positions in the batch of anchors, positives and negatives; in place of mining.
    reduction : {"active", "mean", "sum"}, default="active"
        "active" divides by the weight of triplets whose cost is not 0, "mean" by that
        of all that were mined.
    generator : torch.Generator, optional
        For ``mining="random"``.
    most_positives : int, optional
        Must-links of a sample at most. Counted if not given, which waits for the
        device.

    Returns
    -------
    Tensor
        A scalar.
    """
    distance = pairwise_distances(x, squared=squared)
    compute = with_swap(COSTS[cost]) if swap and cost != "soft" else COSTS[cost]
    negative = relation < 0
    if triplets is None:
        positive = local_positives(distance, relation > 0, positive_percentile)
        column = positive_columns(positive, most_positives)
        if mining in MINERS:
            triplets = mine(
                mining, distance, positive, negative, margin, column, generator
            )
    if triplets is not None:
        triplets, needs_pn = Triplets(*triplets), swap or cost == "soft"
        found = _listed_cost(distance, relation, triplets, compute, margin, needs_pn)
    else:
        sum_up = partial(_chunked_cost, compute=compute)
        if compute is hinge_cost:
            sum_up = _ranked_cost
        found = sum_up(
            distance,
            relation,
            positive,
            column,
            margin=margin,
            only_nearer=mining == "violating",
        )
    return attach(x, distance, *reduce_costs((found,), reduction), squared=squared)


def _listed_cost(distance, relation, triplets, compute, margin, needs_pn):
    """Return the cost of listed triplets."""
    anchor, positive, negative, counts = triplets
    weight = relation[anchor, positive] * -relation[anchor, negative]
    if counts is not None:
        weight = weight * counts
    ap, an, pn = distance[anchor, positive], distance[anchor, negative], None
    if needs_pn:
        pn = distance[positive, negative]
        pn = pn.masked_fill(relation[positive, negative] >= 0, torch.inf)
    slopes = compute(ap, an, pn, margin)
    slope = torch.zeros_like(distance)
    entries = [(anchor, positive, slopes.ap), (anchor, negative, slopes.an)]
    if slopes.pn is not None:
        entries.append((positive, negative, slopes.pn))
    for row, column, value in entries:
        slope.index_put_((row, column), weight * value, accumulate=True)
    active = weight * (slopes.cost != 0)
    return Cost((weight * slopes.cost).sum(), slope, weight.sum(), active.sum())


def _chunked_cost(
    distance, relation, positive, column, *, compute, margin, only_nearer
):
    """Return the cost of all triplets, a chunk of positive pairs at a time.

    With `only_nearer`, of those whose negative is nearer than the positive.
    """
    known_distance = distance.masked_fill(relation >= 0, torch.inf)
    weights = relation.neg().clamp_min_(0)
    partner = column.flatten()
    anchor = torch.arange(len(column), device=distance.device).repeat_interleave(
        column.shape[1]
    )
    weight_ap = (relation * positive).gather(1, column).flatten()
    slope = torch.zeros_like(distance)
    exact = exact_dtype(distance.device)
    total, mass, active = distance.new_zeros(3, dtype=exact).unbind()
    for part in torch.arange(len(anchor), device=distance.device).split(
        max(1, _CHUNK // len(distance))
    ):
        a, p = anchor[part], partner[part]
        weight = weight_ap[part][:, None] * weights[a]
        ap = distance[a, p][:, None]
        if only_nearer:
            weight = weight * (distance[a] < ap)
        known = weight > 0
        slopes = compute(ap, distance[a], known_distance[p], margin)
        cost = slopes.cost.masked_fill(~known, 0)
        total += (weight * cost).sum(dtype=exact)
        mass += weight.sum(dtype=exact)
        active += (weight * (cost != 0)).sum(dtype=exact)
        slope[a, p] += (weight * slopes.ap).sum(1)
        slope.index_add_(0, a, weight * slopes.an)
        if slopes.pn is not None:
            slope.index_add_(0, p, weight * slopes.pn)
    return Cost(*(v.to(slope.dtype) for v in (total, slope, mass, active)))


def _ranked_cost(distance, relation, positive, column, *, margin, only_nearer):
    """Return the hinge cost of all triplets from each anchor's sorted negatives.

    With `only_nearer`, of those whose negative is nearer than the positive.
    """
    is_negative = relation < 0
    ordered, order = sort_rows(distance.masked_fill(~is_negative, torch.inf))
    weight_ap = (relation * positive).gather(1, column)
    d_ap = distance.gather(1, column)
    limit = d_ap + margin
    # Of each positive the number of negatives that cost something and count.
    rank = torch.searchsorted(ordered, d_ap if only_nearer else limit)
    weight_an = relation.gather(1, order).clamp_max_(0).neg_()
    mass, moment = _cumulated(weight_an), _cumulated(weight_an * _finite(ordered))
    reached = mass.gather(1, rank)
    cost = weight_ap * (reached * limit - moment.gather(1, rank))
    slope = torch.zeros_like(distance)
    slope.scatter_(1, column, (weight_ap * reached).to(slope.dtype))
    pull = weight_an * _violations(rank, weight_ap, len(distance))
    slope.scatter_add_(1, order, -pull.to(slope.dtype))
    active = (weight_ap * reached).sum()
    weight = active
    if not only_nearer:
        weight = (weight_ap.sum(1) * mass[:, -1]).sum()
    return Cost(cost.sum().to(slope.dtype), slope, weight.to(slope), active.to(slope))


def _violations(rank, weight, n_ranks):
    """Return the weight of positives that reach each of the sorted negatives."""
    counts = weight.new_zeros(len(rank), n_ranks + 1).scatter_add_(1, rank, weight)
    # A positive of rank c reaches the negatives 0 to c - 1.
    return counts.flip(1).cumsum(1).flip(1)[:, 1:]


def _cumulated(values):
    """Return sums of the first 0, 1, ... entries of each row."""
    sums = values.to(exact_dtype(values.device)).cumsum(1)
    return torch.cat([sums.new_zeros(len(sums), 1), sums], dim=1)


def _finite(x):
    """Return `x` with 0 in place of inf."""
    return x.masked_fill(x == torch.inf, 0)
