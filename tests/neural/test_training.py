"""The loop: schedules, early stopping, best weights, interrupts."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._steps import RecordedStep
from skpairclust.neural._torch_utils import load_numpy_state
from skpairclust.neural._training import TrainingOptions, learning_rate_at, train


def options(**changed):
    default = {
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "momentum": 0.0,
        "weight_decay": 0.0,
        "schedule": "constant",
        "max_iter": 10,
        "tol": 1e-4,
        "n_iter_no_change": None,
    }
    return TrainingOptions(**(default | changed))


@pytest.fixture
def scalar():
    """A network of one weight, which starts at 1."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    return network


def square(network):
    return (network.weight**2).sum()


def test_gradient_descent_as_computed_by_hand(scalar):
    run = train(scalar, square, 3, options(max_iter=2))
    # Each step multiplies the weight by 1 - 2 * 0.1.
    weights = 0.8 ** np.arange(6)
    np.testing.assert_allclose(
        run.loss_curve, (weights**2).reshape(2, 3).mean(1), rtol=1e-6
    )
    np.testing.assert_allclose(run.weights["weight"], [[0.8**6]], rtol=1e-6)


class Crowded:
    """A loss for which there is no memory, after some steps, beside all of X."""

    def __init__(self, n_fitting, n_failing=1):
        X = np.ones((4, 1), dtype=np.float32)
        self.rows = FeatureRows(X, (1,), torch.device("cpu"))
        # As on a GPU, where X may be.
        self.rows._resident = torch.from_numpy(X)
        self.n_fitting, self.n_failing = n_fitting, n_failing

    def __call__(self, network):
        self.n_fitting -= 1
        if -self.n_failing <= self.n_fitting < 0:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return network(self.rows.take(np.arange(4))).square().mean()


@pytest.mark.parametrize("n_fitting", [0, 4])
def test_x_leaves_a_device_that_has_no_memory_for_both(scalar, n_fitting):
    crowded = Crowded(n_fitting)
    with pytest.warns(UserWarning, match="batches come from the host"):
        run = train(scalar, crowded, 3, options(max_iter=2))
    assert not crowded.rows.is_resident
    np.testing.assert_allclose(run.weights["weight"], [[0.8**6]], rtol=1e-6)


def test_a_device_without_memory_for_a_batch_is_an_error(scalar):
    crowded = Crowded(0, n_failing=2)
    with (
        pytest.warns(UserWarning, match="batches come from the host"),
        pytest.raises(torch.cuda.OutOfMemoryError),
    ):
        train(scalar, crowded, 3, options())


def test_no_step_is_recorded_once_x_has_left_the_device(scalar):
    crowded = Crowded(1)
    crowded.rows.leave_device()
    optimizer = torch.optim.SGD(scalar.parameters())
    assert RecordedStep(scalar, crowded, optimizer)(0.1) == 1
    assert scalar.weight.item() == pytest.approx(0.8)


def test_schedules():
    cosine = options(schedule="cosine")
    rates = [learning_rate_at(p, cosine) for p in (0, 5, 10)]
    assert rates == pytest.approx([0.1, 0.05, 0.0])
    halving = options(schedule="halving", max_iter=100)
    rates = [learning_rate_at(p, halving) for p in (0, 24.9, 25, 50.5, 75)]
    assert rates == pytest.approx([0.1, 0.1, 0.05, 0.025, 0.0125])
    assert learning_rate_at(3, options()) == 0.1


class Mixed(nn.Module):
    """Weights of all kinds that a network of a user may have."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, 1))
        self.low = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
        self.empty = nn.Parameter(torch.zeros(0))
        self.order = nn.Parameter(torch.tensor([1, 0]), requires_grad=False)
        self.mask = nn.Parameter(torch.tensor([True]), requires_grad=False)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_weights_of_all_kinds_are_trained(optimizer):
    run = train(Mixed(), square, 2, options(optimizer=optimizer, max_iter=2))
    assert len(run.loss_curve) == 2
    assert run.weights["weight"] < 1


@pytest.mark.parametrize("name", ["weight", "low"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_training_ends_where_any_weight_is_not_finite(name, value):
    network = Mixed()
    with torch.no_grad():
        getattr(network, name).flatten()[0] = value
    # The loss itself stays finite.
    run = train(network, lambda net: 0 * net.empty.sum(), 1, options())
    assert run.diverged
    assert run.weights is None


def test_best_weights_are_restored(scalar):
    targets = iter([0.9, 0.0, 5.0, 5.0])

    def loss(network):
        # One step an epoch; the loss value is given, the gradient is constant.
        return network.weight.sum() - network.weight.sum().detach() + next(targets)

    run = train(scalar, loss, 1, options(max_iter=4))
    assert run.loss == 0.0
    assert run.loss_curve == pytest.approx([0.9, 0.0, 5.0, 5.0])
    np.testing.assert_allclose(run.weights["weight"], [[1 - 2 * 0.1]], rtol=1e-6)
    np.testing.assert_allclose(scalar.weight.item(), run.weights["weight"].item())


def test_early_stopping(scalar):
    run = train(scalar, square, 1, options(max_iter=1000, tol=1e-3, n_iter_no_change=5))
    assert 5 < run.n_iter < 100
    assert run.loss_curve[-6] - min(run.loss_curve) < 1e-3
    full = train(scalar, square, 1, options(max_iter=50))
    assert full.n_iter == 50


def test_weights_that_turn_non_finite_after_a_good_epoch_are_not_kept(scalar):
    run = train(scalar, square, 1, options(max_iter=400, learning_rate=10.0))
    assert np.isfinite(run.weights["weight"]).all()
    assert run.loss == min(run.loss_curve)


def test_non_finite_from_the_start_leaves_no_weights(scalar):
    run = train(scalar, lambda n: square(n) * math.nan, 1, options())
    assert run.weights is None
    assert run.loss == math.inf
    assert run.n_iter == 1


@pytest.mark.parametrize("steps_before", [2, 7])
def test_interrupt_keeps_the_best_until_then(scalar, steps_before):
    taken = []

    def loss(network):
        if len(taken) == steps_before:
            raise KeyboardInterrupt
        taken.append(1)
        return square(network)

    run = train(scalar, loss, 5, options())
    assert run.interrupted
    kept = steps_before if steps_before < 5 else 5
    np.testing.assert_allclose(run.weights["weight"], [[0.8**kept]], rtol=1e-6)


def test_on_epoch_ends_the_training(scalar):
    seen = []

    def on_epoch(run, network):
        seen.append(run.loss_curve[-1])
        return len(seen) == 3

    run = train(scalar, square, 1, options(), on_epoch=on_epoch)
    assert run.n_iter == 3
    assert seen == run.loss_curve


def test_state_round_trip_is_a_copy(scalar):
    run = train(scalar, square, 1, options(max_iter=1))
    other = load_numpy_state(nn.Linear(1, 1, bias=False), run.weights)
    kept = run.weights["weight"].copy()
    with torch.no_grad():
        scalar.weight.zero_()
        other.weight.zero_()
    np.testing.assert_array_equal(run.weights["weight"], kept)
