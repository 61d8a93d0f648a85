"""Which triplets of a batch count: mining on its matrix of distances.

A triplet is an anchor, a positive (must-linked to the anchor) and a negative
(cannot-linked to it). Pairs of which nothing is known are neither.

How many triplets a batch has is known on the device only. So that no step waits for it,
miners return as many as there could be and say which of them count.
"""

from typing import NamedTuple

import torch

from skpairclust.losses._exact import exact_dtype

MINERS = ("hardest", "semihard", "random")


class Triplets(NamedTuple):
    """Positions in a batch, int64 Tensors of one shape.

    `counts`, a bool Tensor of that shape, says which are triplets; None: all.
    """

    anchor: torch.Tensor
    positive: torch.Tensor
    negative: torch.Tensor
    counts: torch.Tensor | None = None


def local_positives(distance, positive, percentile):
    """Keep the near ones among each anchor's positives.

    Parameters
    ----------
    distance : Tensor of shape (B, B)
    positive : bool Tensor of shape (B, B)
        Row a marks the positives of anchor a, itself excluded.
    percentile : float
        In (0, 100]: positives beyond this percentile of the anchor's own distances to
        positives are dropped. The nearest always stays.

    Returns
    -------
    bool Tensor of shape (B, B)
    """
    if percentile == 100:
        return positive
    ordered = distance.masked_fill(~positive, torch.inf).sort(1).values
    # The largest distance that is not beyond the interpolated percentile.
    last = (positive.sum(1) - 1).clamp_min(0).to(exact_dtype(distance.device))
    last = last * (percentile / 100)
    limit = ordered.gather(1, last.floor().long()[:, None])
    return positive & (distance <= limit)


def mine(mining, distance, positive, negative, margin, column, generator=None):
    """Return the triplets that `mining` names.

    Parameters
    ----------
    mining : {"hardest", "semihard", "random"}
    distance : Tensor of shape (B, B)
    positive, negative : bool Tensor of shape (B, B)
    margin : float
        For "semihard", in the unit of `distance`.
    column : int64 Tensor of shape (B, p)
        Columns of the positives, from `positive_columns`.
    generator : torch.Generator, optional
        For "random", on the device of `distance`.

    Returns
    -------
    Triplets
    """
    if mining == "hardest":
        return hardest(distance, positive, negative)
    if mining == "semihard":
        return semihard(distance, positive, negative, margin, column)
    return random(positive, negative, column, generator)


def sort_rows(x):
    """Return each row in ascending order, and where the entries stood."""
    if x.device.type != "cpu":
        return x.sort(1)
    # Several times as fast as torch on one core.
    order = torch.from_numpy(x.numpy().argsort(axis=1))
    return x.gather(1, order), order


def positive_columns(positive, most=None):
    """Return the columns of each row's positives, and of others behind them.

    Parameters
    ----------
    positive : bool Tensor of shape (B, B)
    most : int, optional
        Positives of a row at most. Counted if not given, which waits for the device.

    Returns
    -------
    int64 Tensor of shape (B, p)
        p is `most`, or 1 if that is less.
    """
    if most is None:
        most = int(positive.sum(1).max())
    return positive.to(torch.uint8).topk(max(1, most), dim=1).indices


def hardest(distance, positive, negative):
    """Return the farthest positive and the nearest negative of each anchor.

    Hermans, Beyer & Leibe (2017), "In defense of the triplet loss for person
    re-identification", arXiv:1703.07737, eq. 5.
    """
    far = distance.masked_fill(~positive, -torch.inf).argmax(1)
    near = distance.masked_fill(~negative, torch.inf).argmin(1)
    anchor = torch.arange(len(distance), device=distance.device)
    return Triplets(anchor, far, near, positive.any(1) & negative.any(1))


def semihard(distance, positive, negative, margin, column):
    """Return for each positive pair the nearest negative that is beyond it.

    Only if it is closer than the margin asks for: :math:`d_{ap} < d_{an} < d_{ap} +
    m`; pairs without such a negative are left out (Schroff, Kalenichenko & Philbin
    2015, "FaceNet", arXiv:1503.03832, section 3.2).
    """
    ordered, order = sort_rows(distance.masked_fill(~negative, torch.inf))
    reach = distance.gather(1, column)
    rank = torch.searchsorted(ordered, reach, right=True)
    # Beyond all negatives: the last one, which is not farther, fails the test below.
    rank.clamp_(max=len(distance) - 1)
    found = ordered.gather(1, rank)
    fits = positive.gather(1, column) & (found > reach) & (found < reach + margin)
    return Triplets(_anchors(column), column, order.gather(1, rank), fits)


def random(positive, negative, column, generator=None):
    """Return for each positive pair one of the anchor's negatives at random."""
    count = negative.sum(1, keepdim=True)
    draw = torch.rand(column.shape, generator=generator, device=negative.device)
    # A draw just below 1 may round up to the count itself.
    rank = torch.minimum((draw * count).long(), count - 1).clamp_min(0)
    order = negative.to(torch.uint8).argsort(stable=True, dim=1, descending=True)
    counts = positive.gather(1, column) & (count > 0)
    return Triplets(_anchors(column), column, order.gather(1, rank), counts)


def _anchors(column):
    """Return the row that each entry stands in."""
    rows = torch.arange(len(column), device=column.device)
    return rows[:, None].expand_as(column)
