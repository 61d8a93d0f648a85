"""What `fit` accepts as supervision, and what it refuses."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._supervision import check_supervision

TRIPLES = [(0, 1, 1), (1, 2, -1), (3, 4, 1)]
EXPECTED = PairwiseConstraints([(0, 1), (3, 4)], [(1, 2)], n_samples=5)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def relation_matrix():
    M = np.zeros((5, 5), dtype=int)
    for i, j, r in TRIPLES:
        M[i, j] = M[j, i] = r
    return M


@pytest.mark.parametrize(
    "y",
    [
        EXPECTED,
        TRIPLES,
        np.array(TRIPLES),
        np.array(TRIPLES, dtype=np.int16),
        pd.DataFrame(TRIPLES),
        relation_matrix(),
        relation_matrix().astype(float),
        relation_matrix().tolist(),
        sparse.csr_array(relation_matrix()),
        sparse.coo_matrix(relation_matrix()),
    ],
)
def test_pairs(y):
    assert check_supervision(y, n_samples=5) == EXPECTED


@pytest.mark.parametrize(
    "y",
    [
        [0, 0, 1, -1],
        np.array([0.0, 0.0, 1.0, -1.0]),
        pd.Series([3, 3, 5, -1], index=[9, 8, 7, 6]),
        np.array([0, 0, 1, -1], dtype=object),
    ],
)
def test_labels(y):
    expected = PairwiseConstraints.from_labels([0, 0, 1, -1])
    assert check_supervision(y, n_samples=4) == expected


def test_labels_that_say_little():
    assert check_supervision(np.ones(10), n_samples=10).n_must_link == 45
    assert check_supervision(np.full(10, -1), n_samples=10).n_pairs == 0


def test_nothing():
    c = check_supervision(None, n_samples=7)
    assert c.n_samples == 7 and c.n_pairs == 0


def test_index_arrays():
    c = check_supervision(
        None, n_samples=5, must_link=[(1, 0), (3, 4)], cannot_link=np.array([[1, 2]])
    )
    assert c == EXPECTED
    c = check_supervision(None, n_samples=5, cannot_link=[(1, 2)])
    assert (c.n_must_link, c.n_cannot_link) == (0, 1)


def test_index_arrays_beside_labels():
    c = check_supervision([0, 0, 1, -1], n_samples=4, must_link=[(2, 3)])
    assert_array_equal(c.must_link, [[0, 1], [2, 3]])
    assert c.n_cannot_link == 2


@pytest.mark.parametrize("y", [EXPECTED, TRIPLES, relation_matrix()])
@pytest.mark.parametrize("argument", ["must_link", "cannot_link"])
def test_pairs_given_twice(y, argument):
    with pytest.raises(ValueError, match="together with a y that carries pairs"):
        check_supervision(y, n_samples=5, **{argument: [(0, 1)]})


def test_three_by_three_is_ambiguous():
    y = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    with pytest.raises(ValueError, match=r"from_tuples.*from_matrix"):
        check_supervision(y, n_samples=3)
    with pytest.raises(ValueError, match=r"from_tuples.*from_matrix"):
        check_supervision(y.tolist(), n_samples=3)
    # a sparse matrix is never a list of triples
    assert check_supervision(sparse.csr_array(y), n_samples=3).n_must_link == 3


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (
            PairwiseConstraints([], n_samples=9),
            ValueError,
            r"for 9 samples, but X has 5.*constraints\[rows\]",
        ),
        ([0, 1], ValueError, "y has 2 labels, but X has 5 samples"),
        ([0, 1, -3, 0, 0], ValueError, "y holds labels below -1: -3"),
        (["a", 0] * 2 + [1], TypeError, "y mixes labels of different types"),
        ([0.5] * 5, ValueError, "y must hold whole numbers or names; got 0.5"),
        ([np.inf] * 5, ValueError, "got inf.*-1, None or NaN means unlabeled"),
        ([[0]] * 5, ValueError, r"y has shape \(5, 1\).*ravel"),
        ([(0, 1), (1, 2)], ValueError, r"y has shape \(2, 2\).*must_link="),
        (np.zeros((4, 4)), ValueError, r"y has shape \(4, 4\) for 5 samples"),
        (sparse.eye_array(4), ValueError, r"shape \(4, 4\).*needs \(5, 5\)"),
        (np.zeros((2, 2, 2)), ValueError, r"shape \(2, 2, 2\).*no supervision"),
        ([(0, 1), (2,)], ValueError, "y is not a rectangular array"),
        (3, TypeError, "type int.*no supervision"),
        ("labels", TypeError, "type str.*no supervision"),
        ({"a": 1}, TypeError, "type dict with the keys 'a' .*no supervision"),
        ([(0, 1, 2)], ValueError, r"third column; got \(0, 1, 2\)"),
        ([(0, 9, 1)], ValueError, "out of range for n_samples=5: .*Pairwise"),
        ([(0.0, 1.0, 1.0)], TypeError, "triples must hold integers"),
        ([("a", "b", 1)], TypeError, "triples must hold integers"),
    ],
)
def test_wrong_y(y, error, message):
    with pytest.raises(error, match=message):
        check_supervision(y, n_samples=5)


MUST, CANNOT = [(0, 1), (3, 4)], [(1, 2)]
BY_NAME = r"`fit\(X, must_link=..., cannot_link=...\)`"
CONTAINER = r"`PairwiseConstraints\(must_link, cannot_link, n_samples=len\(X\)\)`"
IDS = {"a": ["x", "y"], "b": ["y", "z"], "answer": ["same", "different"]}


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ((MUST, CANNOT), f"{BY_NAME}.*{CONTAINER}"),
        ([np.array(MUST), np.array(CANNOT)], BY_NAME),
        ((np.array(MUST), np.array(MUST)), BY_NAME),
        ((MUST, []), BY_NAME),
        ((MUST, None), BY_NAME),
        ((None, pd.DataFrame(MUST)), BY_NAME),
        ({"must_link": MUST, "cannot_link": CANNOT}, BY_NAME),
        ({"cannot_link": CANNOT}, r"`fit\(X, cannot_link=...\)`"),
        ({"ml": MUST, "cl": CANNOT}, f"keys 'ml', 'cl' .*{BY_NAME}"),
        (IDS, "from_frame"),
        (pd.DataFrame(IDS), "from_frame.*left='a', right='b', same='answer', index="),
        (pl.DataFrame(IDS), "from_frame.*left='a', right='b', same='answer', index="),
    ],
)
def test_near_misses_are_told_the_right_line(y, message):
    with pytest.raises(TypeError, match=message):
        check_supervision(y, n_samples=5)


@pytest.mark.parametrize(
    "y", [((0, 1, 1), (1, 2, -1)), [[0, 1, 1], [1, 2, -1]], pd.DataFrame(TRIPLES[:2])]
)
def test_two_triples_are_no_near_miss(y):
    expected = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=5)
    assert check_supervision(y, n_samples=5) == expected


@pytest.mark.parametrize("y", [[0, 1], ("a", None), [np.float64(1), np.float64(1)]])
def test_two_labels_are_no_near_miss(y):
    assert check_supervision(y, n_samples=2).n_samples == 2


def test_pairs_of_ids_are_told_the_constructor():
    with pytest.raises(TypeError, match="from_ids.*from_frame"):
        check_supervision(None, n_samples=5, must_link=[("a", "b")])


@pytest.mark.parametrize("name", ["must_link", "cannot_link"])
@pytest.mark.parametrize(
    ("pairs", "error", "message"),
    [
        ([(0, 5)], ValueError, "out of range.*cross-validation.*PairwiseConstraints"),
        ([(1, 1)], ValueError, "with themselves"),
        ([(0.0, 1.0)], TypeError, "must hold integers"),
        ([("a", "b")], TypeError, "must hold integers"),
        ([0, 1], ValueError, r"shape \(m, 2\)"),
        (EXPECTED, TypeError, "pass PairwiseConstraints as y"),
    ],
)
def test_wrong_index_arrays(name, pairs, error, message):
    with pytest.raises(error, match=f"{name}.*{message}"):
        check_supervision(None, n_samples=5, **{name: pairs})


def test_direct_conflicts_are_errors():
    with pytest.raises(ValueError, match=r"1 pairs are both .*: \(0, 1\)"):
        check_supervision([(0, 1, 1), (1, 0, -1)], n_samples=4)
    with pytest.raises(ValueError, match=r"both must-link and cannot-link: \(0, 1\)"):
        check_supervision([0, 1, 0], n_samples=3, must_link=[(0, 1)])


def test_entailed_conflicts_are_one_warning():
    triples = [(0, 1, 1), (1, 2, 1), (2, 3, 1), (0, 2, -1), (0, 3, -1)]
    with pytest.warns(UserWarning, match="2 cannot-links contradict") as record:
        c = check_supervision(triples, n_samples=4)
    assert len(record) == 1
    assert c.n_pairs == 5
