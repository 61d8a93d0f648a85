"""Short trainings before the training: when there are any, and which one goes on."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.clusterer._trials import choose_start
from skpairclust.neural._epoch_hooks import EpochHooks
from skpairclust.neural._rows import FeatureRows


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(600, n_features=4, centers=4, random_state=0)
    return X.astype(np.float32) / 10, y


def start(blobs, n_pairs=400, seed=0, **changed):
    """Return a network before and after the choice, with all it was made from."""
    X, y = blobs
    pairs = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=0)
    estimator = ConstrainedNeuralClusterer(4, hidden_layer_sizes=(16,), **changed)
    task = make_task(estimator, X, pairs, None, np.random.RandomState(0))
    rows = FeatureRows(X, (4,), torch.device("cpu"))
    network = task.architecture.build(seed)
    before = [p.detach().clone() for p in network.parameters()]
    choose_start(
        network, rows, pairs, task, seed, PairObjective, EpochHooks(None, task, "")
    )
    return SimpleNamespace(before=before, network=network, rows=rows, task=task)


def has_changed(started):
    pairs = zip(started.before, started.network.parameters(), strict=True)
    return any(not torch.equal(a, b) for a, b in pairs)


def test_the_chosen_network_has_begun_to_cluster(blobs):
    started = start(blobs)
    assert has_changed(started)
    with torch.no_grad():
        labels = started.network.eval()(torch.from_numpy(blobs[0])).argmax(1).numpy()
    table = np.zeros((4, 4))
    np.add.at(table, (blobs[1], labels), 1)
    assert table.max(1).sum() > 0.6 * len(labels)


def test_the_choice_depends_on_the_seed_alone(blobs):
    first, again, other = (start(blobs, seed=seed) for seed in (0, 0, 1))
    for a, b in zip(
        first.network.parameters(), again.network.parameters(), strict=True
    ):
        assert torch.equal(a, b)
    assert not torch.equal(
        next(first.network.parameters()), next(other.network.parameters())
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"n_pairs": 80},
        {"unlabeled": None},
        {"walk_length": 0},
        {"max_iter": 5},
    ],
    ids=str,
)
def test_no_trial_where_nothing_could_be_judged(blobs, changed):
    assert not has_changed(start(blobs, **changed))


def test_an_interrupted_trial_ends_the_fit_with_its_network(blobs):
    class Interrupted(PairObjective):
        def __call__(self, network):
            raise KeyboardInterrupt

    X, y = blobs
    pairs = PairwiseConstraints.sample_from_labels(y, 400, random_state=0)
    estimator = ConstrainedNeuralClusterer(4, hidden_layer_sizes=(16,))
    task = make_task(estimator, X, pairs, None, np.random.RandomState(0))
    rows = FeatureRows(X, (4,), torch.device("cpu"))
    network = task.architecture.build(0)
    run = choose_start(
        network, rows, pairs, task, 0, Interrupted, EpochHooks(None, task, "")
    )
    assert run.interrupted
    assert run.weights is not None
