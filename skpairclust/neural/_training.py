"""The training loop: epochs, schedule, early stopping, the best weights.

It depends on torch only. The loss of a step is a function that is passed in, and
another function is called at the end of each epoch.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import update_bn

from skpairclust.neural._distributed import ALONE
from skpairclust.neural._dropout import without_dropout
from skpairclust.neural._heads import split_head
from skpairclust.neural._optimizers import make_optimizer
from skpairclust.neural._progress import Progress
from skpairclust.neural._steps import make_step
from skpairclust.neural._torch_utils import to_numpy_state

SCHEDULES = ("constant", "cosine", "halving")

# Rows at most that the final statistics of batch normalization are taken from.
_BATCH_NORM_ROWS = 16_384

# "halving" is the schedule of Hsu & Kira's code.
_HALVING_EPOCHS = 25


@dataclass(frozen=True)
class TrainingOptions:
    """How to train; the names are those of the estimators' parameters."""

    optimizer: str
    learning_rate: float
    momentum: float
    weight_decay: float
    schedule: str
    max_iter: int
    tol: float
    n_iter_no_change: int | None
    head_learning_rate_multiplier: float = 1.0


@dataclass
class TrainingRun:
    """What one run of training left behind.

    Attributes
    ----------
    weights : dict of str to ndarray
        State of the network after its best epoch.
        None if it never had finite weights.
    loss : float
        Mean loss of that epoch; ``inf`` if no epoch was finite.
    loss_curve : list of float
        Mean loss of each epoch.
    criterion_curve : list of float
        What decided which epoch is best, of each epoch; the loss unless `train` was
        told otherwise.
    interrupted : bool
        Whether the user stopped it.
    start : str
        What it started from.
    gave_way : bool
        Whether the weights are those from before the training, which were better.
    diverged : bool
        Whether it ended because the loss or the weights were no longer finite.
    settled : bool
        Whether it ends because nothing changes any more: the loss, or what a hook looks
        at. Known before hooks are called.
    """

    weights: dict | None = None
    loss: float = math.inf
    loss_curve: list = field(default_factory=list)
    criterion_curve: list = field(default_factory=list)
    interrupted: bool = False
    start: str = "random"
    gave_way: bool = False
    diverged: bool = False
    settled: bool = False

    @property
    def n_iter(self):
        """Epochs begun: one at least."""
        return max(1, len(self.loss_curve))


def train(
    network,
    compute_loss,
    n_steps,
    options,
    *,
    on_epoch=None,
    criterion=None,
    checkpoint=None,
):
    """Train `network` in place and return the weights of its best epoch.

    Parameters
    ----------
    network : torch.nn.Module
    compute_loss : callable
        Takes the network, draws a batch and returns the loss, a scalar tensor. If
        processes compute it together, its ``group`` says which; if it takes batches
        from `FeatureRows`, these are its ``rows``.
    n_steps : int
        Steps in an epoch.
    options : TrainingOptions
    on_epoch : callable, optional
        Called as ``on_epoch(run, network)`` after each epoch; training ends when
        it returns True.
    criterion : callable, optional
        Called as ``criterion(run, network)`` after each epoch and before `on_epoch`;
        the epoch with the lowest value is the best, and training has stalled when it
        no longer falls. Defaults to the mean loss of the epoch.
    checkpoint : Checkpoint, optional
        Where the training goes on, and what keeps its state meanwhile. `compute_loss`
        then has the methods ``state`` and ``restore``.

    Returns
    -------
    TrainingRun
        With ``loss=inf`` and no weights if the first epoch was not finite.
    """
    on_gpu = next(network.parameters()).is_cuda
    parameters = network.parameters()
    if options.head_learning_rate_multiplier != 1:
        parameters = split_head(network, options.head_learning_rate_multiplier)
    optimizer = make_optimizer(parameters, options, on_gpu=on_gpu)
    take_step = make_step(network, compute_loss, optimizer)
    run = TrainingRun()
    group = getattr(compute_loss, "group", ALONE)
    progress = Progress(network, optimizer, compute_loss, run, checkpoint)
    try:
        for _ in range(progress.epoch, options.max_iter):
            # What one process decides, all do.
            group.equalize(network)
            loss = group.share(
                _run_epoch(network, take_step, n_steps, options, progress)
            )
            run.loss_curve.append(loss)
            # Once not finite, the weights stay so: what was best before counts.
            if not group.share(math.isfinite(loss) and _is_finite(network)):
                run.diverged = True
                break
            value = loss
            if criterion is not None:
                value = group.share(criterion(run, network))
            run.criterion_curve.append(value)
            progress.keep_if_best(value, loss)
            run.settled = bool(_has_stalled(run.criterion_curve, options))
            stop = on_epoch is not None and on_epoch(run, network)
            if group.share(stop or run.settled):
                break
    except KeyboardInterrupt:
        if not group.is_alone:
            # The others wait for this process until it ends.
            raise
        run.interrupted = True
    if progress.best is not None:
        network.load_state_dict(progress.best)
    # Of wide samples, each of these is as large as the network.
    optimizer.state.clear()
    network.zero_grad(set_to_none=True)
    # An interrupt within the first epoch leaves what was learned until then.
    if progress.best is not None or (run.interrupted and _is_finite(network)):
        run.weights = to_numpy_state(network)
    return run


