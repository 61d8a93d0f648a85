"""Times of samples and spans of time: one meaning in every form and unit.

Integers and dates become unsigned 64-bit distances from the earliest time, in the
unit they came in, so that no difference overflows; spans become whole numbers of that
unit, rounded down, which decides "farther apart than" without an error.
"""

import datetime
import numbers
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from skpairclust.constraints._labels import find_missing, is_missing
from skpairclust.constraints._pairs import first_few

_LARGEST = np.iinfo(np.uint64).max
# Seconds in a unit of datetime64; months and years differ in length.
_SECONDS = {
    "W": Fraction(604_800),
    "D": Fraction(86_400),
    "h": Fraction(3_600),
    "m": Fraction(60),
    "s": Fraction(1),
    **{unit: Fraction(1, 1000**n) for n, unit in enumerate(("ms", "us", "ns"), 1)},
    **{unit: Fraction(1, 1000**n) for n, unit in enumerate(("ps", "fs", "as"), 4)},
}
_FORMS = (
    "numbers, dates (datetime64, datetime, pandas.Timestamp) or offsets (timedelta64, "
    "timedelta, pandas.Timedelta)"
)


class Times(NamedTuple):
    """The times of the samples that have a sequence.

    Attributes
    ----------
    values : ndarray of shape (n_known,), uint64 or float
    unit : Fraction or None
        Seconds in one step of `values`; None for numbers.
    rounding : float
        How far a time may be off, relative to itself; 0 for those that are exact.
    """

    values: np.ndarray
    unit: Fraction | None
    rounding: float

    def take(self, order):
        """Return the times in another order."""
        return self._replace(values=self.values[order])

    def steps(self, *, rounded=True):
        """Return the time from each sample to the next one, less what rounding adds.

        Only those of samples in order of time mean anything.
        """
        with np.errstate(over="ignore", under="ignore"):
            steps = self.values[1:] - self.values[:-1]
            if not self.rounding or not rounded:
                return steps
            size = np.abs(self.values)
            return steps - self.rounding * np.maximum(size[1:], size[:-1])

    def reach(self, rows, span):
        """Return the latest times that are at most a span after those of rows."""
        reach = add_up(self.values[rows], span)
        if not span or not self.rounding:
            return reach
        with np.errstate(over="ignore", under="ignore"):
            size = np.maximum(np.abs(self.values[rows]), np.abs(reach))
            return reach + self.rounding * size


def read_times(times, known):
    """Return the times of some samples, or raise.

    Parameters
    ----------
    times : array-like of shape (n_samples,)
    known : ndarray of shape (n_samples,), bool
        Samples with a sequence; the times of others are not looked at.

    Returns
    -------
    Times
    """
    array = _as_array(times)
    if array.shape != known.shape:
        raise ValueError(
            f"times must have one entry a sample, shape {known.shape}; "
            f"got {array.shape}."
        )
    array = array[known]
    missing = find_missing(array)
    if np.ma.isMaskedArray(times):
        missing = missing | np.ma.getmaskarray(times)[known]
    if array.dtype.kind == "f":
        missing |= ~np.isfinite(array)
    if missing.any():
        raise ValueError(
            "times must be finite; got none for the samples "
            f"{first_few(np.flatnonzero(known)[missing])}. Give samples without time "
            "the id -1."
        )
    if array.dtype == object:
        array = _from_objects(array)
    if array.dtype.kind not in "iufmM":
        raise TypeError(
            f"times must be {_FORMS}; got {first_few(array, 2)} of dtype "
            f"{array.dtype}. Read dates from text with `pandas.to_datetime`."
        )
    return _measure(array)


def read_span(span, name, times):
    """Return a span in steps of `times.values`, rounded down to what decides.

    Parameters
    ----------
    span : number, timedelta, timedelta64 or pandas.Timedelta
        A number is in the unit of numeric times, and in seconds for dates.
    name : str
        The argument, for messages.
    times : Times

    Returns
    -------
    uint64 or float
    """
    exact = _read_exact(span, name, is_date=times.unit is not None)
    if exact < 0:
        raise ValueError(
            f"{name} must not be negative; got {span!r}. Give a span of time of at "
            "least 0, or leave it out."
        )
    if times.values.dtype.kind == "f":
        return float(exact)
    if exact == np.inf:
        return np.uint64(_LARGEST)
    steps = exact if times.unit is None else exact / times.unit
    return np.uint64(min(steps.__floor__(), _LARGEST))


def add_up(values, span):
    """Return times later by a span; the latest time there is in place of overflow."""
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return values + span
    return np.where(
        values > _LARGEST - span, _LARGEST, values + np.minimum(span, _LARGEST - values)
    )


