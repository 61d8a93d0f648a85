"""Constraints between samples that have ids: from tables, from arrays, and back."""

import builtins
import csv
from datetime import date, datetime
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skpairclust import PairwiseConstraints
from tests.constraints.oracles import as_dicts, constraints

NAMES = ["ann", "bob", "cleo", "dan"]
TABLE = {
    "left": ["ann", "cleo", "dan"],
    "right": ["bob", "bob", "ann"],
    "same": [True, False, True],
}
EXPECTED = PairwiseConstraints([(0, 1), (0, 3)], [(1, 2)], n_samples=4)


def from_frame(same=None, index=NAMES, **columns):
    table = {**TABLE, "same": TABLE["same"] if same is None else same, **columns}
    return PairwiseConstraints.from_frame(table, index=index)


# Ids of every kind: whole numbers, names, dates, tuples.
IDS = [
    st.integers(),
    st.text(max_size=3),
    st.dates(date(1700, 1, 1), date(2200, 1, 1)),
    st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)),
    st.tuples(st.text(max_size=2), st.integers(0, 9)),
]


@given(constraints(), st.sampled_from(IDS), st.data())
def test_round_trip(known, ids, data):
    n = known.n_samples
    index = data.draw(st.lists(ids, min_size=n, max_size=n, unique=True))
    frame = known.to_frame(index)
    again = PairwiseConstraints.from_frame(frame, index=index, weight="weight")
    assert as_dicts(again) == as_dicts(known)
    assert again.n_samples == n


@given(constraints())
def test_rows_of_the_table_are_the_pairs_in_their_order(known):
    frame = known.to_frame()
    listed = frame[["left", "right"]].to_numpy().reshape(-1, 2)
    pairs = np.concatenate((known.must_link, known.cannot_link))
    assert listed.tolist() == pairs.tolist()
    assert frame["same"].sum() == known.n_must_link
    kept = frame["weight"].to_numpy() > 1
    assert len(known.subset(kept).to_frame()) == kept.sum()


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
@pytest.mark.parametrize("make_index", [list, np.array, pd.Index, pd.Series, pl.Series])
def test_tables_and_indices_of_any_library(make, make_index):
    index = make_index(NAMES)
    assert PairwiseConstraints.from_frame(make(TABLE), index=index) == EXPECTED
    frame = EXPECTED.to_frame(index, constructor=make)
    assert PairwiseConstraints.from_frame(frame, index=index) == EXPECTED


def test_index_of_a_data_frame():
    X = pd.DataFrame(np.eye(4), index=NAMES)
    assert from_frame(index=X) == from_frame(index=X.index) == EXPECTED
    with pytest.raises(TypeError, match=r"polars table.*column that holds the ids"):
        from_frame(index=pl.DataFrame({"id": NAMES}))


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us", "ns"])
def test_dates_match_in_every_unit(unit):
    days = np.array(["2024-01-01", "2024-01-03", "2024-01-02"], dtype=f"M8[{unit}]")
    table = pd.DataFrame({"a": days[:2], "b": days[1:], "same": [1, -1]})
    for index in (days, pd.DatetimeIndex(days), pd.Series(days), days.tolist()):
        if isinstance(index, list) and isinstance(index[0], int):
            continue  # nanoseconds as NumPy lists them
        if isinstance(index, list) and unit == "D":
            continue  # dates are no datetimes
        c = PairwiseConstraints.from_frame(table, "a", "b", index=index)
        assert (c.must_link.tolist(), c.cannot_link.tolist()) == ([[0, 1]], [[1, 2]])


def test_nanoseconds_are_kept_apart():
    times = np.array([0, 1, 2], dtype="M8[ns]")
    c = PairwiseConstraints.from_ids([(times[0], times[2])], index=times)
    assert c.must_link.tolist() == [[0, 2]]


def test_a_csv_file(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("a,b,answer\nann,bob,same\ncleo,bob,Different\ndan,ann,SAME\n")
    tables = [pd.read_csv(path), pl.read_csv(path)]
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    tables.append({name: [row[name] for row in rows] for name in rows[0]})
    for table in tables:
        c = PairwiseConstraints.from_frame(table, "a", "b", "answer", index=NAMES)
        assert c == EXPECTED


@pytest.mark.parametrize(
    "same",
    [
        [1, -1, 1],
        [1.0, -1.0, 1.0],
        ["same", "different", "must-link"],
        [" Yes", "NO ", "true"],
        ["1", "-1", "+1"],
        np.array([True, False, True]),
        pd.Series([True, False, True], dtype="boolean"),
        pd.Categorical(["same", "different", "same"]),
    ],
)
def test_answers(same):
    assert from_frame(same) == EXPECTED


@pytest.mark.parametrize(
    "same",
    [
        [1, -1, 0],
        [1, -1, np.nan],
        [True, False, None],
        [True, False, np.nan],
        ["same", "different", "unsure"],
        ["same", "different", ""],
        ["1", "-1", "0"],
        pd.array([True, False, pd.NA], dtype="boolean"),
    ],
)
def test_pairs_without_an_answer_are_left_out(same):
    c = from_frame(same, weight=[1.0, 1.0, np.nan])
    assert c == PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=4)


