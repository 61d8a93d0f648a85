"""Rows of X as the network takes them; images with their channels last."""

import numpy as np
import pytest
import torch
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.neural import _rows
from skpairclust.neural._rows import FeatureRows
from skpairclust.utils._param_validation import resolve_input_shape

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("given", "sample", "built_in", "expected"),
    [
        (None, (20, 20, 3), True, ((3, 20, 20), True)),
        (None, (20, 24, 1), True, ((1, 20, 24), True)),
        (None, (3, 20, 20), True, ((3, 20, 20), False)),
        (None, (20, 20, 3), False, ((20, 20, 3), False)),
        ((3, 20, 20), (20, 20, 3), True, ((3, 20, 20), True)),
        ((3, 20, 20), (20, 20, 3), False, ((3, 20, 20), True)),
        ((20, 20, 3), (20, 20, 3), True, ((3, 20, 20), True)),
        ((20, 20, 3), (1200,), True, ((3, 20, 20), True)),
        ((3, 20, 20), (1200,), True, ((3, 20, 20), False)),
        (None, (28, 28), True, ((28, 28), False)),
        # Channels on both sides, or on none: nothing is recognized.
        (None, (3, 20, 3), True, ((3, 20, 3), False)),
        (None, (16, 20, 20), True, ((16, 20, 20), False)),
    ],
)
def test_which_side_the_channels_are_on(given, sample, built_in, expected):
    assert resolve_input_shape(given, sample, built_in=built_in) == expected


def test_channels_move_and_pixels_stay():
    images = np.random.RandomState(0).rand(7, 20, 18, 3)
    rows = FeatureRows(images, (3, 20, 18), CPU, channels_last=True)
    for index in (slice(2, 5), np.array([6, 0])):
        found = rows.take(index)
        assert found.is_contiguous()
        expected = images[index].transpose(0, 3, 1, 2)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("network", ["lenet", "conv", "mlp"])
@pytest.mark.parametrize("flat", [False, True])
def test_images_with_channels_last_are_those_with_channels_first(network, flat):
    first = np.random.RandomState(0).rand(40, 3, 16, 18).astype(np.float32)
    last = np.ascontiguousarray(first.transpose(0, 2, 3, 1))
    y = np.arange(40) % 2
    options = {"network": network, "max_iter": 1, "random_state": 0}
    expected = MetricEmbedder(4, **options).fit(first, y).embedding_
    if flat:
        last = last.reshape(40, -1)
        options["input_shape"] = (16, 18, 3)
    found = MetricEmbedder(4, **options).fit(last, y)
    np.testing.assert_array_equal(found.embedding_, expected)
    np.testing.assert_array_equal(found.transform(last), expected)


def test_augmentation_knows_the_channels():
    images = np.random.RandomState(0).rand(40, 16, 18, 3).astype(np.float32)
    seen = []

    def augment(x, generator):
        seen.append(tuple(x.shape[1:]))
        return x

    MetricEmbedder(4, augment=augment, max_iter=1).fit(images, np.arange(40) % 2)
    assert set(seen) == {(3, 16, 18)}


def test_networks_of_users_take_images_as_they_come():
    images = np.random.RandomState(0).rand(40, 16, 18, 3).astype(np.float32)
    shapes = []

    def network(shape, n):
        shapes.append(shape)
        return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), n))

    for given, expected in ((None, (16, 18, 3)), ((3, 16, 18), (3, 16, 18))):
        options = {"network": network, "input_shape": given, "max_iter": 1}
        ConstrainedNeuralClusterer(2, **options).fit(images)
        assert shapes[-1] == expected
        shapes.clear()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_batches_are_no_windows_on_X(dtype):
    X = np.arange(24).reshape(8, 3).astype(dtype)
    rows = FeatureRows(X, (3,), CPU)
    for index in (slice(0, 4), np.array([1, 2]), slice(None)):
        rows.take(index).zero_()
    np.testing.assert_array_equal(X, np.arange(24).reshape(8, 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, ">f4"])
def test_all_rows_go_to_a_device_by_the_block(dtype, monkeypatch):
    monkeypatch.setattr(_rows, "_DENSE_VALUES", 50)
    X = np.random.RandomState(0).randint(100, size=(23, 3, 4)).astype(dtype)
    X.flags.writeable = False
    found = FeatureRows(X, X.shape[1:], CPU)._upload()
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found, X.astype(np.float32))
