"""Supervision in a form that nearly fits, and the line that says the same rightly."""

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

import numpy as np

from skpairclust.constraints._tables import column_names

_BY_NAME = {"must_link", "cannot_link"}

_Method = TypeVar("_Method", bound=Callable[..., Any])


def explains_names(fit: _Method) -> _Method:
    """Return `fit` with an error for other names, such as ``constraints=``.

    It says how pairs are passed. The signature that scikit-learn reads is the same.
    """
    known = signature(fit).parameters

    @wraps(fit)
    def explained(*args, **kwargs):
        for name in kwargs.keys() - known.keys():
            raise TypeError(
                f"{fit.__name__} has no argument {name!r}. Pairs are passed as y, "
                f"like labels: `{fit.__name__}(X, pairs)`; arrays of row positions by "
                f"name: `{fit.__name__}(X, must_link=..., cannot_link=...)`."
            )
        return fit(*args, **kwargs)

    return explained  # type: ignore[return-value]


def refuse_near_misses(y):
    """Raise if y is what people try first: a dict, two arrays, a table with ids."""
    if isinstance(y, Mapping):
        raise TypeError(_about_dict(y))
    if _is_two_arrays(y):
        raise TypeError(
            "y is no tuple of must-links and cannot-links: give each by its name, "
            "`fit(X, must_link=..., cannot_link=...)`. For cross-validation, give "
            "`PairwiseConstraints(must_link, cannot_link, n_samples=len(X))` as y."
        )
    if _is_table_of_ids(y):
        left, right, same = (repr(name) for name in column_names(y)[:3])
        raise TypeError(
            "y is a table whose entries are not positions of rows. If it holds ids, "
            "pass `PairwiseConstraints.from_frame(table, left="
            f"{left}, right={right}, same={same}, index=...)` as y, where index holds "
            "the id of each row of X."
        )


def _about_dict(y):
    """Return the message for a dict."""
    if y and set(y) <= _BY_NAME:
        line = ", ".join(f"{name}=..." for name in y)
        return (
            f"y is no dict: give its entries by name, `fit(X, {line})`. For "
            f"cross-validation, give `PairwiseConstraints({line}, n_samples=len(X))` "
            "as y."
        )
    keys = ", ".join(repr(key) for key in list(y)[:5])
    return (
        f"y of type {type(y).__name__} with the keys {keys} is no supervision. Give "
        "pairs of row positions as `fit(X, must_link=..., cannot_link=...)`; columns "
        "of ids and answers go to `PairwiseConstraints.from_frame`."
    )


def _is_two_arrays(y):
    """Whether y is (must_link, cannot_link), one of which may be empty or None."""
    if not isinstance(y, (tuple, list)) or len(y) != 2:
        return False
    shapes = [_shape_of(part) for part in y]
    is_pairs = [len(shape) == 2 and shape[1] == 2 for shape in shapes]
    is_none = [
        part is None or shape == (0,) for part, shape in zip(y, shapes, strict=True)
    ]
    fits = all(a or b for a, b in zip(is_pairs, is_none, strict=True))
    return fits and any(is_pairs)


def _shape_of(part):
    """Return the shape of an array-like, () if it has none."""
    try:
        return np.shape(part)
    except ValueError:
        return ()


def _is_table_of_ids(y):
    """Whether y is a data frame of three columns or more that are not all numbers."""
    if not hasattr(y, "columns") or len(column_names(y)) < 3:
        return False
    kinds = [np.asarray(y[name]).dtype.kind for name in column_names(y)[:2]]
    return any(kind in "OSUTM" for kind in kinds)
