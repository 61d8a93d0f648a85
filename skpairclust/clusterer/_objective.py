"""Pairwise clustering without its estimator: one restart, numbers in and out."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from skpairclust.clusterer._batching import ConstraintBatches, count_steps
from skpairclust.clusterer._evidence import Evidence
from skpairclust.clusterer._losses import balance_kinds, kcl_loss, mcl_loss
from skpairclust.clusterer._noise import NoiseEstimate
from skpairclust.clusterer._propagation import NeighborWalk
from skpairclust.clusterer._trials import Trials
from skpairclust.clusterer._unlabeled import (
    SizePrior,
    adversarial_loss,
    information_loss,
    neighbor_distances,
)
from skpairclust.neural._streams import shuffled_stream
from skpairclust.neural._tasks import NetworkTask, run_task
from skpairclust.neural._torch_utils import (
    make_generator,
    to_device,
)

# Share of the training over which walks fade.
_FADE = 0.5


@dataclass(frozen=True)
class ObjectiveOptions:
    """What to minimize; the names are those of the estimator's parameters."""

    loss: str
    margin: float
    reduction: str
    pair_weight: float
    pair_balance: float | None
    classification_weight: float
    unlabeled: str | None
    information_weight: float
    adversarial_weight: float
    adversarial_radius: float
    noise_rate: float | str
    batch_size: int


@dataclass(frozen=True, kw_only=True)
class ClusteringTask(NetworkTask):
    """One problem, the same for all restarts; `objective` is `ObjectiveOptions`."""

    # (n_samples,) int64 class of each sample, -1 = none; None: no such loss
    classes: np.ndarray | None = None
    walk: NeighborWalk | None = None
    evidence: Evidence = field(default_factory=Evidence)
    # Clusterings to start from by name: (n_samples,) int64 labels, -1 = none
    starts: dict = field(default_factory=dict)


def run_restart(X, constraints, task, seed, label="fit", hook=None):
    """Train one network from its own seed.

    Parameters
    ----------
    X : array, CSR matrix or LazyRows of shape (n_samples, ...)
    constraints : PairwiseConstraints
    task : ClusteringTask
    seed : int
        Decides the initial weights, the batches and the noise.
    label : str
        Begins the progress line.
    hook : callable, optional
        Called after each epoch: see `_epoch_hooks`.

    Returns
    -------
    TrainingRun
    """

    def fit_network(network, rows, hooks):
        trials = Trials(rows, constraints, task, seed, PairObjective, hooks)
        return trials.run(network)

    return run_task(X, task, seed, fit_network, label=label, hook=hook)


class PairObjective:
    """The loss of a step, of pairs, labels and unlabeled rows.

    Each call draws the next batches and sends every sample of them through the
    network once; virtual adversarial training adds its two passes.

    Parameters
    ----------
    rows : FeatureRows
    constraints : PairwiseConstraints
    task : ClusteringTask
    seed : int
    """

    def __init__(self, rows, constraints, task, seed):
        self.rows = rows
        self.options = options = task.objective
        self.device = rows.device
        self.classes = task.classes
        rng = np.random.RandomState(seed)
        self._generator = make_generator(rng.randint(2**31), self.device)
        batches = ConstraintBatches(constraints, options.batch_size, rng)
        self._batches = iter(batches) if batches.n_steps else None
        self.n_steps = count_steps(
            batches.n_steps,
            len(rows),
            options.batch_size,
            unlabeled=options.unlabeled is not None,
        )
        self._walk = task.walk
        self._walk_rng = np.random.RandomState(rng.randint(2**31))
        self._noise = NoiseEstimate.start(options.noise_rate, task.walk, self.device)
        self._n_all_steps = self.n_steps * task.training.max_iter
        self._n_lead_steps = max(1.0, task.evidence.lead * self._n_all_steps)
        self._prior = SizePrior(
            task.evidence.size_freedom, task.architecture.n_outputs, self.device
        )
        self._patience = task.evidence.patience
        self._caution = task.evidence.caution
        self._n_taken = 0
        if options.unlabeled is not None:
            self._stream = shuffled_stream(len(rows), options.batch_size, rng)
        self._is_adversarial = options.adversarial_weight * options.adversarial_radius
        if options.unlabeled is not None and self._is_adversarial:
            distances = neighbor_distances(rows, make_generator(rng.randint(2**31)))
            self._radius = options.adversarial_radius * distances

    def __call__(self, network):
        """Return the loss of the next step, a scalar tensor."""
        self._n_taken += 1
        if self.options.unlabeled is None:
            batch, x = self._next_batch()
            return self._supervised_loss(network(x).log_softmax(1), batch)
        drawn = next(self._stream)
        x = self.rows.take(drawn)
        if self._batches is None:
            return self._unlabeled_loss(network, x, network(x).log_softmax(1), drawn)
        batch, constrained = self._next_batch()
        log_p = network(torch.cat([constrained, x])).log_softmax(1)
        n_constrained = len(constrained)
        unlabeled = self._unlabeled_loss(network, x, log_p[n_constrained:], drawn)
        self._prior.update(log_p[:n_constrained])
        return self._supervised_loss(log_p[:n_constrained], batch) + unlabeled

    def _next_batch(self):
        """Return the next batch and its samples, or others near them."""
        batch = next(self._batches)
        if self._walk is None:
            return batch, self.rows.take(batch.rows)
        faded = self._n_taken / (_FADE * self._n_all_steps)
        walked = self._walk(batch.rows, self._walk_rng, faded)
        return batch, self.rows.take(walked)

    def _supervised_loss(self, log_p, batch):
        """Return the pair loss and, if it is used, the classification loss."""
        options = self.options
        relation = to_device(batch.relation, self.device)
        if options.pair_balance is not None:
            relation = balance_kinds(relation, options.pair_balance)
        if options.loss == "kcl":
            loss = kcl_loss(
                log_p, relation, margin=options.margin, reduction=options.reduction
            )
        else:
            loss = mcl_loss(
                log_p,
                relation,
                flip_rate=self._noise(log_p, relation),
                reduction=options.reduction,
            )
        loss = options.pair_weight * loss
        if self.classes is not None:
            target = to_device(self.classes[batch.rows], self.device)
            loss = loss + options.classification_weight * _cross_entropy(log_p, target)
        return loss

    def _unlabeled_loss(self, network, x, log_p, drawn):
        """Return IMSAT's loss of the samples `drawn`."""
        options = self.options
        grown = self._n_taken / self._n_lead_steps if self._batches is not None else 1.0
        # Without a gradient, but one that can be asked for.
        loss = 0 * log_p.sum()
        if self._is_adversarial:
            radius = self._radius[to_device(drawn, self.device)]
            adversarial = adversarial_loss(network, x, log_p, radius, self._generator)
            share = 1 - self._caution * (1 - grown)
            loss = options.adversarial_weight * _faded(adversarial, share)
        if options.unlabeled == "imsat":
            information = information_loss(log_p, self._prior.log_shares())
            information = _faded(information, grown**self._patience)
            loss = loss + options.information_weight * information
        return loss


def _faded(loss, share):
    """Return `loss` with its gradient scaled by `share`, at most by 1.

    The value stays comparable between epochs.
    """
    return loss if share >= 1 else share * loss + (1 - share) * loss.detach()


def _cross_entropy(log_p, target):
    """Return the mean cross-entropy over labeled samples, 0 without any."""
    total = functional.nll_loss(log_p, target, ignore_index=-1, reduction="sum")
    return total / (target >= 0).sum().clamp_min(1)
