"""Samples that are read when they are needed."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.utils.data import Subset

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.neural._lazy_rows import LazyRows, is_lazy


class Folder:
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, row):
        return self.rows[row]


def test_what_is_lazy(tmp_path):
    X = np.ones((4, 3), dtype=np.uint8)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "floats.npy", X.astype(np.float32))
    assert is_lazy(np.load(tmp_path / "X.npy", mmap_mode="r"))
    assert is_lazy(Folder(X))
    pandas = pytest.importorskip("pandas")
    floats = np.load(tmp_path / "floats.npy", mmap_mode="r")
    for known in (X, floats, X.tolist(), sparse.csr_array(X), pandas.DataFrame(X), 3):
        assert not is_lazy(known)


def test_rows_are_those_of_the_source():
    X = np.arange(24).reshape(6, 2, 2)
    rows = LazyRows(Folder(X))
    assert rows.shape == (6, 2, 2) and len(rows) == 6
    for index in (np.array([3, 0, 3]), slice(2, 9), slice(None, None, 2)):
        found = rows[index]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, X[index])


def test_the_clusterer_reads_them_too(iris):
    X, y = iris
    pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    options = {"max_iter": 2, "hidden_layer_sizes": (8,), "random_state": 0}
    expected = ConstrainedNeuralClusterer(3, **options).fit(X, pairs)
    found = ConstrainedNeuralClusterer(3, **options).fit(Folder(X), pairs)
    np.testing.assert_array_equal(found.labels_, expected.labels_)
    np.testing.assert_array_equal(found.predict(Folder(X)), expected.labels_)


@pytest.mark.parametrize("label", [3, np.int64(3), [1, 2]])
def test_data_sets_with_labels_are_told(label):
    pairs = [(np.zeros(4), label)] * 5
    with pytest.raises(ValueError, match=r"X\[0\] is a tuple.*the labels as y"):
        LazyRows(Folder(pairs))


class Together(Folder):
    """As a data set of PyTorch that reads several samples at once."""

    def __init__(self, rows, read=None):
        super().__init__(rows)
        self.read = read or (lambda rows: [self.rows[row] for row in rows])

    def __getitems__(self, rows):
        assert all(type(row) is int for row in rows)
        return self.read(rows)


def test_several_rows_are_read_together_if_they_can_be():
    X = np.arange(24).reshape(6, 2, 2)
    for source in (
        Together(X),
        Together(X, lambda rows: X[rows]),
        Together(X, lambda rows: torch.tensor(X[rows])),
        Together(X, lambda rows: [torch.tensor(X[row]) for row in rows]),
        Subset(Folder(X), range(6)),
    ):
        rows = LazyRows(source)
        for index in (np.array([3, 0, 3]), slice(2, 9), slice(None, None, 2)):
            np.testing.assert_array_equal(rows[index], X[index])
        assert rows[np.array([], dtype=int)].shape == (0, 2, 2)


def test_rows_that_are_read_together_are_checked_too():
    X = np.arange(24.0).reshape(6, 2, 2)
    with pytest.raises(ValueError, match="returned 1 samples for 2 numbers"):
        LazyRows(Together(X, lambda rows: X[rows[:1]]))[np.array([1, 2])]
    torn = Together(X, lambda rows: [X[row, : 1 + (row < 4)] for row in rows])
    with pytest.raises(ValueError, match=r"X\[5\] has shape \(1, 2\), but X\[0\]"):
        LazyRows(torn)[np.array([1, 5])]
    X[4, 0, 1] = np.nan
    for source in (Together(X), Together(X, lambda rows: X[rows])):
        with pytest.raises(ValueError, match=r"contains NaN, first in X\[4\]"):
            LazyRows(source)[np.array([1, 4])]
