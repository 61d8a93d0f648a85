"""Version switches, and decorators of scikit-learn that hide no types."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    # scikit-learn has no types, and a decorator without them would hide those of `fit`.
    _Method = TypeVar("_Method", bound=Callable[..., Any])
    CallbackSupportMixin: Any

    def with_callbacks(method: _Method) -> _Method:
        """Return the method with its own type."""

    def available_if(check: Callable[[Any], bool]) -> Callable[[_Method], _Method]:
        """Return a decorator that keeps the type of the method."""

else:
    from sklearn.utils.metaestimators import available_if

    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:  # scikit-learn < 1.9

        class _NoCallbackContext:
            """Stand in for `sklearn.callback.CallbackContext` and call nothing."""

            def subcontext(self, **_):
                return self

            def call_on_fit_task_begin(self, **_):
                return self

            def call_on_fit_task_end(self, **_):
                return False

        class CallbackSupportMixin:
            """Do nothing, in place of scikit-learn's mixin."""

            def _init_callback_context(self, **_):
                return _NoCallbackContext()

        def with_callbacks(method):
            """Return the method in a separate frame, as scikit-learn 1.9 does.

            Warnings point to the caller by counting frames.
            """

            @wraps(method)
            def fit(*args, **kwargs):
                return method(*args, **kwargs)

            return fit


__all__ = ["CallbackSupportMixin", "available_if", "with_callbacks"]
