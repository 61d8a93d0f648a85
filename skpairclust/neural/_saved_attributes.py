"""Which attributes a saved estimator has, and what each may be.

An estimator lists rules by name: a function that says whether a plain value will do,
`Array`, or `Equal`. Lengths have names, and one length of a name is the same
everywhere.
"""

import math
from typing import NamedTuple

import numpy as np


class Array(NamedTuple):
    """An array: its dtype, the names of its lengths, and a bound of its integers.

    Attributes
    ----------
    dtype : str
    shape : tuple of str
    below : str or None
        The name of a length that all values are below; they are not negative.
    """

    dtype: str
    shape: tuple
    below: str | None = None


class Equal(NamedTuple):
    """An integer that is a length.

    Attributes
    ----------
    length : str
    """

    length: str


class Optional(NamedTuple):
    """What need not be there.

    Attributes
    ----------
    rule : callable, Array or Equal
    beside : str or None
        An attribute that is there, or missing, as this one is.
    """

    rule: object
    beside: str | None = None


class OrNone(NamedTuple):
    """What may be None, but must be there.

    Attributes
    ----------
    rule : callable, Array or Equal
    """

    rule: object


def is_count(value):
    """Whether a value is an integer from 0."""
    return type(value) is int and value >= 0


def is_number(value):
    """Whether a value is a finite number; integers are those that torch knows."""
    if type(value) is int:
        return abs(value) < 2**63
    return type(value) is float and math.isfinite(value)


def is_positive(value):
    """Whether a value is a finite number above 0."""
    return is_number(value) and value > 0


def is_loss(value):
    """Whether a value is a number; losses may be infinite or none."""
    return type(value) in (int, float)


def is_curve(value):
    """Whether a value is a list of losses."""
    return isinstance(value, list) and all(map(is_loss, value))


def is_flag(value):
    """Whether a value is True or False."""
    return type(value) is bool


def is_text(value):
    """Whether a value is a string."""
    return type(value) is str


def is_shape(value):
    """Whether a value is a tuple of positive integers."""
    return isinstance(value, tuple) and all(is_count(v) and v for v in value)


def is_output_config(value):
    """Whether a value says in which containers `transform` answers."""
    return isinstance(value, dict) and all(
        key == "transform" and choice in ("default", "pandas", "polars")
        for key, choice in value.items()
    )


def _are_names(value):
    """Whether a value is an array of names of features."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == object
        and value.ndim == 1
        and all(map(is_text, value))
    )


COMMON = {
    "_sample_shape": is_shape,
    "n_features_in_": Equal("n_features"),
    "feature_names_in_": Optional(_are_names),
    "_offset": OrNone(Array("float64", ("sample_shape",))),
    # Older files have none.
    "network_kind_": Optional(is_text),
    "augment_": Optional(OrNone(is_text)),
    "loss_": is_loss,
    "loss_curve_": is_curve,
    "n_iter_": is_positive,
    "_sklearn_output_config": Optional(is_output_config),
}


def check_attributes(cls, rules, attributes, lengths):
    """Raise unless a class of estimators can use these attributes.

    Attributes of the user's own may be anything, but must not hide what the class has.

    Parameters
    ----------
    cls : type
    rules : dict of str to rule
    attributes : dict
    lengths : dict of str to int or tuple of int
        Those known; all others are added.

    Raises
    ------
    ValueError
    """
    for name, rule in rules.items():
        if name not in attributes:
            if not isinstance(rule, Optional):
                raise ValueError(f"{name!r} is missing")
        elif not _fits(rule, attributes[name], lengths):
            raise ValueError(f"{name!r} is not what it should be")
        if isinstance(rule, Optional) and rule.beside is not None:
            if (name in attributes) != (rule.beside in attributes):
                raise ValueError(f"of {name!r} and {rule.beside!r} one is missing")
    for name in attributes.keys() - rules.keys():
        is_free = name.isidentifier() and not name.startswith("_")
        if not is_free or hasattr(cls, name):
            raise ValueError(f"an attribute of one's own cannot be called {name!r}")
    names = attributes.get("feature_names_in_")
    if names is not None and len(names) != lengths["n_features"]:
        raise ValueError("'feature_names_in_' has another number of names")


def _fits(rule, value, lengths):
    """Whether a value is what a rule asks for."""
    if isinstance(rule, Optional):
        rule = rule.rule
    if isinstance(rule, OrNone):
        if value is None:
            return True
        rule = rule.rule
    if isinstance(rule, Equal):
        return is_count(value) and lengths.setdefault(rule.length, value) == value
    if not isinstance(rule, Array):
        return rule(value)
    if not isinstance(value, np.ndarray) or value.dtype != rule.dtype:
        return False
    if not _has_shape(value.shape, rule.shape, lengths):
        return False
    if rule.below is not None:
        bound = lengths[rule.below]
        return not value.size or (value.min() >= 0 and value.max() < bound)
    return bool(np.isfinite(value).all())


def _has_shape(shape, names, lengths):
    """Whether a shape has these lengths."""
    if names == ("sample_shape",):
        return shape == lengths["sample_shape"]
    if len(shape) != len(names):
        return False
    # In order: a name may stand twice.
    return all(
        lengths.setdefault(name, length) == length
        for name, length in zip(names, shape, strict=True)
    )
