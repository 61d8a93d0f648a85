"""One training as plain data, and how it runs; shared by all estimators."""

import copy
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, fields

from skpairclust.neural._checkpoint import Checkpoint
from skpairclust.neural._distributed import ALONE
from skpairclust.neural._epoch_hooks import EpochHooks
from skpairclust.neural._images import choose_network
from skpairclust.neural._network_checks import check_own_network
from skpairclust.neural._networks import Architecture
from skpairclust.neural._torch_utils import (
    default_torch_state,
    global_rng,
    resolve_device,
    to_numpy_state,
)
from skpairclust.neural._training import (
    TrainingOptions,
    has_finite_statistics,
    settle,
)
from skpairclust.utils._param_validation import check_hidden_layer_sizes


@dataclass(frozen=True, kw_only=True)
class NetworkTask:
    """What a training needs beside the data; pickles to a worker.

    Attributes
    ----------
    architecture : Architecture
    objective : dataclass
        What to minimize.
    training : TrainingOptions
        How.
    device : str
    verbose : int
    initial_weights : dict of str to ndarray or None
        To start from, instead of new ones.
    """

    architecture: Architecture
    objective: object
    training: TrainingOptions
    device: str
    verbose: int
    initial_weights: dict | None = None


def choose_architecture(params, sample_shape, n_outputs, hidden_layer_sizes):
    """Return what builds the network for samples of this shape.

    Parameters
    ----------
    params : object
        Parameters of an estimator, as attributes.
    sample_shape : tuple of int
    n_outputs : int
    hidden_layer_sizes : int or sequence of int
    """
    network, input_shape, channels_last = choose_network(
        params.network, params.input_shape, sample_shape
    )
    return Architecture(
        network=network,
        input_shape=input_shape,
        channels_last=channels_last,
        n_outputs=int(n_outputs),
        hidden_layer_sizes=check_hidden_layer_sizes(hidden_layer_sizes),
        dropout=float(params.dropout),
        initial_weights=params.initial_weights,
    )


def read_options(kind, params, **given):
    """Return the dataclass `kind`, filled from parameters of the same names."""
    names = (field.name for field in fields(kind) if field.name not in given)
    return kind(**{name: getattr(params, name) for name in names}, **given)


def read_task(kind, params, X, architecture, objective, **own):
    """Return a task of the dataclass `kind`, or raise if something is impossible.

    Parameters
    ----------
    kind : type
        `NetworkTask` or a class that adds to it.
    params : object
        Parameters of an estimator, as attributes.
    X : array, CSR matrix or LazyRows of shape (n_samples, ...)
    architecture : Architecture
    objective : dataclass
    **own
        The fields that `kind` adds.

    Raises
    ------
    ValueError, TypeError
        If there is no such device here, or the network cannot take the samples or
        cannot be trained or kept.
    """
    resolve_device(params.device)
    # Built once before the training: a network that cannot take X fails now.
    if callable(architecture.network):
        check_own_network(architecture, X)
    else:
        architecture.build()
    return kind(
        architecture=architecture,
        objective=objective,
        training=read_options(TrainingOptions, params),
        device=str(params.device),
        verbose=int(params.verbose),
        **own,
    )


@contextmanager
def training_state(task, seed):
    """Compute as all trainings do: without what the caller has set, but seeded."""
    # Dropout and similar layers draw from the global state.
    draws = task.architecture.draws_globally
    seeded = global_rng(seed, resolve_device(task.device)) if draws else nullcontext()
    # Entered here too: a thread has a state of its own.
    with default_torch_state(), seeded:
        yield


def run_task(
    X,
    task,
    seed,
    fit_network,
    *,
    index=None,
    label="fit",
    hook=None,
    checkpoint_file=None,
    group=ALONE,
):
    """Train one network from its own seed.

    Parameters
    ----------
    X : array, CSR matrix or LazyRows of shape (n_samples, ...)
    task : NetworkTask
    seed : int
        Decides the initial weights, the batches and the noise.
    fit_network : callable
        Takes the network, the `FeatureRows` of X, what is to be called after each
        epoch, and a `Checkpoint`, and returns the `TrainingRun`.
    index : ndarray of int64, optional
        The rows that are trained on, if not all.
    label : str
        Begins the progress line.
    hook : callable, optional
        Called after each epoch: see `_epoch_hooks`.
    checkpoint_file : CheckpointFile, optional
        Where the training goes on if it was begun before.
    group : Group, optional
        The processes that train it together: the first one speaks and keeps files.

    Returns
    -------
    TrainingRun
    """
    device = resolve_device(task.device)
    with training_state(task, seed):
        rows = task.architecture.make_rows(X, device)
        network = task.architecture.start(seed, device, task.initial_weights)
        task.architecture.lay_out(network, rows)
        hooks = EpochHooks(hook, task, label, is_silent=group.rank > 0)
        hooks.begin(rows, index)
        draws = task.architecture.draws_globally
        checkpoint = Checkpoint(checkpoint_file, device, own_network=draws, group=group)
        checkpoint.check(network)
        run = checkpoint.finished()
        if run is None:
            run = fit_network(network, rows, hooks, checkpoint)
            if run.weights is not None:
                run.weights = None
                _settle(network, rows, index, task.objective.batch_size, seed, run)
                is_usable = has_finite_statistics(network)
                run.weights = to_numpy_state(network) if is_usable else None
            checkpoint.finish(run)
        hooks.close()
    return run


def _settle(network, rows, index, batch_size, seed, run):
    """Settle a network whose training is over, in spite of a Ctrl-C."""
    try:
        settle(network, rows, index, batch_size, seed)
    except KeyboardInterrupt:
        run.interrupted = True
        settle(network, rows, index, batch_size, seed)


def describe_network(task, network, rows, index, look=None):
    """Return the attributes of an estimator whose training would stop now.

    The network is copied: a look at it must not change the training. `look` takes it
    as it would be kept, and returns further attributes.
    """
    network = copy.deepcopy(network)
    settle(network, rows, index, task.objective.batch_size, seed=0)
    return {
        "_architecture": task.architecture,
        "weights_": to_numpy_state(network),
        **({} if look is None else look(network)),
    }
