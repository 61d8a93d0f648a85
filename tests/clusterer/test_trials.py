"""Short trainings before the training: when there are any, and which one goes on."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.clusterer._trials import Trial, Trials, match, vote
from skpairclust.neural._epoch_hooks import EpochHooks
from skpairclust.neural._rows import FeatureRows


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(600, n_features=4, centers=4, random_state=0)
    return X.astype(np.float32) / 10, y


def make_trials(blobs, n_pairs=400, seed=0, kind=PairObjective, starts=None, **changed):
    """Return trials and a network with new weights."""
    X, y = blobs
    pairs = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=0)
    params = {"hidden_layer_sizes": (16,), "max_iter": 12} | changed
    estimator = ConstrainedNeuralClusterer(4, **params)
    task = make_task(estimator, X, pairs, None, np.random.RandomState(0))
    if starts is not None:
        task = replace(task, starts=starts)
    rows = FeatureRows(X, (4,), torch.device("cpu"))
    trials = Trials(rows, pairs, task, seed, kind, EpochHooks(None, task, ""))
    return trials, task.architecture.build(seed)


class Recorded(PairObjective):
    """The objective, which tells of which epochs it was made."""

    made = []

    def __init__(self, rows, constraints, task, seed, **options):
        super().__init__(rows, constraints, task, seed, **options)
        self.made.append((task.training.max_iter, task.objective.adversarial_weight))


@pytest.fixture
def recorded():
    Recorded.made = []
    return Recorded


def test_random_weights_take_part_where_there_are_enough_pairs(blobs, recorded):
    trials, network = make_trials(blobs, kind=recorded, max_iter=50)
    trials.run(network)
    # Once to count the steps, 4 an epoch, of 16 a cluster. Then groups, ward, kmeans,
    # and two from random weights.
    assert recorded.made[1:6] == [(16, 0.0)] * 5
    # Of so few samples all epochs follow.
    assert recorded.made[6:] == [(50, 1.0)]


def test_few_pairs_leave_random_weights_out(blobs, recorded):
    trials, network = make_trials(blobs, n_pairs=80, kind=recorded, max_iter=50)
    trials.run(network)
    assert len(recorded.made) == 1 + 3 + 1


@pytest.mark.parametrize(
    "changed", [{"unlabeled": None}, {"walk_length": 0}, {"max_iter": 5}], ids=str
)
def test_no_trial_where_nothing_could_be_judged(blobs, recorded, changed):
    trials, network = make_trials(blobs, kind=recorded, **changed)
    run = trials.run(network)
    assert run.start == "random"
    assert run.n_iter == trials.task.training.max_iter
    assert len(recorded.made) == 1


def test_the_outcome_depends_on_the_seed_alone(blobs):
    found = []
    for seed in (0, 0, 1):
        trials, network = make_trials(blobs, seed=seed)
        trials.run(network)
        found.append(next(network.parameters()).detach())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_the_better_start_decides(blobs):
    """Trainings that go nowhere are judged by what they started from."""
    lazy = {"adversarial_weight": 0.0, "information_weight": 0.0, "pair_weight": 0.0}
    right = blobs[1].astype(np.int64)
    wrong = np.random.RandomState(0).randint(4, size=600)
    starts = {"wrong": wrong, "right": right, "constant": np.zeros_like(right)}
    trials, network = make_trials(blobs, starts=starts, n_pairs=80, **lazy)
    assert trials.run(network).start == "right"
    with torch.no_grad():
        labels = network.eval()(torch.from_numpy(blobs[0])).argmax(1).numpy()
    assert adjusted_rand_score(blobs[1], labels) > 0.9


@pytest.mark.parametrize("where", ["lessons", "trial"])
def test_an_interrupt_ends_the_fit_with_a_network(blobs, monkeypatch, where):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    trials, network = make_trials(blobs)
    if where == "lessons":
        monkeypatch.setattr("torch.nn.functional.cross_entropy", interrupt)
    else:
        monkeypatch.setattr(PairObjective, "compute", interrupt)
    run = trials.run(network)
    assert run.interrupted
    assert run.weights is not None


def test_judging_leaves_the_network_as_it_was(blobs):
    trials, network = make_trials(blobs)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    misfit, labels = trials.judge(network)
    assert np.isfinite(misfit)
    assert labels.shape == (600,)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_votes_as_counted_by_hand():
    one = np.array([0, 0, 1, 1, 2, 2])
    two, three = np.array([1, 1, 0, 0, 0, 2]), np.array([2, 2, 0, 0, 0, 1])
    trials = [Trial("a", 0.5, one), Trial("b", 0.5, two), Trial("c", 0.5, three)]
    # In the names of the first, the others are both [0, 0, 1, 1, 1, 2].
    np.testing.assert_array_equal(vote(trials, 100, 3), [0, 0, 1, 1, 1, 2])
    # What explains pairs much better decides alone, under its own names.
    trials[2] = trials[2]._replace(misfit=0.1)
    np.testing.assert_array_equal(vote(trials, 1000, 3), three)


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6))
def test_matching_renames_clusters_and_nothing_else(seed, n_own, n_others):
    rng = np.random.RandomState(seed)
    labels, reference = rng.randint(n_own, size=30), rng.randint(n_others, size=30)
    found = match(labels, reference, 6)
    assert adjusted_rand_score(labels, found) == 1
    assert 0 <= found.min() and found.max() < 6
    agreeing = max(
        (np.array(names)[labels] == reference).sum()
        for names in permutations(range(6), n_own)
    )
    assert (found == reference).sum() == agreeing
