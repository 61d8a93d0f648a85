"""Groups are matched as the dense assignment matches them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix

from skpairclust.clusterer._voting import match
from skpairclust.metrics import _matching, clustering_accuracy_score
from skpairclust.metrics._matching import _match_sparse, match_groups


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 60), st.integers(0, 999))
def test_as_many_samples_agree_as_in_the_dense_assignment(k, m, n, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(k, size=n), rng.integers(m, size=n)
    table = contingency_matrix(first, second)
    best = table[linear_sum_assignment(table, maximize=True)].sum()
    for rows, columns in (
        match_groups(first, second),
        _match_sparse(contingency_matrix(first, second, sparse=True)),
    ):
        assert len(set(rows)) == len(rows) == len(set(columns))
        assert table[rows, columns].sum() == best


def test_many_groups_need_no_table():
    """Thirty thousand clusters: the dense table would have 900 million entries."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(30_000), 2))
    wrong = rng.random(len(y)) < 0.1
    labels = np.where(
        wrong, rng.integers(30_000, size=len(y)), rng.permutation(30_000)[y]
    )
    assert clustering_accuracy_score(y, labels) == pytest.approx(0.93, abs=0.05)


@pytest.mark.parametrize("most_entries", [0, 2**20])
def test_clusters_keep_apart_when_renamed(monkeypatch, most_entries):
    """Some share no sample with any other: each still gets a number of its own."""
    monkeypatch.setattr(_matching, "_MOST_ENTRIES", most_entries)
    rng = np.random.default_rng(0)
    reference = np.r_[np.arange(50), rng.integers(40, size=50)]
    labels = np.r_[np.zeros(45, dtype=np.int64), np.arange(55) % 50]
    renamed = match(labels, reference, 50)
    assert len(np.unique(renamed)) == len(np.unique(labels))
    assert len(np.unique([labels, renamed], axis=1).T) == len(np.unique(labels))
    assert renamed.min() >= 0
    assert renamed.max() < 50
