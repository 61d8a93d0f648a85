"""Features that are computed once and kept in a file."""

import hashlib
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from skpairclust.constraints._typing import Samples
from skpairclust.images._cache_state import CacheState
from skpairclust.utils._dask import refuse_dask
from skpairclust.utils._param_validation import check_equal_sizes
from skpairclust.utils._progress_line import CountLine

# Seconds of work that a killed process loses at most, beside the batch it was at.
_INTERVAL = 5.0
# Rows computed again at each end of what is found, and how far from it they may be, as
# a share of the largest value of a column: devices round differently.
_N_COMPARED, _TOLERANCE = 8, 0.01


def cache_features(
    function: Callable[..., Any],
    X: Samples,
    path: str | os.PathLike[str],
    *,
    batch_size: int = 256,
    device: Any = "auto",
    verbose: int = 0,
) -> np.memmap[Any, np.dtype[np.float32]]:
    """Compute features of X batch by batch into a file, and return them.

    The same call finds the file the next time. If the process is killed, it goes on
    where it was. A file of other samples or of another function is refused.

    Parameters
    ----------
    function : torch.nn.Module or callable
        Makes the features of a batch. A module gets a float32 tensor on `device`, in
        evaluation mode and without gradients; a copy of it is used. Any other callable,
        such as the method `transform` of a fitted estimator, gets an array of rows of
        X. A result of more than two dimensions is flattened.

    X : array-like of shape (n_samples, ...) or indexable
        Samples, such as an `ImageFolder`, or what else the estimators read batch by
        batch.

    path : str or path-like
        File of the features, which `numpy.load` reads. A small file with ".state"
        appended to its name says what they are of. Until all are computed, the features
        are in one with ".part" appended.

    batch_size : int, default=256
        Samples per call.

    device : str or torch.device, default="auto"
        Of a module; "auto" is the GPU if there is one.

    verbose : int, default=0
        Whether a line says how far it is.

    Returns
    -------
    memmap of shape (n_samples, n_features), float32
        Read-only.

    Raises
    ------
    TypeError
        If `function` is none, or `batch_size` no integer.

    ValueError
        If the file is of other samples or of another function, if another process is
        computing it, or if a result has not one row of finite numbers per sample. A
        file of an `ImageFolder` that cannot be read is a `BrokenImageError`: look for
        such files before a long computation, with ``on_error="skip"``.

    OSError
        If there is no room. The same call goes on where it was.

    Notes
    -----
    Samples are compared by what the file knows of them: all values of an array; of
    samples that are read when they are needed 256 of them, and of an `ImageFolder` all
    names and sizes of files too; those without compression keep their size when they
    change. Of a module, all weights are compared; of other callables the name. A few
    rows are also computed again.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skpairclust.images import cache_features
    >>> X = np.random.default_rng(0).random((100, 8, 8))
    >>> path = Path(tempfile.mkdtemp()) / "features.npy"
    >>> cache_features(lambda images: images.mean(axis=2), X, path).shape
    (100, 8)
    """
    path = _check_arguments(function, path, batch_size)
    rows = _as_rows(X)
    make = _batch_maker(function, rows, device)
    with CacheState(path, _digest_rows(X, rows), _digest_function(function)) as state:
        if state.n_columns is not None:
            _compare(make, len(rows), state)
        if not path.exists():
            _compute(make, len(rows), state, batch_size, verbose)
            state.finish()
        return state.load(len(rows))


def _check_arguments(function, path, batch_size):
    """Return the path, or raise if something cannot be used."""
    if not callable(function):
        raise TypeError(
            f"function must be a torch.nn.Module or a function, not {function!r:.100}. "
            "Of a fitted estimator, pass its method transform."
        )
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer):
        raise TypeError(f"batch_size={batch_size!r} must be an integer.")
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size!r} must be at least 1.")
    path = Path(path)
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(
            f"path={str(path)!r} must be a file in a folder that exists, for instance "
            "'features.npy'."
        )
    return path


def _as_rows(X):
    """Return X as an array of numbers, or as rows that are read when needed."""
    from skpairclust.neural._lazy_rows import LazyRows, is_lazy
    from skpairclust.neural._torch_utils import to_array

    refuse_dask(X)
    if is_lazy(X):
        return LazyRows(X)
    if sparse.issparse(X):
        raise ValueError(
            "X is a sparse matrix: pass X.toarray(), or X to the estimator itself, "
            "which reads it as it is."
        )
    X = check_equal_sizes(to_array(X))
    rows = X if isinstance(X, np.memmap) else np.asarray(X)
    if rows.ndim < 2 or not len(rows) or rows.dtype.kind not in "biuf":
        raise ValueError(
            "X must hold numbers, with a row per sample and at least one row, but it "
            f"is a {type(X).__name__} of shape {rows.shape} and dtype {rows.dtype}."
        )
    return rows


