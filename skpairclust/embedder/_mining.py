"""Which triplets of a batch count: mining on its matrix of distances.

A triplet is an anchor, a positive (must-linked to the anchor) and a negative
(cannot-linked to it). Pairs of which nothing is known are neither.
"""

import torch

MINERS = ("hardest", "semihard", "random")


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
    last = (positive.sum(1) - 1).clamp_min(0).to(torch.float64) * (percentile / 100)
    limit = ordered.gather(1, last.floor().long()[:, None])
    return positive & (distance <= limit)


def mine(mining, distance, positive, negative, margin, generator=None):
    """Return the triplets that `mining` names.

    Parameters
    ----------
    mining : {"hardest", "semihard", "random"}
    distance : Tensor of shape (B, B)
    positive, negative : bool Tensor of shape (B, B)
    margin : float
        For "semihard", in the unit of `distance`.
    generator : torch.Generator, optional
        For "random", on the device of `distance`.

    Returns
    -------
    tuple of three int64 Tensors of shape (t,)
        Anchors, positives, negatives.
    """
    if mining == "hardest":
        return hardest(distance, positive, negative)
    if mining == "semihard":
        return semihard(distance, positive, negative, margin)
    return random(positive, negative, generator)


def sort_rows(x):
    """Return each row in ascending order, and where the entries stood."""
    if x.device.type != "cpu":
        return x.sort(1)
    # Several times as fast as torch on one core.
    order = torch.from_numpy(x.numpy().argsort(axis=1))
    return x.gather(1, order), order


def positive_columns(positive):
    """Return the columns of each row's positives, and of others behind them.

    As many columns as the row with most positives has, one at least.
    """
    n_columns = max(1, int(positive.sum(1).max()))
    return positive.to(torch.uint8).topk(n_columns, dim=1).indices


def hardest(distance, positive, negative):
    """Return the farthest positive and the nearest negative of each anchor.

    Hermans, Beyer & Leibe (2017), "In defense of the triplet loss for person
    re-identification", arXiv:1703.07737, eq. 5.
    """
    far = distance.masked_fill(~positive, -torch.inf).argmax(1)
    near = distance.masked_fill(~negative, torch.inf).argmin(1)
    anchor = (positive.any(1) & negative.any(1)).nonzero()[:, 0]
    return anchor, far[anchor], near[anchor]


def semihard(distance, positive, negative, margin):
    """Return for each positive pair the nearest negative that is beyond it.

    Only if it is closer than the margin asks for: :math:`d_{ap} < d_{an} < d_{ap} +
    m`; pairs without such a negative are left out (Schroff, Kalenichenko & Philbin
    2015, "FaceNet", arXiv:1503.03832, section 3.2).
    """
    ordered, order = sort_rows(distance.masked_fill(~negative, torch.inf))
    column = positive_columns(positive)
    reach = distance.gather(1, column)
    rank = torch.searchsorted(ordered, reach, right=True)
    # Beyond all negatives: the last one, which is not farther, fails the test below.
    rank.clamp_(max=len(distance) - 1)
    found = ordered.gather(1, rank)
    fits = positive.gather(1, column) & (found > reach) & (found < reach + margin)
    anchor, place = fits.nonzero(as_tuple=True)
    return anchor, column[anchor, place], order[anchor, rank[anchor, place]]


def random(positive, negative, generator=None):
    """Return for each positive pair one of the anchor's negatives at random."""
    anchor, partner = (positive & negative.any(1, keepdim=True)).nonzero(as_tuple=True)
    count = negative.sum(1)[anchor]
    draw = torch.rand(len(anchor), generator=generator, device=negative.device)
    # A draw just below 1 may round up to the count itself.
    rank = torch.minimum((draw * count).long(), count - 1)
    order = negative.to(torch.uint8).argsort(stable=True, dim=1, descending=True)
    return anchor, partner, order[anchor, rank]
