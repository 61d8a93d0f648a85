"""Losses of the outputs of a clusterer as criteria."""

from skpairclust.losses._criteria import Criterion, check_least, check_option
from skpairclust.losses._pairs import REDUCTIONS, kcl_loss, mcl_loss


class KCLLoss(Criterion):
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
        check_least("margin", margin, 0)
        check_option("reduction", reduction, REDUCTIONS)
        self.margin, self.reduction = margin, reduction

    def _compute(self, outputs, relation):
        log_p = outputs.log_softmax(1)
        return kcl_loss(log_p, relation, margin=self.margin, reduction=self.reduction)


class MCLLoss(Criterion):
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
        check_option("reduction", reduction, REDUCTIONS)
        self.flip_rate, self.reduction = flip_rate, reduction

    def _compute(self, outputs, relation):
        log_p = outputs.log_softmax(1)
        return mcl_loss(
            log_p, relation, flip_rate=self.flip_rate, reduction=self.reduction
        )
