"""Embeddings of images in all their turned positions."""

import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn
from torch.nn import functional

from skpairclust import MetricEmbedder
from skpairclust.embedder._views import embed_views, find_views
from skpairclust.neural._class_augmentation import count_positions, turned_positions
from skpairclust.neural._rows import FeatureRows


def images(n, sides=(9, 9), seed=0):
    return np.random.default_rng(seed).random((n, *sides)).astype(np.float32)


def look(network, X, n_positions, *, normalize):
    """Return what each position says, side by side."""
    parts = []
    with torch.inference_mode():
        for k in range(n_positions):
            turned = np.rot90(X, k * 4 // n_positions, (-2, -1)).copy()
            z = network(torch.from_numpy(turned))
            parts.append(functional.normalize(z) if normalize else z)
    return torch.cat(parts, dim=1).numpy()


def make_network(sides, n_components, seed=0):
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Flatten(), nn.Linear(np.prod(sides), n_components))
    with torch.no_grad():
        network[1].weight.normal_(generator=generator)
    return network.eval()


def find(network, X, *, normalize):
    rows = FeatureRows(X, X.shape[1:], torch.device("cpu"))
    views = find_views(network, rows, normalize=normalize)
    with torch.inference_mode():
        parts = list(torch.from_numpy(views))
        z = embed_views(network, torch.from_numpy(X), parts, normalize=normalize)
    return views, z.numpy()


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(("sides", "n_positions"), [((9, 9), 4), ((9, 7), 2)])
def test_as_many_components_as_samples_keep_all_inner_products(
    sides, n_positions, normalize
):
    X = images(6, sides)
    network = make_network(sides, 8)
    views, z = find(network, X, normalize=normalize)
    assert views.shape == (n_positions, 8, 8)
    joined = look(network, X, n_positions, normalize=normalize)
    np.testing.assert_allclose(z @ z.T, joined @ joined.T / n_positions, rtol=1e-4)


def test_these_components_keep_more_than_others():
    X = images(300)
    network = make_network((9, 9), 5)
    views, z = find(network, X, normalize=False)
    joined = look(network, X, 4, normalize=False)
    singular = np.linalg.svd(joined, compute_uv=False)
    assert (z**2).sum() == pytest.approx((singular[:5] ** 2).sum() / 4, rel=1e-4)
    # Orthonormal, but for the scale.
    mixed = views.reshape(20, 5)
    np.testing.assert_allclose(4 * mixed.T @ mixed, np.eye(5), atol=1e-5)


def test_without_views_there_is_one_position():
    X = torch.from_numpy(images(6))
    network = make_network((9, 9), 5)
    for normalize in (True, False):
        z = embed_views(network, X, None, normalize=normalize)
        expected = functional.normalize(network(X)) if normalize else network(X)
        assert torch.equal(z, expected)


def test_too_many_components_are_those_of_one_position():
    network = make_network((9, 9), 513)
    rows = FeatureRows(images(6), (9, 9), torch.device("cpu"))
    assert find_views(network, rows, normalize=True) is None


@pytest.mark.parametrize("shape", [(8, 8), (8, 10), (3, 8, 8)])
def test_positions_are_those_of_numpy(shape):
    x = images(2, shape)
    n_positions = count_positions(shape)
    assert n_positions == (4 if shape[-1] == shape[-2] else 2)
    positions = list(turned_positions(torch.from_numpy(x), n_positions))
    assert len(positions) == n_positions
    for k, position in enumerate(positions):
        turned = np.rot90(x, k * 4 // n_positions, (-2, -1))
        np.testing.assert_array_equal(position.numpy(), turned)


@pytest.fixture(scope="module")
def fitted():
    X, y = images(120, (10, 10)), np.arange(120) % 60
    return MetricEmbedder(4, max_iter=2, random_state=0).fit(X, y), X, y


def test_an_embedder_of_many_classes_looks_at_all_positions(fitted, tmp_path):
    model, X, y = fitted
    assert model.augment_classes_
    joined = look(model.network_, X, 4, normalize=True)
    z = model.transform(X)
    np.testing.assert_array_equal(z, model.embedding_)
    kept = joined @ model._views.reshape(16, 4)
    kept /= np.linalg.norm(kept, axis=1, keepdims=True)
    np.testing.assert_allclose(z, kept, atol=1e-5)
    path = tmp_path / "model.safetensors"
    model.save(path)
    for other in (MetricEmbedder.load(path), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.transform(X), z)
    plain = MetricEmbedder(4, max_iter=2, random_state=0, augment_classes=False)
    plain.fit(X, y)
    assert not hasattr(plain, "_views")
    # A later fit leaves nothing of an earlier one.
    again = pickle.loads(pickle.dumps(model)).set_params(augment_classes=False)
    again.fit(X, y)
    assert not hasattr(again, "_views")
    np.testing.assert_array_equal(again.transform(X), plain.transform(X))


@pytest.mark.parametrize("shape", [(2, 4, 4), (4, 4, 5), (4, 4), (0, 4, 4)])
def test_a_file_with_other_positions_is_refused(fitted, tmp_path, shape):
    model = pickle.loads(pickle.dumps(fitted[0]))
    model._views = np.zeros(shape, dtype=np.float32)
    with pytest.raises(ValueError, match="_views"):
        model.save(tmp_path / "model.safetensors")


def test_a_file_of_a_table_has_no_positions(tmp_path):
    X, y = images(40, (6,)), np.arange(40) % 4
    model = MetricEmbedder(4, max_iter=1, hidden_layer_sizes=8).fit(X, y)
    model._views = np.zeros((2, 4, 4), dtype=np.float32)
    with pytest.raises(ValueError, match="_views"):
        model.save(tmp_path / "model.safetensors")


def test_a_module_does_not_share_memory_with_the_estimator(fitted):
    model, X, _ = fitted
    module = model.to_module()
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.zero_()
    np.testing.assert_array_equal(model.transform(X), model.embedding_)


@pytest.mark.parametrize("augment", ["auto", None])
def test_images_in_sparse_rows(augment):
    # So wide and empty that tables stay sparse in training.
    S = sparse.random(120, 1024, density=0.01, format="csr", random_state=0)
    y = np.arange(120) % 60
    model = MetricEmbedder(
        4,
        network="mlp",
        hidden_layer_sizes=16,
        input_shape=(32, 32),
        augment=augment,
        max_iter=2,
        random_state=0,
    ).fit(S, y)
    assert model.augment_classes_
    z = model.transform(S.toarray())
    np.testing.assert_allclose(model.transform(S), z, atol=1e-5)
    np.testing.assert_allclose(model.embedding_, z, atol=1e-5)


def test_large_images_are_taken_a_few_at_a_time():
    class Counted(FeatureRows):
        sizes = []

        def take(self, rows, **options):
            self.sizes.append(len(rows))
            return super().take(rows, **options)

    X = np.zeros((60, 600, 600), dtype=np.float32)
    rows = Counted(X, X.shape[1:], torch.device("cpu"))
    network = nn.Sequential(nn.AvgPool2d(300), nn.Flatten(), nn.Linear(4, 2)).eval()
    find_views(network, rows, normalize=True)
    assert sum(rows.sizes) == 60
    assert max(rows.sizes) == rows.bounded(1024) < 60
