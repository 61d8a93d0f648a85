"""recall_at_k against a loop that sorts, with ties in all orders."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skpairclust.metrics import _retrieval, recall_at_k

# Every number from 1 on, so that one call says where the first hit is.
ALL_K = np.arange(1, 9)


def naive_recall(X, labels, sizes, gallery=None, gallery_labels=None):
    """Average over the orders of equally near samples, query by query."""
    alone = gallery is None
    if alone:
        gallery, gallery_labels = X, labels
    rows = []
    for i, (x, label) in enumerate(zip(X, labels, strict=True)):
        distances = ((gallery - x) ** 2).sum(axis=1)
        others = np.arange(len(gallery)) != i if alone else np.full(len(gallery), True)
        same = others & (gallery_labels == label)
        if not same.any():
            continue
        nearest = distances[same].min()
        before = np.count_nonzero(others & (distances < nearest))
        tied = others & (distances == nearest)
        wrong, n_tied = np.count_nonzero(tied & ~same), np.count_nonzero(tied)
        row = []
        for k in sizes:
            places = min(max(k - before, 0), n_tied)
            row.append(1 - comb(wrong, places) / comb(n_tied, places))
        rows.append(row)
    return np.mean(rows, axis=0)


@st.composite
def problems(draw):
    """A few points of a small grid: many are equally near, some are equal."""
    n = draw(st.integers(2, 12))
    cell = st.integers(-2, 2)
    X = draw(st.lists(st.tuples(cell, cell), min_size=n, max_size=n))
    labels = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    labels[1] = labels[0]
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return np.array(X, dtype=dtype), np.array(labels)


@pytest.fixture(params=[1, 3, 2048])
def small_blocks(request, monkeypatch):
    monkeypatch.setattr(_retrieval, "_BLOCK_QUERIES", request.param)
    monkeypatch.setattr(_retrieval, "_BLOCK_GALLERY", request.param)
    monkeypatch.setattr(_retrieval, "_BLOCK_VALUES", 2 * request.param)


@pytest.mark.usefixtures("small_blocks")
def test_against_sorting_with_ties():
    @given(problems())
    def check(problem):
        X, labels = problem
        expected = naive_recall(X, labels, ALL_K)
        assert_allclose(recall_at_k(X, labels, ALL_K), expected, atol=1e-12)

    check()


@pytest.mark.usefixtures("small_blocks")
def test_a_gallery_against_sorting_with_ties():
    @given(problems(), problems())
    def check(problem, other):
        (X, labels), (gallery, gallery_labels) = problem, other
        gallery_labels = gallery_labels.copy()
        gallery_labels[0] = labels[0]
        expected = naive_recall(X, labels, ALL_K, gallery, gallery_labels)
        found = recall_at_k(
            X, labels, ALL_K, X_gallery=gallery, gallery_labels=gallery_labels
        )
        assert_allclose(found, expected, atol=1e-12)

    check()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [1, 10, 900])
@pytest.mark.parametrize("offset", [0, 1000])
def test_against_sorting_in_blocks(dtype, n_classes, offset):
    rng = np.random.default_rng(0)
    labels = rng.integers(n_classes, size=3000)
    X = rng.normal(size=(n_classes, 8))[labels] + rng.normal(size=(3000, 8)) + offset
    X = X.astype(dtype)
    sizes = np.array([1, 2, 8, 100])
    expected = naive_recall(X.astype(np.float64), labels, sizes)
    assert_allclose(recall_at_k(X, labels, sizes), expected, atol=1e-12)


def test_equal_rows_tie_wherever_they_stand():
    # of each sample a twin of another class: half of the first places are right
    rng = np.random.default_rng(0)
    half = rng.normal(size=(700, 33)).astype(np.float32)
    X, labels = np.concatenate((half, half, half)), np.repeat([0, 1, 1], 700)
    order = rng.permutation(len(X))
    # class 0: its twins are both of class 1; class 1: one of two twins
    assert_array_equal(recall_at_k(X[order], labels[order], [1, 2]), [1 / 3, 2 / 3])


def test_all_samples_at_one_place_are_guesses():
    labels = np.repeat(np.arange(4), 5)
    found = recall_at_k(np.full((20, 3), 0.1), labels, [1, 2, 16])
    assert_allclose(found, [4 / 19, 1 - (15 / 19) * (14 / 18), 1], atol=1e-12)


def test_order_of_rows_does_not_matter(digits):
    X, y = digits
    order = np.random.default_rng(0).permutation(len(X))
    first, second = (recall_at_k(X[o], y[o], [1, 4]) for o in (order, order[::-1]))
    assert_array_equal(first, second)


def test_cosine_ignores_length(digits):
    X, y = digits
    scaled = X * np.linspace(0.5, 2, len(X))[:, None]
    found = recall_at_k(scaled, y, metric="cosine")
    assert found == pytest.approx(recall_at_k(X, y, metric="cosine"), abs=0.003)
    assert found != recall_at_k(scaled, y)


def test_lone_samples_are_left_out():
    X = np.array([[0.0], [1.0], [-0.1], [5.0]])
    assert recall_at_k(X, ["a", "a", "b", "c"], 1) == 0.5
    with pytest.raises(ValueError, match="no sample has another one of its class"):
        recall_at_k(X, [0, 1, 2, 3])


def test_shape_follows_k():
    X, labels = np.eye(4), [0, 0, 1, 1]
    assert isinstance(recall_at_k(X, labels, 3), float)
    assert recall_at_k(X, labels, [3]).shape == (1,)
    assert recall_at_k(X, labels, 100) == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k must be integers of at least 1; got 0"),
        ({"k": 1.5}, "k must be integers"),
        ({"k": []}, "k must be integers|k is empty"),
        ({"metric": "manhattan"}, "metric must be 'euclidean' or 'cosine'"),
        ({"labels": [0, 1]}, "inconsistent numbers of samples"),
        ({"X_gallery": np.eye(4)}, "go together"),
        (
            {"X_gallery": np.eye(3), "gallery_labels": [0, 1, 0]},
            "X has 4 features, but X_gallery has 3",
        ),
        ({"X": np.full((4, 2), np.nan)}, "NaN"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        recall_at_k(**({"X": np.eye(4), "labels": [0, 0, 1, 1]} | arguments))
