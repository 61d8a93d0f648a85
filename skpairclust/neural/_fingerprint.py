"""A digest of data and parameters: equal for equal fits, in any process."""

import json

import joblib
import numpy as np
import torch
from scipy import sparse

from skpairclust.constraints import PairwiseConstraints
from skpairclust.neural._offsets import read_rows

# Bytes that are read at once.
_BLOCK_BYTES = 2**24

# Rows of an X that is read by the row, such as a folder of images.
_N_ROWS = 256


def update_with(digest, value):
    """Add plain data, arrays, tensors, X, constraints or the name of code.

    Parameters
    ----------
    digest : hashlib object
    value : object
    """
    if isinstance(value, dict):
        _update_text(digest, "dict", len(value))
        for key in sorted(value):
            _update_text(digest, str(key))
            update_with(digest, value[key])
    elif isinstance(value, list | tuple):
        _update_text(digest, "list", len(value))
        for item in value:
            update_with(digest, item)
    elif isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        bits = value.contiguous().reshape(-1).view(torch.uint8)
        _update_text(digest, str(value.dtype), list(value.shape))
        digest.update(bits.numpy().data if len(bits) else b"")
    elif sparse.issparse(value):
        update_with(digest, [value.data, value.indices, value.indptr, value.shape])
    elif isinstance(value, np.ndarray):
        _update_with_rows(digest, value)
    elif isinstance(value, PairwiseConstraints):
        _update_text(digest, joblib.hash(value))
    elif hasattr(value, "read"):
        some = np.linspace(0, len(value) - 1, min(_N_ROWS, len(value)))
        _update_text(digest, "rows", [int(n) for n in value.shape])
        update_with(digest, read_rows(value, some.astype(np.int64)))
    else:
        _update_text(digest, _say(value))


def _update_with_rows(digest, array):
    """Add an array, which may be a memory map, block by block."""
    _update_text(digest, array.dtype.str, list(array.shape))
    if array.dtype == object:
        _update_text(digest, joblib.hash(array))
        return
    array = np.atleast_1d(array)
    n_rows = max(1, _BLOCK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), n_rows):
        block = np.ascontiguousarray(array[start : start + n_rows])
        digest.update(block.view(np.uint8).data if block.size else b"")


def _update_text(digest, *values):
    """Add values that JSON can say, so that no two lists of them look alike."""
    digest.update(json.dumps(values).encode() + b"\n")


def _say(value):
    """Return a plain value, or the name of a function or a class, as text."""
    if callable(value):
        named = value if hasattr(value, "__qualname__") else type(value)
        return f"{named.__module__}.{named.__qualname__}"
    return f"{type(value).__name__} {value!r}"
