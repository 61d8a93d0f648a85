"""Restarts: one after another or through joblib."""

from functools import partial

from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from skpairclust.clusterer._objective import run_restart


def run_restarts(X, constraints, task, seeds, *, n_jobs=None, hooks=None, files=None):
    """Train a network from each seed.

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
        Where each restart keeps its state.

    Returns
    -------
    list of TrainingRun
    """
    files = files or [None] * len(seeds)
    jobs = [
        partial(
            run_restart,
            X,
            constraints,
            task,
            int(seed),
            f"[{number}/{len(seeds)}]",
            checkpoint_file=file,
        )
        for number, (seed, file) in enumerate(zip(seeds, files, strict=True), 1)
    ]
    hooks = hooks or [None] * len(jobs)
    if not any(hooks) and min(effective_n_jobs(n_jobs), len(jobs)) > 1:
        return Parallel(n_jobs=n_jobs)(delayed(job)() for job in jobs)
    runs = []
    for job, hook in zip(jobs, hooks, strict=True):
        runs.append(job(hook=hook))
        # Ctrl-C ends this restart and those to come.
        if runs[-1].interrupted:
            break
    return runs
