"""Columns of tables that are no numbers are named."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.utils._param_validation import check_columns

COLUMNS = {
    "id": ["a7", "b2", "c9"],
    "kind": pd.Categorical(["x", "y", "x"]),
    "date": pd.to_datetime(["2021-01-01", "2021-01-02", "2022-01-01"]),
    "length": pd.to_timedelta([1, 2, 3], unit="h"),
}


@pytest.mark.parametrize("kind", [ConstrainedNeuralClusterer, MetricEmbedder])
@pytest.mark.parametrize("name", COLUMNS)
def test_columns_without_numbers_are_named(kind, name):
    X = pd.DataFrame({"size": [1.0, 2.0, 3.0], name: COLUMNS[name]})
    with pytest.raises(ValueError, match=f"no numbers: '{name}'. Encode"):
        kind(2).fit(X, [0, 0, 1])
    # Alone, dates would be counted in what they are stored in.
    with pytest.raises(ValueError, match=f"no numbers: '{name}'. Encode"):
        kind(2).fit(X[[name]], [0, 0, 1])


def test_columns_of_polars_are_named():
    X = pl.DataFrame({"size": [1, 2], "id": ["a", "b"], "date": [None, None]})
    X = X.with_columns(pl.col("date").cast(pl.Date))
    with pytest.raises(ValueError, match="no numbers: 'id', 'date'. Encode"):
        check_columns(X)
    check_columns(X[["size"]])


@pytest.mark.parametrize(
    "column",
    [
        [True, False],
        ["1", "2.5"],
        pd.Categorical([3, 4]),
        pd.array([1, None], dtype="Int64"),
        np.array([None, 2.0], dtype=object),
        np.array([pd.NA, 2.0], dtype=object),
        pd.arrays.SparseArray([0.0, 1.0]),
    ],
)
def test_numbers_in_any_form_are_taken(column):
    X = pd.DataFrame({"a": [1, 2], "b": column})
    check_columns(X)
    check_columns(X[["a", "a"]])


def test_what_is_no_table_has_no_columns():
    for X in (np.ones((2, 2)), pd.Series(["a"]), ["a"]):
        check_columns(X)
