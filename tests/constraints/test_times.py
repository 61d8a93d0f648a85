"""Sequences in time: the same constraints in every form and unit of time."""

import datetime
from fractions import Fraction
from itertools import combinations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skpairclust import PairwiseConstraints

START = datetime.datetime(2024, 5, 1, 10)
OFFSETS = [0, 2, 9, 1, 3]
IDS = [1, 1, 1, 2, 2]
DATES = [START + datetime.timedelta(seconds=s) for s in OFFSETS]
PARIS = datetime.timezone(datetime.timedelta(hours=2))
ZONED = [d.replace(tzinfo=datetime.UTC) for d in DATES]
MIXED_ZONES = [d.astimezone(PARIS) if i % 2 else d for i, d in enumerate(ZONED)]
STAMPS = np.array(DATES, dtype="datetime64[s]")
FORMS = {
    "list of datetime": DATES,
    "list with zones": ZONED,
    "mixed zones": np.array(MIXED_ZONES, dtype=object),
    "Series": pd.Series(DATES, index=range(5, 0, -1)),
    "Series with zone": pd.Series(ZONED).dt.tz_convert("Europe/Paris"),
    "index": pd.DatetimeIndex(DATES),
    "index with zone": pd.DatetimeIndex(ZONED, tz="Asia/Tokyo"),
    "Timestamps": [pd.Timestamp(d, tz="UTC") for d in DATES],
    "polars": pl.Series(DATES),
    "polars with zone": pl.Series(ZONED),
    "list of timedelta": [d - START for d in DATES],
    "Series of Timedelta": pd.Series(DATES) - START,
    "objects of datetime64": np.array(list(STAMPS), dtype=object),
    **{f"dates in {u}": STAMPS.astype(f"M8[{u}]") for u in ("s", "ms", "us", "ns")},
    **{f"by 500 {u}": STAMPS.astype(f"M8[500{u}]") for u in ("ms", "us")},
    **{f"m8[{u}]": np.array(OFFSETS, "m8[s]").astype(f"m8[{u}]") for u in ("s", "ns")},
}
SPANS = {
    "seconds": 5,
    "float": 5.0,
    "timedelta": datetime.timedelta(seconds=5),
    "timedelta64": np.timedelta64(5000, "ms"),
    "Timedelta": pd.Timedelta("5s"),
}


def relate(ids, times, gap=None, tolerance=0):
    """List must-links and cannot-links from the definition."""
    piece, at = {}, {}
    for track in {i for i in ids if i >= 0}:
        members = sorted((i for i, t in enumerate(ids) if t == track), key=times.get)
        number = 0
        for before, here in zip([members[0], *members], members, strict=False):
            number += gap is not None and times[here] - times[before] > gap
            piece[here] = (track, number)
            at.setdefault((track, number), []).append(times[here])
    must, cannot = set(), set()
    for a, b in combinations(sorted(piece), 2):
        p, q = piece[a], piece[b]
        if p == q:
            must.add((a, b))
        elif p[0] != q[0]:
            near = any(abs(s - t) <= tolerance for s in at[p] for t in at[q])
            cannot |= {(a, b)} if near else set()
    return must, cannot


def pairs_of(made):
    """Return both kinds of pairs as sets."""
    return tuple(
        set(map(tuple, pairs.tolist())) for pairs in (made.must_link, made.cannot_link)
    )


@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
@pytest.mark.parametrize("times", FORMS.values(), ids=FORMS)
def test_all_forms_of_dates_mean_the_same(times, span):
    tolerance = span / 5
    made = PairwiseConstraints.from_sequences(
        IDS, times=times, max_gap=span, tolerance=tolerance
    )
    assert pairs_of(made) == relate(IDS, dict(enumerate(OFFSETS)), 5, 1)
    strict = PairwiseConstraints.from_sequences(IDS, times=times, max_gap=span)
    assert pairs_of(strict) == relate(IDS, dict(enumerate(OFFSETS)), 5, 0)


def test_zones_are_compared_in_utc():
    noon = datetime.datetime(2024, 5, 1, 12)
    times = [
        noon.replace(tzinfo=PARIS),
        datetime.datetime(2024, 5, 1, 10, tzinfo=datetime.UTC),
    ]
    assert PairwiseConstraints.from_sequences([0, 1], times=times).n_cannot_link == 1


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
def test_small_integers_do_not_overflow(dtype):
    info = np.iinfo(dtype)
    times = np.array([info.max, info.min, info.min + 1], dtype=dtype)
    made = PairwiseConstraints.from_sequences([1, 1, 1], times=times, max_gap=1)
    assert pairs_of(made)[0] == {(1, 2)}
    made = PairwiseConstraints.from_sequences([1, 2, 3], times=times, tolerance=1)
    assert pairs_of(made)[1] == {(1, 2)}
    wide = int(info.max) - int(info.min) - 1
    made = PairwiseConstraints.from_sequences([1, 2, 3], times=times, tolerance=wide)
    assert pairs_of(made)[1] == {(0, 2), (1, 2)}


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g"])
def test_floats_differ_up_to_rounding(dtype):
    times = np.arange(10).astype(dtype) / np.array(10, dtype=dtype)
    with np.errstate(all="raise"):
        made = PairwiseConstraints.from_sequences([1] * 10, times=times, max_gap=0.1)
        assert made.n_must_link == 45
        extreme = np.array([np.finfo(dtype).max, -np.finfo(dtype).max], dtype=dtype)
        cut = PairwiseConstraints.from_sequences([1, 1], times=extreme, max_gap=1)
    assert cut.n_pairs == 0
    apart = PairwiseConstraints.from_sequences(range(10), times=times, tolerance=0.1)
    assert apart.n_cannot_link == 9


