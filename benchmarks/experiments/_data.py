"""Images of the experiments as rows of numbers."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sklearn.datasets import load_digits

from benchmarks.datasets import load_cifar10, load_fashion_mnist, load_mnist

_LOADERS = {
    "mnist": load_mnist,
    "fashion_mnist": load_fashion_mnist,
    "cifar10": load_cifar10,
}
_N_DIGITS_TRAIN = 1297


@dataclass(frozen=True)
class Rows:
    """Images as float32 rows, with the shape of one of them."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    shape: tuple

    @property
    def n_classes(self):
        """Number of classes."""
        return int(self.y.max()) + 1

    def head(self, n_train):
        """Return the same with the first training rows alone, all for None."""
        if n_train is None:
            return self
        X, y = self.X[:n_train], self.y[:n_train]
        return Rows(X, y, self.X_test[:n_train], self.y_test[:n_train], self.shape)


# One data set at a time: CIFAR-10 takes 0.7 GiB.
@lru_cache(maxsize=1)
def load_rows(name):
    """Load "mnist", "fashion_mnist", "cifar10" or, anywhere, "digits".

    Gray values are in [0, 1]; colors are standardized by channel with the mean and
    deviation of the training images.
    """
    if name == "digits":
        return _load_digits()
    data = _LOADERS[name]()
    train, test = (
        images.astype(np.float32) / 255 for images in (data.X_train, data.X_test)
    )
    if train.ndim == 4:
        mean = train.mean(axis=(0, 2, 3), keepdims=True)
        deviation = train.std(axis=(0, 2, 3), keepdims=True)
        train -= mean
        train /= deviation
        test = (test - mean) / deviation
    shape = train.shape[1:] if train.ndim == 4 else (1, *train.shape[1:])
    return Rows(
        train.reshape(len(train), -1),
        data.y_train,
        test.reshape(len(test), -1),
        data.y_test,
        shape,
    )


def _load_digits():
    """Return scikit-learn's digits, each pixel drawn as 2 x 2 for convolutions."""
    X, y = load_digits(return_X_y=True)
    X = np.kron(X.reshape(-1, 8, 8) / 16, np.ones((2, 2)))
    X = X.reshape(len(X), -1).astype(np.float32)
    train, test = slice(None, _N_DIGITS_TRAIN), slice(_N_DIGITS_TRAIN, None)
    return Rows(X[train], y[train], X[test], y[test], (1, 16, 16))