def _as_array(times):
    """Return times as an array; those with one time zone in UTC."""
    if getattr(getattr(times, "dtype", None), "tz", None) is not None:
        # as pandas does for columns: without this, each would be an object
        times = times.to_numpy(dtype=f"datetime64[{times.dtype.unit}]")
    array = np.asarray(times)
    if (
        array.ndim == 1
        and isinstance(times, (list, tuple))
        and array.dtype.kind in "UST"
    ):
        array = np.fromiter(times, dtype=object, count=len(array))
    return array


def _from_objects(values):
    """Return an array of numbers, datetime64 or timedelta64 made of objects."""
    zoned = [getattr(value, "tzinfo", None) is not None for value in values]
    if any(zoned) and not all(zoned):
        raise TypeError(
            "times mix dates with and without a time zone, e.g. "
            f"{values[zoned.index(True)]} and {values[zoned.index(False)]}: give all "
            "of them one, or none."
        )
    plain = [_plain(value) for value in values]
    kinds = {np.asarray(value).dtype.kind for value in plain}
    if not kinds <= set("iuf") and len(kinds) > 1:
        shown = {np.asarray(value).dtype.kind: value for value in plain}
        raise TypeError(
            "times mix different kinds, e.g. "
            f"{' and '.join(map(str, shown.values()))}: give all of one kind."
        )
    return np.array(plain)


def _plain(value):
    """Return a date or an offset as NumPy's, dates with a time zone in UTC."""
    for convert in ("to_datetime64", "to_timedelta64"):
        # pandas' own, with nanoseconds
        if hasattr(value, convert):
            return getattr(value, convert)()
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.UTC).replace(tzinfo=None)
        return np.datetime64(value, "us")
    if isinstance(value, datetime.date):
        return np.datetime64(value, "D")
    if isinstance(value, datetime.timedelta):
        return np.timedelta64(value)
    if isinstance(value, numbers.Rational) or np.ndim(value):
        return value
    return float(value) if isinstance(value, numbers.Number) else value


def _measure(array):
    """Return finite times in a form whose differences are exact, if they are."""
    if array.dtype.kind == "f":
        values = array.astype(np.promote_types(array.dtype, np.float64))
        return Times(values, None, float(np.finfo(array.dtype).eps))
    unit = None
    if array.dtype.kind in "mM":
        array, unit = _count_steps(array)
    if array.dtype.kind == "u":
        values = array.astype(np.uint64)
        return Times(values - values.min(initial=_LARGEST), unit, 0.0)
    # the difference of two signed numbers is exact in unsigned arithmetic
    values = array.astype(np.int64)
    lowest = values.min(initial=np.iinfo(np.int64).max)
    return Times(values.view(np.uint64) - lowest.view(np.uint64), unit, 0.0)


def _count_steps(array):
    """Return dates as integers, and the seconds in one step."""
    unit, count = np.datetime_data(array.dtype)
    if unit in "YM" and array.dtype.kind == "M":
        # the first day of each, as NumPy compares them
        array, unit, count = array.astype("datetime64[D]"), "D", 1
    if unit not in _SECONDS:
        raise TypeError(
            f"times of dtype {array.dtype} have no fixed length: give offsets in days "
            "or smaller units, for instance `times.astype('timedelta64[D]')`."
        )
    return array.view(np.int64), _SECONDS[unit] * count


def _read_exact(span, name, *, is_date):
    """Return a span without an error: a Fraction, or infinity."""
    if is_missing(span):
        raise ValueError(
            f"{name} must not be {span}: give a span of time of at least 0, or None."
        )
    if hasattr(span, "to_timedelta64"):
        span = span.to_timedelta64()
    if isinstance(span, datetime.timedelta):
        span = np.timedelta64(span)
    if isinstance(span, np.timedelta64):
        return _read_timedelta(span, name, is_date)
    if isinstance(span, (bool, np.bool_)) or not _is_real(span):
        form = "a number of seconds, or a timedelta" if is_date else "a number"
        raise TypeError(
            f"{name} must be {form}; got {span!r} of type {type(span).__name__}."
        )
    if span in (np.inf, -np.inf):
        return float(span)
    # 0.3 is meant, not the binary number next to it
    return Fraction(span if isinstance(span, numbers.Rational) else str(span))


def _is_real(span):
    """Whether a span is one real number; Decimal is not numbers.Real."""
    return isinstance(span, numbers.Number) and not isinstance(
        span, (complex, np.complexfloating)
    )


def _read_timedelta(span, name, is_date):
    """Return a timedelta64 in seconds."""
    if not is_date:
        raise TypeError(
            f"{name} is {span!r}, but times are numbers: give {name} as a number in "
            "their unit, or times as dates."
        )
    unit, count = np.datetime_data(span.dtype)
    if unit not in _SECONDS:
        raise ValueError(
            f"{name} is {span!r}, which has no fixed length: give days or a smaller "
            "unit."
        )
    return int(span.astype(np.int64)) * count * _SECONDS[unit]
