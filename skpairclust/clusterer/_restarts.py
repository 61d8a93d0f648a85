"""Restarts: one after another or through joblib."""

import copy
import math
import warnings
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from joblib import effective_n_jobs
from sklearn.exceptions import ConvergenceWarning

from skpairclust.clusterer._judge import Judge
from skpairclust.clusterer._lessons import teach
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._parallel import run_in_parallel
from skpairclust.clusterer._settling import Settling
from skpairclust.clusterer._trials import Outcome, try_starts
from skpairclust.neural._checkpoint import Checkpoint, CheckpointFile
from skpairclust.neural._distributed import ALONE
from skpairclust.neural._tasks import run_task
from skpairclust.neural._torch_utils import to_numpy_state
from skpairclust.neural._training import train


def run_restarts(
    X,
    constraints,
    task,
    seeds,
    *,
    n_jobs=None,
    hooks=None,
    files=None,
    group=ALONE,
    callbacks=None,
):
    """Train a network from each seed, all from the outcome of the same trials.

    Processes of a group have a part of the restarts each, or, if there are fewer
    restarts than processes, train one after another together.

    Parameters
    ----------
    X : array or CSR matrix of shape (n_samples, ...)
    constraints : PairwiseConstraints
    task : ClusteringTask
    seeds : array of int
    n_jobs : int or None
        Number of restarts at a time. Only numpy arrays go to a worker and come back.
    hooks : list, optional
        A hook, or None, for each restart, which is called after its epochs. With any
        hook the restarts run one after another, because callbacks watch a single run.
    files : list of CheckpointFile, optional
        Where each restart keeps its state and, last, where the trials do.
    group : Group, optional
    callbacks : TrialCallbacks, optional
        Are told of the trials.

    Returns
    -------
    list of TrainingRun
    """
    files = files or [CheckpointFile()] * (len(seeds) + 1)
    with nullcontext() if callbacks is None else callbacks.all():
        outcome = _recall_outcome(
            X, constraints, task, int(seeds[0]), files[-1], group, callbacks
        )
    if outcome is not None and outcome.interrupted:
        seeds = seeds[:1]
    is_split = len(seeds) >= group.size
    jobs = [
        partial(
            run_restart,
            X,
            constraints,
            task,
            outcome,
            int(seed),
            f"[{number}/{len(seeds)}]",
            checkpoint_file=file,
            group=ALONE if is_split else group,
            # Losses of trainings of other lengths could not be compared.
            may_settle=len(seeds) == 1,
        )
        for number, (seed, file) in enumerate(zip(seeds, files, strict=False), 1)
    ]
    hooks = hooks[: len(jobs)] if hooks else [None] * len(jobs)
    if is_split:
        own, hooks = group.own_part(jobs), group.own_part(hooks)
        return group.join_parts(_run_jobs(own, hooks, n_jobs))
    return _run_jobs(jobs, hooks, n_jobs=1)


def _run_jobs(jobs, hooks, n_jobs):
    """Return the runs of restarts, all of them unless the user stops one."""
    if not any(hooks) and min(effective_n_jobs(n_jobs), len(jobs)) > 1:
        return run_in_parallel(jobs, n_jobs)
    runs = []
    for job, hook in zip(jobs, hooks, strict=True):
        runs.append(job(hook=hook))
        # Ctrl-C ends this restart and those to come.
        if runs[-1].interrupted:
            break
    return runs


def _recall_outcome(X, constraints, task, seed, file, group, callbacks):
    """Return the outcome of trials, which a fit that was killed may have kept."""
    checkpoint = Checkpoint(file, group=group)
    if "outcome" in checkpoint.notes:
        return Outcome(*checkpoint.notes["outcome"])
    outcome = try_starts(X, constraints, task, seed, group=group, callbacks=callbacks)
    if outcome is not None and not outcome.interrupted:
        checkpoint.note(outcome=outcome)
    return outcome


def choose_run(runs):
    """Return the run with the lowest loss, if possible one that ended well.

    Warns
    -----
    ConvergenceWarning
        If all trainings ended worse than where they started.
    """
    best = min(runs, key=lambda run: (run.gave_way, run.loss))
    if best.gave_way:
        warnings.warn(
            "After the training, more pairs of neighbors were violated than by the "
            f"clusters that it started from (start_={best.start!r}): these are kept. "
            "Are many pairs wrong (see noise_rate), or is learning_rate too high?",
            ConvergenceWarning,
            stacklevel=3,
        )
    return best


