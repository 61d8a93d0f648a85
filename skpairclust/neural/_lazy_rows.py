"""Samples that are read when they are needed, so that X need not fit in memory."""

import math

import numpy as np
from scipy import sparse


def is_lazy(X):
    """Whether X should be read row by row and never as a whole.

    True of memory maps that are not of floats, which would be converted whole, and of
    objects that have a length and give an array for an integer, but are no array.
    """
    if isinstance(X, np.memmap):
        return X.dtype.kind in "biuf" and X.dtype not in (np.float32, np.float64)
    is_known = (
        isinstance(X, np.ndarray | list | tuple | dict | str | bytes)
        or sparse.issparse(X)
        or any(
            hasattr(X, name)
            for name in ("__array__", "__dataframe__", "__array_interface__", "iloc")
        )
    )
    return not is_known and hasattr(X, "__len__") and hasattr(X, "__getitem__")


class LazyRows:
    """Rows of any indexable of arrays, as float32 arrays.

    Parameters
    ----------
    source : indexable
        Gives an array of numbers for an integer; all of one shape.
    ensure_min_samples : int, default=1

    Attributes
    ----------
    shape : tuple of int
        As of an array of all samples.
    size : float
        inf, because it is unknown whether all samples fit into memory.
    """

    size = math.inf

    def __init__(self, source, *, ensure_min_samples=1):
        n_samples = len(source)
        if n_samples < ensure_min_samples:
            raise ValueError(
                f"Found array with {n_samples} sample(s) while a minimum of "
                f"{ensure_min_samples} is required."
            )
        self.source = source
        shape = np.shape(source[0])
        if not shape:
            raise ValueError(
                f"X of type {type(source).__name__} must give an array for each "
                f"sample, but X[0] is {source[0]!r}."
            )
        self.shape = (n_samples, *shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        if isinstance(self.source, np.ndarray):
            return np.asarray(self.source[rows], dtype=np.float32)
        if isinstance(rows, slice):
            rows = range(*rows.indices(len(self)))
        values = np.empty((len(rows), *self.shape[1:]), dtype=np.float32)
        for place, row in enumerate(rows):
            values[place] = self._read(int(row))
        return values

    def _read(self, row):
        """Return one sample, or say what is wrong with it."""
        sample = np.asarray(self.source[row])
        if sample.shape != self.shape[1:]:
            raise ValueError(
                f"X[{row}] has shape {sample.shape}, but X[0] has {self.shape[1:]}: "
                "all samples must have one shape."
            )
        if not np.isfinite(sample).all():
            raise ValueError(f"X[{row}] holds values that are not finite.")
        return sample
