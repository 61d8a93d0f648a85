"""Restarts and searches give the same numbers under every backend of joblib."""

from contextlib import contextmanager

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.model_selection import ConstraintKFold

distributed = pytest.importorskip("distributed")

RNG = np.random.RandomState(0)
Y = np.repeat([0, 1, 2], 30)
X = (RNG.normal(size=(90, 4)) + 2 * RNG.normal(size=(3, 4))[Y]).astype(np.float32)
PAIRS = PairwiseConstraints.sample_from_labels(Y, 90, random_state=0)


@contextmanager
def _dask():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        parallel_config("dask"),
    ):
        yield


@contextmanager
def _joblib(name):
    with parallel_config(name, n_jobs=2):
        yield


BACKENDS = {
    "loky": lambda: _joblib("loky"),
    "multiprocessing": lambda: _joblib("multiprocessing"),
    "threading": lambda: _joblib("threading"),
    "dask": _dask,
}


def fit_both():
    """Return what restarts and a search come to."""
    model = ConstrainedNeuralClusterer(
        3, n_init=3, max_iter=3, init="random", precision="float32", random_state=0
    )
    weights = model.fit(X, PAIRS).weights_
    search = GridSearchCV(
        model.set_params(n_init=1),
        {"learning_rate": [1e-4, 1e-2]},
        cv=ConstraintKFold(2, random_state=0),
        error_score="raise",
    )
    scores = search.fit(X, PAIRS).cv_results_["mean_test_score"]
    return [*weights.values(), scores]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_changes_no_number(name):
    expected = fit_both()
    with BACKENDS[name]():
        found = fit_both()
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
