"""What is an image, where its channels are, and which network fits it."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.neural._images import choose_network, is_image


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ((4,), ("mlp", (4,), False)),
        ((784,), ("mlp", (784,), False)),
        ((28, 28), ("conv", (28, 28), False)),
        ((8, 30), ("conv", (8, 30), False)),
        # too small for convolutions, one pixel among them
        ((7, 30), ("mlp", (7, 30), False)),
        ((1, 1), ("mlp", (1, 1), False)),
        ((1, 1, 1), ("mlp", (1, 1, 1), False)),
        ((3, 1, 1), ("mlp", (3, 1, 1), False)),
        ((1, 28, 28), ("conv", (1, 28, 28), False)),
        ((28, 28, 1), ("conv", (1, 28, 28), True)),
        ((3, 20, 24), ("conv", (3, 20, 24), False)),
        ((20, 24, 3), ("conv", (3, 20, 24), True)),
        ((7, 20, 24), ("conv", (7, 20, 24), False)),
        ((20, 24, 7), ("conv", (7, 20, 24), True)),
        # more channels than pixels a side
        ((64, 16, 16), ("conv", (64, 16, 16), False)),
        ((16, 16, 64), ("conv", (64, 16, 16), True)),
        ((64, 7, 7), ("mlp", (64, 7, 7), False)),
        # of video nothing is known
        ((3, 4, 20, 20), ("mlp", (3, 4, 20, 20), False)),
    ],
)
def test_the_network_fits_the_samples(sample, expected):
    assert choose_network("auto", None, sample) == expected


@pytest.mark.parametrize("sample", [(16, 16, 16), (20, 16, 24), (20, 9, 20)])
def test_channels_that_could_be_on_either_side(sample):
    with pytest.raises(ValueError, match="first or last: pass input_shape=") as error:
        choose_network("auto", None, sample)
    assert "network='mlp'" in str(error.value)
    # the way out
    assert choose_network("auto", sample, sample) == ("conv", sample, False)
    assert choose_network("mlp", None, sample) == ("mlp", sample, False)


def test_a_given_shape_says_where_the_channels_are():
    assert choose_network("auto", (3, 9, 9), (243,)) == ("conv", (3, 9, 9), False)
    moved = choose_network("auto", (24, 20, 16), (20, 16, 24))
    assert moved == ("conv", (24, 20, 16), True)


def test_a_network_of_the_user_gets_what_it_asks_for():
    def network(shape, n_outputs):
        raise NotImplementedError

    for sample in ((16, 16, 16), (20, 24, 7), (5,)):
        assert choose_network(network, None, sample) == (network, sample, False)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((9, 9), True), ((9, 9, 3), True), ((3, 9, 9), True), ((3, 7, 9), False)],
)
def test_images(shape, expected):
    assert is_image(shape) is expected


@pytest.mark.parametrize("estimator", [ConstrainedNeuralClusterer, MetricEmbedder])
class TestEstimators:
    def test_tables_have_what_they_had(self, estimator):
        X, y = load_digits(return_X_y=True)
        X, y = X[:80], y[:80] % 3
        options = {"max_iter": 2, "random_state": 0}
        chosen = estimator(3, **options).fit(X, y)
        said = estimator(3, network="mlp", augment=None, **options).fit(X, y)
        assert (chosen.network_kind_, chosen.augment_) == ("mlp", None)
        for name, array in said.weights_.items():
            np.testing.assert_array_equal(chosen.weights_[name], array)

    def test_images_have_convolutions_and_changes(self, estimator, tmp_path):
        images, y = load_digits().images[:60], np.arange(60) % 3
        fitted = estimator(3, max_iter=2, random_state=0).fit(images, y)
        assert (fitted.network_kind_, fitted.augment_) == ("conv", "elastic")
        assert "Conv2d" in repr(fitted.network_)
        fitted.save(tmp_path / "model")
        loaded = estimator.load(tmp_path / "model")
        assert (loaded.network_kind_, loaded.augment_) == ("conv", "elastic")
        np.testing.assert_array_equal(
            loaded.transform(images), fitted.transform(images)
        )

    @pytest.mark.parametrize("n_channels", [1, 3, 7])
    def test_channels_on_either_side_are_the_same(self, estimator, n_channels):
        first = np.random.RandomState(0).rand(40, n_channels, 10, 12)
        first = first.astype(np.float32)
        last = np.ascontiguousarray(first.transpose(0, 2, 3, 1))
        y = np.arange(40) % 2
        model = estimator(2, max_iter=1, random_state=0)
        expected = model.fit(first, y).transform(first)
        np.testing.assert_array_equal(model.fit(last, y).transform(last), expected)

    def test_one_pixel(self, estimator):
        X, y = np.arange(40.0).reshape(40, 1, 1, 1), np.arange(40) % 2
        fitted = estimator(2, max_iter=1).fit(X, y)
        assert (fitted.network_kind_, fitted.augment_) == ("mlp", None)

    def test_bytes_are_the_floats_of_their_values(self, estimator):
        X, y = load_digits().images[:60], np.arange(60) % 3
        model = estimator(3, max_iter=2, random_state=0)
        expected = model.fit(X.astype(np.float32), y).transform(X[:9])
        found = model.fit(X.astype(np.uint8), y).transform(X[:9].astype(np.uint8))
        np.testing.assert_array_equal(found, expected)

    def test_images_of_different_sizes(self, estimator):
        ragged = [np.zeros((20, 20)), np.zeros((20, 21)), np.zeros((20, 20))]
        with pytest.raises(ValueError, match=r"X\[1\] has shape \(20, 21\)"):
            estimator(2, max_iter=1).fit(ragged, np.array([0, 1, 0]))

    def test_wrong_names_of_changes(self, estimator):
        X, y = np.zeros((20, 9, 9)), np.arange(20) % 2
        with pytest.raises(ValueError, match=r"augment=\('blur',\) must name"):
            estimator(2, augment=["blur"]).fit(X, y)
        with pytest.raises(ValueError, match="augment='shift' needs images"):
            estimator(2, augment="shift").fit(X[:, 0], y)
