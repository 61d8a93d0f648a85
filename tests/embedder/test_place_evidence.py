"""The network centers images where pairs say that place tells nothing."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skpairclust import MetricEmbedder, PairwiseConstraints
from skpairclust.embedder import _task


def moved_digits():
    """Return digits that are anywhere in an image."""
    rng = np.random.RandomState(0)
    digits = load_digits()
    images = np.zeros((300, 20, 20))
    for image, digit in zip(images, digits.images, strict=False):
        row, column = rng.randint(12, size=2)
        image[row : row + 8, column : column + 8] = digit
    return images, digits.images[:300], digits.target[:300]


def kind_of(X, y, **params):
    return MetricEmbedder(8, max_iter=1, **params).fit(X, y).network_kind_


def test_only_where_it_tells_pairs_apart():
    moved, fixed, y = moved_digits()
    assert kind_of(moved, y) == "centered_conv"
    assert kind_of(fixed, y) == "conv"
    # with pairs as with labels
    pairs = PairwiseConstraints.sample_from_labels(y, 2000, random_state=0)
    assert kind_of(moved, pairs) == "centered_conv"
    # too few pairs say nothing, and a network that was asked for is not another
    labels = np.where(np.arange(300) < 12, y, -1)
    assert kind_of(moved, labels) == "conv"
    assert kind_of(moved, y, network="conv") == "conv"
    assert kind_of(moved, y, network="mlp") == "mlp"
    assert kind_of(fixed, y, network="centered_conv") == "centered_conv"


def test_place_that_is_the_class():
    moved, _, _ = moved_digits()
    y = moved.sum(2).argmax(1) // 7
    assert kind_of(moved, y) == "conv"


def test_saved_and_deployed(tmp_path):
    moved, _, y = moved_digits()
    model = MetricEmbedder(8, max_iter=2, random_state=0).fit(moved, y)
    model.save(tmp_path / "model")
    loaded = MetricEmbedder.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(moved), model.transform(moved))
    # where an image is does not matter any more
    one = np.zeros((2, 20, 20))
    one[0, 2:10, 3:11] = one[1, 9:17, 10:18] = load_digits().images[0]
    first, second = model.transform(one)
    np.testing.assert_allclose(first, second, atol=1e-4)


def many(n_classes):
    """Return constraints among samples of many classes."""
    return PairwiseConstraints.from_labels(np.arange(240) % n_classes)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((9, 9), True), ((1, 9, 9), True), ((3, 9, 9), False), ((5,), False)],
)
def test_gray_images_of_many_classes_turn(shape, expected):
    X = np.random.RandomState(0).rand(240, *shape)
    model = MetricEmbedder(4)

    def turns(constraints=None):
        return _task.make_task(model, X, constraints).objective.augment_classes

    assert turns(many(60)) is expected
    assert not turns(many(10))
    drawn = PairwiseConstraints.sample_from_labels
    for n_classes in (60, 4):
        pairs = drawn(np.arange(240) % n_classes, 8000, random_state=0)
        assert turns(pairs) is (expected and n_classes == 60)
    model.set_params(augment_classes=False)
    assert not turns(many(60))
    model.set_params(augment_classes=True)
    if len(shape) > 1:
        assert turns(many(10))
    else:
        with pytest.raises(ValueError, match="augment_classes=True needs images"):
            turns()
