"""What an estimator keeps of an earlier fit while a new one runs, and after."""

from contextlib import contextmanager

import numpy as np


@contextmanager
def restored_on_error(estimator):
    """Put all attributes back when the block fails: an earlier fit stays whole."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def numpy_defaults():
    """Return a context with NumPy's own error handling, whatever the caller's is.

    Underflow to zero is right where it occurs here; a caller who has it raised would
    get no result.
    """
    return np.errstate(divide="warn", over="warn", under="ignore", invalid="warn")


@contextmanager
def new_fit(estimator, also=()):
    """Forget an earlier fit for the length of the block, and for good if it succeeds.

    Attributes of a fit end in an underscore, or `also` names them. Yields those that
    were dropped, by name. NumPy's errors are handled as by default.
    """
    with restored_on_error(estimator), numpy_defaults():
        fitted = {
            n: v for n, v in vars(estimator).items() if n in also or _is_fitted(n)
        }
        for name in fitted:
            delattr(estimator, name)
        yield fitted


def _is_fitted(name):
    """Whether an attribute is that of a fit."""
    return name.endswith("_") and not name.startswith("__")