def test_far_dates_and_decimal_spans():
    times = np.array(["0001-01-01", "9999-01-01"], dtype="M8[us]")
    made = PairwiseConstraints.from_sequences([1, 1], times=times, max_gap=1e9)
    assert made.n_pairs == 0
    times = np.array([0, 300], dtype="M8[ms]")
    for gap, n_pairs in ((0.3, 1), (np.float32(0.3), 1), (0.2999, 0), (np.inf, 1)):
        made = PairwiseConstraints.from_sequences([1, 1], times=times, max_gap=gap)
        assert made.n_pairs == n_pairs, gap
    months = np.array(["2024-01", "2024-02"], dtype="M8[M]")
    day = datetime.timedelta(days=1)
    for gap, n_pairs in ((31 * day, 1), (30 * day, 0)):
        made = PairwiseConstraints.from_sequences([1, 1], times=months, max_gap=gap)
        assert made.n_pairs == n_pairs


def test_samples_without_sequence_need_no_time():
    made = PairwiseConstraints.from_sequences(
        ["a", "a", None, "b"], times=[0.0, 1.0, np.nan, 1.0]
    )
    assert pairs_of(made) == ({(0, 1)}, {(0, 3), (1, 3)})
    made = PairwiseConstraints.from_sequences([1, 1, -1], times=[START, START, pd.NaT])
    assert made.n_must_link == 1


def test_pieces_of_one_sequence_are_never_cannot_linked():
    made = PairwiseConstraints.from_sequences(
        [1, 1, 2], times=[0, 10, 5], max_gap=2, tolerance=20
    )
    assert pairs_of(made) == (set(), {(0, 2), (1, 2)})


@settings(max_examples=150, deadline=None)
@given(
    samples=st.lists(st.tuples(st.integers(-1, 4), st.integers(-30, 30)), max_size=14),
    gap=st.none() | st.integers(0, 20),
    tolerance=st.integers(0, 12),
    form=st.sampled_from(["i1", "i8", "f4", "f8", "M8[s]", "M8[ns]", "m8[ms]"]),
)
def test_against_the_definition(samples, gap, tolerance, form):
    ids, offsets = zip(*samples, strict=True) if samples else ((), ())
    unit = Fraction(1)
    times = np.array(offsets, dtype="i8" if form[1] == "8" else form).astype(form)
    if form[0] in "mM":
        unit = {"s": 1, "ns": Fraction(1, 10**9), "ms": Fraction(1, 1000)}[form[3:-1]]
    made = PairwiseConstraints.from_sequences(
        np.array(ids, dtype=int),
        times=times,
        max_gap=None if gap is None else gap * unit,
        tolerance=tolerance * unit,
    )
    assert pairs_of(made) == relate(ids, dict(enumerate(offsets)), gap, tolerance)


def test_many_samples_close_in_time():
    n_frames = 20_000
    ids = np.repeat([0, 1, 2], n_frames)
    times = np.concatenate([np.arange(n_frames) + shift for shift in (0.0, 0.3, 1e6)])
    # each sample has thousands of others within the tolerance
    made = PairwiseConstraints.from_sequences(ids, times=times, tolerance=5_000)
    assert made.n_cannot_link == n_frames**2


@pytest.mark.parametrize(
    ("times", "spans", "error", "message"),
    [
        ([0, 1], {"max_gap": -1}, ValueError, "max_gap must not be negative; got -1"),
        ([0, 1], {"max_gap": np.nan}, ValueError, "max_gap must not be nan"),
        ([0, 1], {"tolerance": -0.5}, ValueError, "tolerance must not be negative"),
        ([0, 1], {"tolerance": np.nan}, ValueError, "tolerance must not be nan"),
        ([0, 1], {"max_gap": True}, TypeError, "max_gap must be a number; got True"),
        ([0, 1], {"max_gap": "5"}, TypeError, "max_gap must be a number; got '5'"),
        ([0, 1], {"max_gap": pd.Timedelta("5s")}, TypeError, "times are numbers"),
        (DATES[:2], {"max_gap": pd.Timedelta("-5s")}, ValueError, "not be negative"),
        (DATES[:2], {"max_gap": -datetime.timedelta(1)}, ValueError, "not be negative"),
        (DATES[:2], {"max_gap": pd.NaT}, ValueError, "max_gap must not be NaT"),
        (DATES[:2], {"tolerance": "5s"}, TypeError, "number of seconds"),
        (DATES[:2], {"max_gap": np.timedelta64(1, "M")}, ValueError, "fixed length"),
        ([START, pd.NaT], {}, ValueError, "samples 1. Give samples without time"),
        ([0.0, np.nan], {}, ValueError, "times must be finite"),
        ([0.0, np.inf], {}, ValueError, "times must be finite"),
        ([0, None], {}, ValueError, "times must be finite"),
        ([START, 5], {}, TypeError, "times mix different kinds"),
        ([DATES[0], ZONED[0]], {}, TypeError, "with and without a time zone"),
        (["2024-05-01", "2024-05-02"], {}, TypeError, "pandas.to_datetime"),
        (np.array([1, 2], "m8[M]"), {}, TypeError, "no fixed length"),
        ([0, 1, 2], {}, ValueError, r"shape \(2,\)"),
        (None, {"tolerance": 1}, ValueError, "tolerance needs times"),
    ],
)
def test_wrong_times(times, spans, error, message):
    with pytest.raises(error, match=message):
        PairwiseConstraints.from_sequences([1, 1], times=times, **spans)
