"""Parameters and attributes as JSON, and back as they were."""

import numpy as np
from sklearn import config_context

# Methods that may ask for metadata.
_METHODS = ("fit", "predict", "score", "transform")


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
        return np.array(from_json(value), dtype=dtype)
    if kind == "tuple":
        return tuple(from_json(item) for item in value)
    if kind == "dict":
        return {key: from_json(item) for key, item in value.items()}
    raise ValueError(f"unknown kind of value {kind!r}")


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
    """Let the methods of an estimator request what `read_requests` returned."""
    with config_context(enable_metadata_routing=True):
        for method, asked in requests.items():
            getattr(estimator, f"set_{method}_request")(**asked)
