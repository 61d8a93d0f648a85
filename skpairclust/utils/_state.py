"""What an estimator keeps of an earlier fit while a new one runs, and after."""

from contextlib import contextmanager


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


@contextmanager
def new_fit(estimator):
    """Forget an earlier fit for the length of the block, and for good if it succeeds.

    Attributes of a fit end in an underscore.
    """
    with restored_on_error(estimator):
        for name in [name for name in vars(estimator) if _is_fitted(name)]:
            delattr(estimator, name)
        yield


def _is_fitted(name):
    """Whether an attribute is that of a fit."""
    return name.endswith("_") and not name.startswith("__")
