"""Several clusterings are tried, and the training starts from what they say together.

References
----------
Dudoit, Fridlyand (2003). Bagging to improve the accuracy of a clustering procedure.
Bioinformatics.
"""

import copy
import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix
from torch.nn import functional

from skpairclust.clusterer._batching import ConstraintBatches
from skpairclust.clusterer._losses import mcl_loss
from skpairclust.neural._checkpoint import Checkpoint
from skpairclust.neural._streams import shuffled_stream
from skpairclust.neural._torch_utils import to_device
from skpairclust.neural._training import settle, train

# Networks that set out at random, where there are enough pairs: with fewer, they never
# come near those that structure proposes.
_N_RANDOM = 2

# Shares of the epochs: of each trial, which goes without adversarial passes, for these
# cost the most; and of the training that starts from the outcome, if an epoch is a pass
# over all samples.
_TRIAL, _REST = 1 / 6, 0.4

# Steps of that training at least, as far as there are epochs for them: networks of
# users may learn slowly.
_LEAST_STEPS = 200

# Steps at most in an epoch of a trial, however many pairs there are.
_MOST_STEPS = 64

# Steps of a trial at least, for each cluster and in all: random weights need so many to
# come to something.
_STEPS_A_CLUSTER, _ENOUGH_STEPS = 16, 160

# Batches that a network is judged by, the share of samples that walk at least, and that
# of pairs that walks get wrong.
_N_BATCHES, _WALKING, _WRONG = 32, 0.5, 0.05

# Steps in which a clustering is taught, passes over it at most, and how softly.
_N_LESSONS, _MOST_PASSES, _SOFTNESS = 128, 32, 0.1

# What a walked pair tells, as a share of what a new pair would.
_WORTH = 0.3

# Clusters in use up to which the clusterings of trials are matched to one another.
_MOST_MATCHED = 1000


class Trial(NamedTuple):
    """What a short training came to.

    Attributes
    ----------
    start : str
        What it started from.
    misfit : float
        Negative log-likelihood of a pair whose samples walked, in nats.
    labels : ndarray of shape (n_nodes,), int64
        Cluster of each sample that `Trials` looks at.
    """

    start: str
    misfit: float
    labels: np.ndarray


