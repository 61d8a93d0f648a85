"""Trainings that go on where a killed process left them.

A fit has a file for each of its parts: the trials of a clusterer, and each restart. It
says in plain numbers where the part is, or what it came to, and is replaced every few
seconds. The same fit finds it by its name, a fingerprint of data, parameters and
versions.
"""

import hashlib
import os
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch

from skpairclust._version import __version__
from skpairclust.neural._distributed import ALONE
from skpairclust.neural._fingerprint import update_with
from skpairclust.neural._plain_state import join_state, split_state
from skpairclust.neural._tensor_file import Kind, damaged, read_state, write_state
from skpairclust.neural._torch_utils import resolve_device, rng_states, set_rng_states
from skpairclust.neural._training import TrainingRun

_CHECKPOINT = Kind(
    "skpairclust checkpoint",
    format=1,
    writer="a fit with checkpoint_dir",
    most_header=2**26,
    advice="Delete it to begin this fit anew.",
    is_finite=False,
)

# Parameters that do not change the result, and those that are told otherwise.
_NOT_TOLD = {
    *("checkpoint_dir", "checkpoint_interval", "n_jobs", "verbose"),
    *("device", "random_state"),
}

# Times longer than a file took to write until the next is written, at least.
_LEAST_RATIO = 100

_SUFFIX = "checkpoint"


@dataclass(frozen=True)
class CheckpointFile:
    """Where a part of a fit keeps its state; pickles to a worker.

    Attributes
    ----------
    path : str or None
        None if it keeps none.
    fingerprint : str
    interval : float
        Seconds between two states.
    """

    path: str | None = None
    fingerprint: str = ""
    interval: float = 0.0


def check_parameters(estimator):
    """Raise unless an estimator can keep checkpoints, if it is to; make the folder.

    Raises
    ------
    ValueError
        If nothing would find the files again, or none can be written.
    """
    if estimator.checkpoint_dir is None:
        return
    if estimator.random_state is None:
        raise ValueError(
            "checkpoint_dir needs a random_state: with random_state=None each fit is "
            "another one, and none could go on where one before it was. Pass an "
            "integer."
        )
    folder = os.fspath(estimator.checkpoint_dir)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"checkpoint_dir={folder!r} cannot be made: {error}."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"checkpoint_dir={folder!r} cannot be written to.")


def describe_fit(estimator, X, constraints, task, seeds):
    """Return what makes a fit the one that it is, as a dict.

    Parameters
    ----------
    estimator : estimator
        With its parameters.
    X : array, CSR matrix or LazyRows
    constraints : PairwiseConstraints
    task : NetworkTask
    seeds : array of int
        One per restart, or more that decide something.

    Returns
    -------
    dict
    """
    return {
        "class": type(estimator).__name__,
        "versions": (__version__, torch.__version__, np.__version__),
        "params": {
            name: value
            for name, value in estimator.get_params(deep=False).items()
            if name not in _NOT_TOLD
        },
        "device": str(resolve_device(task.device)),
        "seeds": [int(seed) for seed in seeds],
        "weights": task.initial_weights,
        # Of a network of the user's, its code is not told, but what it makes is.
        "network": task.architecture.build().state_dict(),
        "classes": getattr(task, "classes", None),
        "X": X,
        "constraints": constraints,
    }


class FitCheckpoints:
    """The files of a fit, one for each of its parts.

    Parameters
    ----------
    estimator : estimator
        With its parameters.
    X : array, CSR matrix or LazyRows
    constraints : PairwiseConstraints
    task : NetworkTask
    seeds : array of int
        One per restart, or more that decide something.
    n_files : int, default=1
    """

    def __init__(self, estimator, X, constraints, task, seeds, n_files=1):
        self.files = [CheckpointFile()] * n_files
        self._folder = estimator.checkpoint_dir
        if self._folder is None:
            return
        self._folder = Path(self._folder)
        digest = hashlib.sha256()
        update_with(digest, describe_fit(estimator, X, constraints, task, seeds))
        fingerprint = digest.hexdigest()
        self._prefix = fingerprint[:32]
        self.files = [
            CheckpointFile(
                str(self._folder / f"{self._prefix}-{number}.{_SUFFIX}"),
                fingerprint,
                float(estimator.checkpoint_interval),
            )
            for number in range(n_files)
        ]

    def remove(self, runs, group=ALONE):
        """Remove the files of a fit that has come to its end, unless it was stopped."""
        if self._folder is None or any(run.interrupted for run in runs):
            return
        # Another process of the group may still write its last state.
        group.wait()
        # With those that a killed process did not finish.
        for path in self._folder.glob(f"{self._prefix}-*"):
            path.unlink(missing_ok=True)


