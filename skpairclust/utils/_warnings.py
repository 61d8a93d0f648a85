"""Catch warnings without a trace, also from several threads."""

import threading
import warnings
from contextlib import contextmanager

# `catch_warnings` puts the filters back that it found: of two threads whose blocks
# overlap, the one that leaves last puts back those of the other, for good.
_LOCK = threading.RLock()


@contextmanager
def caught_warnings(category):
    """Yield a list of the warnings of the block, which nobody else sees.

    Threads take turns.

    Parameters
    ----------
    category : type
        Warnings that are caught however often they occur.
    """
    with _LOCK, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", category)
        yield caught