@pytest.mark.parametrize(
    ("same", "message"),
    [
        ([1, 0, 1], r"'same' holds 0 but no -1.*booleans"),
        (["1", "0", "1"], r"holds '0' but no -1"),
        ([1, 0, np.nan], r"holds 0 but no -1"),
        ([1, 2, -1], r"'same' may hold True and False.*got 2"),
        ([1, 0.5, -1], "got 0.5"),
        (["same", "different", "maybe"], "got 'maybe'"),
        ([True, 0, -1], "mixes booleans and numbers"),
        ([True, [1], False], "unhashable"),
    ],
)
def test_wrong_answers(same, message):
    with pytest.raises(ValueError, match=message):
        from_frame(same)


def test_the_advice_about_zeros_is_right():
    table = pd.DataFrame({**TABLE, "same": ["1", "0", "1"]})
    table["same"] = table["same"].astype(int).astype(bool)
    assert PairwiseConstraints.from_frame(table, index=NAMES) == EXPECTED


def test_weights():
    table = {**TABLE, "sure": [0.5, 2, 3]}
    c = PairwiseConstraints.from_frame(table, index=NAMES, weight="sure")
    assert as_dicts(c) == ({(0, 1): 0.5, (0, 3): 3}, {(1, 2): 2})
    table["sure"] = [0.5, 0, 3]
    with pytest.raises(ValueError, match="cannot_link_weight must be positive"):
        PairwiseConstraints.from_frame(table, index=NAMES, weight="sure")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"left": ["x", "ann", "y"]}, ValueError, "'left' holds 2 ids.*: 'x', 'y'. Le"),
        ({"left": [None, "ann", "bob"]}, ValueError, r"'left' has no id .* 1 rows: 0"),
        ({"left": [1, 2, 3]}, ValueError, "of type int, those of index are str: read"),
        ({"left": [["ann"], "a", "b"]}, TypeError, "'left' holds values that cannot"),
        (
            {"left": ["bob", "cleo", "dan"]},
            ValueError,
            "with itself: 'bob'",
        ),
        ({"left": ["ann"]}, ValueError, "differ in length: {'left': 1, 'right': 3"),
        ({"left": np.eye(3)}, ValueError, r"column 'left' must be one-dim.*\(3, 3\)"),
        ({"left": "ann"}, TypeError, "column 'left' must be one-dim.*text 'ann'"),
        ({"left": 3}, TypeError, "column 'left' must be one-dim.*int"),
        (
            {"index": ["ann"] * 9 + NAMES},
            ValueError,
            "index holds 1 ids more than once",
        ),
        ({"index": ["ann", None]}, ValueError, r"index has no id .* at 1 rows: 1"),
        ({"index": [["ann"], ["bob"]]}, TypeError, "index holds values that cannot"),
        ({"index": np.eye(4)}, ValueError, r"index must be one-dim.*\(4, 4\)"),
    ],
)
def test_wrong_ids(changes, error, message):
    with pytest.raises(error, match=message):
        from_frame(**changes)


def test_the_first_few_unknown_ids_are_named():
    left = [f"id{number}" for number in range(30)] * 2
    table = {"left": left, "right": ["ann"] * 60, "same": [True] * 60}
    with pytest.raises(ValueError, match="30 ids .*: 'id0', .*'id4' and 25 more"):
        PairwiseConstraints.from_frame(table, index=NAMES)


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ({"left": [], "right": []}, ValueError, "no column 'same'.*'left', 'right'"),
        (
            [("ann", "bob", True)],
            TypeError,
            "table with named.*got list.*from_id",
        ),
        (np.eye(3), TypeError, "table with named columns.*got ndarray"),
        (pl.DataFrame(TABLE).lazy(), TypeError, r"pass `pairs.collect\(\)`"),
    ],
)
def test_wrong_tables(table, error, message):
    with pytest.raises(error, match=message):
        PairwiseConstraints.from_frame(table, index=NAMES)