class Checkpoint:
    """The state of one part of a fit, in memory and in its file.

    Parameters
    ----------
    file : CheckpointFile, optional
    device : torch.device, optional
    own_network : bool, default=False
        Whether the network is one of the user's, which may draw from torch's global
        generators: their state is part of it then.
    group : Group, optional
        The processes that share the state; the first one has the file.

    Attributes
    ----------
    notes : dict
        What else is to be known: plain data.
    """

    def __init__(self, file=None, device=None, *, own_network=False, group=ALONE):
        self.file = file or CheckpointFile()
        keeps_file = self.file.path is not None
        if group.rank:
            self.file = CheckpointFile()
        self.device = device
        self.own_network = own_network
        self.notes = {}
        self._found = {}
        self._next = float("inf")
        if self.file.path is not None:
            self._next = time.monotonic() + self.file.interval
        if keeps_file:
            self._found, self.notes = group.share_first(self._read)

    def _read(self):
        """Return what the file says, and the notes in it, if there is one."""
        path = self.file.path
        try:
            content, arrays = read_state(path, _CHECKPOINT)
        except FileNotFoundError:
            return {}, {}
        try:
            state = join_state(content, arrays)
            is_own = state["fingerprint"] == self.file.fingerprint
            notes = state["notes"]
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = f"its parts do not fit: {error}"
            raise damaged(path, reason, _CHECKPOINT) from error
        if not is_own:
            raise ValueError(
                f"{path!r} belongs to another fit, although it has the name of this "
                "one. Delete it, or move it elsewhere."
            )
        return state, notes

    def check(self, network):
        """Raise unless the state of a network can be written."""
        if self.file.path is not None:
            split_state(network.state_dict(), {})

    def finished(self):
        """Return the `TrainingRun` of a restart that is done, or None."""
        run = self._found.get("run")
        return None if run is None else TrainingRun(**run)

    def go_on(self):
        """Return the state of the training, once, or None; generators follow it."""
        self.restore_generators()
        return self._found.pop("training", None)

    def restore_generators(self):
        """Set torch's global generators to where they were, if that matters."""
        states = self._found.get("generators")
        if states is not None:
            set_rng_states(states, self.device)

    def note(self, **notes):
        """Keep what a part that is done came to."""
        self.notes.update(notes)
        if self.file.path is not None:
            self.write()

    def is_due(self):
        """Whether it is time to write."""
        return time.monotonic() >= self._next

    def write(self, *, training=None, run=None):
        """Write the notes and the state of a training, or what it came to."""
        began = time.monotonic()
        state = {
            "fingerprint": self.file.fingerprint,
            "notes": self.notes,
            "training": training,
            "run": run,
            "generators": self._generators(),
        }
        arrays = {}
        content = split_state(state, arrays)
        write_state(self.file.path, content, arrays, kind=_CHECKPOINT)
        now = time.monotonic()
        self._next = now + max(self.file.interval, _LEAST_RATIO * (now - began))

    def finish(self, run):
        """Keep what a restart came to, unless it was stopped."""
        if self.file.path is not None and not run.interrupted:
            values = {field.name: getattr(run, field.name) for field in fields(run)}
            self.write(run=values)

    def _generators(self):
        """Return the states of torch's global generators, None if nobody draws."""
        if not self.own_network:
            return None
        return rng_states(self.device)
