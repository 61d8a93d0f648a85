"""Clusters stay as they are when samples change."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.neural._heads import find_head


@pytest.fixture(scope="module")
def digits():
    images, y = load_digits(n_class=4, return_X_y=True)
    return images[:240].reshape(-1, 8, 8) / 16, y[:240]


def fit(X, y, **params):
    pairs = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)
    options = {"max_iter": 5, "random_state": 0, "batch_size": 64} | params
    return ConstrainedNeuralClusterer(4, **options).fit(X, pairs)


def test_clusters_of_moved_images_are_those_of_the_images(digits):
    X, y = digits
    moved = np.roll(X, 1, axis=2)

    def step_aside(x, generator):
        return x.roll(1, dims=2)

    kept = []
    for augment in (None, step_aside):
        model = fit(X, y, augment=augment, max_iter=12)
        kept.append(np.mean(model.predict(moved) == model.labels_))
    assert kept[1] > max(0.95, kept[0] + 0.1)


def test_samples_of_pairs_and_all_others_are_changed(digits):
    X, y = digits
    sizes = []

    def augment(x, generator):
        sizes.append(len(x))
        return x + 0.01 * torch.rand(x.shape, generator=generator)

    first = fit(X, y, augment=augment, init="random", max_iter=1)
    n_calls = len(sizes)
    # twice in each step: the batch of pairs and the drawn one
    assert n_calls == 8
    again = fit(X, y, augment=augment, init="random", max_iter=1)
    for name, array in first.weights_.items():
        np.testing.assert_array_equal(again.weights_[name], array)
    assert first.augment_ == "callable"
    # without a weight, only what pairs say is learned from changes
    sizes.clear()
    fit(X, y, augment=augment, augment_weight=0, init="random", max_iter=1)
    assert len(sizes) == 4


@pytest.mark.parametrize("unlabeled", [None, "imsat"])
def test_half_of_the_samples_of_pairs_stay_as_they_are(digits, unlabeled):
    X, y = digits
    seen = []

    class Watched(nn.Sequential):
        def forward(self, x):
            if self.training and torch.is_grad_enabled():
                seen.append((x.amax((1, 2)) > 50).numpy())
            return super().forward(x)

    def network(input_shape, n_outputs):
        return Watched(nn.Flatten(), nn.Linear(64, n_outputs))

    options = {"network": network, "unlabeled": unlabeled, "augment_weight": 0}
    # In place, as functions of users may work.
    fit(X, y, augment=lambda x, generator: x.add_(100), init="random", **options)
    changed = np.concatenate(seen).mean()
    # with the drawn samples, of which none are changed, about a quarter
    expected = 0.5 if unlabeled is None else 0.25
    assert changed == pytest.approx(expected, abs=0.12)


@pytest.mark.parametrize(
    ("params", "augment", "radius"),
    [
        ({}, "elastic", 0),
        ({"adversarial_radius": 0.3}, "elastic", 0.3),
        ({"augment": None}, None, 0.5),
        ({"augment": ["shift", "crop"]}, "shift crop", 0),
        ({"unlabeled": "vat", "augment": "affine"}, "affine", 0),
        ({"unlabeled": None}, None, 0.5),
        ({"unlabeled": None, "augment": "shift"}, "shift", 0),
    ],
    ids=str,
)
def test_changes_take_the_place_of_adversarial_ones(digits, params, augment, radius):
    model = fit(*digits, max_iter=1, **params)
    assert model.augment_ == augment
    assert model.adversarial_radius_ == radius


def test_tables_keep_adversarial_changes(digits):
    X, y = digits
    model = fit(X.reshape(len(X), -1), y, max_iter=1)
    assert (model.augment_, model.network_kind_) == (None, "mlp")
    assert model.adversarial_radius_ > 0


@pytest.mark.parametrize("init", ["auto", "random"])
def test_the_head_may_learn_at_a_rate_of_its_own(digits, init):
    def network(shape, n_outputs):
        trunk = nn.Linear(64, 16)
        head = nn.Linear(16, n_outputs)
        nn.init.zeros_(head.bias)
        return nn.Sequential(nn.Flatten(), trunk, nn.BatchNorm1d(16), nn.ReLU(), head)

    biases = {}
    for multiplier in (1e-9, 1.0):
        model = fit(
            *digits,
            network=network,
            head_learning_rate_multiplier=multiplier,
            init=init,
        )
        biases[multiplier] = find_head(model.network_).bias.detach().abs().max()
    assert biases[1e-9] < 1e-7 < 1e-4 < biases[1.0]