def settle(network, rows, index, batch_size, seed):
    """Set the running statistics of batch normalization to those of clean data.

    Those left by training lag behind, saw changed samples and, more often than others,
    the constrained ones.

    Parameters
    ----------
    network : torch.nn.Module
        In place.
    rows : FeatureRows
    index : ndarray of int64 or None
        The rows that were trained on, None for all.
    batch_size : int
    seed : int
        Draws the rows, where there are many.
    """
    of = len(rows) if index is None else index
    order = np.random.RandomState(seed).permutation(of)[:_BATCH_NORM_ROWS]
    n_batches = max(1, len(order) // batch_size)
    batches = (rows.take(part) for part in np.array_split(order, n_batches))
    with without_dropout(network):
        update_bn(batches, network)


def has_finite_statistics(network):
    """Whether `settle` found numbers: huge weights make huge activations."""
    return all(
        bool(torch.isfinite(value).all())
        for part in network.modules()
        if isinstance(part, _BatchNorm) and part.track_running_stats
        for value in (part.running_mean, part.running_var)
    )


def learning_rate_at(progress, options):
    """Return the learning rate after `progress` epochs, a float in [0, max_iter]."""
    if options.schedule == "cosine":
        share = progress / options.max_iter
        return options.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
    if options.schedule == "halving":
        return options.learning_rate * 0.5 ** int(progress // _HALVING_EPOCHS)
    return options.learning_rate


def _run_epoch(network, take_step, n_steps, options, progress):
    """Take the steps of an epoch that are left and return the mean loss of all."""
    network.train()
    for step in range(progress.step, n_steps):
        rate = learning_rate_at(progress.epoch + step / n_steps, options)
        progress.end_step(take_step(rate))
    return progress.end_epoch() / n_steps


def _has_stalled(curve, options):
    """Whether the last `n_iter_no_change` epochs were no better by `tol`."""
    patience = options.n_iter_no_change
    if patience is None or len(curve) <= patience:
        return False
    return min(curve[-patience:]) > min(curve[:-patience]) - options.tol


@torch.no_grad()
def _is_finite(network):
    """Whether all weights are finite; one wait for the device."""
    weights = [
        weight
        for weight in network.parameters()
        if weight.numel() and (weight.is_floating_point() or weight.is_complex())
    ]
    # Not a number is the largest of all.
    largest = torch._foreach_norm(weights, math.inf)
    return bool(torch.stack(largest).isfinite().all())
