"""The losses as criteria, torch modules for training loops of one's own."""

import torch
from torch import nn

from skpairclust.losses._distances import REDUCTIONS as OF_DISTANCES
from skpairclust.losses._distances import (
    contrastive_loss,
    hinge_embedding_loss,
    lifted_loss,
)
from skpairclust.losses._mining import MINERS
from skpairclust.losses._pairs import REDUCTIONS as OF_PAIRS
from skpairclust.losses._pairs import kcl_loss, mcl_loss
from skpairclust.losses._relations import as_relation
from skpairclust.losses._triplets import triplet_loss

# The cost of a triplet and whether distances are squared.
COSTS = {
    "hinge": ("hinge", False),
    "squared_hinge": ("hinge", True),
    "ratio": ("ratio", False),
    "soft": ("soft", False),
}
MININGS = ("all", "violating", *MINERS)


class _Criterion(nn.Module):
    """What all criteria share: checks, and a target that may be labels."""

    def forward(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        outputs : Tensor of shape (B, d)
            What the network makes of the batch: logits of the clusters for `KCLLoss`
            and `MCLLoss`, embeddings for the others. Half precision is computed in
            float32.
        target : Tensor of shape (B,), integer, or of shape (B, B)
            One label per sample, negative for none: all pairs of labeled samples are
            known. Or the relation matrix, symmetric: positive for a must-link, negative
            for a cannot-link, 0 for unknown. The absolute value is the weight of the
            pair. The diagonal is not read. Values are checked on the CPU only.

        Returns
        -------
        Tensor
            A scalar. Its gradient has no second derivative.

        Raises
        ------
        TypeError, ValueError
            If `outputs` is no matrix of floating-point numbers, or `target` does not
            fit it.
        """
        if outputs.ndim != 2 or not outputs.is_floating_point():
            raise ValueError(
                f"outputs of shape {tuple(outputs.shape)} and {outputs.dtype} are none "
                "of a batch: pass floating-point numbers of shape (B, d)."
            )
        if outputs.dtype in (torch.float16, torch.bfloat16):
            outputs = outputs.float()
        return self._compute(outputs, as_relation(target, outputs))

    def extra_repr(self) -> str:
        """Return the parameters, for printing."""
        values = {k: v for k, v in vars(self).items() if k[0] != "_"}
        return ", ".join(f"{k}={v!r}" for k, v in values.items() if k != "training")


class KCLLoss(_Criterion):
    r"""Contrastive loss on the Kullback-Leibler divergence of cluster probabilities.

    With the softmax P and Q of the logits of two samples and margin m, a must-link
    costs :math:`KL(P \| Q) + KL(Q \| P)` and a cannot-link :math:`\max(0, m - KL(P \|
    Q)) + \max(0, m - KL(Q \| P))`; the first argument of each divergence is held
    constant [1]_, eq. 1-6. All pairs of a batch are compared, and each sample goes
    through the network once.

    Parameters
    ----------
    margin : float, default=2.0
        Divergence, in nats, beyond which a cannot-link costs nothing.
    reduction : {"mean", "sum"}, default="mean"
        "mean" divides by the total weight of the known pairs, each counted once. "sum"
        is what the authors' code propagates back, with a smaller learning rate.

    Raises
    ------
    ValueError
        If a parameter is not one of these values.

    See Also
    --------
    MCLLoss : The later loss of the same authors, without a margin.
    skpairclust.ConstrainedNeuralClusterer : The estimator, with ``loss="kcl"``.

    References
    ----------
    .. [1] Hsu, Kira (2016). Neural network-based clustering using pairwise constraints.
       arXiv:1511.06321.

    Examples
    --------
    In place of cross-entropy, with the same labels:

    >>> import torch
    >>> from skpairclust.losses import KCLLoss
    >>> criterion = KCLLoss()
    >>> logits = torch.tensor([[3.0, 0.0], [3.0, 0.0], [0.0, 3.0]], requires_grad=True)
    >>> loss = criterion(logits, torch.tensor([0, 0, 1]))
    >>> loss.backward()
    >>> round(loss.item(), 3)
    0.0
    >>> round(criterion(logits, torch.tensor([0, 1, 0])).item(), 3)
    3.144
    """

    def __init__(self, margin: float = 2.0, *, reduction: str = "mean") -> None:
        super().__init__()
        _check_least("margin", margin, 0)
        _check_option("reduction", reduction, OF_PAIRS)
        self.margin, self.reduction = margin, reduction

    def _compute(self, outputs, relation):
        log_p = outputs.log_softmax(1)
        return kcl_loss(log_p, relation, margin=self.margin, reduction=self.reduction)


class MCLLoss(_Criterion):
    r"""Binary cross-entropy of "same cluster", the meta classification likelihood.

    With the softmax P and Q of the logits of two samples, :math:`s = \sum_c P_c Q_c` is
    the probability that both are in the same cluster. A must-link costs
    :math:`-\log s`, a cannot-link :math:`-\log (1 - s)` [1]_, eq. 3.

    Parameters
    ----------
    flip_rate : float, default=0.0
        Share r of pairs whose kind is wrong, in [0, 0.5): s becomes
        :math:`s (1 - r) + (1 - s) r` [2]_.
    reduction : {"mean", "sum"}, default="mean"
        "mean" divides by the total weight of the known pairs, each counted once.

    Raises
    ------
    ValueError
        If a parameter is not one of these values.

    See Also
    --------
    KCLLoss : The earlier loss of the same authors, with a margin.
    skpairclust.ConstrainedNeuralClusterer : The estimator, with ``loss="mcl"``.

    References
    ----------
    .. [1] Hsu, Lv, Schlosser, Odom, Kira (2019). Multi-class classification without
       multi-class labels. ICLR. arXiv:1901.00544.
    .. [2] Patrini, Rozza, Menon, Nock, Qu (2017). Making deep neural networks robust to
       label noise: a loss correction approach. CVPR.

    Examples
    --------
    >>> import torch
    >>> from skpairclust.losses import MCLLoss
    >>> logits = torch.tensor([[4.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    >>> relation = torch.tensor([[0, 1, -1], [1, 0, 0], [-1, 0, 0]])
    >>> round(MCLLoss()(logits, relation).item(), 3)
    0.036
    """

    def __init__(self, flip_rate: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__()
        if not 0 <= flip_rate < 0.5:
            raise ValueError(f"flip_rate={flip_rate!r} must be in [0, 0.5).")
        _check_option("reduction", reduction, OF_PAIRS)
        self.flip_rate, self.reduction = flip_rate, reduction

    def _compute(self, outputs, relation):
        log_p = outputs.log_softmax(1)
        return mcl_loss(
            log_p, relation, flip_rate=self.flip_rate, reduction=self.reduction
        )


class ContrastiveLoss(_Criterion):
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
        _check_least("margin", margin, 0)
        _check_option("reduction", reduction, OF_DISTANCES)
        self.margin, self.squared, self.reduction = margin, squared, reduction

    def _compute(self, outputs, relation):
        compute = contrastive_loss if self.squared else hinge_embedding_loss
        return compute(outputs, relation, margin=self.margin, reduction=self.reduction)


class TripletLoss(_Criterion):
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
        _check_least("margin", margin, 0)
        _check_option("cost", cost, COSTS)
        _check_option("mining", mining, MININGS)
        _check_option("reduction", reduction, OF_DISTANCES)
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


class LiftedLoss(_Criterion):
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
        _check_least("margin", margin, None)
        _check_option("reduction", reduction, OF_DISTANCES)
        self.margin, self.nested_max, self.reduction = margin, nested_max, reduction

    def _compute(self, outputs, relation):
        return lifted_loss(
            outputs,
            relation,
            margin=self.margin,
            nested_max=self.nested_max,
            reduction=self.reduction,
        )


def _check_option(name, value, options):
    """Raise unless a parameter is one of some names."""
    if value not in tuple(options):
        listed = ", ".join(map(repr, options))
        raise ValueError(f"{name}={value!r} must be one of {listed}.")


def _check_least(name, value, least):
    """Raise unless a parameter is a finite number, not below `least` if that is one."""
    is_number = isinstance(value, (int, float)) and abs(value) < float("inf")
    if not is_number or (least is not None and value < least):
        bound = "" if least is None else f" of at least {least}"
        raise ValueError(f"{name}={value!r} must be a finite number{bound}.")
