"""What a step of the clusterer asks for, and from when on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer._evidence import Evidence
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.neural._rows import FeatureRows


@pytest.fixture(scope="module")
def problem():
    X, y = make_blobs(200, n_features=4, centers=4, random_state=0)
    pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    return X.astype(np.float32) / 10, pairs


def gradients(problem, evidence, n_taken=0, **options):
    """Return the gradient of a step, one of four in all, as one vector."""
    X, pairs = problem
    estimator = ConstrainedNeuralClusterer(
        4, hidden_layer_sizes=(8,), max_iter=1, precision="float32", **options
    )
    task = make_task(estimator, X, pairs, None, np.random.RandomState(0))
    task = replace(task, evidence=evidence)
    network = task.architecture.build(0)
    rows = FeatureRows(X, (4,), torch.device("cpu"))
    objective = PairObjective(rows, pairs, task, seed=0)
    assert objective.n_steps == 4
    objective._n_taken = n_taken
    objective(network).backward()
    return torch.cat([p.grad.flatten() for p in network.parameters()])


def test_caution_is_the_share_of_smoothness_that_grows(problem):
    def step(**evidence):
        return gradients(problem, Evidence(**evidence), unlabeled="vat")

    at_once, cautious = step(caution=0.0), step(caution=1.0)
    assert (at_once - cautious).norm() > 0.01 * at_once.norm()
    torch.testing.assert_close(at_once, step(lead=0.0))
    torch.testing.assert_close(step(caution=0.5), (at_once + cautious) / 2)


def test_information_grows_by_the_power_of_patience(problem):
    def step(patience):
        evidence = Evidence(patience=patience)
        return gradients(problem, evidence, adversarial_weight=0.0)

    full, half, quarter = step(0.0), step(1.0), step(2.0)
    assert (full - half).norm() > 0.01 * full.norm()
    # The first of two steps of the lead: a half, and its square.
    torch.testing.assert_close(full - quarter, 1.5 * (full - half))


@pytest.mark.parametrize("unlabeled", ["imsat", "vat"])
def test_nothing_waits_after_the_lead(problem, unlabeled):
    late = gradients(problem, Evidence(patience=5.0), n_taken=2, unlabeled=unlabeled)
    led_never = Evidence(patience=5.0, lead=0.0)
    other = gradients(problem, led_never, n_taken=2, unlabeled=unlabeled)
    assert torch.equal(late, other)
