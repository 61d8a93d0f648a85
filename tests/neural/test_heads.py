"""Networks of users: their head, their outputs, and that they stay the user's."""

import pickle
import threading
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.neural._heads import (
    adopt,
    count_features,
    forward_features,
    split_head,
)

rng = np.random.RandomState(0)
X = rng.randn(60, 6).astype(np.float32)
y = np.arange(60) % 3


class HeadFirst(nn.Module):
    """The output layer is defined before what it acts on."""

    def __init__(self, shape, n):
        super().__init__()
        self.head = nn.Linear(4, n)
        self.body = nn.Sequential(nn.Linear(shape[0], 4), nn.ReLU())

    def forward(self, x):
        return self.head(self.body(x))


class UnusedLast(HeadFirst):
    """A layer that takes no part in the output is defined and called last."""

    def __init__(self, shape, n):
        super().__init__(shape, n)
        self.probe = nn.Linear(n, 2)

    def forward(self, x):
        output = super().forward(x)
        self.probe(output)
        return output


class Outputs(NamedTuple):
    logits: torch.Tensor
    aux: torch.Tensor


AUXILIARY = {
    "tuple": lambda main, aux: (main, aux),
    "list": lambda main, aux: [main, aux],
    "named": Outputs,
    "dict": lambda main, aux: {"aux": aux, "logits": main},
    "nested": lambda main, aux: ((main,), aux),
}


class Auxiliary(HeadFirst):
    """Gives a second output; in training only, or always."""

    def __init__(self, shape, n, form, always):
        super().__init__(shape, n)
        self.aux = nn.Linear(4, n)
        self.form, self.always = form, always

    def forward(self, x):
        hidden = self.body(x)
        main, aux = self.head(hidden), self.aux(hidden)
        several = self.training or self.always
        return AUXILIARY[self.form](main, aux) if several else main


@pytest.mark.parametrize("network", [HeadFirst, UnusedLast])
def test_features_are_what_the_layer_that_acts_last_gets(network):
    fitted = ConstrainedNeuralClusterer(3, network=network, max_iter=2, random_state=0)
    fitted.fit(X, y)
    expected = fitted.network_.body(torch.from_numpy(X)).detach()
    np.testing.assert_allclose(fitted.transform(X), expected, atol=1e-6)
    assert fitted.get_feature_names_out().shape == (4,)


@pytest.mark.parametrize("network", [HeadFirst, UnusedLast])
def test_the_head_gets_the_rate_of_the_head(network):
    module = adopt(network((6,), 2), (6,), 2)
    head = split_head(module, 10.0)[-1]["params"]
    assert [tuple(p.shape) for p in head] == [(2, 4), (2,)]


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("form", AUXILIARY)
@pytest.mark.parametrize("kind", [ConstrainedNeuralClusterer, MetricEmbedder])
def test_the_main_of_several_outputs_counts(kind, form, always):
    def network(shape, n):
        return Auxiliary(shape, n, form, always)

    fitted = kind(3, network=network, max_iter=2, random_state=0).fit(X, y)
    network = fitted.network_
    logits = network.head(network.body(torch.from_numpy(X)))
    torch.testing.assert_close(network(torch.from_numpy(X)), logits)
    assert np.isfinite(fitted.transform(X)).all()


@pytest.mark.parametrize("output", [None, 3.0, (), {"loss": torch.zeros(2, 3)}])
def test_no_output_among_what_a_network_gives(output):
    class Odd(HeadFirst):
        def forward(self, x):
            super().forward(x)
            return output

    with pytest.raises(TypeError, match="must give a tensor"):
        adopt(Odd((6,), 3), (6,), 3)


def test_the_check_leaves_modes_and_statistics_alone():
    module = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)).eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    adopted = adopt(module, (6,), 3)
    assert not adopted.training
    for name, value in adopted.state_dict().items():
        torch.testing.assert_close(value, before[name])


def test_sequences_give_as_many_features_as_the_head_gets():
    class PerStep(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(2, 1)

        def forward(self, x):
            return self.head(x.reshape(len(x), 3, 2)).squeeze(-1)

    module = adopt(PerStep(), (6,), 3)
    assert count_features(module, (6,)) == 6
    assert forward_features(module, torch.zeros(5, 6)).shape == (5, 6)


@pytest.mark.parametrize("kind", [ConstrainedNeuralClusterer, MetricEmbedder])
def test_one_module_handed_out_twice_makes_two_networks(kind):
    module = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))
    before = module[0].weight.detach().clone()
    first = kind(3, network=lambda shape, n: module, max_iter=2, random_state=0)
    answers = first.fit(X, y).transform(X)
    kind(3, network=lambda shape, n: module, max_iter=2).fit(-3 * X, y)
    np.testing.assert_array_equal(first.transform(X), answers)
    torch.testing.assert_close(module[0].weight, before)


@pytest.mark.parametrize("kind", [ConstrainedNeuralClusterer, MetricEmbedder])
@pytest.mark.parametrize("unlabeled", [True, False])
def test_networks_that_work_in_place_leave_X_alone(kind, unlabeled):
    def network(shape, n):
        return nn.Sequential(nn.ReLU(inplace=True), nn.Linear(*shape, n))

    mine = X.copy()
    labels = None if unlabeled and kind is ConstrainedNeuralClusterer else y
    fitted = kind(3, network=network, max_iter=2, random_state=0).fit(mine, labels)
    fitted.transform(mine)
    np.testing.assert_array_equal(mine, X)


@pytest.mark.parametrize("method", ["transform", "predict_proba", "predict"])
def test_threads_get_their_own_rows(method):
    """Every thread is inside of the network at the same time, in either order."""
    meeting = [threading.Barrier(1)]

    class Meets(HeadFirst):
        def forward(self, x):
            hidden = self.body(x)
            meeting[0].wait(timeout=20)
            output = self.head(hidden)
            meeting[0].wait(timeout=20)
            return output

    fitted = ConstrainedNeuralClusterer(3, network=Meets, max_iter=1, unlabeled=None)
    fitted.fit(X, y)
    parts = np.array_split(X, 4)
    expected = [getattr(fitted, method)(part) for part in parts]
    meeting[0], found = threading.Barrier(4), [None] * 4

    def serve(number):
        found[number] = getattr(fitted, method)(parts[number])

    threads = [threading.Thread(target=serve, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_a_fitted_network_can_be_pickled():
    fitted = ConstrainedNeuralClusterer(3, network=HeadFirst, max_iter=1).fit(X, y)
    copy = pickle.loads(pickle.dumps(fitted.network_))
    torch.testing.assert_close(
        copy(torch.ones(1, 6)), fitted.network_(torch.ones(1, 6))
    )