def _digest_rows(X, rows):
    """Return a digest of samples."""
    from skpairclust.images._folder import ImageFolder
    from skpairclust.neural._fingerprint import update_with

    digest = hashlib.sha256()
    update_with(digest, rows)
    if isinstance(X, ImageFolder):
        update_with(digest, [X.names, X._n_bytes])
    return digest.hexdigest()


def _digest_function(function):
    """Return a digest of weights, or of the name of a function."""
    from skpairclust.neural._fingerprint import update_with

    digest = hashlib.sha256()
    if isinstance(function, partial):
        update_with(digest, [function.func, function.args, function.keywords])
    else:
        update_with(digest, type(function) if _is_module(function) else function)
    if _is_module(function):
        update_with(digest, dict(function.state_dict()))
    return digest.hexdigest()


def _is_module(function):
    """Whether a function is a module of PyTorch."""
    import torch

    return isinstance(function, torch.nn.Module)


def _batch_maker(function, rows, device):
    """Return what makes the features of a slice of rows, as a float32 matrix."""
    if _is_module(function):
        batch = _module_call(function, rows, device)
    else:
        from skpairclust.neural._offsets import read_rows

        def batch(part):
            return function(np.asarray(read_rows(rows, part)))

    def make(part):
        return _checked(batch(part), part)

    return make


def _module_call(module, rows, device):
    """Return what sends a slice of rows through a copy of a module."""
    import torch

    from skpairclust.neural._heads import own_copy
    from skpairclust.neural._rows import FeatureRows
    from skpairclust.neural._torch_utils import default_torch_state, resolve_device

    device = resolve_device(device)
    network = own_copy(module).to(device).eval()
    samples = FeatureRows(rows, rows.shape[1:], device)

    def batch(part):
        with default_torch_state(), torch.inference_mode():
            result = network(samples.take(part))
            return result.float() if isinstance(result, torch.Tensor) else result

    return batch


def _checked(result, part):
    """Return the result for a slice of rows as a matrix, or say what is wrong."""
    if hasattr(result, "detach"):
        result = result.detach().cpu()
    try:
        values = np.asarray(result)
    except ValueError:
        # Such as several results in a tuple.
        values = np.empty((), dtype=object)
    n_rows = part.stop - part.start
    if not values.ndim or len(values) != n_rows or values.dtype.kind not in "biuf":
        raise ValueError(
            f"function returned {type(result).__name__} of shape {values.shape} and "
            f"dtype {values.dtype} for {n_rows} samples: it must return an array or a "
            "tensor of numbers with a row per sample."
        )
    with np.errstate(over="ignore"):
        values = values.reshape(n_rows, -1).astype(np.float32)
    is_finite = np.isfinite(values).all(axis=1)
    if not is_finite.all():
        row = part.start + int(np.argmin(is_finite))
        raise ValueError(
            f"function returned values for X[{row}] that are not finite in float32. "
            "Is X scaled as it expects?"
        )
    return values


def _compare(make, n_rows, state):
    """Raise unless the file holds what the function makes of the same rows now."""
    kept = state.rows_done(n_rows)
    n_compared = min(_N_COMPARED, len(kept))
    for start in {0, len(kept) - n_compared}:
        part = slice(start, start + n_compared)
        if not _is_close(kept[part], make(part)):
            raise state.refusal("another function, or of samples that have changed")


def _is_close(kept, values):
    """Whether values are those that were kept, column by column."""
    if kept.shape != values.shape:
        return False
    size = np.abs(kept).max(axis=0)
    # What is 0 in these rows may be nearly so on another device.
    allowed = np.maximum(_TOLERANCE * size, _TOLERANCE**2 * size.max(initial=0))
    return bool((np.abs(kept - values) <= allowed).all())


def _compute(make, n_rows, state, batch_size, verbose):
    """Write the features of all rows that are missing."""
    if state.n_columns is not None:
        state.open_part()
    since = time.monotonic()
    try:
        with CountLine("features", n_rows, verbose) as report:
            for start in range(state.n_done, n_rows, batch_size):
                rows = slice(start, min(start + batch_size, n_rows))
                values = make(rows)
                if state.n_columns is None:
                    state.create_part(n_rows, values.shape[1])
                elif values.shape[1] != state.n_columns:
                    raise ValueError(
                        f"function returned {values.shape[1]} features for "
                        f"X[{rows.start}:{rows.stop}], but {state.n_columns} for "
                        "earlier samples: it must return as many for each sample."
                    )
                state.write(values)
                report(rows.stop)
                if time.monotonic() - since > _INTERVAL:
                    state.note()
                    since = time.monotonic()
    finally:
        # After an error or Ctrl-C as well.
        state.note()
