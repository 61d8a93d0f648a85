"""Images moved to the middle and scaled."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from skpairclust.images import CenterImages


def drawings(n=6, side=40, seed=0):
    """Return ellipses of different places and sizes on black."""
    rng = np.random.RandomState(seed)
    y, x = np.mgrid[:side, :side]
    images = []
    for _ in range(n):
        center, radius = rng.uniform(15, 25, 2), rng.uniform(4, 9)
        away = ((y - center[0]) / radius) ** 2 + ((x - center[1]) / radius / 1.2) ** 2
        images.append(np.clip(3 * (1 - away), 0, 1))
    return np.array(images)


def moments(images):
    """Return the mean place of ink and its distance from there, in half sides."""
    n = images.shape[1]
    place = (2 * np.arange(n) + 1) / n - 1
    share = images / images.sum((1, 2), keepdims=True)
    mean = np.stack([share.sum(2) @ place, share.sum(1) @ place], axis=1)
    square = (share.sum(2) + share.sum(1)) @ place**2
    return mean, np.sqrt(square - (mean**2).sum(1))


@pytest.mark.parametrize("spread", [0.3, 0.4])
def test_place_and_size_are_the_same_afterwards(spread):
    X = drawings()
    before = moments(X)
    assert np.ptp(before[0], axis=0).min() > 0.05 and np.ptp(before[1]) > 0.05
    mean, size = moments(CenterImages(spread).fit_transform(X))
    assert_allclose(mean, 0, atol=0.01)
    assert_allclose(size, spread, atol=0.02)


def test_what_is_in_place_stays():
    X = CenterImages(0.4).transform(drawings())
    again = CenterImages(0.4).transform(X)
    assert np.abs(again - X).mean() < 0.01


def test_the_background_may_be_bright():
    X = drawings()
    expected = CenterImages().transform(X)
    assert_allclose(1 - CenterImages().transform(1 - X), expected, atol=1e-5)
    # and the unit is that of X
    assert_allclose(CenterImages().transform(255 * X) / 255, expected, atol=1e-5)


def test_channels_move_together_and_may_be_last():
    X = drawings()
    expected = CenterImages().transform(X)
    colors = np.stack([X, 0.5 * X, 0 * X], axis=1)
    moved = CenterImages().transform(colors)
    assert_allclose(moved, np.stack([expected, 0.5 * expected, 0 * X], 1), atol=1e-5)
    last = CenterImages().transform(colors.transpose(0, 2, 3, 1))
    assert_allclose(last, moved.transpose(0, 2, 3, 1), atol=1e-6)


def test_bytes_and_blocks():
    X = (255 * drawings(20)).astype(np.uint8)
    many = np.tile(X, (30, 1, 1))
    moved = CenterImages().transform(many)
    assert moved.dtype == np.float32 and moved.shape == many.shape
    alone = CenterImages().transform(X[3:4].astype(float))
    assert_allclose(moved[[3, 583]], np.repeat(alone, 2, 0), atol=1e-3)


@pytest.mark.parametrize("shape", [(2, 9, 9), (2, 1, 1), (2, 1, 1, 1), (2, 7, 1, 3)])
def test_nothing_to_be_seen(shape):
    X = np.full(shape, 7.0)
    assert_allclose(CenterImages().fit_transform(X), X)


def test_wrong_input():
    with pytest.raises(ValueError, match=r"shape \(5, 784\).*reshape"):
        CenterImages().transform(np.zeros((5, 784)))
    with pytest.raises(ValueError, match=r"X\[1\] has shape \(9, 8\)"):
        CenterImages().transform([np.zeros((9, 9)), np.zeros((9, 8))])
    with pytest.raises(ValueError, match="not finite"):
        CenterImages().transform(np.full((2, 9, 9), np.nan))
    with pytest.raises(ValueError, match="spread"):
        CenterImages(0).fit(drawings())
    assert clone(CenterImages(0.3)).spread == 0.3
