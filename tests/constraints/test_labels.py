"""Labels in every form: the same classes, and the same samples without one."""

import decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skpairclust import PairwiseConstraints
from skpairclust.baselines import PCKMeans
from skpairclust.constraints._labels import encode_labels
from skpairclust.constraints._supervision import check_supervision

CODES = [1, 0, -1, 1, -1, 0]
NAMES = ["dog", "cat", None, "dog", None, "cat"]
FORMS = {
    "integers": [7, 3, -1, 7, -1, 3],
    "small integers": np.array([7, 3, -1, 7, -1, 3], dtype=np.int8),
    "floats": [7.0, 3.0, np.nan, 7.0, -1.0, 3.0],
    "integers and None": [7, 3, None, 7, -1, 3],
    "integers and NaN": np.array([7, 3, np.nan, 7, None, 3], dtype=object),
    "names and None": NAMES,
    "names and NaN in a list": ["dog", "cat", float("nan"), "dog", np.nan, "cat"],
    "names and -1": np.array(["dog", "cat", -1, "dog", -1, "cat"], dtype=object),
    "masked": np.ma.array([7, 3, 0, 7, 1, 3], mask=[0, 0, 1, 0, 1, 0]),
    "nullable": pd.array([7, 3, None, 7, None, 3], dtype="Int64"),
    "Series of names": pd.Series(NAMES, index=range(9, 3, -1)),
    "strings of pandas": pd.Series(NAMES, dtype="string"),
    "categories": pd.Series(NAMES, dtype="category"),
    "pandas.NA": np.array(["dog", "cat", pd.NA, "dog", pd.NA, "cat"], dtype=object),
    "pandas.NaT": [7, 3, pd.NaT, 7, pd.NaT, 3],
    "dates": np.array(["2024-02", "2024-01", "NaT"] * 2, "M8[M]")[[0, 1, 2, 0, 2, 1]],
    "polars names": pl.Series(NAMES),
    "polars integers": pl.Series([7, 3, None, 7, None, 3]),
    "decimals": [decimal.Decimal(n) for n in ("7", "3", "NaN", "7", "NaN", "3")],
    "tuples": pd.Series([(2, 0), (1, 5), None, (2, 0), None, (1, 5)]),
}


@pytest.mark.parametrize("labels", FORMS.values(), ids=FORMS)
def test_all_forms_say_the_same(labels):
    assert encode_labels(labels).tolist() == CODES
    expected = PairwiseConstraints.from_labels(CODES)
    for made in (
        PairwiseConstraints.from_labels(labels),
        check_supervision(labels, n_samples=6),
        PairwiseConstraints.sample_from_labels(labels, 6, random_state=0),
    ):
        assert made.must_link.tolist() == expected.must_link.tolist()
        assert made.cannot_link.tolist() == expected.cannot_link.tolist()


def test_missing_labels_link_nothing():
    labels = np.where(np.arange(150) % 3 == 0, "a", None)
    made = PairwiseConstraints.from_labels(labels)
    assert made.n_must_link == 50 * 49 // 2
    assert made.n_cannot_link == 0
    assert PairwiseConstraints.from_labels([None, np.nan, pd.NA]).n_pairs == 0
    assert PairwiseConstraints.from_labels([]).n_samples == 0


def test_estimators_take_names():
    X = np.random.RandomState(0).normal(size=(6, 2))
    fits = [PCKMeans(2, random_state=0).fit(X, y) for y in (CODES, NAMES)]
    assert fits[0].labels_.tolist() == fits[1].labels_.tolist()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", 1], "y mixes labels"),
        ([True, None], "got True"),
        (pd.Series([True, pd.NA], dtype="boolean"), "got True"),
        ([1j, 2j], "must hold integers or names"),
        (pd.Series([[1], [2]]), r"\[1\] of type list"),
        (["x", "-1"], "string '-1'"),
        (np.array(["x", None]).astype("U4").astype(object)[[0]].tolist() + [2], "mix"),
        (["x", "<NA>"], "<NA>"),
    ],
)
def test_what_is_no_label(labels, message):
    with pytest.raises((TypeError, ValueError), match=message):
        check_supervision(labels, n_samples=2)
