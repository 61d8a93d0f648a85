"""Restarts at the same time: what Ctrl-C, and a worker that dies, leave of them."""

import os
import shutil
import signal
import tempfile
import threading
import warnings
from concurrent.futures.process import BrokenProcessPool

from sklearn.utils.parallel import Parallel, delayed

from skpairclust.neural._training import TrainingRun


def run_in_parallel(jobs, n_jobs):
    """Return what restarts came to that run at the same time.

    Ctrl-C ends them after their epoch, so that their best weights are kept; a second
    one ends everything. If a worker process dies, those that had not finished are
    repeated, each alone, and one that dies again is left out.

    Parameters
    ----------
    jobs : list of callable
        Each takes a `hook`, see `_epoch_hooks`, and returns a `TrainingRun`.
    n_jobs : int

    Returns
    -------
    list of TrainingRun
        In the order of the jobs; one at least.
    """
    with StopFile() as stop:
        runs, error = _collect(dict(enumerate(jobs)), n_jobs, stop)
        for number, job in enumerate(jobs):
            if number not in runs and not stop.was_set:
                found, error = _collect({number: job}, n_jobs, stop)
                runs.update(found)
        if stop.was_set and all(run.weights is None for run in runs.values()):
            # Before any of them had learned anything.
            raise KeyboardInterrupt
    if not runs:
        raise error
    if len(runs) < len(jobs) and not stop.was_set:
        warnings.warn(
            f"{len(jobs) - len(runs)} of {len(jobs)} restarts are left out, because "
            f"the process they ran in died twice: {error}",
            # From here over run_restarts to fit, its two decorators, and the caller.
            stacklevel=6,
        )
    return [runs[number] for number in sorted(runs)]


def _collect(jobs, n_jobs, stop):
    """Return what jobs came to that finished, by their numbers, and why others not."""
    runs, error = {}, None
    try:
        for number, run in _make_parallel(n_jobs)(
            delayed(_run)(number, job, stop.path, os.getpid())
            for number, job in jobs.items()
        ):
            runs[number] = run
    except BrokenProcessPool as broken:
        error = broken
    return runs, error


def _make_parallel(n_jobs):
    """Return a `Parallel` that gives each result when it is there, if it can."""
    try:
        return Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    except (TypeError, ValueError):
        # An older joblib, or a backend that collects results itself.
        return Parallel(n_jobs=n_jobs)


def _run(number, job, stop_path, caller):
    """Run a job in a worker, unless the user has stopped already."""
    if os.path.exists(stop_path):
        return number, TrainingRun(interrupted=True)
    # A worker on another machine, or a thread, is no child of the process that fits.
    parent = caller if os.getppid() == caller else None
    return number, job(hook=StopHook(stop_path, parent))


class StopHook:
    """Stops a training as Ctrl-C would, when a file appears.

    Parameters
    ----------
    path : str
    parent : int or None
        The process that this one was started by. If it is killed, nobody waits for a
        result, and this one ends as well.
    """

    def __init__(self, path, parent):
        self.path = path
        self.parent = parent

    def begin(self, rows, index=None):
        """Do nothing."""

    def __call__(self, run, network):
        """Stop if the file is there, or the process gone."""
        if self.parent is not None and os.getppid() != self.parent:
            # joblib would let this process wait some minutes for other work.
            os._exit(1)
        if os.path.exists(self.path):
            raise KeyboardInterrupt
        return False

    def close(self):
        """Do nothing."""


class StopFile:
    """Turns the first Ctrl-C within a block into a file that workers look for.

    Only in the main thread, which alone gets signals, and only if the user has not
    said what else Ctrl-C does.
    """

    def __init__(self):
        self.was_set = False

    def __enter__(self):
        self._folder = tempfile.mkdtemp(prefix="skpairclust-")
        self.path = os.path.join(self._folder, "stop")
        in_main = threading.current_thread() is threading.main_thread()
        usual = signal.default_int_handler
        self._handles = in_main and signal.getsignal(signal.SIGINT) is usual
        if self._handles:
            signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, *_):
        if self._handles:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _stop(self, *_):
        """Make the file; a second time, stop at once."""
        if self.was_set:
            raise KeyboardInterrupt
        self.was_set = True
        with open(self.path, "w"):
            pass
