"""Fitted estimators as files that hold numbers and text, never code.

A file is one safetensors file: arrays as tensors, everything else as JSON in its
metadata. Reading checks all of it before an estimator is touched.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

from skpairclust.neural._tasks import choose_architecture

FORMAT = 1

# Rebuilt from parameters, or of the process that fitted.
_NOT_SAVED = {"_architecture", "_sklearn_version", "_skl_callbacks"}

_DTYPES = {"F32": np.float32, "F64": np.float64, "I64": np.int64}


def write_state(path, content, arrays):
    """Write JSON-able `content` and numpy `arrays`, all or nothing.

    Parameters
    ----------
    path : str or path-like
    content : dict
        Parameters and attributes that JSON can say.
    arrays : dict of str to ndarray
        float32, float64 or int64.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    """
    save = _import_safetensors().save
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps(content, sort_keys=True)
    metadata = {
        "format": f"skpairclust {FORMAT}",
        "content": text,
        "digest": _digest(text, arrays),
    }
    data = save(arrays, metadata=metadata)
    path = Path(path)
    temporary = path.with_name(f"{path.name}.tmp")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def read_state(path):
    """Read what `write_state` wrote.

    Returns
    -------
    content : dict
    arrays : dict of str to ndarray

    Raises
    ------
    ValueError
        If the file is cut short, altered, of a newer format, or of another kind.
    """
    load = _import_safetensors().load
    # Read at once: a file that changes while it is checked would pass.
    data = Path(path).read_bytes()
    header = _read_header(path, data)
    metadata = header.pop("__metadata__", None)
    _check_format(path, metadata)
    try:
        arrays = load(data)
    except Exception as error:
        raise _damaged(path, str(error)) from error
    _check_arrays(path, header, arrays)
    text = metadata.get("content", "")
    if metadata.get("digest") != _digest(text, arrays):
        raise _damaged(path, "its digest does not match its content")
    return json.loads(text), arrays


def pack(estimator):
    """Split a fitted estimator into what JSON can say and arrays.

    Returns
    -------
    content : dict
    arrays : dict of str to ndarray
    """
    params = estimator.get_params(deep=False)
    state = {
        name: value
        for name, value in estimator.__getstate__().items()
        if name not in params and name not in _NOT_SAVED
    }
    arrays = {f"weights_/{name}": a for name, a in state.pop("weights_").items()}
    for name, value in list(state.items()):
        if isinstance(value, np.ndarray) and value.dtype != object:
            arrays[name] = state.pop(name)
    content = {
        "class": type(estimator).__name__,
        "params": {name: _to_json(value) for name, value in params.items()},
        "attributes": {name: _to_json(value) for name, value in state.items()},
        "own_network": callable(estimator.network),
    }
    return content, arrays


def unpack(cls, path, content, arrays, *, network, device):
    """Return an estimator of class `cls` from what `pack` made of it.

    Raises
    ------
    ValueError
        If it is of another class, or its parts do not fit together.
    """
    if content["class"] != cls.__name__:
        raise ValueError(
            f"{str(path)!r} holds a {content['class']}, not a {cls.__name__}: use "
            f"{content['class']}.load."
        )
    _check_network(path, content["own_network"], network)
    params = {name: _from_json(value) for name, value in content["params"].items()}
    params["device"] = device
    if network is not None:
        params["network"] = network
    estimator = cls(**params)
    estimator._validate_params()
    for name, value in content["attributes"].items():
        setattr(estimator, name, _from_json(value))
    weights = {}
    for name, array in arrays.items():
        group, _, key = name.partition("/")
        if key:
            weights[key] = array
        else:
            setattr(estimator, group, array)
    estimator.weights_ = weights
    return _with_network(estimator, path)


def _check_network(path, is_own, network):
    """Raise unless a network is given exactly if the saved one was code."""
    if is_own and not callable(network):
        raise ValueError(
            f"{str(path)!r} was saved with a network of its own, which is code and so "
            "not in the file: pass the callable as network=."
        )
    if network is not None and not is_own:
        raise ValueError(
            f"{str(path)!r} was saved with a built-in network: leave out network=."
        )


def _with_network(estimator, path):
    """Return the estimator with its network built, which proves that weights fit."""
    if "feature_names_in_" in vars(estimator):
        names = np.array(estimator.feature_names_in_, dtype=object)
        estimator.feature_names_in_ = names
    estimator._architecture = choose_architecture(
        estimator,
        estimator._sample_shape,
        estimator._n_outputs,
        estimator._hidden_layer_sizes,
    )
    try:
        estimator._network = estimator._build_network()
    except RuntimeError as error:
        raise _damaged(path, f"its weights do not fit its network: {error}") from error
    return estimator


def _to_json(value):
    """Return `value` in a form that JSON can hold; None if it is not data."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple | list):
        return [_to_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return None


def _from_json(value):
    """Return lists as tuples, as shapes and sizes are."""
    return tuple(value) if isinstance(value, list) else value


def _import_safetensors():
    """Return `safetensors.numpy`, or say how to get it."""
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "save and load need the package safetensors: pip install safetensors."
        ) from error
    return safetensors.numpy


def _read_header(path, data):
    """Return the JSON header of a safetensors file, each key once."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > len(data) - 8:
        raise _damaged(path, "it is cut short or no safetensors file")
    try:
        header = json.loads(data[8 : 8 + size], object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header cannot be read: {error}") from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header is no table")
    return header


def _unique_keys(pairs):
    """Return a dict of `pairs`, or raise if a key stands twice."""
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice")
    return table


def _check_format(path, metadata):
    """Raise unless the file is one of ours and not from the future."""
    kind, _, number = str((metadata or {}).get("format", "")).partition(" ")
    if kind != "skpairclust" or not number.isdecimal():
        raise ValueError(f"{str(path)!r} was not written by the method save.")
    if int(number) > FORMAT:
        raise ValueError(
            f"{str(path)!r} has format {number}, and this version of skpairclust reads "
            f"formats up to {FORMAT}: install a newer skpairclust."
        )


def _check_arrays(path, header, arrays):
    """Raise unless names, dtypes, shapes and values are what a header promises."""
    if header.keys() != arrays.keys():
        raise _damaged(path, "arrays are missing or strange")
    for name, array in arrays.items():
        entry = header[name]
        if (
            _DTYPES.get(entry.get("dtype")) != array.dtype
            or tuple(entry.get("shape", ())) != array.shape
        ):
            raise _damaged(path, f"array {name!r} has another dtype or shape")
        if not np.isfinite(array).all():
            raise _damaged(path, f"array {name!r} holds values that are not finite")


def _digest(text, arrays):
    """Return the SHA-256 of all that a file says."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _damaged(path, reason):
    """Return the error for a file that cannot be trusted."""
    return ValueError(
        f"{str(path)!r} is damaged or was altered: {reason}. Save the estimator again."
    )
