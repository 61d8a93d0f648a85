"""Sparse rows are never made dense, and the network learns the same from them."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer import _unlabeled
from skpairclust.clusterer._first_layer import FirstLayerSpace, _Multiply
from skpairclust.clusterer._spacing import _MOST_VALUES, Spacing
from skpairclust.clusterer._unlabeled import adversarial_loss
from skpairclust.neural._networks import Architecture
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._sparse_batch import SparseBatch, join
from skpairclust.neural._torch_utils import make_generator

CPU = torch.device("cpu")
N_FEATURES = 3000


@pytest.fixture
def words():
    """Word counts of three topics, 20 of 3,000 words each."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=300)
    common = rng.integers(300, N_FEATURES, (300, 10))
    own = rng.integers(0, 100, (300, 10)) + 100 * y[:, None]
    columns = np.hstack([common, own])
    places = (np.repeat(np.arange(300), 20), columns.ravel())
    X = sparse.csr_matrix((np.ones(6000, "f4"), places), (300, N_FEATURES))
    return X, y


@pytest.fixture
def architecture():
    """A small MLP for the words."""
    return Architecture("mlp", (N_FEATURES,), 4, (16, 8))


def _sparse_and_dense(X, architecture):
    """Return a batch of X as it is and as a tensor."""
    rows = architecture.make_rows(X, CPU)
    assert rows.is_sparse
    dense = FeatureRows(X, (N_FEATURES,), CPU).take(np.arange(40))
    batch = rows.take(np.arange(40))
    assert isinstance(batch, SparseBatch)
    return batch, dense


@pytest.mark.parametrize("lays_out", [False, True])
def test_outputs_and_gradients_are_those_of_dense_rows(words, architecture, lays_out):
    """The sparse product is the dense one, in whatever order weights lie."""
    batch, dense = _sparse_and_dense(words[0], architecture)
    found, expected = architecture.build(1), architecture.build(1)
    if lays_out:
        found.lay_out()
    for network, x in ((found, batch), (expected, dense)):
        network(x).square().sum().backward()
    for own, other in zip(found.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad, rtol=1e-4, atol=1e-6)
    found.eval(), expected.eval()
    torch.testing.assert_close(found(batch), expected(dense), rtol=1e-4, atol=1e-5)
    padded = found(batch.padded(50))
    torch.testing.assert_close(padded[:40], found(batch))
    joined = found(join(batch, batch))
    torch.testing.assert_close(joined[40:], found(batch))


def test_adversarial_gradients_are_those_of_dense_rows(
    words, architecture, monkeypatch
):
    """From one random direction, loss and gradients of all weights agree."""
    batch, dense = _sparse_and_dense(words[0], architecture)
    radius = torch.linspace(0.5, 1.5, 40)
    networks = [architecture.build(1).double() for _ in range(2)]
    noise = torch.randn(40, 16, generator=make_generator(3), dtype=torch.float64)
    first = networks[0][1].weight.detach()
    # A direction that both can take: along the weights.
    direction = noise @ first

    def as_dense(vectors, length):
        norm = vectors.norm(dim=1, keepdim=True)
        return length[:, None] * vectors / norm

    # Dense.
    x = dense.double().requires_grad_()
    log_p = networks[1](x).log_softmax(1)
    probe = as_dense(direction, 10 * radius).detach().requires_grad_()
    divergence = _unlabeled.consistency_loss(networks[1], x + probe, log_p.detach())
    (gradient,) = torch.autograd.grad(divergence, probe)
    expected = _unlabeled.consistency_loss(
        networks[1], x + as_dense(gradient, radius), log_p.detach()
    )
    # Sparse.
    space = FirstLayerSpace(networks[0].weight)
    space.gram = first @ first.T
    monkeypatch.setattr(
        space, "spread", lambda _, length: space.stretch(noise, length).detach()
    )
    values = SparseBatch(batch.columns, batch.starts, batch.values.double())
    z = networks[0].first(values)
    log_p = networks[0].rest(z).log_softmax(1)
    found = adversarial_loss(
        networks[0].rest, z, log_p, radius, make_generator(0), space
    )
    assert found.item() == pytest.approx(expected.item(), rel=1e-9)
    assert found.item() > 0
    found.backward()
    expected.backward()
    for own, other in zip(*(n.parameters() for n in networks), strict=True):
        torch.testing.assert_close(own.grad, other.grad, rtol=1e-6, atol=1e-10)


