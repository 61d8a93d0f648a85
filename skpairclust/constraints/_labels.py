"""Labels as people have them: integers, names or objects, some of them missing.

The one place that says what a missing label is: None, NaN, NaT or pandas.NA, and a
masked entry. Whether -1 is missing as well is up to the caller: it is in what `fit`
takes, and it is a class like any other in scores.
"""

import numbers

import numpy as np

from skpairclust.constraints._pairs import first_few

# What NumPy makes of missing values when it turns a list into strings.
_SPOILED = ("nan", "NaT", "<NA>")
_OTHER_MISSING = ("NAType", "NaTType")


def encode_labels(labels, name="y"):
    """Return labels numbered from 0 in sorted order, with -1 for unlabeled samples.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Whole numbers, names or objects. -1 and missing ones mean unlabeled.
    name : str
        The argument, for messages.

    Returns
    -------
    codes : ndarray of shape (n_samples,), int64

    Raises
    ------
    TypeError
        If labels are of types that cannot be told apart, or booleans.
    ValueError
        If they are not one-dimensional, below -1, or numbers that are not whole.
    """
    labels, missing = split_missing(labels, name)
    labels, is_minus = _drop_minus_one(labels)
    missing[~missing] = is_minus
    _check_kind(labels, name)
    codes = np.full(len(missing), -1, dtype=np.int64)
    codes[~missing] = encode_values(labels)[1]
    return codes


def split_missing(labels, name, *, column=False):
    """Return the labels that are there, and a mask of all samples without one.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
    name : str
    column : bool
        Whether a column, of shape (n_samples, 1), will do.

    Returns
    -------
    known : ndarray of shape (n_known,)
        Of integers, floats, strings, or objects where these do not do.
    missing : ndarray of shape (n_samples,), bool
    """
    array = _as_array(labels, name, column)
    missing = find_missing(array)
    if np.ma.isMaskedArray(labels):
        missing = missing | np.ma.getmaskarray(labels).reshape(array.shape)
    known = array[~missing]
    if known.dtype == object:
        known = _narrow(known, name)
    if known.dtype.kind in "UT" and np.isin(known, _SPOILED).any():
        spoiled = first_few(known[np.isin(known, _SPOILED)], 1)
        raise ValueError(
            f"{name} holds the name {spoiled}, which NumPy makes of a missing value "
            "among strings: pass a list, or an array of dtype object with None for "
            "samples without a label."
        )
    return known, missing


def find_missing(array):
    """Mark what stands for no label: None, NaN, NaT, pandas.NA."""
    if array.dtype.kind in "fc":
        return np.isnan(array)
    if array.dtype.kind in "mM":
        return np.isnat(array)
    if array.dtype != object:
        return np.zeros(array.shape, dtype=bool)
    return np.fromiter(map(is_missing, array), dtype=bool, count=len(array))


def is_missing(value):
    """Whether a single value stands for no label."""
    if value is None or type(value).__name__ in _OTHER_MISSING:
        return True
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    return isinstance(value, numbers.Number) and bool(value != value)


def encode_values(values):
    """Return different values, sorted if they can be, and each entry's place there."""
    if values.dtype != object:
        names, codes = np.unique(values, return_inverse=True)
        return names, codes.astype(np.int64, copy=False)
    names = list(dict.fromkeys(values))
    try:
        names.sort()
    except TypeError:
        # the order of appearance will do
        pass
    place = {name: number for number, name in enumerate(names)}
    codes = np.fromiter((place[v] for v in values), dtype=np.int64, count=len(values))
    table = np.empty(len(names), dtype=object)
    table[:] = names
    return table, codes


