"""Losses of the distances of embeddings as criteria."""

import torch

from skpairclust.losses._criteria import Criterion, check_least, check_option
from skpairclust.losses._distances import (
    REDUCTIONS,
    contrastive_loss,
    hinge_embedding_loss,
    lifted_loss,
)
from skpairclust.losses._mining import MINERS
from skpairclust.losses._triplets import triplet_loss

# The cost of a triplet and whether distances are squared.
COSTS = {
    "hinge": ("hinge", False),
    "squared_hinge": ("hinge", True),
    "ratio": ("ratio", False),
    "soft": ("soft", False),
}
MININGS = ("all", "violating", *MINERS)


class ContrastiveLoss(Criterion):
    r"""Contrastive loss of the distances of embeddings.

    With the Euclidean distance d and margin m, a must-link costs :math:`d^2` and a
    cannot-link :math:`\max(0, m - d)^2` [1]_, eq. 4, without its factors of one half.
    The plain form costs :math:`d` and :math:`\max(0, m - d)`: the hinge embedding
    criterion of PyTorch on distances, used by [2]_ for their Siamese baseline.

    Parameters
    ----------
    margin : float, default=1.0
        Distance beyond which a cannot-link costs nothing.
    squared : bool, default=True
        Whether costs are squared; False is the plain form.
    reduction : {"active", "mean", "sum"}, default="active"
        "active" adds the mean of the must-links that cost something to the mean of such
        cannot-links. "mean" divides the sum by the weight of all known pairs.

    Raises
    ------
    ValueError
        If a parameter is not one of these values.

    See Also
    --------
    skpairclust.MetricEmbedder : The estimator, with ``loss="contrastive"`` or
        ``"hinge_embedding"``.

    References
    ----------
    .. [1] Hadsell, Chopra, LeCun (2006). Dimensionality reduction by learning an
       invariant mapping. CVPR.
    .. [2] Hsu, Kira (2016). Neural network-based clustering using pairwise constraints.
       arXiv:1511.06321, section 4.

    Examples
    --------
    >>> import torch
    >>> from skpairclust.losses import ContrastiveLoss
    >>> x = torch.tensor([[0.0], [0.5], [0.8]])
    >>> round(ContrastiveLoss(reduction="sum")(x, torch.tensor([0, 0, 1])).item(), 2)
    0.78
    """

    def __init__(
        self, margin: float = 1.0, *, squared: bool = True, reduction: str = "active"
    ) -> None:
        super().__init__()
        check_least("margin", margin, 0)
        check_option("reduction", reduction, REDUCTIONS)
        self.margin, self.squared, self.reduction = margin, squared, reduction

    def _compute(self, outputs, relation):
        compute = contrastive_loss if self.squared else hinge_embedding_loss
        return compute(outputs, relation, margin=self.margin, reduction=self.reduction)


