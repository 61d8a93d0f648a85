"""Fitted estimators as files that hold numbers and text, never code.

A file is one safetensors file: arrays as tensors, everything else as JSON in its
metadata. Reading checks all of it before an estimator is touched.
"""

import math
import numbers
import warnings
from dataclasses import fields
from inspect import signature

import numpy as np

from skpairclust.neural._class_augmentation import count_positions
from skpairclust.neural._heads import count_features
from skpairclust.neural._images import is_image
from skpairclust.neural._networks import BUILT_IN, INITIAL_WEIGHTS, Architecture
from skpairclust.neural._plain_data import (
    from_json,
    read_requests,
    set_requests,
    to_json,
)
from skpairclust.neural._saved_attributes import (
    COMMON,
    Equal,
    check_attributes,
    is_count,
    is_flag,
    is_number,
    is_shape,
)
from skpairclust.neural._tensor_file import DTYPES, damaged, read_state, write_state
from skpairclust.neural._torch_utils import default_torch_state

# Saved in a form of their own, or of the process that fitted.
_NOT_SAVED = {
    *("_architecture", "_metadata_request"),
    *("_sklearn_version", "_skl_callbacks"),
}

# Fields of an architecture that came later, with what was so before.
_LATER_FIELDS = {"dropout": 0.0, "initial_weights": "he"}

_PARTS = {
    *("class", "params", "attributes", "callables", "architecture", "requests"),
}

# Values at most of one sample.
_MOST_VALUES = 2**28

# What a file can make go wrong where it is no longer checked.
_ODD = (
    *(AttributeError, IndexError, KeyError, OverflowError, RecursionError),
    *(RuntimeError, TypeError, ValueError),
)


def save_estimator(estimator, path):
    """Write a fitted estimator to a file, which is read again before it has its name.

    Raises
    ------
    ValueError
        If the file could not be read again.
    """
    cls = type(estimator)

    def check(content, arrays):
        code = {name: _no_network for name in content["callables"]}
        parts = _read_parts(cls, content, arrays, "cpu", code)
        if parts[1].network is not _no_network:
            _check_weights(parts[1], parts[2])

    content, arrays = pack(estimator)
    try:
        write_state(path, content, arrays, check=check)
    except _ODD as error:
        raise ValueError(
            f"save cannot write {str(path)!r}, because it could not be read again: "
            f"{error}."
        ) from error


def _no_network(*_):
    """Stand for code that is not needed to check a file."""


def load_estimator(cls, path, *, device, callables):
    """Return an estimator of class `cls` that `save_estimator` wrote.

    Raises
    ------
    ValueError
        If the file is not to be trusted, or of another class.
    """
    cls(device=device)._validate_params()
    content, arrays = read_state(path)
    given = {name: value for name, value in callables.items() if value is not None}
    try:
        _check_parts(content)
    except _ODD as error:
        raise damaged(path, str(error)) from error
    if content["class"] != cls.__name__:
        raise ValueError(
            f"{str(path)!r} holds a {content['class']}, not a {cls.__name__}: use "
            f"{content['class']}.load."
        )
    _check_callables(path, content["callables"], given)
    try:
        estimator, architecture, weights = _read_parts(
            cls, content, arrays, device, given
        )
        _check_weights(architecture, weights)
    except _ODD as error:
        raise damaged(path, str(error)) from error
    estimator._architecture, estimator.weights_ = architecture, weights
    return _with_network(estimator, path)


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
    # A place on the machine that fitted.
    if "checkpoint_dir" in params:
        params["checkpoint_dir"] = None
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
    if array.dtype not in DTYPES.values():
        raise ValueError(f"save cannot write {name!r} of dtype {array.dtype}.")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"save does not write {name!r}: it holds NaN.")


def _pack_architecture(architecture):
    """Return the fields of the architecture, without code."""
    network = architecture.network
    values = {**vars(architecture), "network": None if callable(network) else network}
    return {name: to_json(name, value) for name, value in values.items()}


def _check_parts(content):
    """Raise unless a file holds the parts of an estimator."""
    if not isinstance(content, dict) or content.keys() != _PARTS:
        raise ValueError("it does not hold an estimator")
    for name in ("params", "attributes", "architecture", "requests"):
        if not isinstance(content[name], dict):
            raise ValueError(f"its {name} are no table")
    # The name of a class is shown: whatever else is there is not.
    if not (isinstance(content["class"], str) and content["class"].isidentifier()):
        raise ValueError("its class has no name")
    callables = content["callables"]
    if not (
        isinstance(callables, list) and all(isinstance(name, str) for name in callables)
    ):
        raise ValueError("it lists callables that are no parameters")