def _as_array(labels, name, column):
    """Return labels as a one-dimensional array in which nothing was converted."""
    try:
        array = np.asarray(labels)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be one-dimensional, one label a sample: {error}."
        ) from error
    is_list = isinstance(labels, (list, tuple))
    if is_list and array.ndim == 1 and array.dtype.kind in "USTfO":
        # of a list with names NumPy makes names of all, of NaN "nan"
        array = np.fromiter(labels, dtype=object, count=len(array))
    if column and array.ndim == 2 and array.shape[1] == 1:
        return array.ravel()
    if array.ndim != 1:
        raise ValueError(
            f"{name} must be one-dimensional, one entry a sample; got shape "
            f"{array.shape}. Flatten a column with `np.ravel({name})`."
        )
    return array


def _narrow(values, name):
    """Return objects as integers, floats or strings, where all of them are."""
    kinds = {_kind_of(value) for value in values}
    if len(kinds - {"minus one"}) > 1 and kinds - {"minus one", "int", "float"}:
        shown = {_kind_of(v): v for v in values if _kind_of(v) != "minus one"}
        raise TypeError(
            f"{name} mixes labels of different types: {first_few_objects(shown)}. "
            "Give all labels as integers or all as names, with None for samples "
            "without a label."
        )
    if kinds <= {"int", "minus one"}:
        return np.array(values.tolist(), dtype=_int_type(values))
    if kinds <= {"int", "float", "minus one"}:
        return values.astype(np.float64)
    if kinds == {"str"}:
        return values.astype(str)
    return values


def _int_type(values):
    """Return an integer type that holds all values."""
    largest = max((abs(int(value)) for value in values), default=0)
    return np.int64 if largest < 2**63 else object


def first_few_objects(by_kind):
    """Write one value of each type."""
    return " and ".join(repr(value)[:40] for value in by_kind.values())


def _kind_of(value):
    """Name what sort of label a value is."""
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, numbers.Integral):
        return "minus one" if value == -1 else "int"
    if isinstance(value, (float, np.floating)):
        return "minus one" if value == -1 else "float"
    return "str" if isinstance(value, str) else type(value).__name__


def _drop_minus_one(labels):
    """Return labels without -1, and a mask of where it was."""
    if labels.dtype == object:
        is_minus = np.array([_kind_of(v) == "minus one" for v in labels], dtype=bool)
        labels = labels[~is_minus]
        if len(labels) and all(isinstance(value, str) for value in labels):
            labels = labels.astype(str)
        return labels, is_minus
    if labels.dtype.kind not in "if":
        return labels, np.zeros(len(labels), dtype=bool)
    is_minus = labels == -1
    return labels[~is_minus], is_minus


def _check_kind(labels, name):
    """Raise unless labels, without missing ones, say which class each sample has."""
    hint = "-1, None or NaN means unlabeled; names of classes may be strings."
    kind = labels.dtype.kind
    if kind in "bcV":
        raise TypeError(
            f"{name} must hold integers or names; got {first_few(labels, 3)} of dtype "
            f"{labels.dtype}. {hint} Turn yes and no into numbers with "
            "`.astype(int)`."
        )
    if kind == "f":
        is_bad = ~(np.isfinite(labels) & (labels == np.floor(labels)))
        if is_bad.any():
            raise ValueError(
                f"{name} must hold whole numbers or names; got "
                f"{first_few(labels[is_bad])}. {hint}"
            )
    if kind in "if" and len(labels) and labels.min() < -1:
        below = first_few(np.unique(labels[labels < -1]))
        raise ValueError(f"{name} holds labels below -1: {below}. {hint}")
    if kind in "UT" and (labels == "-1").any():
        raise ValueError(
            f"{name} holds the string '-1', which may be a name or what NumPy made of "
            "the number -1 among names. Rename the class, or give None for samples "
            "without a label, in a list or an array of dtype object."
        )
    if kind == "O":
        _check_hashable(labels, name)


def _check_hashable(labels, name):
    """Raise if objects cannot be compared as labels."""
    for value in labels:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError(
                f"{name} must hold integers or names; got {value!r}. Turn yes and no "
                "into numbers with `.astype(int)`."
            )
        if type(value).__hash__ is None:
            raise TypeError(
                f"{name} holds {value!r:.60} of type {type(value).__name__}, which "
                "cannot be a label: give integers or names."
            )
