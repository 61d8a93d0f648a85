"""Fitted estimators as files that hold numbers and text, never code.

A file is one safetensors file: arrays as tensors, everything else as JSON in its
metadata. Reading checks all of it before an estimator is touched.
"""

import hashlib
import json
import numbers
import os
import uuid
from pathlib import Path

import numpy as np

from skpairclust.neural._networks import Architecture
from skpairclust.neural._plain_data import (
    from_json,
    read_requests,
    set_requests,
    to_json,
)

FORMAT = 1

# Saved in a form of their own, or of the process that fitted.
_NOT_SAVED = {
    *("_architecture", "_metadata_request"),
    *("_sklearn_version", "_skl_callbacks"),
}

_DTYPES = {
    "BOOL": np.bool_,
    **{
        f"{kind}{bits}": np.dtype(f"{kind.lower()}{bits // 8}")
        for kind in "IU"
        for bits in (8, 16, 32, 64)
    },
    **{f"F{bits}": np.dtype(f"f{bits // 8}") for bits in (16, 32, 64)},
}


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
    _replace(Path(path), save(arrays, metadata=metadata))


def _replace(path, data):
    """Write a file whole or not at all, whoever else writes it."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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

    Raises
    ------
    ValueError
        If the file could not be read again: an attribute is no data, or an array holds
        what is no number.
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
    for name, array in arrays.items():
        _check_array(name, array)
    if not isinstance(params["random_state"], numbers.Integral):
        params["random_state"] = None
    params["device"] = "auto"
    callables = {name for name, value in params.items() if callable(value)}
    params = {name: value for name, value in params.items() if name not in callables}
    # What was fitted with may no longer be the parameter.
    if callable(estimator._architecture.network):
        callables.add("network")
    content = {
        "class": type(estimator).__name__,
        "params": {name: to_json(name, value) for name, value in params.items()},
        "attributes": {name: to_json(name, value) for name, value in state.items()},
        "callables": sorted(callables),
        "architecture": _pack_architecture(estimator._architecture),
        "requests": read_requests(estimator),
    }
    return content, arrays


def _check_array(name, array):
    """Raise unless an array can be saved and read again."""
    if array.dtype not in _DTYPES.values():
        raise ValueError(f"save cannot write {name!r} of dtype {array.dtype}.")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"save does not write {name!r}: it holds NaN.")


def _pack_architecture(architecture):
    """Return the fields of the architecture, without code."""
    network = architecture.network
    values = {**vars(architecture), "network": None if callable(network) else network}
    return {name: to_json(name, value) for name, value in values.items()}


def unpack(cls, path, content, arrays, *, device, callables):
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
    given = {name: value for name, value in callables.items() if value is not None}
    _check_callables(path, content["callables"], given)
    params = {name: from_json(value) for name, value in content["params"].items()}
    estimator = cls(**{**params, **given, "device": device})
    estimator._validate_params()
    for name, value in content["attributes"].items():
        setattr(estimator, name, from_json(value))
    weights = {}
    for name, array in arrays.items():
        group, _, key = name.partition("/")
        if key:
            weights[key] = array
        else:
            setattr(estimator, group, array)
    estimator.weights_ = weights
    set_requests(estimator, content["requests"])
    architecture = {n: from_json(v) for n, v in content["architecture"].items()}
    if architecture["network"] is None:
        architecture["network"] = given["network"]
    estimator._architecture = Architecture(**architecture)
    return _with_network(estimator, path)


def _check_callables(path, saved, given):
    """Raise unless just those parameters are given that were code when saved."""
    missing = [name for name in saved if not callable(given.get(name))]
    if missing:
        raise ValueError(
            f"{str(path)!r} was saved with a callable as {' and '.join(missing)}, "
            "which is code and so not in the file: pass the callable as "
            f"{' and '.join(f'{name}=' for name in missing)}."
        )
    unknown = sorted(set(given) - set(saved))
    if unknown:
        raise ValueError(
            f"{str(path)!r} was saved with a built-in {' and '.join(unknown)}: leave "
            f"out {' and '.join(f'{name}=' for name in unknown)}."
        )


def _with_network(estimator, path):
    """Return the estimator with its network built, which proves that weights fit."""
    try:
        estimator._network = estimator._build_network()
    except RuntimeError as error:
        raise _damaged(path, f"its weights do not fit its network: {error}") from error
    return estimator


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
        if array.dtype.kind == "f" and np.isnan(array).any():
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