def test_random_changes_spread_as_normal_ones(architecture):
    """Their covariance is that of the weights times unit vectors."""
    weight = architecture.build(0).weight
    length = torch.full((20_000,), 2.0)
    noise = torch.randn(20_000, 16, generator=make_generator(0))
    found = FirstLayerSpace(weight).spread(noise, length)
    inputs = torch.randn(20_000, N_FEATURES, generator=make_generator(1))
    inputs *= 2.0 / inputs.norm(dim=1, keepdim=True)
    expected = (inputs @ weight.T).detach()
    scale = expected.T.cov().abs().max()
    torch.testing.assert_close(
        found.T.cov() / scale, expected.T.cov() / scale, rtol=0, atol=0.05
    )


def test_bfloat16_is_close(architecture):
    """Lower precision changes lengths by little."""
    weight = architecture.build(0).weight
    gradient = torch.randn(10, 16, generator=make_generator(0))
    spaces = [FirstLayerSpace(weight, lowers_precision=low) for low in (True, False)]
    low, high = (space.stretch(gradient, torch.ones(10)) for space in spaces)
    torch.testing.assert_close(low, high, rtol=0.05, atol=0.01)


@pytest.mark.parametrize("low", [False, True])
def test_gradient_of_a_wide_first_layer(low):
    """The gradient of A V W^T, with V = W held constant, is G^T A V."""
    generator = make_generator(0)
    weight = torch.randn(3, 20_000, generator=generator).requires_grad_()
    # Weights of a feature lie side by side, as the layer of sparse products has them.
    laid_out = weight.detach().t().contiguous().t().requires_grad_()
    along, gradient = torch.randn(2, 10, 3, generator=generator).unbind()
    for own in (weight, laid_out):
        space = FirstLayerSpace(own, lowers_precision=low)
        _Multiply.apply(along, own, space._wide, space.gram).backward(gradient)
        expected = gradient.T @ along @ weight.detach()
        close = {"rtol": 0.05, "atol": 0.2} if low else {}
        torch.testing.assert_close(own.grad, expected, **close)


def test_spacing_is_that_of_dense_rows(words, architecture):
    """Distances to the nearest other sample agree, in more than one part."""
    X = sparse.vstack([words[0], 2 * words[0]], format="csr")
    assert _MOST_VALUES < 512 * N_FEATURES
    rows = architecture.make_rows(X, CPU)
    found = Spacing(rows, 0).of_all()
    expected = Spacing(FeatureRows(X.toarray(), (N_FEATURES,), CPU), 0).of_all()
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_fit_finds_topics_without_dense_rows(words, monkeypatch):
    """The default fits, predicts and transforms sparse rows as dense ones."""
    X, y = words
    constraints = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    clusterer = ConstrainedNeuralClusterer(3, random_state=0)

    def refuse(*args):
        raise AssertionError("dense rows")

    monkeypatch.setattr("skpairclust.neural._rows._dense_float32", refuse)
    labels = clusterer.fit(X, constraints).predict(X)
    probabilities = clusterer.predict_proba(X[:3])
    monkeypatch.undo()
    assert adjusted_rand_score(y, labels) > 0.9
    dense = X.toarray()
    np.testing.assert_array_equal(labels, clusterer.predict(dense))
    np.testing.assert_allclose(
        probabilities, clusterer.predict_proba(dense[:3]), atol=1e-4
    )
    np.testing.assert_allclose(
        clusterer.transform(X), clusterer.transform(dense), atol=1e-3
    )


def test_dense_enough_rows_stay_as_they_were(words):
    """Narrow or dense matrices take the dense way, which is faster for them."""
    X, _ = words
    assert not FeatureRows(X[:, :500], (500,), CPU, keeps_sparse=True).is_sparse
    full = sparse.csr_matrix(np.ones((20, N_FEATURES), "f4"))
    assert not FeatureRows(full, (N_FEATURES,), CPU, keeps_sparse=True).is_sparse
