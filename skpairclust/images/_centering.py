"""Drawings moved to the middle of the image and scaled to one size."""

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from skpairclust.utils._param_validation import (
    Interval,
    check_equal_sizes,
    has_channels_last,
)

# Images that are worked on at once.
_BLOCK = 256
# What is drawn differs from the background by so much of the largest difference.
_FAINT = 0.05


class CenterImages(TransformerMixin, BaseEstimator):
    """Move what an image shows to its middle, and scale it to one size.

    For handwriting, symbols and objects on an even background, where place and size say
    nothing. Each image is treated by itself: the mean of what differs from its
    background comes to the middle, and the root mean square distance from there becomes
    `spread`. The background is the median of the pixels at the border.

    Parameters
    ----------
    spread : float, default=0.5
        Root mean square distance of what is shown from the middle, in halves of a side.

    Examples
    --------
    >>> import numpy as np
    >>> from skpairclust.images import CenterImages
    >>> X = np.zeros((1, 16, 16))
    >>> X[0, 1:5, 2:6] = 1
    >>> rows, columns = np.nonzero(CenterImages(spread=0.3).fit_transform(X)[0] > 0.5)
    >>> float(rows.mean()), float(columns.mean())
    (7.5, 7.5)
    """

    _parameter_constraints: dict = {
        "spread": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, spread: float = 0.5) -> None:
        self.spread = spread

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameter; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_images, height, width) or with channels
            Not used.

        y : None
            Not used.

        Returns
        -------
        self : CenterImages
        """
        self._validate_params()
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return the images, moved and scaled.

        Parameters
        ----------
        X : array-like of shape (n_images, height, width) or with channels
            Images; channels first, or up to four of them last.

        Returns
        -------
        ndarray of the shape of X, float32
            What comes from outside of an image has the color of its background. Images
            of a single color stay as they are.

        Raises
        ------
        ValueError
            If X holds no images, or values that are not finite.
        """
        self._validate_params()
        X = _check_images(X)
        moved = np.empty(X.shape, dtype=np.float32)
        for start in range(0, len(X), _BLOCK):
            block = X[start : start + _BLOCK].astype(np.float32)
            if not np.isfinite(block).all():
                raise ValueError(
                    f"X[{start}:{start + len(block)}] holds values that are not finite."
                )
            moved[start : start + len(block)] = self._center(block)
        return moved

    def _center(self, X):
        """Return a block of images, moved and scaled."""
        has_last = X.ndim == 4 and has_channels_last(X.shape[1:])
        images = np.moveaxis(X, -1, 1) if has_last else X
        images = images[:, None] if X.ndim == 3 else images
        background = _find_background(images)
        shown = images - background
        ink = np.abs(shown).max(axis=1)
        ink[ink <= _FAINT * ink.max(axis=(1, 2), keepdims=True)] = 0
        centers, spreads = zip(
            *(_measure(ink.sum(axis)) for axis in (2, 1)), strict=True
        )
        wide = np.sqrt(np.sum(np.square(spreads), axis=0))
        is_shown = wide > 0
        scale = np.where(is_shown, wide / self.spread, 1)
        down, across = (
            _interpolate(np.where(is_shown, center, 0), scale, n)
            for center, n in zip(centers, images.shape[2:], strict=True)
        )
        moved = down[:, None] @ shown @ across[:, None].swapaxes(2, 3) + background
        moved = np.moveaxis(moved, 1, -1) if has_last else moved
        return moved.reshape(X.shape)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.requires_fit = False
        return tags


def _check_images(X):
    """Return X as an array of images, or raise."""
    check_equal_sizes(X)
    X = np.asarray(X)
    if X.ndim not in (3, 4) or X.dtype.kind not in "biuf" or not X.size:
        raise ValueError(
            f"X must hold images, of shape (n_images, height, width) or with channels, "
            f"but has shape {X.shape} and dtype {X.dtype}. Reshape rows of pixels, for "
            "instance with X.reshape(-1, 28, 28)."
        )
    return X


def _find_background(images):
    """Return the median of the pixels at the border, (n, channels, 1, 1)."""
    edges = (images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1])
    return np.median(np.concatenate(edges, axis=2), axis=2)[:, :, None, None]


def _measure(ink):
    """Return mean and standard deviation of ink along a side, in halves of it."""
    n = ink.shape[1]
    place = (2 * np.arange(n) + 1) / n - 1
    share = ink / np.maximum(ink.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    mean = share @ place
    return mean, np.sqrt(share @ place**2 - mean**2).clip(0)


def _interpolate(center, scale, n):
    """Return matrices that take n pixels around each center, (images, n, n)."""
    place = (2 * np.arange(n) + 1) / n - 1
    source = (center[:, None] + scale[:, None] * place + 1) * n / 2 - 0.5
    gap = np.abs(source[:, :, None] - np.arange(n))
    return np.maximum(0, 1 - gap).astype(np.float32)
