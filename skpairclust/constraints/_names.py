"""Ids of samples as people have them, and the rows of X that they stand for.

Ids are compared as Python compares them: 1 and 1.0 are one id, 1 and "1" are two.
"""

from itertools import repeat

import numpy as np

from skpairclust.constraints._labels import is_missing

# Integers that lie close, as keys of databases do, are looked up in a table with up to
# so many entries per id; others are searched for.
_MOST_SPREAD = 8


def show(values, n_shown=5):
    """Write the first few of many ids, for error messages."""
    values = list(values)
    shown = ", ".join(f"{value!r:.60}" for value in values[:n_shown])
    n_left = len(values) - n_shown
    return f"{shown} and {n_left} more" if n_left > 0 else shown


def list_values(column, name):
    """Return the entries of a column of any library as a list.

    Parameters
    ----------
    column : array-like of shape (n,)
        An array, a list, a range, or a column of pandas, polars or pyarrow.
    name : str
        The argument, for messages.
    """
    if isinstance(column, np.ndarray):
        return _list_array(column, name)
    if isinstance(column, (str, bytes)):
        raise TypeError(f"{name} must be one-dimensional; got the text {column!r:.60}.")
    for method in ("to_pylist", "tolist", "to_list"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    try:
        return list(column)
    except TypeError as error:
        raise TypeError(
            f"{name} must be one-dimensional; got {type(column).__name__}."
        ) from error


def _list_array(array, name):
    """Return the entries of a NumPy array; dates become datetime as in pandas."""
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional; got shape {array.shape}.")
    if array.dtype.kind == "M":
        # microseconds are the finest that datetime has
        coarse = array.astype("M8[us]")
        return coarse.tolist() if (coarse == array).all() else list(array)
    return array.tolist()


def read_ids(column, name):
    """Return ids as an int64 array if that is what they are, as a list if not."""
    if isinstance(column, range) or hasattr(column, "__array__"):
        array = np.asarray(column)
        is_integer = array.dtype.kind in "iu" and array.dtype != np.uint64
        if array.ndim == 1 and is_integer:
            return array.astype(np.int64, copy=False)
    return list_values(column, name)


class IntegerPlaces:
    """Which row each of many integers stands for, found without a dict.

    Parameters
    ----------
    ids : ndarray of shape (n_samples,), int64
        All different.
    """

    def __init__(self, ids):
        self._order = np.argsort(ids, kind="stable")
        self._sorted = ids[self._order]
        self._table = None
        # Python's integers: the difference of two may be beyond int64
        span = int(self._sorted[-1]) - int(self._sorted[0]) + 1 if len(ids) else 0
        if span <= _MOST_SPREAD * len(ids):
            self._table = np.full(span, -1)
            self._table[ids - self._sorted[:1]] = np.arange(len(ids))

    def __len__(self):
        return len(self._order)

    @property
    def has_repeated(self):
        """Whether ids are not all different."""
        return bool((self._sorted[1:] == self._sorted[:-1]).any())

    def find(self, ids):
        """Return the row of each id, -1 for those that are unknown."""
        if not len(self):
            return np.full(len(ids), -1)
        if self._table is not None:
            first, last = self._sorted[[0, -1]]
            known = ids.clip(first, last)
            return np.where(known == ids, self._table[known - first], -1)
        at = np.searchsorted(self._sorted, ids).clip(max=len(self) - 1)
        return np.where(self._sorted[at] == ids, self._order[at], -1)

    def to_dict(self):
        """Return what `number_ids` returns for ids of other types."""
        return dict(zip(self._sorted.tolist(), self._order.tolist(), strict=True))


def list_ids(index):
    """Return the id of each row of X as a list."""
    return list_values(_labels_of(index), "index")


def _labels_of(index):
    """Return the column of ids: that of a DataFrame is its index."""
    if hasattr(index, "columns"):
        if not hasattr(index, "index"):
            raise TypeError(
                f"index is a {type(index).__module__.split('.')[0]} table, which has "
                'no labels of rows: give the column that holds the ids, as `X["id"]`.'
            )
        index = index.index
    return index


def number_ids(index):
    """Return the row of each id, or raise if ids repeat or are missing.

    Returns
    -------
    dict or IntegerPlaces
    """
    ids = read_ids(_labels_of(index), "index")
    if isinstance(ids, np.ndarray):
        places = IntegerPlaces(ids)
        if not places.has_repeated:
            return places
        ids = ids.tolist()
    # most ids are of types that have no missing value: millions pass unread
    may_miss = set(map(type, ids)) - {int, str, tuple}
    missing = [row for row, v in enumerate(ids) if is_missing(v)] if may_miss else []
    if missing:
        raise ValueError(
            f"index has no id (None or NaN) at {len(missing)} rows: {show(missing)}."
        )
    try:
        places = dict(zip(ids, range(len(ids)), strict=True))
    except TypeError as error:
        raise TypeError(
            "index holds values that cannot be ids, because Python cannot hash them: "
            f"{error}. Ids may be numbers, strings, dates or tuples of these."
        ) from error
    if len(places) < len(ids):
        # the dict holds the last row of each id
        repeated = dict.fromkeys(v for k, v in enumerate(ids) if places[v] != k)
        raise ValueError(
            f"index holds {len(repeated)} ids more than once: {show(repeated)}. "
            "Each row of X needs an id of its own."
        )
    return places


def locate(ids, places, name):
    """Return the row of each id, or name the ids that are unknown.

    Parameters
    ----------
    ids : list or ndarray
        What `read_ids` returns.
    places : dict or IntegerPlaces
        What `number_ids` returns.
    name : str
        Where the ids come from, for messages.
    """
    if isinstance(places, IntegerPlaces):
        if isinstance(ids, np.ndarray):
            rows = places.find(ids)
            if (rows >= 0).all():
                return rows
        # lists may hold anything, and errors show ids as people wrote them
        places = places.to_dict()
    ids = ids.tolist() if isinstance(ids, np.ndarray) else ids
    try:
        found = map(places.get, ids, repeat(-1))
        rows = np.fromiter(found, dtype=np.int64, count=len(ids))
    except TypeError as error:
        raise TypeError(f"{name} holds values that cannot be ids: {error}.") from error
    lost = np.flatnonzero(rows < 0)
    if len(lost):
        _raise_unknown([ids[row] for row in lost], lost, places, name)
    return rows


def _raise_unknown(unknown, at, places, name):
    """Say which ids are not in the index, and what the reason may be."""
    missing = [int(row) for row, v in zip(at, unknown, strict=True) if is_missing(v)]
    if missing:
        raise ValueError(
            f"{name} has no id (None or NaN) at {len(missing)} rows: {show(missing)}."
        )
    distinct = dict.fromkeys(unknown)
    raise ValueError(
        f"{name} holds {len(distinct)} ids that are not in index: {show(distinct)}. "
        f"{_guess_reason(distinct, places)}"
    )


def _guess_reason(unknown, places):
    """Return the advice that fits ids of another type, or pairs of other samples."""
    kinds, known = ({type(value).__name__ for value in v} for v in (unknown, places))
    if known and not kinds & known:
        return (
            f"They are of type {', '.join(sorted(kinds))}, those of index are "
            f"{', '.join(sorted(known))}: read both alike, for instance with "
            "`.astype(str)`."
        )
    return "Leave out pairs of samples that are not among the rows of X."


def check_distinct(left, right, ids):
    """Raise if a pair joins an id with itself."""
    twice = np.flatnonzero(left == right)
    if len(twice):
        ids = ids.tolist() if isinstance(ids, np.ndarray) else ids
        named = dict.fromkeys(ids[row] for row in twice)
        raise ValueError(
            f"{len(twice)} pairs join a sample with itself: {show(named)}. Leave "
            "these rows out."
        )


def name_rows(rows, index, n_samples):
    """Return the ids of rows as a list; the rows themselves if index is None."""
    rows = np.asarray(rows)
    if index is None:
        return rows.tolist()
    ids = list_ids(index)
    if len(ids) != n_samples:
        raise ValueError(
            f"index has {len(ids)} ids, but the constraints are about {n_samples} "
            "samples: give the ids of the same rows, `index[rows]` after "
            "`constraints[rows]`."
        )
    return np.fromiter(ids, dtype=object, count=len(ids))[rows].tolist()
