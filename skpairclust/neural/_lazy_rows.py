"""Samples that are read when they are needed, so that X need not fit in memory."""

import math

import numpy as np
from scipy import sparse

from skpairclust.neural._offsets import check_block

# Data frames, and arrays and tensors that lie in memory.
_IN_MEMORY = ("__dataframe__", "iloc", "__array_interface__", "__dlpack__")


def is_lazy(X):
    """Whether X should be read by rows and never as a whole.

    True of memory maps that are not of floats, which would be converted whole; of
    arrays on disk, such as those of h5py and zarr; and of objects that have a length
    and give an array for an integer, but are no array.
    """
    if isinstance(X, np.memmap):
        return X.dtype.kind in "biuf" and X.dtype not in (np.float32, np.float64)
    is_known = isinstance(X, np.ndarray | list | tuple | dict | str | bytes)
    if is_known or sparse.issparse(X) or any(hasattr(X, name) for name in _IN_MEMORY):
        return False
    if not (hasattr(X, "__len__") and hasattr(X, "__getitem__")):
        return False
    # What can be made an array, and is one, has a shape that needs no reading.
    return not hasattr(X, "__array__") or _is_on_disk(X)


def _is_on_disk(X):
    """Whether X is like an array, without being in memory as far as one can tell."""
    return hasattr(X, "dtype") and len(getattr(X, "shape", ())) > 1


class LazyRows:
    """Rows of any indexable of arrays, as float32 arrays.

    Parameters
    ----------
    source : indexable
        Gives an array of numbers for an integer; all of one shape. If it has the method
        ``__getitems__``, as data sets of PyTorch may have, several are read by this.
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
        shape = _shape_of_first(source[0])
        if not shape:
            raise ValueError(
                f"X of type {type(source).__name__} must give an array for each "
                f"sample, but X[0] is {source[0]!r}."
            )
        self.shape = (n_samples, *shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return self.read(rows).astype(np.float32, copy=False)

    def read(self, rows):
        """Return rows in the dtype that they have, or say what is wrong with them."""
        is_slice = isinstance(rows, slice)
        numbers = range(*rows.indices(len(self))) if is_slice else rows
        if hasattr(self.source, "__getitems__"):
            return self._read_together(numbers)
        if isinstance(self.source, np.ndarray):
            values = np.asarray(self.source[rows])
        elif is_slice and _is_on_disk(self.source):
            values = self._read_slice(rows, len(numbers))
        else:
            values = None
        if values is not None:
            _check_rows(values, numbers)
            return values
        return self._stack(numbers, (self.source[int(row)] for row in numbers))

    def _read_together(self, numbers):
        """Return rows that the source may read at the same time."""
        numbers = [int(number) for number in numbers]
        samples = self.source.__getitems__(numbers)
        if len(samples) != len(numbers):
            raise ValueError(
                f"X.__getitems__ returned {len(samples)} samples for {len(numbers)} "
                "numbers: it must return a list of as many, in their order."
            )
        expected = (len(numbers), *self.shape[1:])
        is_block = isinstance(samples, np.ndarray) and samples.shape == expected
        if not is_block or samples.dtype.kind not in "biuf":
            return self._stack(numbers, samples)
        _check_rows(samples, numbers)
        return samples

    def _stack(self, numbers, samples):
        """Return checked samples as one array."""
        checked = [self._check(*one) for one in zip(numbers, samples, strict=True)]
        return np.stack(checked) if checked else np.empty((0, *self.shape[1:]))

    def _read_slice(self, rows, n_rows):
        """Return rows that are read at once, None where only single ones can be."""
        try:
            values = np.asarray(self.source[rows])
        except (TypeError, ValueError, IndexError):
            return None
        return values if values.shape == (n_rows, *self.shape[1:]) else None

    def _check(self, row, sample):
        """Return one sample as an array, or say what is wrong with it."""
        sample = np.asarray(sample)
        if sample.shape != self.shape[1:]:
            raise ValueError(
                f"X[{row}] has shape {sample.shape}, but X[0] has {self.shape[1:]}: "
                "all samples must have one shape. skpairclust.images.ImageFolder "
                "scales images in a folder."
            )
        if sample.dtype.kind not in "biuf":
            raise ValueError(
                f"X[{row}] has dtype {sample.dtype}: samples must hold real numbers."
            )
        check_block(sample[np.newaxis], row)
        return sample


def _check_rows(values, numbers):
    """Raise unless float32 can compute with rows of these numbers."""
    try:
        check_block(values)
    except ValueError:
        # Once more, by the row, for the number that the user knows it by.
        for number, sample in zip(numbers, values, strict=True):
            check_block(sample[np.newaxis], int(number))


def _shape_of_first(sample):
    """Return the shape of a sample, or say what it is instead of an array."""
    try:
        return np.shape(sample)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"X[0] is a {type(sample).__name__} that is no array of numbers: each X[i] "
            "must be the features of a sample alone. Of a data set of (features, "
            "label), pass the features as X and the labels as y."
        ) from error
