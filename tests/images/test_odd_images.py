"""Images as people have them: tiny, of many channels, of any range, in any list."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.images import CenterImages

KINDS = [ConstrainedNeuralClusterer, MetricEmbedder]
N = 45
y = np.arange(N) % 3


def images(*shape, seed=0):
    """Return images of three classes that differ in brightness, in [0, 1]."""
    X = 0.2 * np.random.RandomState(seed).random_sample((N, *shape))
    return X + y.reshape(N, *[1] * len(shape)) / 3


def fit(kind, X, **options):
    return kind(3, max_iter=3, random_state=0, **options).fit(X, y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("shape", "network", "augment"),
    [
        ((1, 1), "mlp", None),
        ((3, 1, 1), "mlp", None),
        ((1, 1, 3), "mlp", None),
        ((1, 20), "mlp", None),
        ((7, 7), "mlp", None),
        ((8, 8), "conv", "elastic"),
        ((1, 9, 9), "conv", "elastic"),
        ((9, 9, 1), "conv", "elastic"),
        ((7, 9, 9), "conv", "affine"),
        ((9, 9, 7), "conv", "affine"),
        ((9, 9, 2), "conv", "affine"),
        ((2, 3, 9, 9), "mlp", None),
    ],
)
def test_every_shape_is_fitted(kind, shape, network, augment):
    X = images(*shape)
    model = fit(kind, X)
    assert (model.network_kind_, model.augment_) == (network, augment)
    assert model.score(X, y) > 0.6
    assert np.isfinite(model.transform(X)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("scale", "offset"), [(1e4, 0), (1e-8, 0), (1, -1e3), (1e12, 0)]
)
def test_the_range_of_values_hardly_matters(kind, scale, offset):
    X = images(12, 12)
    shifted = (scale * X + offset).astype(np.float32)
    for values in (X, shifted):
        assert fit(kind, values).score(values, y) > 0.6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint16, np.float16, bool])
def test_every_type_of_numbers_is_that_of_float32(kind, dtype):
    X = (images(10, 10) > 0.5 if dtype is bool else 150 * images(10, 10)).astype(dtype)
    expected = fit(kind, X.astype(np.float32))
    found = fit(kind, X)
    assert_allclose(found.transform(X), expected.transform(X), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_containers_of_equal_images_are_arrays(kind):
    X = (150 * images(10, 10)).astype(np.uint8)
    objects = np.empty(N, dtype=object)
    objects[:] = list(X)
    expected = fit(kind, X).transform(X)
    for container in (
        list(X),
        X.tolist(),
        objects,
        pd.Series(list(X)),
        [Image.fromarray(values) for values in X],
        torch.tensor(X),
        torch.tensor(X, dtype=torch.float64),
        torch.tensor(X, dtype=torch.float32, requires_grad=True),
        torch.tensor(X).to(torch.bfloat16),
        list(torch.tensor(X)),
    ):
        model = fit(kind, container)
        assert model.network_kind_ == "conv"
        is_exact = getattr(container, "dtype", None) != torch.bfloat16
        if is_exact:
            assert_allclose(model.transform(container), expected, atol=1e-5)


def ragged(n_wrong=7):
    """Return images, one of which is wider."""
    return [np.zeros((9, 9 + (row == n_wrong)), dtype=np.uint8) for row in range(N)]


def as_objects(samples):
    array = np.empty(len(samples), dtype=object)
    array[:] = samples
    return array


CONTAINERS = {
    "arrays": ragged,
    "lists": lambda: [values.tolist() for values in ragged()],
    "tensors": lambda: [torch.tensor(values) for values in ragged()],
    "pictures": lambda: [Image.fromarray(values) for values in ragged()],
    "objects": lambda: as_objects(ragged()),
    "column": lambda: pd.Series(ragged()),
}


@pytest.mark.parametrize("kind", [*KINDS, CenterImages])
@pytest.mark.parametrize("container", CONTAINERS)
def test_images_of_several_sizes_are_named(kind, container):
    X = CONTAINERS[container]()
    message = r"X\[7\] has shape \(9, 10\), but X\[0\] has shape \(9, 9\).*ImageFolder"
    with pytest.raises(ValueError, match=message):
        fit(kind, X) if kind in KINDS else kind().transform(X)


@pytest.mark.parametrize("kind", KINDS)
def test_other_lists_that_are_no_images(kind):
    gray_and_color = [np.zeros((9, 9, 3) if row else (9, 9)) for row in range(N)]
    with pytest.raises(ValueError, match=r"X\[1\] has shape \(9, 9, 3\)"):
        fit(kind, gray_and_color)
    torn = [[[1, 2], [3]] for _ in range(N)]
    with pytest.raises(ValueError, match=r"X\[0\] has parts of different lengths"):
        fit(kind, torn)
    names = [f"cats/{row}.png" for row in range(N)]
    for files in (names, np.array(names), pd.Series(names), [Path(n) for n in names]):
        with pytest.raises(
            ValueError, match=r"X holds text, such as 'cats.0.png'.*Imag"
        ):
            fit(kind, files)
    with pytest.raises(ValueError, match=r"samples without values, of shape \(0, 0\)"):
        fit(kind, np.empty((N, 0, 0)))


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_are_none_are_named(kind):
    X = images(10, 10)
    X[5, 2, 2] = 1e30
    with pytest.raises(ValueError, match=r"X\[5\] holds 1e\+30: .*scale X"):
        fit(kind, X)
    X[5, 2, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fit(kind, X)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*distinct clusters|The embedding of all samples")
def test_images_that_are_all_the_same(kind):
    model = fit(kind, np.full((N, 10, 10), 7.0))
    assert_array_equal(np.ptp(model.transform(np.full((4, 10, 10), 7.0)), axis=0), 0)
