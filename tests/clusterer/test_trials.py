"""Short trainings before the training: when there are any, and which one goes on."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from torch.nn import functional

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer import _judge
from skpairclust.clusterer._judge import _share_violated
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._restarts import _is_more, run_restart, run_restarts
from skpairclust.clusterer._starts import propose_known_groups
from skpairclust.clusterer._task import make_task
from skpairclust.clusterer._trials import Trials, try_starts
from skpairclust.clusterer._voting import Trial, match, vote
from skpairclust.metrics import clustering_accuracy_score
from skpairclust.neural._epoch_hooks import EpochHooks
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._torch_utils import load_numpy_state


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(600, n_features=4, centers=4, random_state=0)
    return X.astype(np.float32) / 10, y


def make_task_of(blobs, n_pairs=400, starts=None, **changed):
    """Return rows, pairs and the task of a small network."""
    X, y = blobs
    pairs = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=0)
    params = {"hidden_layer_sizes": (16,), "max_iter": 12} | changed
    estimator = ConstrainedNeuralClusterer(4, **params)
    task = make_task(estimator, X, pairs, None, np.random.RandomState(0))
    return X, pairs, task if starts is None else replace(task, starts=starts)


def make_trials(blobs, seed=0, kind=PairObjective, **changed):
    """Return trials and a network with new weights."""
    X, pairs, task = make_task_of(blobs, **changed)
    rows = FeatureRows(X, (4,), torch.device("cpu"))
    trials = Trials(rows, pairs, task, seed, EpochHooks(None, task, ""), kind)
    return trials, task.architecture.build(seed)


def fit(blobs, seed=0, **changed):
    """Return the run of a training from the outcome of trials."""
    X, pairs, task = make_task_of(blobs, **changed)
    outcome = try_starts(X, pairs, task, seed)
    return run_restart(X, pairs, task, outcome, seed), task


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


def test_each_proposed_start_is_tried_for_a_short_while(blobs, recorded):
    trials, _ = make_trials(blobs, kind=recorded, max_iter=50)
    outcome = trials.run()
    # Once to count the steps, 4 an epoch, of 96. Then groups, ward, kmeans.
    assert recorded.made[1:] == [(24, 0.0)] * 3
    # Of so few samples all epochs follow.
    assert outcome.n_epochs == 50


@pytest.mark.parametrize(
    "batch_size, n_epochs",
    # 600 samples: ten batches, a pass; 64 batches, .64 and .21 of a pass.
    [(60, 20), (6, 32), (2, 38)],
)
def test_fewer_epochs_follow_by_what_an_epoch_is(blobs, batch_size, n_epochs):
    trials, _ = make_trials(blobs, n_pairs=30, batch_size=batch_size, max_iter=50)
    assert trials.n_steps == min(64, 600 // batch_size)
    assert trials._count_epochs() == n_epochs


@pytest.mark.parametrize(
    "changed", [{"unlabeled": None}, {"walk_length": 0}, {"max_iter": 5}], ids=str
)
def test_no_trial_where_nothing_could_be_judged(blobs, changed):
    X, pairs, task = make_task_of(blobs, **changed)
    assert try_starts(X, pairs, task, 0) is None
    run, task = fit(blobs, **changed)
    assert run.start == "random"
    assert run.n_iter == task.training.max_iter


def test_the_outcome_depends_on_the_seed_alone(blobs):
    found = [fit(blobs, seed=seed)[0].weights for seed in (0, 0, 1)]
    first = [weights[next(iter(weights))] for weights in found]
    np.testing.assert_array_equal(first[0], first[1])
    assert not np.array_equal(first[0], first[2])


def test_restarts_share_the_trials(blobs):
    X, pairs, task = make_task_of(blobs)
    outcome = try_starts(X, pairs, task, 3)
    together = run_restarts(X, pairs, task, [3, 4])
    for seed, run in zip([3, 4], together, strict=True):
        alone = run_restart(X, pairs, task, outcome, seed)
        np.testing.assert_array_equal(run.loss_curve, alone.loss_curve)
    assert together[0].loss != together[1].loss


def test_a_trial_is_of_a_narrow_network(blobs):
    trials, _ = make_trials(blobs, hidden_layer_sizes=(300, 20))
    assert trials.short.architecture.hidden_layer_sizes == (128, 20)


def test_the_better_start_decides(blobs):
    """Trainings that go nowhere are judged by what they started from."""
    lazy = {"adversarial_weight": 0.0, "information_weight": 0.0, "pair_weight": 0.0}
    right = blobs[1].astype(np.int64)
    wrong = np.random.RandomState(0).randint(4, size=600)
    starts = {"wrong": wrong, "right": right, "constant": np.zeros_like(right)}
    run, task = fit(blobs, starts=starts, n_pairs=80, **lazy)
    assert run.start == "right"
    network = load_numpy_state(task.architecture.build(0), run.weights)
    with torch.no_grad():
        labels = network.eval()(torch.from_numpy(blobs[0])).argmax(1).numpy()
    assert adjusted_rand_score(blobs[1], labels) > 0.9


def test_a_training_that_loses_clusters_gives_way_to_its_start(blobs):
    """Smoothness over far too long ways leaves one output for all samples."""
    X, y = blobs
    pairs = PairwiseConstraints.sample_from_labels(y, 80, random_state=0)
    broken = ConstrainedNeuralClusterer(
        4,
        adversarial_radius=100.0,
        adversarial_weight=100.0,
        information_weight=0.0,
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning, match="these are kept"):
        broken.fit(X, pairs)
    assert adjusted_rand_score(y, broken.predict(X)) > 0.9


def test_one_pair_more_is_no_loss_of_clusters():
    """Batches that hold the same 100 pairs agree closely and still tell little."""
    noise = np.random.RandomState(0).normal(0, 0.004, 32)
    before = np.full(32, 0.018)
    assert not _is_more(before + 0.006 + noise, before, n_pairs=100)
    assert not _is_more(before - 0.01, before, n_pairs=10_000)
    assert _is_more(before + 0.006 + noise, before, n_pairs=10_000)
    assert _is_more(before + 0.2 + noise, before, n_pairs=100)


def test_random_initial_weights_on_request(blobs):
    X, y = blobs
    pairs = PairwiseConstraints.sample_from_labels(y, 80, random_state=0)
    given = ConstrainedNeuralClusterer(4, init="random", max_iter=3, random_state=0)
    assert given.fit(X, pairs).start_ == "random"
    assert given.n_iter_ == 3


@pytest.mark.parametrize("loss", ["kcl", "mcl"])
@pytest.mark.parametrize("seed", range(3))
def test_labels_of_all_classes_are_never_merged(loss, seed):
    """The pair loss alone merges classes, from most random weights."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    known = np.where(np.arange(len(y)) % 2, y, -1)
    clusterer = ConstrainedNeuralClusterer(
        loss=loss, unlabeled=None, max_iter=30, random_state=seed
    )
    labels = clusterer.fit(X, known).labels_
    assert clusterer.start_ == "groups"
    assert clustering_accuracy_score(y[::2], labels[::2]) > 0.94