def test_table_without_pandas(monkeypatch):
    load = builtins.__import__

    def without_pandas(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return load(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(ImportError, match="pip install pandas"):
        EXPECTED.to_frame()
    assert EXPECTED.to_frame(constructor=dict)["same"] == [True, True, False]


def test_index_of_other_rows():
    with pytest.raises(ValueError, match="index has 3 ids.* about 4 samples"):
        EXPECTED.to_frame(NAMES[:3])
    kept = [3, 0, 1]
    names = EXPECTED[kept].to_frame(np.array(NAMES)[kept])
    assert set(zip(names["left"], names["right"], strict=True)) == {
        ("dan", "ann"),
        ("ann", "bob"),
    }


# Arrays of ids


@pytest.mark.parametrize("make", [list, np.array, pd.DataFrame, pl.DataFrame])
def test_from_ids(make):
    must = make([["ann", "bob"], ["dan", "ann"]])
    if make is pl.DataFrame:
        must = pl.DataFrame([["ann", "dan"], ["bob", "ann"]])
    c = PairwiseConstraints.from_ids(must, [("cleo", "bob")], index=NAMES)
    assert c == EXPECTED


def test_labels_of_an_index_are_not_positions():
    X = pd.DataFrame(np.eye(3), index=[2, 0, 1])
    c = PairwiseConstraints.from_ids([(0, 1)], index=X, must_link_weight=[2.0])
    assert as_dicts(c) == ({(1, 2): 2.0}, {})


@pytest.mark.parametrize("empty", [None, [], np.empty((0, 2))])
def test_from_no_ids(empty):
    assert PairwiseConstraints.from_ids(empty, empty, index=NAMES).n_pairs == 0


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["ab", "cd"], "must_link must hold pairs of two ids; got 'ab', 'cd'"),
        ([("ann", "bob", "cleo")], "must hold pairs of two ids"),
        (np.array(["ann", "bob"]), r"must_link must have shape \(m, 2\); got \(2,\)"),
        ([("ann", "eve")], "must_link holds 1 ids that are not in index: 'eve'"),
        ([("ann", "ann")], "join a sample with itself: 'ann'"),
    ],
)
def test_wrong_pairs_of_ids(pairs, message):
    with pytest.raises(ValueError, match=message):
        PairwiseConstraints.from_ids(pairs, index=NAMES)


def test_ids_may_be_tuples():
    index = list(product("ab", range(2)))
    c = PairwiseConstraints.from_ids([(("a", 1), ("b", 0))], index=index)
    assert c.must_link.tolist() == [[1, 2]]


# Integers take a shorter way


INTEGERS = np.array([50, 7, -3, 2**53 + 1, 2**53])


@pytest.mark.parametrize(
    "make",
    [
        np.array,
        pd.Series,
        pl.Series,
        lambda v: np.array(v, dtype=object),
        lambda v: pd.array(v, dtype="Int64"),
    ],
    ids=["numpy", "pandas", "polars", "object", "nullable"],
)
@pytest.mark.parametrize("index", [INTEGERS, pd.Index(INTEGERS), INTEGERS.tolist()])
def test_integers_of_any_container(make, index):
    left, right = make([7, 50, 2**53]), make([50, -3, 2**53 + 1])
    table = {"left": left, "right": right, "same": [True, False, False]}
    c = PairwiseConstraints.from_frame(table, index=index)
    assert c.must_link.tolist() == [[0, 1]]
    assert c.cannot_link.tolist() == [[0, 2], [3, 4]]


@pytest.mark.parametrize("spread", [1, 3, 1000, 2**60])
def test_dense_and_scattered_integers(spread):
    index = np.random.default_rng(0).permutation(np.arange(-3, 4)) * spread
    rows = np.arange(1, 7)
    c = PairwiseConstraints.from_ids(
        np.column_stack((index[rows], index[rows - 1])), index=index
    )
    assert c.must_link.tolist() == np.column_stack((rows - 1, rows)).tolist()
    for unknown in (index.max() + 1, index.min() - 1, -(2**63), 2**63 - 1):
        with pytest.raises(ValueError, match=f"1 ids that are not in index: {unknown}"):
            pairs = np.array([[unknown, index[0]]])
            PairwiseConstraints.from_ids(pairs, index=index)


def test_integers_of_other_types_are_the_same_ids():
    index = np.arange(5, dtype=np.uint8) * 10
    pairs = np.array([[40.0, 0.0]]), [(True, 20)]
    assert PairwiseConstraints.from_ids(pairs[0], index=index).n_must_link == 1
    c = PairwiseConstraints.from_ids(pairs[1], index=range(1, 30))
    assert c.must_link.tolist() == [[0, 19]]


@pytest.mark.parametrize(
    "column, index, message",
    [
        ([3, 9], [3, 4], r"column 'left' holds 1 ids that are not in index: 9\. Leave"),
        ([3, 4], [3, 3], r"index holds 1 ids more than once: 3\."),
        (["3", "4"], [3, 4], r"of type str, those of index are int: read both alike"),
        ([3, 4], [], r"holds 2 ids that are not in index: 3, 4"),
        ([4, 4], [3, 4], r"1 pairs join a sample with itself: 4\."),
    ],
)
def test_what_is_wrong_with_integers(column, index, message):
    table = {"left": np.array(column), "right": np.array([3, 4]), "same": [True] * 2}
    with pytest.raises(ValueError, match=message):
        PairwiseConstraints.from_frame(table, index=np.array(index, dtype=np.int64))