def run_restart(
    X,
    constraints,
    task,
    outcome,
    seed,
    label="fit",
    hook=None,
    checkpoint_file=None,
    group=ALONE,
    may_settle=True,
):
    """Train one network from its own seed.

    Parameters
    ----------
    X : array, CSR matrix or LazyRows of shape (n_samples, ...)
    constraints : PairwiseConstraints
    task : ClusteringTask
    outcome : Outcome or None
        What the training starts from; None for weights as they are.
    seed : int
        Decides the initial weights, the batches and the noise.
    label : str
        Begins the progress line.
    hook : callable, optional
        Called after each epoch: see `_epoch_hooks`.
    checkpoint_file : CheckpointFile, optional
        Where the training goes on if it was begun before.
    group : Group, optional
        The processes that train it together.
    may_settle : bool, default=True
        Whether the training ends when clusters no longer change, if unlabeled samples
        are used and it starts from clusters.

    Returns
    -------
    TrainingRun
    """

    def fit_network(network, rows, hooks, checkpoint):
        if outcome is None:
            return _train(
                network, rows, constraints, task, seed, hooks, checkpoint, group
            )
        judge = None if task.walk is None else Judge(rows, constraints, task, seed)
        notes = checkpoint.notes
        if "taught" not in notes:
            run, violations = _teach(network, rows, outcome, task, seed, judge, group)
            if run.interrupted:
                return replace(run, start=outcome.start)
            taught = copy.deepcopy(network.state_dict())
            checkpoint.note(taught=taught, violations=violations)
        network.load_state_dict(notes["taught"])
        hooks.expect(outcome.n_epochs)
        training = replace(task.training, max_iter=outcome.n_epochs)
        left = replace(task, training=training)
        run = _train(
            *(network, rows, constraints, left, seed, hooks, checkpoint, group),
            may_settle=may_settle and left.objective.unlabeled is not None,
        )
        if judge is not None:
            run = _give_way(run, network, judge, notes, group)
        return replace(run, start=outcome.start)

    return run_task(
        X,
        task,
        seed,
        fit_network,
        label=label,
        hook=hook,
        checkpoint_file=checkpoint_file,
        group=group,
    )


def _teach(network, rows, outcome, task, seed, judge, group):
    """Teach a network what trials came to; return the run and the pairs it violates.

    Of an interrupted one, no pairs: it has begun no epoch.
    """
    violations, interrupted = None, outcome.interrupted
    run = teach(network, rows, outcome.labels, task, seed)
    if run.interrupted:
        # Half a lesson is worse than what it teaches, and the rest takes no long time.
        interrupted = True
        run = teach(network, rows, outcome.labels, task, seed)
    if not interrupted and judge is not None:
        try:
            violations = judge.find_violations(network)
        except KeyboardInterrupt:
            interrupted = True
    if interrupted and not group.is_alone:
        # The others wait for this process until it ends.
        raise KeyboardInterrupt
    if interrupted:
        run = replace(run, interrupted=True, loss_curve=[], criterion_curve=[])
    return run, violations


def _train(
    network,
    rows,
    constraints,
    task,
    seed,
    hooks,
    checkpoint,
    group,
    *,
    may_settle=False,
):
    """Train a network on the loss of a task, if asked for until clusters settle."""
    objective = PairObjective(rows, constraints, task, seed, group=group)
    on_epoch = hooks
    if may_settle:
        n_clusters, batch_size = task.architecture.n_outputs, task.objective.batch_size
        objective.settling = Settling(rows, constraints, n_clusters, batch_size, seed)

        def on_epoch(run, network):
            run.settled |= group.share(objective.settling(network))
            return hooks(run, network)

    return train(
        network,
        objective,
        objective.n_steps,
        task.training,
        on_epoch=on_epoch,
        checkpoint=checkpoint,
    )


def _give_way(run, network, judge, notes, group):
    """Return the run, with the network as it was before if it has become worse.

    What it was taught knows nothing of most pairs. A training after which clusters
    violate more pairs of neighbors, by more than chance would, has lost clusters.
    """
    try:
        after, before = judge.find_violations(network), notes["violations"]
    except KeyboardInterrupt:
        if not group.is_alone:
            raise
        return replace(run, interrupted=True)
    if run.interrupted or not _is_more(after, before, judge.n_pairs):
        return run
    network.load_state_dict(notes["taught"])
    return replace(run, weights=to_numpy_state(network), gave_way=True)


def _is_more(after, before, n_pairs):
    """Whether shares of the same batches rose by more than chance explains.

    Batches hold the same pairs over and over. So two standard errors count, of batches
    and of pairs, each of which may be violated before or after.
    """
    rise = (after - before).mean()
    of_batches = (after - before).std(ddof=1) / len(after) ** 0.5
    of_pairs = math.sqrt((after.mean() + before.mean()) / n_pairs)
    return rise > 2 * max(of_batches, of_pairs)
