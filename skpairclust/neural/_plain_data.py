"""Parameters and attributes as JSON, and back as they were."""

import re

import numpy as np
from sklearn import config_context

# Methods that may ask for metadata.
_METHODS = ("fit", "predict", "score", "transform")

# Dtypes of arrays: objects, numbers, or strings, and bytes of the latter at most.
_MOST_BYTES = 2**25
_DTYPE = re.compile("O|[<>=|][biufU][0-9]{1,5}")


def to_json(name, value):
    """Return `value` as JSON can say it.

    Raises
    ------
    ValueError
        If it is no data. `name` says of what it is the value.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray):
        dtype = "O" if value.dtype == object else value.dtype.str
        listed = to_json(name, value.tolist())
        return {"kind": "array", "dtype": dtype, "value": listed}
    if isinstance(value, tuple):
        return {"kind": "tuple", "value": [to_json(name, item) for item in value]}
    if isinstance(value, list):
        return [to_json(name, item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        items = {key: to_json(name, item) for key, item in value.items()}
        return {"kind": "dict", "value": items}
    raise ValueError(
        f"save cannot write {name!r}: a {type(value).__name__} is no plain data. Use "
        "pickle or joblib, or remove it."
    )


def from_json(value):
    """Return what `to_json` was given."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind, dtype, value = value["kind"], value.get("dtype"), value["value"]
    if kind == "array":
        return _array_from_json(value, dtype)
    if kind == "tuple":
        return tuple(from_json(item) for item in value)
    if kind == "dict":
        return {key: from_json(item) for key, item in value.items()}
    raise ValueError(f"unknown kind of value {kind!r}")


def _array_from_json(value, dtype):
    """Return an array, of hardly more memory than its text had."""
    values = from_json(value)
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        raise ValueError(f"unknown dtype {dtype!r}")
    if dtype[1:2] == "U":
        # As long as the longest first: padding could fill the memory.
        array = np.array(values, dtype=np.str_)
        if array.size * np.dtype(dtype).itemsize > _MOST_BYTES:
            raise ValueError(f"an array of {array.size} strings has dtype {dtype!r}")
        return array.astype(dtype)
    return np.array(values, dtype=dtype)


def read_requests(estimator):
    """Return the metadata that the methods of an estimator request, as JSON."""
    if not hasattr(estimator, "_metadata_request"):
        return {}
    with config_context(enable_metadata_routing=True):
        routing = estimator.get_metadata_routing()
    requests = {
        m: getattr(routing, m).requests for m in _METHODS if hasattr(routing, m)
    }
    return {
        method: {name: value for name, value in asked.items() if value is not None}
        for method, asked in requests.items()
        if any(value is not None for value in asked.values())
    }


def set_requests(estimator, requests):
    """Let the methods of an estimator request what `read_requests` returned.

    Raises
    ------
    ValueError
        If it cannot.
    """
    with config_context(enable_metadata_routing=True):
        for method, asked in requests.items():
            if method not in _METHODS or not all(
                isinstance(value, str | bool) for value in asked.values()
            ):
                raise ValueError(f"no method {method!r} requests such metadata")
            getattr(estimator, f"set_{method}_request")(**asked)
