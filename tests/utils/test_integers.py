"""Integers of 32 bits: NumPy's default on Windows before NumPy 2, and users' arrays."""

import numpy as np
import pytest

from skpairclust import PairwiseConstraints
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans
from skpairclust.cluster import AffinityPropagationK
from skpairclust.constraints._pairs import decode, encode
from skpairclust.metrics import constraint_roc_auc_score
from skpairclust.model_selection import ConstraintKFold


class NarrowRandomState(np.random.RandomState):
    """Draw integers of 32 bits where nobody says otherwise, as on Windows."""

    def randint(self, low, high=None, size=None, dtype=np.int32):
        return super().randint(low, high, size, dtype)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint32, np.int64])
def test_keys_of_pairs_do_not_overflow(dtype):
    pairs = np.array([[100, 7], [5, 120]], dtype=dtype)
    keys = encode(pairs, 2**31 - 1)
    assert keys.dtype == np.int64
    assert decode(keys, 2**31 - 1).tolist() == [[7, 100], [5, 120]]


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64])
def test_constraints_of_many_samples(dtype):
    n_samples = 2**31 - 1
    last = np.array([[n_samples - 2, n_samples - 1], [0, n_samples - 1]], dtype=dtype)
    made = PairwiseConstraints(last, n_samples=n_samples)
    assert made.must_link.tolist() == [[0, n_samples - 1], last[0].tolist()]


@pytest.mark.parametrize("kind", ["labels", "sequences"])
def test_scores_of_more_implied_pairs_than_32_bits_count(kind, monkeypatch):
    monkeypatch.setattr(np.random, "RandomState", NarrowRandomState)
    monkeypatch.setattr("skpairclust.metrics._probabilities.MAX_IMPLIED_PAIRS", 5_000)
    y = np.arange(100_000, dtype=np.int32) % 3
    if kind == "labels":
        constraints = PairwiseConstraints.from_labels(y)
    else:
        constraints = PairwiseConstraints.from_sequences(y, times=y // 2)
    assert constraints.n_must_link > 2**30
    assert constraint_roc_auc_score(constraints, np.eye(3)[y]) == 1


@pytest.mark.parametrize(
    "estimator",
    [COPKMeans(3), PCKMeans(3), MPCKMeans(3), AffinityPropagationK(3)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_the_same_fit_with_narrow_integers(estimator):
    y = np.arange(60) % 3
    X = np.random.RandomState(0).randn(60, 3) + 2 * np.eye(3)[y]
    pairs = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)
    fits = [
        estimator.set_params(random_state=make(3)).fit(X, pairs).labels_
        for make in (np.random.RandomState, NarrowRandomState)
    ]
    assert fits[0].tolist() == fits[1].tolist()
    assert fits[1].dtype == np.int64


@pytest.mark.parametrize("method", ["cover", "component", "row"])
def test_folds_with_narrow_integers(method):
    pairs = PairwiseConstraints([(0, 1), (2, 3), (4, 5), (6, 7)], n_samples=9)
    folds = [
        list(
            ConstraintKFold(2, method=method, random_state=make(3)).split(pairs, pairs)
        )
        for make in (np.random.RandomState, NarrowRandomState)
        if method != "row"
    ]
    for one, other in zip(*folds, strict=True) if folds else ():
        assert [rows.tolist() for rows in one] == [rows.tolist() for rows in other]
        assert all(rows.dtype == np.int64 for rows in other)
