"""Distances to near neighbors: against the naive matrix, in any company."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.spatial.distance import cdist

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer._spacing import Spacing
from skpairclust.clusterer._task import make_task
from skpairclust.neural._rows import FeatureRows

CPU = torch.device("cpu")


def spacing(X, n_neighbors=1):
    rows = FeatureRows(X, X.shape[1:], CPU)
    return Spacing(rows, 0, n_neighbors), rows


@pytest.mark.parametrize("n_neighbors", [1, 3])
@pytest.mark.parametrize("far", [0, 1000])
def test_those_of_the_naive_matrix(n_neighbors, far):
    X = np.random.RandomState(0).randn(1500, 5).astype(np.float32) + np.float32(far)
    distance = np.sort(cdist(X, X), axis=1)[:, n_neighbors]
    ours = spacing(X, n_neighbors)[0].of_all()
    np.testing.assert_allclose(ours.numpy(), distance, rtol=1e-2)


def test_duplicates_are_passed_over():
    X = np.repeat(np.array([[0.0, 0.0], [3.0, 4.0]]), 10, axis=0)
    np.testing.assert_allclose(spacing(X)[0].of_all(), 5.0)
    np.testing.assert_array_equal(spacing(np.ones((4, 2)))[0].of_all(), 0.0)


def test_sparse_rows_have_those_of_dense_ones():
    X = sparse.random(800, 300, 0.05, "csr", dtype=np.float32, random_state=0)
    of_sparse, of_dense = spacing(X)[0].of_all(), spacing(X.toarray())[0].of_all()
    np.testing.assert_allclose(of_sparse, of_dense, rtol=1e-3)


def test_a_bounded_number_of_rows_is_compared_with():
    X = np.random.RandomState(0).randn(20_000, 3).astype(np.float32)
    measure, rows = spacing(X)
    some = np.arange(0, 20_000, 90)
    nearest = np.sort(cdist(X[some], X), axis=1)[:, 1]
    ours = measure(rows.take(some)).numpy()
    assert measure._buffer.shape[1] == 6000
    assert (ours > 0.999 * nearest).all()
    np.testing.assert_allclose(ours, measure.of_all()[some], rtol=1e-3)


@pytest.mark.parametrize("n_neighbors", [1, 2])
def test_rows_that_are_compared_with_pass_over_themselves_and_others_do_not(
    n_neighbors,
):
    X = np.random.RandomState(0).randn(8000, 4).astype(np.float32)
    measure, _ = spacing(X, n_neighbors)
    among = measure._references[:-1].T.numpy() / -2 + measure._center.numpy()
    distance = np.sort(cdist(X, among), axis=1)
    is_among = distance[:, 0] < 1e-4
    assert is_among.sum() == 6000
    expected = distance[np.arange(8000), n_neighbors - 1 + is_among]
    np.testing.assert_allclose(measure.of_all(), expected, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(("max_iter", "is_shared"), [(50, True), (1, False)])
def test_shared_by_restarts_if_all_rows_are_drawn(max_iter, is_shared):
    X = np.random.RandomState(0).randn(3000, 4).astype(np.float32)
    y = np.arange(3000) % 3
    pairs = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)
    # Few steps, so that an epoch is no pass over the samples.
    params = ConstrainedNeuralClusterer(3, max_iter=max_iter, batch_size=16)
    task = make_task(params, X, pairs, pairs, np.random.RandomState(0))
    assert (task.spacing is not None) == is_shared
