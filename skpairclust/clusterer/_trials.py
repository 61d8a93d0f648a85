"""Several clusterings are tried, and the training starts from what they say together.

Each clustering that structure proposes is taught to a small network, which is trained
for a short while; where there are enough pairs, so are a few networks from random
weights. All of them satisfy the pairs, which networks memorize. They differ in the
likelihood of the pairs after their samples have walked to neighbors. By that, they vote
on the cluster of each sample, and the training starts from the outcome.
"""

import copy
import math
from contextlib import nullcontext
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from skpairclust.clusterer._batching import ConstraintBatches
from skpairclust.clusterer._losses import mcl_loss
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._voting import Trial, vote
from skpairclust.neural._epoch_hooks import EpochHooks
from skpairclust.neural._streams import shuffled_stream
from skpairclust.neural._torch_utils import (
    default_torch_state,
    global_rng,
    resolve_device,
    to_device,
)
from skpairclust.neural._training import settle, train

# Networks that set out at random, where there are enough pairs: with fewer, they never
# come near those that structure proposes.
_N_RANDOM = 2

# Shares of the epochs: of each trial, which goes without adversarial passes, for these
# cost the most; and of the training that starts from the outcome, if an epoch is a pass
# over all samples.
_TRIAL, _REST = 1 / 6, 0.4

# Units in a layer of a network that is tried: only its clusters count, and wide layers
# find no better ones.
_WIDTH = 128

# Steps of the training after the trials at least, as far as there are epochs for them:
# networks of users may learn slowly.
_LEAST_STEPS = 200

# Steps at most in an epoch of a trial, however many pairs there are.
_MOST_STEPS = 64

# Steps of a trial at least, for each cluster and in all: random weights need so many to
# come to something.
_STEPS_A_CLUSTER, _ENOUGH_STEPS = 16, 96

# Batches that a network is judged by, the share of samples that walk at least, and that
# of pairs that walks get wrong.
_N_BATCHES, _WALKING, _WRONG = 32, 0.5, 0.05

# Steps in which a clustering is taught, passes over it at most, and how softly.
_N_LESSONS, _MOST_PASSES, _SOFTNESS = 48, 32, 0.1


class Outcome(NamedTuple):
    """What the trials came to, to start from.

    Attributes
    ----------
    start : str
        What the best trial started from.
    labels : ndarray of shape (n_samples,), int64
        Cluster of each sample, -1 for those that were not looked at.
    n_epochs : int
        How long to train from there.
    interrupted : bool
        Whether the user stopped the trials.
    """

    start: str
    labels: np.ndarray
    n_epochs: int
    interrupted: bool = False


def try_starts(X, constraints, task, seed, label="fit"):
    """Return what trials come to, None where there is nothing to judge them by.

    Parameters
    ----------
    X : array, CSR matrix or LazyRows of shape (n_samples, ...)
    constraints : PairwiseConstraints
    task : ClusteringTask
    seed : int
    label : str
        Begins the progress lines.

    Returns
    -------
    Outcome or None
    """
    # What was trained before starts as it is; without walks there is no judging.
    if task.walk is None or task.initial_weights is not None:
        return None
    own = callable(task.architecture.network)
    device = resolve_device(task.device)
    seeded = global_rng(seed, device) if own else nullcontext()
    with default_torch_state(), seeded:
        rows = task.architecture.make_rows(X, device)
        hooks = EpochHooks(None, task, label)
        return Trials(rows, constraints, task, seed, hooks).run()


