"""Random fits: numbers, or an error that names what is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.active import ActivePairLearner
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans
from tests.faults.campaign import Case, make_case, run, try_case

ROOT = Path(__file__).parents[2]


def test_some_random_fits():
    outcomes = run(80, seed=10_000)
    assert not outcomes["fault"]
    # Not all cases are wrong, and not all are right.
    assert outcomes["fitted"] > 15 and outcomes["ValueError"] > 15


@pytest.mark.slow
def test_two_thousand_random_fits():
    found = subprocess.run(
        [sys.executable, "-m", "tests.faults.campaign", "2000"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert found.returncode == 0, found.stdout
    assert "'fitted'" in found.stdout


def test_a_case_is_its_number():
    for seed in range(20):
        first, second = make_case(seed), make_case(seed)
        assert repr(first.estimator) == repr(second.estimator)
        assert repr(first.X) == repr(second.X)


class Careless:
    """An estimator with a fault of each kind."""

    def __init__(self, fault):
        self.fault = fault

    def get_params(self):
        return {}

    def fit(self, X):
        if self.fault == "changes X":
            X[0] = 0
        if self.fault == "says nothing":
            raise ValueError("It does not work.")
        if self.fault == "fails":
            raise KeyError("shape")
        return self

    def predict(self, X):
        return np.full(len(X), np.nan if self.fault == "no number" else 0.0)


@pytest.mark.parametrize("fault", ["changes X", "says nothing", "no number", "fails"])
def test_the_campaign_notices(fault):
    case = Case(Careless(fault), np.ones((3, 2)), {})
    with pytest.raises(KeyError if fault == "fails" else AssertionError):
        try_case(case)
    assert try_case(Case(Careless(None), np.ones((3, 2)), {})) == "fitted"


# What the campaign has found.

X = np.random.RandomState(0).normal(size=(40, 4))
y = np.arange(40) % 2


@pytest.mark.parametrize(
    "estimator",
    [
        COPKMeans(n_clusters=True),
        ConstrainedNeuralClusterer(2, weight_decay=True),
        ConstrainedNeuralClusterer(2, max_iter=np.True_),
        MetricEmbedder(margin=False),
    ],
)
def test_true_and_false_are_no_numbers(estimator):
    with pytest.raises(ValueError, match=r"must be .*Got (np\.)?(True|False)"):
        estimator.fit(X, y)


def test_sparse_samples_that_the_network_takes_in_another_shape():
    models = [
        ConstrainedNeuralClusterer(
            2, init="random", input_shape=(4, 1), max_iter=2, random_state=0
        ).fit(form(X))
        for form in (np.asarray, sparse.coo_array)
    ]
    np.testing.assert_array_equal(*(model.labels_ for model in models))


@pytest.mark.parametrize(
    "model",
    [
        kind(2, n_init=10**30)
        for kind in (ConstrainedNeuralClusterer, COPKMeans, PCKMeans, MPCKMeans)
    ]
    + [ActivePairLearner(COPKMeans(2), n_init=10**30)],
)
def test_more_restarts_than_there_can_be(model):
    with pytest.raises(ValueError, match="'n_init' parameter"):
        model.fit(X, y)


@pytest.mark.parametrize("kind", [COPKMeans, PCKMeans, MPCKMeans])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_whose_distances_overflow(kind, dtype):
    far = X.astype(dtype)
    far[3, 2] = np.finfo(dtype).max / 4
    with pytest.raises(ValueError, match="X holds .*overflow"):
        kind(2).fit(far, y)
    far[3, 2] = np.sqrt(np.finfo(dtype).max) / 1e4
    assert np.isfinite(kind(2).fit(far, y).transform(far)).all()