def _read_parts(cls, content, arrays, device, callables):
    """Return an estimator without its network, the architecture and the weights.

    Raises
    ------
    ValueError
        If a part is not what it should be, or does not fit the others; other
        exceptions if a part is very strange.
    """
    known = signature(cls).parameters
    params = {name: from_json(value) for name, value in content["params"].items()}
    unknown = params.keys() - known.keys() | callables.keys() - known.keys()
    if unknown:
        raise ValueError(f"{sorted(unknown)} are no parameters")
    estimator = cls(**{**params, **callables, "device": device})
    estimator._validate_params()
    architecture = _read_architecture(content["architecture"], callables)
    attributes = {n: from_json(v) for n, v in content["attributes"].items()}
    weights = {}
    for name, array in arrays.items():
        group, _, key = name.partition("/")
        where = weights if key and group == "weights_" else attributes
        where[key or name] = array
    if attributes.keys() & (known.keys() | {"weights_", "_architecture"}):
        raise ValueError("an attribute has the name of a parameter")
    _check_fitted(cls, attributes, architecture)
    for name, value in attributes.items():
        setattr(estimator, name, value)
    set_requests(estimator, content["requests"])
    return estimator, architecture, weights


def _read_architecture(values, callables):
    """Return what builds the network."""
    # A file of an earlier version lacks what has a default by now.
    needed = {field.name for field in fields(Architecture)} - _LATER_FIELDS.keys()
    if not needed <= values.keys() <= needed | _LATER_FIELDS.keys():
        raise ValueError("its architecture is not complete")
    values = _LATER_FIELDS | {name: from_json(v) for name, v in values.items()}
    if not (
        is_count(values["n_outputs"])
        and is_shape(values["input_shape"])
        and is_shape(values["hidden_layer_sizes"])
        and is_flag(values["channels_last"])
        and is_number(values["dropout"])
        and 0 <= values["dropout"] < 1
        and values["initial_weights"] in INITIAL_WEIGHTS
    ):
        raise ValueError("its architecture is none")
    if values["network"] is None:
        values["network"] = callables["network"]
    elif values["network"] not in BUILT_IN:
        raise ValueError("its network is unknown")
    return Architecture(**values)


def _check_fitted(cls, attributes, architecture):
    """Raise unless attributes are those of a fit with this architecture."""
    shape = attributes.get("_sample_shape")
    if not is_shape(shape) or not shape:
        raise ValueError("'_sample_shape' is not what it should be")
    n_values = math.prod(shape)
    if n_values != math.prod(architecture.input_shape) or n_values > _MOST_VALUES:
        raise ValueError("its network takes samples of another shape")
    lengths = {
        "sample_shape": shape,
        "n_features": shape[0],
        "n_outputs": architecture.n_outputs,
        "n_positions": _count_positions(architecture.input_shape),
    }
    rules = {**COMMON, **cls._saved_attributes}
    check_attributes(cls, rules, attributes, lengths)


def _count_positions(input_shape):
    """Return how many positions samples have, which is no number if none are images."""
    return count_positions(input_shape) if is_image(input_shape) else None


def _check_weights(architecture, weights):
    """Raise unless the network takes these weights; allocates none.

    A network of the user's that cannot be built without memory is built later.
    """
    is_own = callable(architecture.network)
    if not is_own and len(architecture.hidden_layer_sizes) > 2 + len(weights):
        raise ValueError("its network has more layers than weights")
    try:
        with default_torch_state(), warnings.catch_warnings():
            # Pretrained weights, copied to where there are none, are reported.
            warnings.simplefilter("ignore")
            expected = architecture.outline()
    except Exception as error:
        if is_own:
            return
        raise ValueError(f"its network cannot be built: {error}") from error
    fits = expected.keys() == weights.keys() and all(
        _can_hold(expected[name], array, is_own=is_own)
        for name, array in weights.items()
    )
    if not fits:
        raise ValueError("its weights do not fit its network")


def _can_hold(tensor, array, *, is_own):
    """Whether a tensor of a network takes the values of an array."""
    # Old files have a dimension where there is a single number.
    if array.shape not in (tuple(tensor.shape), tuple(tensor.shape) or (1,)):
        return False
    is_float = array.dtype.kind == "f"
    return is_float == tensor.is_floating_point() and (
        is_own or not is_float or bool(np.isfinite(array).all())
    )


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
        network = estimator._network = estimator._build_network()
        columns = estimator._saved_attributes["_n_features_out"]
        if columns == Equal("n_hidden"):
            shape = estimator._architecture.input_shape
            if count_features(network, shape) != estimator._n_features_out:
                raise RuntimeError("features are missing")
    except RuntimeError as error:
        raise damaged(path, f"its weights do not fit its network: {error}") from error
    return estimator
