"""Answers skip checks of arrays that need none, and of no others."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder

X, Y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def clusterer():
    return ConstrainedNeuralClusterer(3, max_iter=2, random_state=0).fit(X, Y)


FORMS = {
    "float64": lambda rows: rows,
    "float32": lambda rows: rows.astype(np.float32),
    "big-endian": lambda rows: rows.astype(">f8"),
    "columns first": np.asfortranarray,
    "every other row": lambda rows: np.repeat(rows, 2, axis=0)[::2],
    "objects": lambda rows: rows.astype(object),
    "list": lambda rows: rows.tolist(),
    "subclass": lambda rows: rows.view(np.ma.MaskedArray),
    "read-only": lambda rows: np.frombuffer(rows.tobytes()).reshape(rows.shape),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_rows", [1, 2, 40])
def test_all_forms_of_an_array_have_the_same_answer(clusterer, form, n_rows):
    rows = np.ascontiguousarray(X[:n_rows])
    expected = clusterer.predict_proba(pd.DataFrame(rows).to_numpy())
    result = clusterer.predict_proba(FORMS[form](rows))
    np.testing.assert_array_equal(result, expected)


def test_an_array_that_is_ready_is_not_checked_again(clusterer, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError

    expected = clusterer.predict(X)
    monkeypatch.setattr("skpairclust.neural._base.validate_data", refuse)
    np.testing.assert_array_equal(clusterer.predict(X), expected)
    with pytest.raises(AssertionError):
        clusterer.predict(X.tolist())


@settings(max_examples=60, deadline=None)
@given(
    value=st.floats(allow_nan=True, allow_infinity=True, width=64),
    dtype=st.sampled_from([np.float32, np.float64]),
    row=st.integers(0, 2),
)
def test_a_bad_value_is_named_as_in_an_array_that_is_checked(
    clusterer, value, dtype, row
):
    rows = X[:3].astype(dtype)
    with np.errstate(over="ignore"):
        rows[row, 1] = value
    assert _answer(clusterer, rows) == _answer(clusterer, np.asfortranarray(rows))


def _answer(clusterer, rows):
    """Return the labels or the error."""
    try:
        return clusterer.predict(rows).tolist()
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize(
    "rows, match",
    [
        (np.zeros((2, 3)), "has 3 features, but ConstrainedNeuralClusterer"),
        (np.zeros((0, 4)), "minimum of 1 is required"),
        (np.zeros(4), "Expected 2D array|samples of shape"),
        (np.zeros((2, 4, 1)), "samples of shape"),
        (np.zeros((2, 4), dtype=complex), "[Cc]omplex"),
    ],
)
def test_other_shapes_and_kinds_are_refused_as_before(clusterer, rows, match):
    with pytest.raises(ValueError, match=match):
        clusterer.predict(rows)


def test_who_fitted_a_data_frame_is_warned_of_an_array():
    frame = pd.DataFrame(X, columns=list("abcd"))
    clusterer = ConstrainedNeuralClusterer(3, max_iter=2, random_state=0).fit(frame, Y)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        clusterer.predict(X)


def test_an_earlier_fit_of_another_width_is_forgotten(clusterer):
    embedder = MetricEmbedder(max_iter=2, random_state=0).fit(X, Y)
    embedder.fit(X[:, :2], Y)
    with pytest.raises(ValueError, match="has 4 features"):
        embedder.transform(X)
