"""Networks of users that would fail late fail before the training, by name."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from skpairclust import (
    ConstrainedNeuralClusterer,
    MetricEmbedder,
    PairwiseConstraints,
)
from skpairclust.neural._heads import adopt

X = np.random.RandomState(0).randn(60, 4).astype(np.float32)
y = np.arange(60) % 3
KINDS = [ConstrainedNeuralClusterer, MetricEmbedder]


class Linear(nn.Module):
    """One layer, and what a test does to it."""

    def __init__(self, shape, n):
        super().__init__()
        self.layer = nn.Linear(shape[0], n)

    def forward(self, x):
        return self.layer(x)


class Bfloat16Outputs(Linear):
    def forward(self, x):
        return super().forward(x).bfloat16()


class ClassNumbers(Linear):
    def forward(self, x):
        return super().forward(x).long()


class NotANumber(Linear):
    """It divides by the spread of a row, which only rows of X have."""

    wrong_in_training = False

    def forward(self, x):
        output = super().forward(x)
        is_wrong = self.training == self.wrong_in_training
        return output / (x[:, :1] != X[2, 0]) if is_wrong else output


class NotANumberInTraining(NotANumber):
    wrong_in_training = True


class Detached(Linear):
    def forward(self, x):
        return super().forward(x).detach()


class OwnState(Linear):
    def get_extra_state(self):
        return {"seen": 3}

    def set_extra_state(self, state):
        pass


class TooSmall(Linear):
    def __init__(self, shape, n):
        super().__init__((shape[0] + 1,), n)


class NeverTheSame(Linear):
    n_built = 0

    def __init__(self, shape, n):
        super().__init__(shape, n)
        NeverTheSame.n_built += 1
        self.more = nn.Linear(2, NeverTheSame.n_built)


def frozen(shape, n):
    return Linear(shape, n).requires_grad_(False)


def float8_buffer(shape, n):
    module = Linear(shape, n)
    module.register_buffer("scale", torch.ones(2).to(torch.float8_e4m3fn))
    return module


def without_values(shape, n):
    module = Linear(shape, n)
    nn.init.constant_(module.layer.weight, torch.nan)
    return module


class NoCopy(Linear):
    def __deepcopy__(self, memo):
        raise RuntimeError("Only one of these may exist.")


_ONLY_ONE = NoCopy((4,), 3)

LATE = {
    "bfloat16 weights": (
        lambda shape, n: Linear(shape, n).bfloat16(),
        r"has weights of torch.bfloat16.*return network.float\(\)",
    ),
    "bfloat16 outputs": (Bfloat16Outputs, r"outputs of torch.bfloat16.*\.float\(\)"),
    "integer outputs": (ClassNumbers, "outputs of torch.int64"),
    "float8": (float8_buffer, "'scale' of torch.float8_e4m3fn .*cannot be kept"),
    "own state": (OwnState, "'_extra_state' of dict .*cannot be kept"),
    "NaN when it is used": (NotANumber, r"inf in evaluation mode.*for X\[2\]"),
    "NaN when it is trained": (NotANumberInTraining, r"inf in training mode.*X\[2\]"),
    "NaN in its weights": (without_values, "'layer.weight' that are not finite"),
    "frozen": (frozen, "no trainable weight.*Leave at least the last layer"),
    "detached": (Detached, "do not depend on its trainable weights"),
    "another width": (TooSmall, r"failed on a batch of shape \(2, 4\).*must take"),
    "another each time": (NeverTheSame, "same layers each time.*'more.weight'"),
    "one that is shared": (lambda shape, n: _ONLY_ONE, "share their weights"),
}


@pytest.mark.parametrize("name", LATE)
@pytest.mark.parametrize("kind", KINDS)
def test_what_would_fail_late_is_named_before_the_training(kind, name):
    network, message = LATE[name]
    # A training of this length would not come to an end.
    estimator = kind(3, network=network, max_iter=10**6, random_state=0)
    before = torch.get_rng_state()
    with pytest.raises(ValueError, match=f"^network .*{message}"):
        estimator.fit(X, y)
    assert not hasattr(estimator, "weights_")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_in_bfloat16_are_possible_and_come_back(kind, tmp_path):
    class Half(Linear):
        def forward(self, x):
            return super().forward(x.bfloat16()).float()

    def network(shape, n):
        return Half(shape, n).bfloat16()

    fitted = kind(3, network=network, max_iter=2, random_state=0).fit(X, y)
    fitted.save(tmp_path / "model")
    again = kind.load(tmp_path / "model", network=network)
    assert again.network_.layer.weight.dtype == torch.bfloat16
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_body_may_stay_as_it_is(kind):
    def network(shape, n):
        body = nn.Linear(shape[0], 5).requires_grad_(False)
        return nn.Sequential(body, nn.ReLU(), nn.Linear(5, n))

    short, long = (
        kind(3, network=network, max_iter=max_iter, random_state=0).fit(X, y)
        for max_iter in (1, 4)
    )
    body, head = ("0.weight", "2.weight")
    np.testing.assert_array_equal(short.weights_[body], long.weights_[body])
    assert not np.array_equal(short.weights_[head], long.weights_[head])


def test_a_network_that_works_in_place_leaves_its_batch_alone():
    x = torch.from_numpy(X.copy())
    module = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 3))
    adopted = adopt(module, (4,), 3)
    torch.testing.assert_close(adopted(x), module[1](x.relu()))
    np.testing.assert_array_equal(x, X)


def test_working_in_place_changes_no_result():
    def network(inplace):
        return lambda shape, n: nn.Sequential(
            nn.ReLU(inplace=inplace), nn.Linear(shape[0], n)
        )

    fitted = [
        ConstrainedNeuralClusterer(
            3, network=network(inplace), max_iter=3, random_state=0
        ).fit(X)
        for inplace in (True, False)
    ]
    np.testing.assert_array_equal(*(f.weights_["1.weight"] for f in fitted))


class BreaksLater(Linear):
    """Outputs in training mode are no numbers from some call on."""

    n_calls = most_calls = 0

    def forward(self, x):
        output = super().forward(x)
        if not self.training:
            return output
        BreaksLater.n_calls += 1
        return output if self.n_calls <= self.most_calls else output * torch.nan


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_that_does_not_stay_finite_keeps_its_best(kind, tmp_path):
    options = {"network": BreaksLater, "batch_size": 64, "random_state": 0}
    if kind is ConstrainedNeuralClusterer:
        options |= {"unlabeled": None, "init": "random"}
    BreaksLater.n_calls, BreaksLater.most_calls = 0, 10**9
    kind(3, max_iter=1, **options).fit(X, y)
    an_epoch = BreaksLater.n_calls
    BreaksLater.n_calls, BreaksLater.most_calls = 0, 3 * an_epoch
    with pytest.warns(ConvergenceWarning, match="non-finite in epoch .*lower") as found:
        fitted = kind(3, max_iter=50, **options).fit(X, y)
    assert f"in epoch {fitted.n_iter_} of" in str(found[0].message)
    assert np.isnan(fitted.loss_curve_[-1]) and 1 < len(fitted.loss_curve_) < 50
    assert fitted.loss_ in fitted.loss_curve_
    assert np.isfinite(fitted.transform(X)).all()
    fitted.save(tmp_path / "model")
    again = kind.load(tmp_path / "model", network=BreaksLater)
    np.testing.assert_array_equal(again.loss_curve_, fitted.loss_curve_)


def test_statistics_that_overflow_are_no_result():
    huge = ConstrainedNeuralClusterer(
        3, optimizer="sgd", learning_rate=1e25, max_iter=1, schedule="constant"
    )
    with pytest.raises(ValueError, match=r"non-finite.*learning_rate=1e\+25"):
        huge.fit(X, y)


@pytest.mark.parametrize("weight", [1e39, 1e19, 1e-19, 5e-324])
@pytest.mark.parametrize("which", ["must_link", "cannot_link"])
@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_pairs_beyond_float32(kind, which, weight):
    pairs = PairwiseConstraints.sample_from_labels(y, 40, random_state=0)
    weights = {f"{which}_weight": np.ones(len(getattr(pairs, which)))}
    weights[f"{which}_weight"][3] = weight
    weighted = PairwiseConstraints(
        pairs.must_link, pairs.cannot_link, n_samples=60, **weights
    )
    with pytest.raises(
        ValueError, match=f"^{which}_weight holds {weight:.3g}".replace("+", r"\+")
    ):
        kind(3, max_iter=10**6).fit(X, weighted)


@pytest.mark.parametrize("mining", ["all", "hardest"])
@pytest.mark.parametrize("weight", [1e18, 1e-18])
def test_weights_at_the_ends_of_the_range_can_be_trained_with(weight, mining):
    pairs = PairwiseConstraints.sample_from_labels(y, 40, random_state=0)
    sizes = {k: len(getattr(pairs, k)) for k in ("must_link", "cannot_link")}
    weighted = PairwiseConstraints(
        pairs.must_link,
        pairs.cannot_link,
        n_samples=60,
        **{f"{k}_weight": np.full(size, weight) for k, size in sizes.items()},
    )
    for estimator in (
        ConstrainedNeuralClusterer(3, max_iter=2, random_state=0),
        MetricEmbedder(3, mining=mining, max_iter=2, random_state=0),
    ):
        assert np.isfinite(estimator.fit(X, weighted).loss_curve_).all()