def test_more_groups_than_clusters_are_not_merged_by_guess(blobs):
    pairs = PairwiseConstraints([(0, 1), (2, 3), (4, 5)], [(0, 2)], n_samples=600)
    assert propose_known_groups(pairs, 2) == {}
    assert propose_known_groups(PairwiseConstraints([(0, 1)], n_samples=9), 2) == {}
    groups = propose_known_groups(pairs, 4)["groups"]
    assert groups[:6].tolist() == [0, 0, 1, 1, 2, 2]
    assert (groups[6:] == -1).all()


@pytest.mark.parametrize("where", ["lessons", "trial"])
@pytest.mark.parametrize("n_init", [1, 3])
def test_an_interrupt_ends_the_fit_with_a_network(blobs, monkeypatch, where, n_init):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    if where == "lessons":
        monkeypatch.setattr("torch.nn.functional.cross_entropy", interrupt)
    else:
        monkeypatch.setattr(PairObjective, "compute", interrupt)
    X, pairs, task = make_task_of(blobs)
    (run,) = run_restarts(X, pairs, task, list(range(n_init)))
    assert run.interrupted
    assert run.weights is not None


@pytest.mark.parametrize("n_judged", [0, 1, 3, 4])
def test_an_interrupt_between_trainings_ends_the_fit_too(blobs, monkeypatch, n_judged):
    """While trials, their outcome or the end of the training are judged."""
    X, pairs, task = make_task_of(blobs)
    assert len(task.starts) == 3
    settle, calls = _judge.settle, []

    def interrupt(*arguments):
        calls.append(1)
        if len(calls) == n_judged + 1:
            raise KeyboardInterrupt
        return settle(*arguments)

    monkeypatch.setattr(_judge, "settle", interrupt)
    (run,) = run_restarts(X, pairs, task, [0])
    assert run.interrupted and run.weights is not None
    assert run.start in task.starts
    assert bool(run.loss_curve) == (n_judged == 4)
    network = load_numpy_state(task.architecture.build(), run.weights).eval()
    with torch.no_grad():
        labels = network(torch.from_numpy(X)).argmax(1)
    assert adjusted_rand_score(blobs[1], labels) > 0.9


def test_a_lesson_that_is_interrupted_is_ended(blobs, monkeypatch):
    X, pairs, task = make_task_of(blobs)
    cross_entropy, calls = functional.cross_entropy, []

    def interrupt(*arguments, **options):
        calls.append(1)
        # Three trials have lessons of 48 steps before.
        if len(calls) == 3 * 48 + 2:
            raise KeyboardInterrupt
        return cross_entropy(*arguments, **options)

    monkeypatch.setattr("torch.nn.functional.cross_entropy", interrupt)
    (run,) = run_restarts(X, pairs, task, [0])
    assert len(calls) == 4 * 48 + 2
    assert run.interrupted and run.loss_curve == []


def test_judging_leaves_the_network_as_it_was(blobs):
    trials, network = make_trials(blobs)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    misfit, labels = trials.judge(network)
    shares = trials.judge.find_violations(network)
    assert ((shares >= 0) & (shares <= 1)).all()
    assert np.isfinite(misfit)
    assert labels.shape == (600,)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_violations_as_counted_one_by_one():
    labels = torch.tensor([0, 0, 1, 2])
    relation = torch.zeros(4, 4)
    for i, j, weight in [(0, 1, -2.0), (0, 2, 1.0), (1, 3, -1.0), (2, 3, 0.5)]:
        relation[i, j] = relation[j, i] = weight
    # Kept: (1, 3). Violated: the other three.
    assert _share_violated(labels, relation).item() == pytest.approx(3.5 / 4.5)
    assert _share_violated(labels, torch.zeros(4, 4)) == 0


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