class TripletLoss(Criterion):
    r"""Triplet loss of the distances of embeddings.

    An anchor a is to be nearer to a positive p than to a negative n. With distances d
    and margin m, the cost of a triplet is one of

    - "hinge": :math:`\max(0, d_{ap} - d_{an} + m)`;
    - "squared_hinge": the same of squared distances [1]_, eq. 3;
    - "ratio": :math:`(\frac{e^{d_{ap}}}{e^{d_{ap}} + e^{d_{an}}})^2 -
      (\frac{e^{d_{an}}}{e^{d_{ap}} + e^{d_{an}}})^2`, after [2]_, without a margin;
    - "soft": :math:`d_{ap} + \log(e^{m - d_{an}} + e^{m - d_{pn}})`.

    Parameters
    ----------
    margin : float, default=0.2
        The margin m.
    cost : {"hinge", "squared_hinge", "ratio", "soft"}, default="hinge"
        The cost of a triplet.
    mining : {"all", "violating", "hardest", "semihard", "random"}, default="all"
        Which triplets of the batch count. "violating" are those with :math:`d_{an} <
        d_{ap}`. "hardest" is the farthest positive and the nearest negative of each
        anchor [3]_, eq. 5. "semihard" is, for each pair, the nearest negative that is
        farther than the positive, but within the margin [1]_. "random" is one random
        negative for each pair.
    swap : bool, default=False
        Compare the negative with anchor or positive, whichever is nearer [4]_. The soft
        cost compares it with both, so that swapping them changes nothing.
    positive_percentile : float, default=100
        In (0, 100]. Positives count up to this percentile of the distances from each
        anchor to its positives.
    reduction : {"active", "mean", "sum"}, default="active"
        "active" is the mean of the costs that are not 0, "mean" of all triplets that
        count.
    generator : torch.Generator, default=None
        For ``mining="random"``, on the device of the embeddings. None draws from
        PyTorch's global generator.

    Raises
    ------
    ValueError
        If a parameter is not one of these values.

    See Also
    --------
    skpairclust.MetricEmbedder : The estimator, with ``loss="triplet"`` and similar.

    References
    ----------
    .. [1] Schroff, Kalenichenko, Philbin (2015). FaceNet: a unified embedding for face
       recognition and clustering. CVPR. arXiv:1503.03832.
    .. [2] Hoffer, Ailon (2015). Deep metric learning using triplet network. SIMBAD.
       arXiv:1412.6622.
    .. [3] Hermans, Beyer, Leibe (2017). In defense of the triplet loss for person
       re-identification. arXiv:1703.07737.
    .. [4] Balntas, Riba, Ponsa, Mikolajczyk (2016). Learning local feature descriptors
       with triplets and shallow convolutional neural networks. BMVC, section 2.3.

    Examples
    --------
    >>> import torch
    >>> from skpairclust.losses import TripletLoss
    >>> x = torch.tensor([[0.0], [0.5], [0.6]])
    >>> y = torch.tensor([0, 0, 1])
    >>> round(TripletLoss(reduction="sum")(x, y).item(), 2)
    0.7
    >>> round(TripletLoss(mining="violating", reduction="sum")(x, y).item(), 2)
    0.6
    """

    def __init__(
        self,
        margin: float = 0.2,
        *,
        cost: str = "hinge",
        mining: str = "all",
        swap: bool = False,
        positive_percentile: float = 100,
        reduction: str = "active",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_least("margin", margin, 0)
        check_option("cost", cost, COSTS)
        check_option("mining", mining, MININGS)
        check_option("reduction", reduction, REDUCTIONS)
        if not 0 < positive_percentile <= 100:
            raise ValueError(
                f"positive_percentile={positive_percentile!r} must be in (0, 100]."
            )
        self.margin, self.cost, self.mining = margin, cost, mining
        self.swap, self.positive_percentile = swap, positive_percentile
        self.reduction, self.generator = reduction, generator

    def _compute(self, outputs, relation):
        cost, squared = COSTS[self.cost]
        return triplet_loss(
            outputs,
            relation,
            cost=cost,
            squared=squared,
            margin=self.margin,
            mining=self.mining,
            swap=self.swap,
            positive_percentile=self.positive_percentile,
            reduction=self.reduction,
            generator=self.generator,
        )


class LiftedLoss(Criterion):
    r"""Lifted structure loss: each must-link against all cannot-links of both ends.

    With distances d, must-links M, cannot-links C and margin m,
    :math:`J_{ij} = \log(\sum_{(i,k) \in C} e^{m - d_{ik}} + \sum_{(j,l) \in C} e^{m -
    d_{jl}}) + d_{ij}`, and the loss is :math:`\frac{1}{2|M|} \sum_{(i,j) \in M} \max(0,
    J_{ij})^2` [1]_, eq. 4. It bounds the nested form, :math:`J_{ij} = \max(\max_{(i,k)
    \in C} m - d_{ik}, \max_{(j,l) \in C} m - d_{jl}) + d_{ij}`, eq. 3.

    Parameters
    ----------
    margin : float, default=1.0
        The margin m.
    nested_max : bool, default=False
        Whether to use the nested form.
    reduction : {"active", "mean", "sum"}, default="mean"
        "mean" is the equation. "active" counts only terms above 0 in \|M\|. "sum" does
        not divide by it.

    Raises
    ------
    ValueError
        If a parameter is not one of these values.

    See Also
    --------
    skpairclust.MetricEmbedder : The estimator, with ``loss="lifted"``.

    References
    ----------
    .. [1] Oh Song, Xiang, Jegelka, Savarese (2016). Deep metric learning via lifted
       structured feature embedding. CVPR. arXiv:1511.06452.

    Examples
    --------
    >>> import torch
    >>> from skpairclust.losses import LiftedLoss
    >>> x = torch.tensor([[0.0], [0.5], [1.8]])
    >>> y = torch.tensor([0, 0, 1])
    >>> round(LiftedLoss()(x, y).item(), 3)
    0.227
    >>> round(LiftedLoss(nested_max=True)(x, y).item(), 3)
    0.02
    """

    def __init__(
        self, margin: float = 1.0, *, nested_max: bool = False, reduction: str = "mean"
    ) -> None:
        super().__init__()
        check_least("margin", margin, None)
        check_option("reduction", reduction, REDUCTIONS)
        self.margin, self.nested_max, self.reduction = margin, nested_max, reduction

    def _compute(self, outputs, relation):
        return lifted_loss(
            outputs,
            relation,
            margin=self.margin,
            nested_max=self.nested_max,
            reduction=self.reduction,
        )
