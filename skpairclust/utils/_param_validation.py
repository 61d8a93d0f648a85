"""The only import of scikit-learn's private validators, and our own checks."""

import math
import numbers
import warnings
from os import PathLike

import numpy as np
from sklearn.utils._param_validation import Interval as _AnyInterval
from sklearn.utils._param_validation import StrOptions

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._labels import encode_labels, find_missing

__all__ = [
    "Interval",
    "StrOptions",
    "check_classes",
    "check_columns",
    "check_equal_sizes",
    "check_hidden_layer_sizes",
    "non_negative",
    "positive",
    "positive_int",
    "restarts",
    "resolve_input_shape",
    "Scales",
    "warn_of_scales",
]

# A feature whose spread is so many times that of the median one dominates the others.
_MOST_SPREAD = 100
# More of them are a slip of the pen, and would never end.
_MOST_RESTARTS = 10**6
# Of an image: gray, gray and alpha, colors, colors and alpha.
_MOST_CHANNELS = 4


class Interval(_AnyInterval):
    """An interval of numbers, of which True and False are none."""

    def is_satisfied_by(self, val):
        """Whether a value is a number in the interval."""
        is_flag = isinstance(val, bool | np.bool_)
        return not is_flag and super().is_satisfied_by(val)


def positive_int():
    """Return the constraint "an integer of at least 1"."""
    return Interval(numbers.Integral, 1, None, closed="left")


def restarts():
    """Return the constraint "a number of restarts that can be made"."""
    return Interval(numbers.Integral, 1, _MOST_RESTARTS, closed="both")


def positive():
    """Return the constraint "a finite number above 0"."""
    return Interval(numbers.Real, 0, None, closed="neither")


def non_negative():
    """Return the constraint "a finite number of at least 0"."""
    return Interval(numbers.Real, 0, None, closed="left")


def check_hidden_layer_sizes(sizes):
    """Return `sizes` as a tuple of positive integers, or raise."""
    sizes = (sizes,) if isinstance(sizes, numbers.Integral) else tuple(sizes)
    if not all(_is_positive_int(size) for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes={sizes!r} must hold integers of at least 1, the "
            "number of units in each hidden layer, for instance (256, 256)."
        )
    return tuple(int(size) for size in sizes)


def resolve_input_shape(input_shape, sample_shape, *, built_in):
    """Return the shape in which the network takes one sample, or raise.

    Images may come with their channels last. The built-in networks take them first;
    those of users too, if `input_shape` says so.

    Parameters
    ----------
    input_shape : tuple of int or None
        The estimator's parameter; None keeps the shape of X.
    sample_shape : tuple of int
        ``X.shape[1:]``.
    built_in : bool
        Whether the network is one of ours.

    Returns
    -------
    input_shape : tuple of int
    channels_last : bool
        Whether samples are images whose channels come last and have to move.

    Raises
    ------
    ValueError
        If `input_shape` does not hold as many values as one sample.
    """
    if input_shape is None:
        return _channels_first(tuple(sample_shape), built_in)
    shape = tuple(input_shape)
    if not shape or not all(_is_positive_int(size) for size in shape):
        raise ValueError(
            f"input_shape={input_shape!r} must be a tuple of integers of at least 1, "
            "for instance (1, 28, 28), or None."
        )
    n_values, n_features = math.prod(shape), math.prod(sample_shape)
    if n_values != n_features:
        raise ValueError(
            f"input_shape={shape} holds {n_values} values, but one sample of X, of "
            f"shape {tuple(sample_shape)}, has {n_features}: pass the shape of one "
            "sample without the number of samples, or None."
        )
    shape = tuple(int(size) for size in shape)
    if len(sample_shape) == 3 and shape == _moved(sample_shape) != sample_shape:
        return shape, True
    return _channels_first(shape, built_in)


def has_channels_last(shape):
    """Whether a sample of this shape is an image whose channels come last."""
    is_image = len(shape) == 3 and min(shape[:2]) > _MOST_CHANNELS
    return is_image and shape[2] <= _MOST_CHANNELS


def _channels_first(shape, built_in):
    """Return the shape with channels first, and whether they came last."""
    if built_in and has_channels_last(shape):
        return _moved(shape), True
    return shape, False


def _moved(shape):
    """Return the shape of an image with its channels first."""
    return (shape[2], *shape[:2])


def check_columns(X):
    """Raise if columns of a data frame hold dates, or text that is no number.

    Dates would count in nanoseconds or days, as they happen to be stored.

    Parameters
    ----------
    X : object
        What a user passes as X.

    Raises
    ------
    ValueError
        Names the columns.
    """
    if not all(hasattr(X, name) for name in ("columns", "dtypes", "shape")):
        return
    names = []
    for place, (name, dtype) in enumerate(zip(X.columns, X.dtypes, strict=True)):
        if getattr(dtype, "kind", "O") in "biufc":
            continue
        column = X.iloc[:, place] if hasattr(X, "iloc") else X[name]
        if not _holds_numbers(np.asarray(column)):
            names.append(name)
    if names:
        shown = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
        raise ValueError(
            f"X has columns that hold no numbers: {shown}. Encode them before, for "
            "instance with a ColumnTransformer that has a OneHotEncoder for categories "
            "and the days since some date for dates, or leave them out."
        )


def _holds_numbers(values):
    """Whether all values of an array are missing, numbers, or text of numbers."""
    if values.dtype.kind in "mM":
        return False
    try:
        values[~find_missing(values)].astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True


