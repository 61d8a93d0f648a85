"""Repeated entries of sparse matrices mean their sum, everywhere."""

import numpy as np
import pytest
from scipy import sparse

from skpairclust import PairwiseConstraints
from skpairclust.baselines import PCKMeans
from skpairclust.cluster import AffinityPropagationK
from skpairclust.constraints._supervision import check_supervision
from skpairclust.model_selection import PairClassifier
from skpairclust.utils._sparse import canonical

MAKERS = [sparse.csr_matrix, sparse.csr_array, sparse.csc_array]


def repeated_csr(make=sparse.csr_array, dtype=np.float64):
    """Return word counts, each word on its own, in no order."""
    rng = np.random.RandomState(0)
    shares = rng.dirichlet(np.ones(8) / 3, 40)
    words = np.concatenate([rng.choice(8, 12, p=share) for share in shares])
    starts = np.arange(0, 481, 12)
    made = sparse.csr_array((np.ones(480, dtype), words, starts), shape=(40, 8))
    made = sparse.csr_array((made.data, made.indices, made.indptr), shape=(40, 8))
    if make is sparse.csc_array:
        rows = np.repeat(np.arange(40), 12)
        order = np.argsort(words, kind="stable")
        ends = np.cumsum(np.bincount(words, minlength=8))
        return make((np.ones(480, dtype), rows[order], [0, *ends]), shape=(40, 8))
    return make(made)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8, bool])
def test_canonical_is_a_copy(make, dtype):
    X = repeated_csr(make, dtype)
    before = X.data.copy(), X.indices.copy(), X.indptr.copy()
    Z = canonical(X)
    assert Z.nnz < X.nnz
    assert Z.has_canonical_format
    assert type(Z) is type(X)
    np.testing.assert_array_equal(Z.toarray(), X.toarray())
    for kept, now in zip(before, (X.data, X.indices, X.indptr), strict=True):
        np.testing.assert_array_equal(kept, now)
    assert canonical(Z) is Z


@pytest.mark.parametrize("X", [np.eye(3), [[1.0]], None, sparse.lil_array((2, 2))])
def test_other_things_stay_what_they_are(X):
    assert canonical(X) is X
    added = canonical(sparse.coo_array(([1.0, 1.0], ([0, 0], [1, 1])), shape=(2, 2)))
    assert added.nnz == 1


@pytest.mark.parametrize("make", MAKERS)
def test_affinity_propagation(make):
    X = repeated_csr(make)
    dense = X.toarray()
    fits = [AffinityPropagationK(4, random_state=0).fit(Z) for Z in (X, dense)]
    assert fits[0].labels_.tolist() == fits[1].labels_.tolist()
    for Z in (X, dense):
        assert fits[0].predict(Z).tolist() == fits[1].predict(dense).tolist()
    np.testing.assert_array_equal(
        fits[0].cluster_centers_.toarray(), fits[1].cluster_centers_
    )
    assert X.nnz == 480


@pytest.mark.parametrize("make", MAKERS)
def test_neighbors(make):
    X = repeated_csr(make)
    # not by the number of neighbors, of which many are tied
    options = {"n_neighbors": None, "radius": 3.0, "cannot_radius": 8.0}
    options |= {"n_cannot_link": 40, "random_state": 0}
    made = [PairwiseConstraints.from_neighbors(Z, **options) for Z in (X, X.toarray())]
    assert made[0] == made[1]
    assert made[0].n_must_link and made[0].n_cannot_link == 40


def test_pair_classifier_hands_rows_on():
    X = repeated_csr()
    pairs, same = [[0, 1], [2, 3], [4, 5]], [1, -1, 1]
    fits = [
        PairClassifier(AffinityPropagationK(4, random_state=0), Z).fit(pairs, same)
        for Z in (X, X.toarray())
    ]
    rows = np.column_stack((np.arange(39), np.arange(1, 40)))
    assert fits[0].predict(rows).tolist() == fits[1].predict(rows).tolist()


FORMATS = [sparse.coo_array, sparse.csr_array, sparse.csr_matrix]


def repeated_matrix(entries, make, n=4):
    row, column, value = zip(*entries, strict=True)
    if make is sparse.coo_array:
        return make((value, (row, column)), shape=(n, n))
    order = np.argsort(row, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=n))))
    parts = (np.array(value)[order], np.array(column)[order], starts)
    return make(parts, shape=(n, n))


@pytest.mark.parametrize("make", FORMATS)
def test_repeated_relations_add_up(make):
    entries = [(0, 1, 1), (2, 3, -1), (0, 1, 1), (2, 3, -1), (2, 3, -1), (1, 1, 1)]
    M = repeated_matrix(entries, make)
    made = check_supervision(M, n_samples=4)
    assert made == PairwiseConstraints.from_matrix(M.toarray())
    assert made.must_link_weight.tolist() == [2.0]
    assert made.cannot_link_weight.tolist() == [3.0]
    assert M.nnz == 6
    many = repeated_matrix([(0, 1, np.int8(1))] * 200, make)
    made = PairwiseConstraints.from_matrix(many)
    assert made.must_link_weight.tolist() == [200.0]


@pytest.mark.parametrize("make", FORMATS)
@pytest.mark.parametrize("values", [(1, -1), (2, -1), (-1, 1, 1)])
def test_repeated_relations_of_both_signs_are_refused(make, values):
    M = repeated_matrix([(0, 1, v) for v in values], make)
    for read in (
        PairwiseConstraints.from_matrix,
        lambda y: PCKMeans(2).fit(np.eye(4), y),
    ):
        with pytest.raises(ValueError, match=r"both signs at one place, at \(0, 1\)"):
            read(M)
