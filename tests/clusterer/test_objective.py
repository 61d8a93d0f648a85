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
from skpairclust.losses._relations import PairList, as_matrix
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


def test_information_grows_in_proportion(problem):
    def step(lead):
        return gradients(problem, Evidence(lead=lead))

    # The first of four steps, of one or two of the lead: all of it, and a half.
    full, half, quarter = step(0.25), step(0.5), step(1.0)
    assert (full - half).norm() > 0.01 * full.norm()
    torch.testing.assert_close(full - quarter, 1.5 * (full - half))


def test_smoothness_grows_in_a_quarter_of_the_lead(problem):
    def step(lead):
        return gradients(problem, Evidence(lead=lead), unlabeled="vat")

    # The first of four steps, of one, two or four quarters of steps.
    at_once, full, half, quarter = step(0.0), step(1.0), step(2.0), step(4.0)
    assert torch.equal(at_once, full)
    assert (full - half).norm() > 1e-4 * full.norm()
    torch.testing.assert_close(full - quarter, 1.5 * (full - half))


@pytest.mark.parametrize("unlabeled", ["imsat", "vat"])
def test_nothing_waits_after_the_lead(problem, unlabeled):
    late = gradients(problem, Evidence(), n_taken=2, unlabeled=unlabeled)
    led_never = Evidence(lead=0.0)
    other = gradients(problem, led_never, n_taken=2, unlabeled=unlabeled)
    assert torch.equal(late, other)


@pytest.mark.parametrize(("dropout", "expected"), [(0.0, True), (0.2, False)])
def test_steps_with_dropout_are_not_recorded(problem, dropout, expected):
    X, pairs = problem
    estimator = ConstrainedNeuralClusterer(4, unlabeled=None, dropout=dropout)
    task = make_task(estimator, X, pairs, None, np.random.RandomState(0))
    rows = FeatureRows(X, (4,), torch.device("cpu"))
    # As on a GPU, where X may be.
    rows._resident = torch.from_numpy(X)
    assert PairObjective(rows, pairs, task, seed=0).can_record == expected


def as_dense(relation, n):
    """Return a relation as a matrix."""
    if not isinstance(relation, PairList):
        return relation
    return as_matrix(PairList(*map(torch.from_numpy, relation)), n).numpy()


@pytest.mark.parametrize("listed", [None, "all"])
def test_inputs_of_fixed_shapes_say_the_same(problem, listed):
    X, pairs = problem
    # Those that fill up walk as well, elsewhere.
    estimator = ConstrainedNeuralClusterer(4, batch_size=48, max_iter=1, walk_length=0)
    task = make_task(estimator, X, pairs, None, np.random.RandomState(0))
    rows = FeatureRows(X, (4,), torch.device("cpu"))
    as_drawn, fixed = (PairObjective(rows, pairs, task, seed=0) for _ in range(2))
    for objective in (as_drawn, fixed):
        objective._batches.batches.listed = listed
    # Lists become longer than was thought.
    fixed._shapes.n_listed = 20
    sizes, shapes = set(), set()
    for _ in range(20):
        expected, found = as_drawn.draw(), fixed.draw(fixed_shapes=True)
        n, n_drawn = len(expected.rows), len(expected.drawn)
        sizes.add(n)
        np.testing.assert_array_equal(found.rows[:n], expected.rows)
        np.testing.assert_array_equal(found.drawn[:n_drawn], expected.drawn)
        relation = as_dense(found.relation, len(found.rows))
        known = as_dense(expected.relation, n)
        np.testing.assert_array_equal(relation[:n, :n], known)
        # Nothing is said of what fills them up.
        assert np.abs(relation).sum() == np.abs(known).sum() > 0
        shapes.add((found.rows.shape, relation.shape, found.drawn.shape))
    assert len(sizes) > 1
    assert shapes == {((40,), (40, 40), (40,))}
    assert fixed._shapes.n_listed == (20 if listed is None else 40)
