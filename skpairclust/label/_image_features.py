"""Features of images without a pretrained network or a label."""

from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skpairclust.label._pictures import as_pixels, from_values, open_image
from skpairclust.utils._param_validation import StrOptions, positive_int
from skpairclust.utils._warnings import caught_warnings

# Side of a patch, and steps between patches, in pixels.
_PATCH, _STEP = 6, 2
# Filters are learned from so many images and patches at most.
_MOST_IMAGES, _MOST_PATCHES = 1000, 50_000
# Added to the variance of a patch, in squared values of [0, 1]; in whitening.
_NO_CONTRAST, _NO_VARIANCE = 10 / 255**2, 0.1
# Images that are encoded together.
_BLOCK = 64


class ImageFeatures(TransformerMixin, BaseEstimator):
    """Turn images into features with a small network that needs no labels.

    Its one convolutional layer has filters that are learned from patches of the images
    by k-means. Their responses are added up in each quarter of the image, and reduced
    by principal components [1]_. A pretrained network gives better features of
    photographs: pass what it says to the page as ``--embeddings``.

    Parameters
    ----------
    kind : {"network", "pixels"}, default="network"
        "pixels" takes the principal components of the pixels instead.

    side : int, default=32
        Images are scaled to so many pixels a side.

    n_filters : int, default=128
        Number of filters.

    n_components : int, default=64
        Number of features at most.

    random_state : int, RandomState instance or None, default=0
        Controls which images and patches the filters are learned from.

    Attributes
    ----------
    filters_ : ndarray of shape (n_filters, n_values)
        Centers of whitened patches, with kind "network".

    reducer_ : Pipeline
        From the responses to the features.

    References
    ----------
    .. [1] Coates, Lee, Ng (2011). An analysis of single-layer networks in unsupervised
       feature learning. AISTATS.

    Examples
    --------
    >>> import numpy as np
    >>> from skpairclust.label import ImageFeatures
    >>> images = np.random.default_rng(0).random((30, 16, 16))
    >>> ImageFeatures(n_components=8).fit_transform(images).shape
    (30, 8)
    """

    _parameter_constraints: dict = {
        "kind": [StrOptions({"network", "pixels"})],
        "side": [positive_int()],
        "n_filters": [positive_int()],
        "n_components": [positive_int()],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        kind="network",
        *,
        side=32,
        n_filters=128,
        n_components=64,
        random_state=0,
    ):
        self.kind = kind
        self.side = side
        self.n_filters = n_filters
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn the filters from images.

        Parameters
        ----------
        X : list of path-like, or array of shape (n_images, height, width[, channels])
            Files or values of images.

        y : None
            Not used.

        Returns
        -------
        self : ImageFeatures
            Fitted.

        Raises
        ------
        LabelError
            If a file cannot be read as an image.
        """
        self._validate_params()
        rng = check_random_state(self.random_state)
        rows = rng.permutation(len(X))[:_MOST_IMAGES]
        values = self._read([X[row] for row in np.sort(rows)])
        self.is_gray_ = bool((np.ptp(values, axis=3) < 1e-3).all())
        if self.kind == "network":
            self._learn_filters(values, rng)
        responses = self._respond(values)
        n_components = min(self.n_components, *responses.shape)
        self.reducer_ = make_pipeline(
            StandardScaler(with_std=self.kind == "network"),
            PCA(n_components, random_state=rng),
        )
        # equal images have no variance to be shared out
        with caught_warnings(RuntimeWarning):
            self.reducer_.fit(responses)
        return self

    def _learn_filters(self, values, rng):
        """Find the directions and the centers of patches."""
        n_each = max(1, _MOST_PATCHES // len(values))
        patches = self._patches(values)
        picked = rng.permutation(patches.shape[1])[:n_each]
        patches = patches[:, picked].reshape(-1, patches.shape[2])
        self.mean_ = patches.mean(axis=0)
        spread, axes = np.linalg.eigh(np.cov(patches - self.mean_, rowvar=False))
        scale = 1 / np.sqrt(np.maximum(spread, 0) + _NO_VARIANCE)
        self.whitening_ = ((axes * scale) @ axes.T).astype(np.float32)
        white = (patches - self.mean_) @ self.whitening_
        n_filters = min(self.n_filters, len(white))
        # images of one color have equal patches
        with caught_warnings(UserWarning):
            kmeans = MiniBatchKMeans(
                n_filters, n_init=1, batch_size=4096, random_state=rng
            ).fit(white)
        self.filters_ = kmeans.cluster_centers_.astype(np.float32)

    def _read(self, images):
        """Return files or arrays as (n, side, side, 3) values in [0, 1]."""
        found = np.empty((len(images), self.side, self.side, 3), dtype=np.float32)
        for number, image in enumerate(images):
            if isinstance(image, (str, Path)):
                image = open_image(image, least_side=self.side)
            else:
                image = from_values(image).convert("RGB")
            found[number] = as_pixels(image, self.side)
        return found / np.float32(255)

    def _patches(self, values):
        """Return normalized patches, (n_images, n_patches, n_values)."""
        if self.is_gray_:
            values = values[:, :, :, :1]
        windows = np.lib.stride_tricks.sliding_window_view(
            values, (_PATCH, _PATCH), axis=(1, 2)
        )[:, ::_STEP, ::_STEP]
        patches = windows.reshape(len(values), -1, values.shape[3] * _PATCH**2)
        patches = patches - patches.mean(axis=2, keepdims=True)
        variance = patches.var(axis=2, keepdims=True)
        return patches / np.sqrt(variance + _NO_CONTRAST)

    def _respond(self, values):
        """Return what is reduced: responses of the filters, or pixels."""
        if self.kind == "pixels":
            values = values[:, :, :, : 1 if self.is_gray_ else 3]
            return values.reshape(len(values), -1)
        starts = range(0, len(values), _BLOCK)
        return np.concatenate([self._pooled(values[s : s + _BLOCK]) for s in starts])

    def _pooled(self, values):
        """Return the responses of the filters, added up in quarters of the image."""
        white = (self._patches(values) - self.mean_) @ self.whitening_
        squares = (white**2).sum(axis=2)[:, :, None] + (self.filters_**2).sum(axis=1)
        gaps = np.sqrt(np.maximum(squares - 2 * white @ self.filters_.T, 0))
        # zero beyond the mean distance to all filters
        active = np.maximum(gaps.mean(axis=2, keepdims=True) - gaps, 0)
        n = round(active.shape[1] ** 0.5)
        grid = active.reshape(len(values), n, n, -1)
        half = (n + 1) // 2
        parts = (slice(0, half), slice(half, None))
        quarters = [grid[:, i, j].sum(axis=(1, 2)) for i in parts for j in parts]
        return np.concatenate(quarters, axis=1)

    def transform(self, X):
        """Return features of images.

        Parameters
        ----------
        X : list of path-like, or array of shape (n_images, height, width[, channels])
            Files or values of images.

        Returns
        -------
        ndarray of shape (n_images, n_features), float32
            Features.
        """
        check_is_fitted(self, "reducer_")
        found = []
        for start in range(0, len(X), _BLOCK):
            values = self._read(
                [X[i] for i in range(start, min(start + _BLOCK, len(X)))]
            )
            found.append(self.reducer_.transform(self._respond(values)))
        return np.concatenate(found).astype(np.float32)
