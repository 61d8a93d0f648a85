"""Restarts: one after another or through joblib."""

from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._trials import begin, try_starts
from skpairclust.neural._tasks import run_task
from skpairclust.neural._training import train


def run_restarts(X, constraints, task, seeds, *, n_jobs=None, hooks=None):
    """Train a network from each seed, all from the outcome of the same trials.

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

    Returns
    -------
    list of TrainingRun
    """
    outcome = try_starts(X, constraints, task, int(seeds[0]))
    if outcome is not None and outcome.interrupted:
        seeds = seeds[:1]
    jobs = [
        (X, constraints, task, outcome, int(seed), f"[{number}/{len(seeds)}]")
        for number, seed in enumerate(seeds, 1)
    ]
    hooks = hooks[: len(jobs)] if hooks else [None] * len(jobs)
    if not any(hooks) and min(effective_n_jobs(n_jobs), len(jobs)) > 1:
        return Parallel(n_jobs=n_jobs)(delayed(run_restart)(*job) for job in jobs)
    runs = []
    for job, hook in zip(jobs, hooks, strict=True):
        runs.append(run_restart(*job, hook=hook))
        # Ctrl-C ends this restart and those to come.
        if runs[-1].interrupted:
            break
    return runs


def run_restart(X, constraints, task, outcome, seed, label="fit", hook=None):
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

    Returns
    -------
    TrainingRun
    """

    def fit_network(network, rows, hooks):
        left, start = task, "random"
        if outcome is not None:
            left, run = begin(network, rows, outcome, task, seed)
            if run is not None:
                return run
            hooks.expect(left.training.max_iter)
            start = outcome.start
        objective = PairObjective(rows, constraints, left, seed)
        run = train(
            network, objective, objective.n_steps, left.training, on_epoch=hooks
        )
        run.start = start
        return run

    return run_task(X, task, seed, fit_network, label=label, hook=hook)
