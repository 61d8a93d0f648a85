"""Values that float32 cannot compute with: too large, or too far from 0."""

import math
import warnings

import numpy as np
from scipy import sparse

# Squares of larger values overflow float32, which the networks compute in.
_LARGEST = 1e18

# A feature so many times as far from 0 as it is spread loses half of the digits that
# float32 has.
_FARTHEST = 1000

# Layers add 1e-5 to variances: features that all vary less than this drown in it.
_LEAST_SPREAD = 1e-4

# Rows that say where the features lie, and values of them at most.
_N_ROWS, _MOST_VALUES = 256, 2**24

# Values looked at at once.
_BLOCK_VALUES = 2**21


def check_values(X, look=None):
    """Raise unless float32 can compute with all values of X.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...) or CSR matrix
    look : callable, optional
        Gets each block of rows of an array, so that X is read once.

    Raises
    ------
    ValueError
        If a value is not finite, or its square is beyond float32. Names the row.
    """
    if sparse.issparse(X):
        return _check_sparse(X)
    n_rows = max(1, _BLOCK_VALUES // max(1, math.prod(X.shape[1:])))
    for start in range(0, len(X), n_rows):
        block = X[start : start + n_rows]
        check_block(block, start)
        if look is not None:
            look(block)
    return None


def check_block(values, first_row=0):
    """Raise unless float32 can compute with `values`, rows from `first_row` on."""
    if is_bounded(values):
        return
    flat = values.reshape(len(values), -1).astype(np.float64)
    row, column = np.argwhere(~(np.abs(flat) <= _LARGEST))[0]
    raise _bad_value(first_row + row, flat[row, column])


def is_bounded(values):
    """Whether float32 can compute with all values of an array."""
    if not values.size:
        return True
    # In double precision: the bound is no float16. NaN fails the comparison.
    return -_LARGEST <= float(values.min()) <= float(values.max()) <= _LARGEST


def _check_sparse(X):
    """Raise unless float32 can compute with the entries of a CSR matrix."""
    bad = np.flatnonzero(~(np.abs(X.data) <= _LARGEST))
    if len(bad):
        row = np.searchsorted(X.indptr, bad[0], side="right") - 1
        raise _bad_value(row, X.data[bad[0]])


def _bad_value(row, value):
    """Return the error for a value that float32 cannot compute with."""
    if not np.isfinite(value):
        name = "NaN" if np.isnan(value) else "infinity"
        return ValueError(
            f"Input X contains {name}, first in X[{row}]: impute missing values, for "
            "instance with a SimpleImputer, or leave the row out."
        )
    return ValueError(
        f"X[{row}] holds {value:.6g}: networks compute in float32, where values beyond "
        f"{_LARGEST:.0e} overflow. If it stands for a missing value, impute it or "
        "leave the row out; if not, scale X, for instance with a StandardScaler."
    )


def find_offset(X):
    """Return what to subtract from X so that float32 keeps what tells rows apart.

    Times in seconds, or coordinates in meters, lie so far from 0 that float32 rounds
    away most of their differences, and layers lose more. Some rows say where they lie.

    Parameters
    ----------
    X : ndarray, LazyRows or CSR matrix of shape (n_samples, ...)

    Returns
    -------
    ndarray of shape (...), float64, or None
        Of the shape of one sample, 0 for features that are near 0; None if all are.
    """
    if sparse.issparse(X):
        return None
    n_rows = max(2, min(_N_ROWS, _MOST_VALUES // max(1, math.prod(X.shape[1:]))))
    some = np.unique(np.linspace(0, X.shape[0] - 1, n_rows).astype(np.int64))
    values = read_rows(X, some)
    dtype, values = values.dtype, values.astype(np.float64)
    center, spread = np.median(values, axis=0), values.std(axis=0)
    if not spread.any():
        return None
    _warn_if_tiny(spread.max())
    # Features that do not vary must not drown the others either.
    reference = np.where(spread > 0, spread, np.median(spread[spread > 0]))
    is_far = np.abs(center) > _FARTHEST * reference
    if not is_far.any():
        return None
    _warn_if_rounded(dtype, center, spread)
    return np.where(is_far, center, 0.0)


def _warn_if_tiny(largest):
    """Warn if no feature varies enough for the layers of a network."""
    if largest < _LEAST_SPREAD:
        warnings.warn(
            f"The standard deviations of the features of X are {largest:.3g} at most, "
            "too little for a network to tell the samples apart: put a StandardScaler "
            "before, or pass X in a smaller unit.",
            UserWarning,
            # from here over the checks, fit and its two decorators, to its caller
            stacklevel=7,
        )


def _warn_if_rounded(dtype, center, spread):
    """Warn if the values were rounded before they came here."""
    if dtype != np.float32:
        return
    step = np.spacing(np.abs(center).astype(np.float32))
    varies = spread > 0
    if np.any(step[varies] > 0.1 * spread[varies]):
        warnings.warn(
            f"Features of X lie up to {np.abs(center).max():.3g} from 0, where float32 "
            f"has steps of {step.max():.3g}: most of what tells the samples apart has "
            "been rounded away. Pass X as float64, or subtract the mean before X "
            "becomes float32.",
            UserWarning,
            # from here over the checks, fit and its two decorators, to its caller
            stacklevel=7,
        )


def read_rows(X, rows):
    """Return rows of X in the dtype that X has."""
    return X.read(rows) if hasattr(X, "read") else X[rows]


def subtract_offset(X, offset):
    """Return X as rows without `offset`; X itself if that is None."""
    return X if offset is None else OffsetRows(X, offset)


class OffsetRows:
    """Rows of X minus an offset, subtracted in float64 and given as float32.

    Parameters
    ----------
    X : ndarray or LazyRows of shape (n_samples, ...)
    offset : ndarray of shape (...), float64

    Attributes
    ----------
    shape : tuple of int
    size : int or float
        Number of values; inf if X is not in memory.
    """

    def __init__(self, X, offset):
        self.X = X
        self.offset = offset
        self.shape = X.shape
        self.size = X.size

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return (read_rows(self.X, rows) - self.offset).astype(np.float32)