def check_equal_sizes(X):
    """Return X, or raise if it holds text, or images or other arrays of several sizes.

    Parameters
    ----------
    X : object
        What a user passes as X.

    Returns
    -------
    object
        X itself; of arrays in an array or a column of objects, a list.

    Raises
    ------
    ValueError
        Names the first sample that differs.
    """
    samples = _as_list(X)
    if samples is None or not len(samples):
        return X
    if isinstance(samples[0], str | bytes | PathLike):
        raise ValueError(
            f"X holds text, such as {str(samples[0])!r:.80}, and no numbers. Images in "
            "files can be given as skpairclust.images.ImageFolder(folder, size); other "
            "text has to be turned into numbers first, for instance by a "
            "TfidfVectorizer."
        )
    expected = _shape_of(samples[0])
    if expected is not None and len(expected) < 2 and samples is X:
        return X
    for row, sample in enumerate(samples):
        shape = _shape_of(sample)
        if shape is None or shape != expected:
            but = f", but {_say_shape(0, expected)}" if row else ""
            raise ValueError(
                f"{_say_shape(row, shape)}{but}: all samples must have one shape. "
                "Bring images to one size and kind of color first, or give the folder "
                "they are in: skpairclust.images.ImageFolder(folder, size) does so."
            )
    return samples if expected else X


def _as_list(X):
    """Return samples as a list if X is a list, or an array or a column of objects."""
    if isinstance(X, list | tuple):
        return X
    if getattr(X, "ndim", None) != 1 or not hasattr(X, "tolist"):
        return None
    return X.tolist() if getattr(X.dtype, "kind", "") in "OUST" else None


def _shape_of(sample):
    """Return the shape of one sample of a list, None if it has not one shape."""
    if hasattr(sample, "shape"):
        return tuple(sample.shape)
    if hasattr(sample, "getbands"):
        # An image of Pillow, which would be copied to become an array.
        bands = len(sample.getbands())
        return (*sample.size[::-1], bands) if bands > 1 else sample.size[::-1]
    try:
        return np.shape(sample)
    except ValueError:
        return None


def _say_shape(row, shape):
    """Return a sample and its shape as words."""
    if shape is None:
        return f"X[{row}] has parts of different lengths"
    return f"X[{row}] has shape {shape}"


class Scales:
    """The standard deviation of each column of a table, found in one pass over it.

    Called with one block of rows after the other. Only tables of two dimensions are
    looked at: pixels share a unit.
    """

    def __init__(self):
        self.n_rows = 0
        self._center = self._sum = self._squares = None

    def __call__(self, rows):
        """Take in a block of rows."""
        if rows.ndim != 2 or not len(rows):
            return
        rows = rows.astype(np.float64)
        if self._center is None:
            # Around a mean, so that little is lost where squares cancel.
            self._center = rows.mean(axis=0)
            self._sum = np.zeros(rows.shape[1])
            self._squares = np.zeros(rows.shape[1])
        rows -= self._center
        self.n_rows += len(rows)
        self._sum += rows.sum(axis=0)
        self._squares += np.einsum("ij,ij->j", rows, rows)

    def deviations(self):
        """Return the standard deviations, none if nothing was looked at."""
        if self._center is None:
            return np.empty(0)
        mean = self._sum / self.n_rows
        variance = self._squares / self.n_rows - mean**2
        # What is left of a column of equal values.
        noise = 1e-14 * self._squares / self.n_rows + 1e-26 * self._center**2
        return np.sqrt(np.where(variance > noise, variance, 0))


def warn_of_scales(spread):
    """Warn if some columns of a table outweigh the others by their units alone.

    Parameters
    ----------
    spread : ndarray of shape (n_features,)
        The standard deviation of each column.
    """
    spread = spread[spread > 0]
    if len(spread) and spread.max() > _MOST_SPREAD * np.median(spread):
        warnings.warn(
            f"The standard deviations of the features of X reach {spread.max():.3g}, "
            f"{spread.max() / np.median(spread):.0f} times that of the median feature: "
            "those of large numbers decide alone. Put a StandardScaler before, if "
            "their units are not meant to count.",
            UserWarning,
            # over fit and its two decorators, to its caller
            stacklevel=5,
        )


def check_classes(y, n_clusters):
    """Return each sample's class for the classification loss, or raise.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or PairwiseConstraints
        Labels as in `fit`: integers or names; -1, None or NaN for none. Or constraints
        that have labels.
    n_clusters : int

    Returns
    -------
    ndarray of shape (n_samples,), int64
        Place of the label among the sorted labels, -1 for none. Those of constraints
        are sorted with the labels of all samples that they once had.

    Raises
    ------
    ValueError
        If `y` is no array of labels, or holds more classes than clusters.
    """
    is_container = isinstance(y, PairwiseConstraints)
    names_classes = y.labels is not None if is_container else np.ndim(y) == 1
    if not names_classes:
        raise ValueError(
            "classification_weight needs labels: pass y as a 1-d array with -1 or None "
            "for unlabeled samples (pairs go to must_link and cannot_link) or as "
            "constraints.with_labels(labels), or set classification_weight=0."
        )
    classes = y._classes if is_container else encode_labels(y)
    n_classes = int(classes.max(initial=-1)) + 1
    if n_classes > n_clusters:
        raise ValueError(
            f"n_clusters={n_clusters} is less than the {n_classes} classes in y, so "
            "classification_weight cannot be used: raise n_clusters or set "
            "classification_weight=0."
        )
    return classes


def _is_positive_int(value):
    """Whether `value` is an integer of at least 1; True is none."""
    return (
        isinstance(value, numbers.Integral)
        and not isinstance(value, bool)
        and value >= 1
    )
