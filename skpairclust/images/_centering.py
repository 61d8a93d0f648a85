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


class CenterImages(TransformerMixin, BaseEstimator):
    """Move what an image shows to its middle, and scale it to one size.

    For handwriting, symbols and objects on an even background, where place and size say
    nothing. Each image is treated by itself: the mean of what differs from its
    background comes to the middle, and the root mean square distance from there becomes
    `spread`. The background is the median of the pixels at the border.

    Parameters
    ----------
    spread : float, default=0.5
        Root mean square distance of what is shown from the middle, in half sides.

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
        # The module loads without PyTorch.
        import torch

        from skpairclust.neural._centering import center
        from skpairclust.neural._torch_utils import default_torch_state

        has_last = X.ndim == 4 and has_channels_last(X.shape[1:])
        images = np.moveaxis(X, -1, 1) if has_last else X
        images = images[:, None] if X.ndim == 3 else images
        with default_torch_state(), torch.no_grad():
            moved = center(torch.tensor(images), self.spread).numpy()
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
    X = check_equal_sizes(X)
    X = np.asarray(X)
    if X.ndim not in (3, 4) or X.dtype.kind not in "biuf" or not X.size:
        raise ValueError(
            f"X must hold images, of shape (n_images, height, width) or with channels, "
            f"but has shape {X.shape} and dtype {X.dtype}. Reshape rows of pixels, for "
            "instance with X.reshape(-1, 28, 28)."
        )
    return X