class Trials:
    """Train a network from what short trainings agree on.

    Each clustering that structure proposes is taught to a network, which is trained
    for a short while; where there are enough pairs, so are a few networks from random
    weights. All of them satisfy the pairs, which networks memorize. They differ in the
    likelihood of the pairs after their samples have walked to neighbors. By that, they
    vote on the cluster of each sample, and the network learns the outcome first.

    Parameters
    ----------
    rows : FeatureRows
    constraints : PairwiseConstraints
    task : ClusteringTask
    seed : int
    make_objective : callable
        Makes the loss of a step of ``(rows, constraints, task, seed)``.
    hooks : EpochHooks
        What is called after the epochs of the training; prints those of trials.
    checkpoint : Checkpoint, optional
        Where the training goes on, and which trials are done.
    """

    def __init__(
        self, rows, constraints, task, seed, make_objective, hooks, checkpoint=None
    ):
        self.rows = rows
        self.constraints = constraints
        self.task = task
        self.seed = seed
        self.make_objective = make_objective
        self.hooks = hooks
        self.checkpoint = checkpoint or Checkpoint()
        n_epochs = int(_TRIAL * task.training.max_iter)
        # What was trained before starts as it is; without walks there is no judging.
        can_judge = task.walk is not None and task.initial_weights is None
        self.short = self.batches = None
        if can_judge and n_epochs:
            self.short = self._shorten(n_epochs)
            self.n_steps = make_objective(rows, constraints, self.short, seed).n_steps
            n_needed = _STEPS_A_CLUSTER * task.architecture.n_outputs
            enough = math.ceil(min(n_needed, _ENOUGH_STEPS) / self.n_steps)
            n_epochs = min(max(n_epochs, enough), task.training.max_iter)
            self.short = self._shorten(n_epochs)
            self.batches = _draw_batches(constraints, task, seed, rows.device)

    def run(self, network):
        """Train `network` and return the `TrainingRun`, which names the start."""
        if self.checkpoint.has_begun:
            return self._go_on(network)
        trials, n_tried = self._recall()
        if self.short is not None:
            starts = self._list_starts()
            seeds = np.random.RandomState(self.seed).randint(2**31, size=len(starts))
            for number, (name, labels) in enumerate(starts):
                if number < n_tried:
                    continue
                candidate, run = self._try(number, name, labels, int(seeds[number]))
                if run.interrupted:
                    network.load_state_dict(candidate.state_dict())
                    return run
                if run.weights is not None:
                    trials.append(Trial(name, *self.judge(candidate)))
                self._note(trials, number + 1)
        task, start = self.task, "random"
        if trials:
            start = min(trials, key=lambda trial: trial.misfit).start
            labels = np.full(len(self.rows), -1, dtype=np.int64)
            labels[task.walk.nodes] = vote(
                trials, self.constraints.n_pairs, task.architecture.n_outputs
            )
            lessons = teach(network, self.rows, labels, task, self.seed)
            if lessons.interrupted:
                return lessons
            n_epochs = self._count_epochs()
            task = replace(task, training=replace(task.training, max_iter=n_epochs))
        self.checkpoint.notes = {"start": start, "max_iter": task.training.max_iter}
        return self._go_on(network)

    def _go_on(self, network):
        """Train the network that trials have led to, or one that was begun before."""
        start, max_iter = (self.checkpoint.notes[n] for n in ("start", "max_iter"))
        self.hooks.expect(max_iter)
        task = replace(
            self.task, training=replace(self.task.training, max_iter=max_iter)
        )
        run = self._train(
            network, task, self.seed, self.hooks, checkpoint=self.checkpoint
        )
        run.start = start
        return run

    def _recall(self):
        """Return the trials that were judged before, and how many were done."""
        if "trials" not in self.checkpoint.notes:
            return [], 0
        self.checkpoint.restore_generators()
        notes = self.checkpoint.notes
        return [Trial(*trial) for trial in notes["trials"]], notes["n_tried"]

    def _note(self, trials, n_tried):
        """Keep what trials came to, if it is time."""
        self.checkpoint.notes = {"trials": trials, "n_tried": n_tried}
        if self.checkpoint.is_due():
            self.checkpoint.write()

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

    def _list_starts(self):
        """Return names and labels of starts, None for random weights."""
        n_random = _N_RANDOM if self.task.evidence.tries_random else 0
        return [*self.task.starts.items(), *[("random", None)] * n_random]

    def _try(self, number, name, labels, seed):
        """Return a network and its short training from a start."""
        network = self.task.architecture.start(seed, self.rows.device)
        if labels is not None:
            lessons = teach(network, self.rows, labels, self.task, seed)
            if lessons.weights is None or lessons.interrupted:
                return network, lessons
        title, max_iter = f"trial {number + 1} ({name})", self.short.training.max_iter
        with self.hooks.watch_trial(title, max_iter) as hook:
            run = self._train(network, self.short, seed, hook, most_steps=_MOST_STEPS)
        return network, run

    def _train(self, network, task, seed, on_epoch, most_steps=None, checkpoint=None):
        """Train a network on the loss of a task."""
        objective = self.make_objective(
            self.rows, self.constraints, task, seed, most_steps=most_steps
        )
        n_steps = objective.n_steps
        return train(
            network,
            objective,
            n_steps,
            task.training,
            on_epoch=on_epoch,
            checkpoint=checkpoint,
        )

    def _count_epochs(self):
        """Return the epochs of the training that starts from the outcome."""
        max_iter = self.task.training.max_iter
        drawn = self.n_steps * self.task.objective.batch_size
        passes = min(1.0, drawn / len(self.rows))
        enough = max(_REST * max_iter / passes, _LEAST_STEPS / self.n_steps)
        return min(max_iter, math.ceil(enough))

    def _shorten(self, n_epochs):
        """Return the task of a short training."""
        training = replace(self.task.training, max_iter=n_epochs, n_iter_no_change=None)
        objective = replace(self.task.objective, adversarial_weight=0.0)
        return replace(self.task, objective=objective, training=training)


def vote(trials, n_pairs, n_clusters):
    """Return the clusters that trials give samples together.

    A trial has the weight of a model among others, given the pairs: the likelihood of
    all pairs, as if those that were walked were new ones. Clusters are matched with
    those of the best trial.

    Parameters
    ----------
    trials : list of Trial
    n_pairs : int
    n_clusters : int

    Returns
    -------
    ndarray of shape (n_nodes,), int64
    """
    misfit = np.array([trial.misfit for trial in trials])
    best = trials[int(misfit.argmin())].labels
    weights = np.exp(_WORTH * n_pairs * (misfit.min() - misfit))
    if len(np.unique(best)) > _MOST_MATCHED:
        return best
    matched = [match(trial.labels, best, n_clusters) for trial in trials]
    # Of each trial the weight of all that agree with it.
    support = [
        sum(w * (own == labels) for w, own in zip(weights, matched, strict=True))
        for labels in matched
    ]
    return np.choose(np.argmax(support, axis=0), matched)


def match(labels, reference, n_clusters):
    """Return `labels` renamed so that as many as possible agree with the reference.

    Both are numbers below `n_clusters`. Clusters without a counterpart get numbers
    that the reference does not use.
    """
    names, own = np.unique(labels, return_inverse=True)
    others = np.unique(reference)
    rows, columns = linear_sum_assignment(
        contingency_matrix(labels, reference), maximize=True
    )
    renamed = np.full(len(names), -1, dtype=np.int64)
    renamed[rows] = others[columns]
    free = np.setdiff1d(np.arange(n_clusters), others)
    left = np.flatnonzero(renamed < 0)
    renamed[left] = free[: len(left)]
    return renamed[own]


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