class Trials:
    """Short trainings, their judgment and their vote.

    Parameters
    ----------
    rows : FeatureRows
    constraints : PairwiseConstraints
    task : ClusteringTask
    seed : int
    hooks : EpochHooks
        Prints the epochs of trials, if asked for.
    make_objective : callable, default=PairObjective
        Makes the loss of a step of ``(rows, constraints, task, seed)``.
    """

    def __init__(
        self, rows, constraints, task, seed, hooks, make_objective=PairObjective
    ):
        self.rows = rows
        self.constraints = constraints
        self.task = task
        self.seed = seed
        self.hooks = hooks
        self.make_objective = make_objective
        self.n_epochs = int(_TRIAL * task.training.max_iter)
        if self.n_epochs:
            self.short = self._shorten(self.n_epochs)
            objective = make_objective(
                rows, constraints, self.short, seed, most_steps=_MOST_STEPS
            )
            self.n_steps = objective.n_steps
            n_needed = min(
                _STEPS_A_CLUSTER * task.architecture.n_outputs, _ENOUGH_STEPS
            )
            n_epochs = max(self.n_epochs, math.ceil(n_needed / self.n_steps))
            self.short = self._shorten(min(n_epochs, task.training.max_iter))
            self.batches = _draw_batches(constraints, task, seed, rows.device)

    def run(self):
        """Return the `Outcome`, None if there are too few epochs for any trial."""
        if not self.n_epochs:
            return None
        trials, interrupted = [], False
        starts = self._list_starts()
        seeds = np.random.RandomState(self.seed).randint(2**31, size=len(starts))
        for number, (name, labels) in enumerate(starts):
            network, run = self._try(number, name, labels, int(seeds[number]))
            if run.weights is not None:
                trials.append(Trial(name, *self.judge(network)))
            interrupted = run.interrupted
            if interrupted:
                break
        if not trials and interrupted:
            nothing = np.full(len(self.rows), -1, dtype=np.int64)
            return Outcome("random", nothing, 0, interrupted)
        return self._conclude(trials, interrupted) if trials else None

    def judge(self, network):
        """Return how badly a network explains walked pairs, and its clusters.

        The weights and statistics of the network stay as they are; it is left in
        training mode.

        Returns
        -------
        misfit : float
        labels : ndarray of shape (n_nodes,), int64
        """
        before = copy.deepcopy(network.state_dict())
        settle(network, self.rows, None, self.task.objective.batch_size, self.seed)
        network.eval()
        nodes, size = self.task.walk.nodes, self.task.objective.batch_size
        with torch.no_grad():
            misfits = [
                mcl_loss(
                    network(self.rows.take(walked)).log_softmax(1),
                    relation,
                    flip_rate=_WRONG,
                )
                for walked, relation in self.batches
            ]
            labels = [
                network(self.rows.take(nodes[first : first + size])).argmax(1)
                for first in range(0, len(nodes), size)
            ]
        network.load_state_dict(before)
        network.train()
        return float(torch.stack(misfits).mean()), torch.cat(labels).cpu().numpy()

    def _conclude(self, trials, interrupted):
        """Return what trials say together."""
        labels = np.full(len(self.rows), -1, dtype=np.int64)
        labels[self.task.walk.nodes] = vote(
            trials, self.constraints.n_pairs, self.task.architecture.n_outputs
        )
        best = min(trials, key=lambda trial: trial.misfit)
        return Outcome(best.start, labels, self._count_epochs(), interrupted)

    def _list_starts(self):
        """Return names and labels of starts, None for random weights."""
        n_random = _N_RANDOM if self.task.evidence.tries_random else 0
        return [*self.task.starts.items(), *[("random", None)] * n_random]

    def _try(self, number, name, labels, seed):
        """Return a network and its short training from a start."""
        network = self.short.architecture.start(seed, self.rows.device)
        if labels is not None:
            lessons = teach(network, self.rows, labels, self.task, seed)
            if lessons.weights is None or lessons.interrupted:
                return network, lessons
        title, max_iter = f"trial {number + 1} ({name})", self.short.training.max_iter
        with self.hooks.watch_trial(title, max_iter) as hook:
            objective = self.make_objective(
                self.rows, self.constraints, self.short, seed, most_steps=_MOST_STEPS
            )
            run = train(
                network,
                objective,
                objective.n_steps,
                self.short.training,
                on_epoch=hook,
            )
        return network, run

    def _count_epochs(self):
        """Return the epochs of the training that starts from the outcome."""
        max_iter = self.task.training.max_iter
        drawn = self.n_steps * self.task.objective.batch_size
        passes = min(1.0, drawn / len(self.rows))
        enough = max(_REST * max_iter / passes, _LEAST_STEPS / self.n_steps)
        return min(max_iter, math.ceil(enough))

    def _shorten(self, n_epochs):
        """Return the task of a short training of a small network."""
        sizes = self.task.architecture.hidden_layer_sizes
        return replace(
            self.task,
            architecture=replace(
                self.task.architecture,
                hidden_layer_sizes=tuple(min(size, _WIDTH) for size in sizes),
            ),
            objective=replace(self.task.objective, adversarial_weight=0.0),
            training=replace(
                self.task.training, max_iter=n_epochs, n_iter_no_change=None
            ),
        )


def begin(network, rows, outcome, task, seed):
    """Teach a network the outcome of trials.

    Returns
    -------
    task : ClusteringTask
        With the epochs that are left.
    run : TrainingRun or None
        What there is to keep, if the user stopped; None to go on.
    """
    lessons = teach(network, rows, outcome.labels, task, seed)
    if outcome.interrupted or lessons.interrupted:
        return task, replace(lessons, interrupted=True, start=outcome.start)
    training = replace(task.training, max_iter=outcome.n_epochs)
    return replace(task, training=training), None


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
    one_pass = math.ceil(len(known) / task.objective.batch_size)
    n_steps = min(_N_LESSONS, _MOST_PASSES * one_pass)
    return train(network, compute_loss, n_steps, options)


def _draw_batches(constraints, task, seed, device):
    """Return batches of walked rows and what is known of those they came from.

    The latter is on the device: all trials are judged by it.
    """
    rng = np.random.RandomState(seed)
    stream = iter(ConstraintBatches(constraints, task.objective.batch_size, rng))
    drawn = [next(stream) for _ in range(_N_BATCHES)]
    return [
        (
            task.walk(batch.rows, rng, least_share=_WALKING),
            to_device(batch.relation, device),
        )
        for batch in drawn
    ]
