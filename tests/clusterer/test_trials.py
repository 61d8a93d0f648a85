"""Short trainings before the training: when there are any, and which one goes on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.clusterer._trials import Trials
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
    hooks = EpochHooks(None, task, "")
    Trials(rows, pairs, task, seed, PairObjective, hooks).choose_random(network)
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
    hooks = EpochHooks(None, task, "")
    run = Trials(rows, pairs, task, 0, Interrupted, hooks).choose_random(network)
    assert run.interrupted
    assert run.weights is not None


def make_trials(blobs, **changed):
    X, y = blobs
    pairs = PairwiseConstraints.sample_from_labels(y, 400, random_state=0)
    estimator = ConstrainedNeuralClusterer(4, hidden_layer_sizes=(16,), max_iter=6)
    task = make_task(estimator, X, pairs, None, np.random.RandomState(0))
    task = replace(task, **changed)
    rows = FeatureRows(X, (4,), torch.device("cpu"))
    hooks = EpochHooks(None, task, "")
    return Trials(rows, pairs, task, 0, PairObjective, hooks)


def test_a_better_start_from_structure_wins(blobs):
    """A training that goes nowhere gives way to the classes themselves."""
    lazy = {"adversarial_weight": 0.0, "information_weight": 0.0, "pair_weight": 0.0}
    trials = make_trials(blobs)
    objective = replace(trials.task.objective, **lazy)
    right = blobs[1].astype(np.int64)
    starts = {"wrong": np.zeros(600, dtype=np.int64), "right": right}
    trials = make_trials(blobs, objective=objective, starts=starts)
    network = trials.task.architecture.build(0)
    run = trials.run(network)
    assert run.start == "right"
    with torch.no_grad():
        labels = network.eval()(torch.from_numpy(blobs[0])).argmax(1).numpy()
    assert adjusted_rand_score(blobs[1], labels) > 0.9


def test_a_worse_start_from_structure_changes_nothing(blobs):
    """Wrong clusters are no rival, and looking at them leaves no trace."""
    wrong = {"wrong": np.random.RandomState(0).randint(4, size=600)}
    found = []
    for starts in (wrong, {"wrong": np.full(600, 2, dtype=np.int64)}):
        trials = make_trials(blobs, starts=starts)
        network = trials.task.architecture.build(0)
        assert trials.run(network).start == "random"
        found.append([p.detach().clone() for p in network.parameters()])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_judging_leaves_the_network_as_it_was(blobs):
    trials = make_trials(blobs)
    network = trials.task.architecture.build(0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert trials.judge(network).shape == (32,)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
