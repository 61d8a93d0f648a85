"""What happens at the end of an epoch: a line on the terminal, callbacks.

A hook begins with the rows of X and which of them are trained on, is called with the
run and the network after each epoch, returns whether training must stop, and is closed
after the last.
"""

import time
from contextlib import contextmanager, nullcontext

from skpairclust.utils._progress_line import ProgressLine


class EpochHooks:
    """The caller's hook, if there is one, and the progress line, if asked for.

    Parameters
    ----------
    hook : callable or None
    task : NetworkTask
    label : str
        Begins the progress line.
    is_silent : bool, default=False
        Whether another process prints.
    trials : TrialCallbacks, optional
        Is told of trials.
    """

    def __init__(self, hook, task, label, *, is_silent=False, trials=None):
        self.label = label
        self.trials = trials
        self.is_verbose = bool(task.verbose) and not is_silent
        self.hooks = [hook] if hook is not None else []
        if self.is_verbose:
            self.hooks.append(EpochPrinter(task.training.max_iter, label))

    @contextmanager
    def watch_trial(self, name, max_iter):
        """Yield what is called after each epoch of a trial: it prints, if asked for."""
        with nullcontext() if self.trials is None else self.trials.one():
            if not self.is_verbose:
                yield None
                return
            printer = EpochPrinter(max_iter, f"{self.label} {name}")
            printer.begin(None)
            try:
                yield printer
            finally:
                printer.close()

    def expect(self, max_iter):
        """Tell every hook that there are fewer epochs than the task says."""
        for hook in self.hooks:
            hook.max_iter = max_iter

    def begin(self, rows, index=None):
        """Begin every hook."""
        for hook in self.hooks:
            hook.begin(rows, index)

    def __call__(self, run, network):
        """Call every hook; return whether one of them wants the training to stop."""
        # A list: every hook is called, whatever the one before it says.
        return any([hook(run, network) for hook in self.hooks])

    def close(self):
        """Close every hook."""
        for hook in self.hooks:
            hook.close()


class EpochCallbacks:
    """Tell scikit-learn's callbacks of each epoch of one restart.

    Called by the training loop after each epoch: ends the task of the epoch that
    was, and begins that of the next.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        The context of `fit`.
    estimator : estimator
    X, y : array-like
        What `fit` got; scorers get them.
    max_iter : int
        Epochs at most.
    make_attributes : callable
        Takes the network, the `FeatureRows` of X and which of them are trained on,
        None for all, and returns the fitted attributes of an estimator that would stop
        now; called only if a callback asks for it.
    """

    def __init__(self, context, estimator, X, y, max_iter, make_attributes):
        self.estimator = estimator
        self.data = {"X": X, "y": y}
        self.max_iter = max_iter
        self.make_attributes = make_attributes
        self._restart = context.subcontext(task_name="restart", max_subtasks=max_iter)

    def begin(self, rows, index=None):
        """Begin the restart and its first epoch."""
        self._rows = rows, index
        self._restart.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        self._epoch = self._begin_epoch()

    def __call__(self, run, network):
        """End an epoch; return whether a callback wants the training to stop."""
        epoch, self._epoch = self._epoch, None
        stop = epoch.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.make_attributes(
                network, *self._rows
            ),
            **self.data,
        )
        if not (stop or run.settled) and len(run.loss_curve) < self.max_iter:
            self._epoch = self._begin_epoch()
        return stop

    def close(self):
        """End the restart, and an epoch that Ctrl-C or huge numbers cut short."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self.estimator, **self.data)
        self._restart.call_on_fit_task_end(estimator=self.estimator, **self.data)

    def _begin_epoch(self):
        """Return the context of the next epoch, begun."""
        context = self._restart.subcontext(task_name="epoch")
        return context.call_on_fit_task_begin(estimator=self.estimator, **self.data)


class TrialCallbacks:
    """Tell scikit-learn's callbacks of the trials of a fit, together one task.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        The context of `fit`.
    estimator : estimator
    X, y : array-like
        What `fit` got.
    n_trials : int
        Trials at most.
    """

    def __init__(self, context, estimator, X, y, n_trials):
        self.data = {"estimator": estimator, "X": X, "y": y}
        self._trials = context.subcontext(task_name="trials", max_subtasks=n_trials)

    @contextmanager
    def all(self):
        """Begin the task of all trials, and end it, for the length of a block."""
        self._trials.call_on_fit_task_begin(**self.data)
        try:
            yield
        finally:
            self._trials.call_on_fit_task_end(**self.data)

    @contextmanager
    def one(self):
        """Begin the task of a trial, and end it, for the length of a block."""
        trial = self._trials.subcontext(task_name="trial")
        trial.call_on_fit_task_begin(**self.data)
        try:
            yield
        finally:
            trial.call_on_fit_task_end(**self.data)


class EpochPrinter:
    """Print the epoch, the loss and the time: one line, rewritten if it can be.

    Parameters
    ----------
    max_iter : int
        Epochs at most.
    label : str
        What is trained; begins the line.
    stream : file, optional
        Defaults to the standard output at the time of the call.
    """

    def __init__(self, max_iter, label, stream=None):
        self.max_iter = max_iter
        self.label = label
        self._line = ProgressLine(stream)

    def begin(self, rows, index=None):
        """Start the clock."""
        self._start = time.perf_counter()

    def __call__(self, run, network):
        """Print one epoch; never end the training."""
        width = len(str(self.max_iter))
        self._line.write(
            f"{self.label} epoch {len(run.loss_curve):{width}d}/{self.max_iter}  "
            f"loss {run.loss_curve[-1]: .4f}  best {run.loss: .4f}  "
            f"{time.perf_counter() - self._start:5.1f} s{'  settled' * run.settled}"
        )
        return False

    def close(self):
        """Leave the line that moved."""
        self._line.close()
