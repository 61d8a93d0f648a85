"""Which start a training goes on from: random ones, and one that structure proposes."""

import copy
import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from skpairclust.clusterer._batching import ConstraintBatches
from skpairclust.clusterer._losses import balance_kinds, mcl_loss
from skpairclust.neural._streams import shuffled_stream
from skpairclust.neural._torch_utils import (
    load_numpy_state,
    to_device,
    to_numpy_state,
)
from skpairclust.neural._training import settle, train

# Some random networks merge and split classes of MNIST for good; which ones shows
# after a sixth of the epochs, and without adversarial passes, which cost the most.
_N_TRIALS, _SHARE = 4, 1 / 6

# Batches that a network is judged by, and the share of pairs that walks get wrong.
_N_BATCHES, _WRONG = 32, 0.05

# Steps in which a start from structure is taught, and how softly.
_N_LESSONS, _SOFTNESS = 128, 0.1


class Rival(NamedTuple):
    """A start from structure.

    Attributes
    ----------
    name : str
    misfit : float
        How badly it explains walked pairs after a short training.
    weights : dict of str to ndarray
        Before that training, which has no adversarial passes.
    """

    name: str
    misfit: float
    weights: dict


class Trials:
    """Train a network from the start that explains pairs best.

    Networks memorize the pairs, so all satisfy them. They differ in the likelihood of
    the pairs after their samples have walked to neighbors.

    Parameters
    ----------
    rows : FeatureRows
    constraints : PairwiseConstraints
    task : ClusteringTask
    seed : int
    make_objective : callable
        Makes the loss of a step of ``(rows, constraints, task, seed)``.
    hooks : EpochHooks
        What is called after the epochs of the first training; prints all others.
    """

    def __init__(self, rows, constraints, task, seed, make_objective, hooks):
        self.rows = rows
        self.constraints = constraints
        self.task = task
        self.seed = seed
        self.make_objective = make_objective
        self.hooks = hooks
        # What was trained before starts as it is; without walks there is no judging.
        self.can_judge = task.walk is not None and task.initial_weights is None
        self.batches = _draw_batches(constraints, task, seed) if self.can_judge else []

    def run(self, network):
        """Train `network` and return the `TrainingRun`, which names the start.

        The most promising random start is trained first. If a start from structure
        explains walked pairs better than that one does in the end, it is trained too,
        and stays unless it ends worse by more than chance, or, with few pairs, if it
        ends better by more than that.
        """
        interrupted = self.choose_random(network)
        if interrupted is not None:
            return interrupted
        rival = self.find_rival()
        run = self._train(network, self.task, self.seed, self.hooks)
        # What the user or a callback stopped has ended.
        is_over = run.interrupted or run.weights is None or self.hooks.is_stopped
        if rival is None or is_over:
            return run
        misfit = self.judge(network)
        if misfit.mean() <= rival.misfit:
            return run
        other = self.task.architecture.start(self.seed, self.rows.device, rival.weights)
        with self.hooks.watch_trial(rival.name, self.task.training.max_iter) as hook:
            rerun = self._train(other, self.task, self.seed, hook)
        if rerun.weights is None:
            return run
        loss = self.judge(other) - misfit
        # Where both are alike, what structure says has something for it. With few
        # pairs they are alike by chance, and the random start stays.
        chance = loss.std() / math.sqrt(len(loss))
        if loss.mean() > (chance if self.task.evidence.can_judge else -chance):
            return run
        network.load_state_dict(other.state_dict())
        rerun.start = rival.name
        return rerun

    def choose_random(self, network):
        """Load the most promising of a few short trainings from random weights.

        Returns
        -------
        TrainingRun or None
            The trial that the user interrupted, None if all ran.
        """
        short = self._shorten()
        if short is None or not self.task.evidence.can_judge:
            return None
        lowest, best = math.inf, None
        seeds = np.random.RandomState(self.seed).randint(2**31, size=_N_TRIALS)
        for number, trial_seed in enumerate(seeds, 1):
            candidate = self.task.architecture.start(int(trial_seed), self.rows.device)
            label = f"trial {number}/{_N_TRIALS}"
            with self.hooks.watch_trial(label, short.training.max_iter) as hook:
                run = self._train(candidate, short, int(trial_seed), hook)
            if run.interrupted:
                network.load_state_dict(candidate.state_dict())
                return run
            if run.weights is None:
                continue
            misfit = self.judge(candidate, of_structure=False).mean()
            if misfit < lowest:
                lowest, best = misfit, run.weights
        if best is not None:
            load_numpy_state(network, best)
        return None

    def find_rival(self):
        """Return the start from structure that explains pairs best, None for none."""
        short = self._shorten()
        if short is None:
            return None
        taught = []
        for name, labels in self.task.starts.items():
            network = self.task.architecture.start(self.seed, self.rows.device)
            lessons = teach(network, self.rows, labels, self.task, self.seed)
            if lessons.weights is not None and not lessons.interrupted:
                taught.append((self.judge(network).mean(), name, network))
        if not taught:
            return None
        _, name, network = min(taught, key=lambda start: start[0])
        weights = to_numpy_state(network)
        with self.hooks.watch_trial(name, short.training.max_iter) as hook:
            run = self._train(network, short, self.seed, hook)
        if run.weights is None or run.interrupted:
            return None
        return Rival(name, self.judge(network).mean(), weights)

    def judge(self, network, *, of_structure=True):
        """Return how badly a network explains each batch of walked pairs.

        An ndarray of the negative log-likelihoods, in nats. The weights and statistics
        of the network stay as they are; it is left in training mode. `of_structure`
        says whether random starts and those from structure are compared.
        """
        before = copy.deepcopy(network.state_dict())
        # With many clusters, merged ones cost almost nothing unless must-links have
        # half of the weight; with few pairs, a few must-links would decide alone.
        balanced = of_structure and self.task.evidence.can_judge
        if of_structure:
            settle(network, self.rows, None, self.task.objective.batch_size, self.seed)
        network.eval()
        with torch.no_grad():
            losses = [
                mcl_loss(
                    network(self.rows.take(walked)).log_softmax(1),
                    self._weigh(relation, balanced),
                    flip_rate=_WRONG,
                )
                for walked, relation in self.batches
            ]
        network.load_state_dict(before)
        network.train()
        return torch.stack(losses).cpu().numpy()

    def _weigh(self, relation, balanced):
        """Return a relation matrix on the device, its kinds balanced if asked for."""
        relation = to_device(relation, self.rows.device)
        return balance_kinds(relation, 0.5) if balanced else relation

    def _train(self, network, task, seed, on_epoch):
        """Train a network on the loss of a task."""
        objective = self.make_objective(self.rows, self.constraints, task, seed)
        n_steps = objective.n_steps
        return train(network, objective, n_steps, task.training, on_epoch=on_epoch)

    def _shorten(self):
        """Return the task of a short training, None where nothing can be judged."""
        n_epochs = int(_SHARE * self.task.training.max_iter)
        if not (self.can_judge and n_epochs):
            return None
        training = replace(self.task.training, max_iter=n_epochs, n_iter_no_change=None)
        objective = replace(self.task.objective, adversarial_weight=0.0)
        return replace(self.task, objective=objective, training=training)


def teach(network, rows, labels, task, seed):
    """Teach a network a clustering, -1 for none; return the `TrainingRun`."""
    known = np.flatnonzero(labels >= 0)
    target = to_device(labels, rows.device)
    rng = np.random.RandomState(seed)
    stream = shuffled_stream(len(known), task.objective.batch_size, rng)

    def compute_loss(network):
        drawn = known[next(stream)]
        return functional.cross_entropy(
            network(rows.take(drawn)),
            target[to_device(drawn, rows.device)],
            label_smoothing=_SOFTNESS,
        )

    options = replace(task.training, max_iter=1, schedule="constant")
    return train(network, compute_loss, _N_LESSONS, options)


def _draw_batches(constraints, task, seed):
    """Return batches of walked rows and what is known of those they came from."""
    rng = np.random.RandomState(seed)
    stream = iter(ConstraintBatches(constraints, task.objective.batch_size, rng))
    drawn = [next(stream) for _ in range(_N_BATCHES)]
    return [(task.walk(batch.rows, rng), batch.relation) for batch in drawn]
