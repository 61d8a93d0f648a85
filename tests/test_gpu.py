"""What a GPU must not change; skipped where there is none."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._torch_utils import resolve_device

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no CUDA device on this machine"
)


@pytest.fixture(scope="module")
def pairs(iris):
    return PairwiseConstraints.sample_from_labels(iris[1], 200, random_state=0)


def clusterer(device, **changed):
    return ConstrainedNeuralClusterer(3, device=device, random_state=0, **changed)


def test_auto_takes_the_gpu(iris, pairs):
    fitted = clusterer("auto", max_iter=1).fit(iris[0], pairs)
    assert next(fitted.network_.parameters()).is_cuda


def test_the_first_epoch_costs_what_it_costs_on_the_cpu(iris, pairs):
    """Without noise the devices do the same sums; later epochs drift apart."""
    options = {"unlabeled": None, "max_iter": 1, "schedule": "constant"}
    losses = [
        clusterer(device, **options).fit(iris[0], pairs).loss_
        for device in ("cpu", "cuda")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_quality_is_that_of_the_cpu(iris, pairs):
    for device in ("cpu", "cuda"):
        labels = clusterer(device).fit_predict(iris[0], pairs)
        assert adjusted_rand_score(iris[1], labels) > 0.8


def test_a_fit_pickles_without_the_gpu(iris, pairs):
    fitted = clusterer("cuda", max_iter=5).fit(iris[0], pairs)
    data = pickle.dumps(fitted)
    assert b"torch" not in data
    copy = pickle.loads(data).set_params(device="cpu")
    np.testing.assert_allclose(
        copy.predict_proba(iris[0]), fitted.predict_proba(iris[0]), atol=1e-4
    )


@pytest.mark.parametrize("unlabeled", [None, "imsat"])
def test_no_step_waits_for_the_gpu(iris, pairs, unlabeled):
    device = resolve_device("cuda")
    estimator = clusterer("cuda", unlabeled=unlabeled)
    X = iris[0].astype(np.float32)
    task = make_task(estimator, X, pairs, None, np.random)
    network = task.architecture.build(0).to(device)
    rows = FeatureRows(X, task.architecture.input_shape, device)
    objective = PairObjective(rows, pairs, task, seed=0)
    objective(network).backward()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            objective(network).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
