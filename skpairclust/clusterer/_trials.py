"""Several clusterings are tried, and the training starts from what they say together.

Each clustering that structure proposes is taught to a small network, which is trained
for a short while. All of them satisfy the pairs, which networks memorize. They differ
in the likelihood of the pairs after their samples have walked to neighbors. By that,
they vote on the cluster of each sample, and the training starts from the outcome.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skpairclust.clusterer._judge import Judge
from skpairclust.clusterer._lessons import teach
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._voting import Trial, vote
from skpairclust.neural._distributed import ALONE
from skpairclust.neural._epoch_hooks import EpochHooks
from skpairclust.neural._tasks import training_state
from skpairclust.neural._torch_utils import resolve_device
from skpairclust.neural._training import train

# Shares of the epochs: of each trial, which goes without adversarial passes, for these
# cost the most; and of the training that starts from the outcome, if an epoch is a pass
# over all samples, and at most.
_TRIAL, _REST, _MOST = 1 / 12, 0.4, 0.75

# Units in a layer of a network that is tried: only its clusters count, and wide layers
# find no better ones.
_WIDTH = 128

# Epochs of a training that trials are worth while before.
_SHORTEST = 6

# Steps of the training after the trials at least, as far as there are epochs for them:
# networks of users may learn slowly.
_LEAST_STEPS = 200

# Steps at most in an epoch of a trial, however many pairs there are.
_MOST_STEPS = 64

# Steps of a trial at least.
_ENOUGH_STEPS = 96


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


def try_starts(X, constraints, task, seed, label="fit", group=ALONE, callbacks=None):
    """Return what trials come to, None if there is nothing to try.

    Without walks there is no judging, and a single start is taken as it is.

    Parameters
    ----------
    X : array, CSR matrix or LazyRows of shape (n_samples, ...)
    constraints : PairwiseConstraints
    task : ClusteringTask
    seed : int
    label : str
        Begins the progress lines.
    group : Group, optional
        The processes that have a part of the trials each.
    callbacks : TrialCallbacks, optional

    Returns
    -------
    Outcome or None
    """
    # What was trained before starts as it is.
    if not task.starts or task.initial_weights is not None:
        return None
    if task.walk is None:
        ((start, labels),) = task.starts.items()
        return Outcome(start, labels, task.training.max_iter)
    with training_state(task, seed):
        rows = task.architecture.make_rows(X, resolve_device(task.device))
        hooks = EpochHooks(None, task, label, trials=callbacks)
        return Trials(rows, constraints, task, seed, hooks).run(group)


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
        max_iter = task.training.max_iter
        self.n_epochs = max(1, int(_TRIAL * max_iter)) if max_iter >= _SHORTEST else 0
        if self.n_epochs:
            self.short = self._shorten(self.n_epochs)
            self.n_steps = self._make_objective(seed).n_steps
            n_epochs = max(self.n_epochs, math.ceil(_ENOUGH_STEPS / self.n_steps))
            self.short = self._shorten(min(n_epochs, task.training.max_iter))
            self.judge = Judge(rows, constraints, task, seed)

    def run(self, group=ALONE):
        """Return the `Outcome`, None if there are too few epochs for any trial."""
        if not self.n_epochs:
            return None
        trials, interrupted = [], False
        starts = self.task.starts
        seeds = np.random.RandomState(self.seed).randint(2**31, size=len(starts))
        for number, (name, labels) in group.own_part([*enumerate(starts.items())]):
            try:
                network, run = self._try(number, name, labels, int(seeds[number]))
                interrupted = run.interrupted
                # Half a lesson, or half a trial, would vote against whole ones.
                is_usable = run.weights is not None and not interrupted
                trials.append(Trial(name, *self.judge(network)) if is_usable else None)
            except KeyboardInterrupt:
                if not group.is_alone:
                    # The others wait for this process until it ends.
                    raise
                # The trials before it stand.
                interrupted = True
            if interrupted:
                break
        trials = [trial for trial in group.join_parts(trials) if trial is not None]
        interrupted = any(group.gather(interrupted))
        if not trials and interrupted:
            name, labels = next(iter(starts.items()))
            return Outcome(name.split()[0], labels, 0, interrupted)
        return self._conclude(trials, interrupted) if trials else None

    def _conclude(self, trials, interrupted):
        """Return what trials say together."""
        labels = np.full(len(self.rows), -1, dtype=np.int64)
        labels[self.task.walk.nodes] = vote(
            trials, self.constraints.n_pairs, self.task.architecture.n_outputs
        )
        best = min(trials, key=lambda trial: trial.misfit)
        # Without the number of clusters.
        start = best.start.split()[0]
        return Outcome(start, labels, self._count_epochs(), interrupted)

    def _try(self, number, name, labels, seed):
        """Return a network and its short training from a start."""
        network = self.short.architecture.start(seed, self.rows.device)
        self.short.architecture.lay_out(network, self.rows)
        lessons = teach(network, self.rows, labels, self.task, seed)
        if lessons.weights is None or lessons.interrupted:
            return network, lessons
        title, max_iter = f"trial {number + 1} ({name})", self.short.training.max_iter
        with self.hooks.watch_trial(title, max_iter) as hook:
            objective = self._make_objective(seed)
            run = train(
                network,
                objective,
                objective.n_steps,
                self.short.training,
                on_epoch=hook,
            )
        return network, run

    def _make_objective(self, seed):
        """Return the loss of a short training."""
        return self.make_objective(
            self.rows, self.constraints, self.short, seed, most_steps=_MOST_STEPS
        )

    def _count_epochs(self):
        """Return the epochs of the training that starts from the outcome."""
        max_iter = self.task.training.max_iter
        drawn = self.n_steps * self.task.objective.batch_size
        passes = min(1.0, drawn / len(self.rows))
        share = min(_MOST, _REST / passes)
        enough = max(share * max_iter, _LEAST_STEPS / self.n_steps)
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
