"""Neighbors by faiss: those of an exact search, in the same form."""

import pickle

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from skpairclust import MetricEmbedder
from skpairclust.embedder._near_index import _LEAST_SAMPLES, NearIndex

faiss = pytest.importorskip("faiss")


def embeddings(n_samples, seed=0):
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(9).standard_normal((200, 16))
    Z = centers[rng.integers(200, size=n_samples)]
    return (Z + 0.3 * rng.standard_normal(Z.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def Z():
    return embeddings(_LEAST_SAMPLES + 2_000)


@pytest.fixture(scope="module")
def index(Z):
    return NearIndex(Z)


@pytest.mark.parametrize("of_all", [False, True])
def test_most_neighbors_are_the_exact_ones(Z, index, of_all):
    queries = None if of_all else embeddings(300, seed=1)
    expected = NearestNeighbors(algorithm="brute").fit(Z).kneighbors(queries, 5)
    # A number of NumPy's is a number.
    distances, found = index.kneighbors(queries, np.int64(5))
    assert (distances.dtype, found.dtype) == (np.float32, np.int64)
    assert found.shape == expected[1].shape
    assert (np.diff(distances, axis=1) >= 0).all()
    hits = (found[:, :, None] == expected[1][:, None]).any(axis=2)
    assert hits.mean() > 0.97
    # Of those that are found, the distance is the right one.
    np.testing.assert_allclose(distances[:, 0], expected[0][:, 0], atol=0.01, rtol=0.1)
    if of_all:
        assert not (found == np.arange(len(Z))[:, None]).any()


def test_equal_samples_are_neighbors_of_each_other():
    """A query is left out by its number, not by its distance."""
    Z = np.repeat(embeddings(_LEAST_SAMPLES // 2), 2, axis=0)
    distances, found = NearIndex(Z).kneighbors(None, 1)
    np.testing.assert_array_equal(found[:, 0], np.arange(len(Z)) ^ 1)
    np.testing.assert_array_equal(distances, 0)


def test_more_than_the_parts_hold(Z, index):
    """Whoever asks for thousands gets them all."""
    _, found = index.kneighbors(Z[:2], len(Z))
    np.testing.assert_array_equal(np.sort(found), [np.arange(len(Z))] * 2)


@pytest.fixture(scope="module")
def fitted():
    X = embeddings(400)
    y = np.random.RandomState(0).randint(4, size=400)
    return MetricEmbedder(4, max_iter=1, random_state=0).fit(X, y), X, y


def test_few_samples_are_searched_exactly(fitted):
    embedder, X, _ = fitted
    for queries in (None, X[:7]):
        distances, rows = embedder.kneighbors(queries, 3)
        found = embedder.kneighbors(queries, 3, algorithm="faiss")
        assert found[0].dtype == distances.dtype == np.float32
        np.testing.assert_allclose(found[0], distances, atol=1e-3)
        assert np.mean(found[1] == rows) > 0.99
    found = embedder.kneighbors(X[:7], return_distance=False, algorithm="faiss")
    assert found.shape == (7, 5)


def test_the_index_is_that_of_the_last_fit(fitted):
    embedder, X, y = fitted
    embedder.kneighbors(X[:2], algorithm="faiss")
    loaded = pickle.loads(pickle.dumps(embedder))
    assert "_near_index" not in vars(loaded)
    again = loaded.kneighbors(X[:2], algorithm="faiss")[1]
    np.testing.assert_array_equal(again, embedder.kneighbors(X[:2])[1])
    loaded.fit(X[:50], y[:50])
    assert "_near_index" not in vars(loaded)
    assert loaded.kneighbors(X, algorithm="faiss")[1].max() < 50


@pytest.mark.parametrize("n_neighbors", [0, 401, 2.5, True, "5", None])
def test_numbers_that_are_none(fitted, n_neighbors):
    embedder, X, _ = fitted
    with pytest.raises(ValueError, match="n_neighbors=.* must be an integer from 1 to"):
        embedder.kneighbors(X[:2], n_neighbors)


def test_each_sample_has_no_more_neighbors_than_others(fitted):
    embedder = fitted[0]
    assert embedder.kneighbors(n_neighbors=399)[1].shape == (400, 399)
    with pytest.raises(ValueError, match="from 1 to 399"):
        embedder.kneighbors(n_neighbors=400)


def test_an_algorithm_that_is_none(fitted):
    with pytest.raises(ValueError, match="algorithm='flat' must be one of"):
        fitted[0].kneighbors(algorithm="flat")


def test_faiss_that_is_not_there(fitted, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    embedder = pickle.loads(pickle.dumps(fitted[0]))
    with pytest.raises(ImportError, match=r"skpairclust\[retrieval\]"):
        embedder.kneighbors(algorithm="faiss")
