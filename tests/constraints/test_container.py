"""PairwiseConstraints: building, slicing, uniting, pickling."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_validate,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import _safe_indexing

from skpairclust.constraints import PairwiseConstraints, _pairs
from tests.constraints.oracles import (
    as_dicts,
    build,
    constraints,
    explicit,
    merge,
    naive_slice,
    with_rows,
)

# Building


@given(explicit())
def test_pairs_are_canonical_and_merged(parts):
    must, cannot, must_weight, cannot_weight, n_samples = parts
    c = build(*parts)
    expected = merge(must, must_weight), merge(cannot, cannot_weight)
    assert as_dicts(c) == expected
    for pairs in (c.must_link, c.cannot_link):
        assert pairs.dtype == np.int64 and pairs.shape[1] == 2
        assert pairs.tolist() == sorted(pairs.tolist())
    assert (c.n_must_link, c.n_cannot_link) == tuple(map(len, expected))
    assert c.n_pairs == sum(map(len, expected))
    assert c.shape == (n_samples,)


@given(explicit(), st.randoms())
def test_equal_however_ordered(parts, random):
    must, cannot, must_weight, cannot_weight, n_samples = parts
    order = random.sample(range(len(must)), len(must))
    other = build(
        [must[k][:: random.choice([1, -1])] for k in order],
        cannot[::-1],
        [must_weight[k] for k in order],
        cannot_weight[::-1],
        n_samples,
    )
    assert build(*parts) == other
    assert joblib.hash(build(*parts)) == joblib.hash(other)


def test_sums_of_weights_do_not_depend_on_the_order():
    rng = np.random.default_rng(0)
    weights = rng.random(50)
    hashes = set()
    for _ in range(10):
        c = PairwiseConstraints(
            np.tile([0, 1], (50, 1)),
            None,
            n_samples=2,
            must_link_weight=rng.permutation(weights),
        )
        hashes.add(joblib.hash(c))
    assert len(hashes) == 1
    assert_allclose(c.must_link_weight, weights.sum())


def test_arguments_are_neither_changed_nor_kept():
    must, weight = np.array([[0, 1], [1, 2]]), np.array([1.0, 2.0])
    c = PairwiseConstraints(must, None, n_samples=3, must_link_weight=weight)
    must[0, 0], weight[0] = 2, 9
    assert as_dicts(c)[0] == {(0, 1): 1.0, (1, 2): 2.0}
    keys = np.array([[2, 0], [1, 0]])
    PairwiseConstraints(keys, keys[:0], n_samples=3)
    assert keys.tolist() == [[2, 0], [1, 0]]


def test_arrays_are_read_only():
    c = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=3)
    for known in (c, c.closure(), pickle.loads(pickle.dumps(c)), c[[0, 1, 2]]):
        for array in (*known._arrays(), known.must_link, known.components()):
            assert not array.size or not array.flags.writeable


@pytest.mark.parametrize("empty", [None, [], np.empty((0, 2)), np.empty((0, 2), int)])
def test_no_pairs(empty):
    c = PairwiseConstraints(empty, empty, n_samples=3)
    assert c.n_pairs == 0 and len(c) == 3 and not c.conflicts()
    assert c.must_link.shape == c.cannot_link.shape == (0, 2)
    assert c.components().tolist() == [0, 1, 2]
    assert c.closure() == c == c[[2, 0, 1]] == (c | c)
    assert not c.relation_block([0, 1]).any()
    assert c.to_matrix().nnz == 0
    assert repr(c) == "PairwiseConstraints(n_samples=3, must_link=0, cannot_link=0)"


def test_no_samples():
    c = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=3)[[]]
    assert c.shape == (0,) and c.n_pairs == 0
    assert c.components().shape == (0,)
    assert c.closure() == c
    assert c.relation_block([]).shape == (0, 0)


def test_pairs_of_pandas_and_unsigned_integers():
    pairs = np.array([[0, 1], [1, 2]], dtype=np.uint8)
    expected = PairwiseConstraints(pairs.tolist(), n_samples=3)
    assert PairwiseConstraints(pairs, n_samples=3) == expected
    assert PairwiseConstraints(pd.DataFrame(pairs), n_samples=3) == expected
    nullable = pd.DataFrame(pairs).astype("Int64")
    assert PairwiseConstraints(nullable, n_samples=3) == expected


@pytest.mark.parametrize(
    ("pairs", "error", "message"),
    [
        ([(0, 5)], ValueError, "must_link .*out of range for n_samples=4: 5"),
        ([(-1, 2)], ValueError, "must_link .*out of range.* -1"),
        ([(0, 1), (2, 2)], ValueError, r"must_link .*with themselves: \(2, 2\)"),
        ([(0.0, 1.0)], TypeError, "must_link must hold integers.*astype"),
        ([("a", "b")], TypeError, "must_link must hold integers.*'a'"),
        ([(True, False)], TypeError, "must_link must hold integers.*bool"),
        ([(0, 1, 2)], ValueError, r"must_link must have shape \(m, 2\).*\(1, 3\)"),
        ([0, 1], ValueError, r"must_link must have shape \(m, 2\)"),
        ([(0, 1), (2,)], ValueError, "must_link must be a rectangular array"),
        (3, ValueError, r"must_link must have shape \(m, 2\)"),
        ({(0, 1)}, TypeError, "must_link must hold integers"),
        (np.array([[0, 2**63]], dtype=np.uint64), ValueError, "must_link .*too large"),
    ],
)
def test_wrong_pairs(pairs, error, message):
    with pytest.raises(error, match=message):
        PairwiseConstraints(pairs, n_samples=4)
    with pytest.raises(error, match=message.replace("must_link", "cannot_link")):
        PairwiseConstraints(None, pairs, n_samples=4)


def test_messages_show_the_first_few():
    pairs = np.arange(100, 140).reshape(20, 2)
    with pytest.raises(ValueError, match="100, 101, .* and 35 more.*cross-valid"):
        PairwiseConstraints(pairs, n_samples=50)


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        ([1.0], ValueError, r"one entry a pair, shape \(2,\); got \(1,\)"),
        ([1.0, 0.0], ValueError, "positive and finite; got 0.0 at 1"),
        ([1.0, -2.0], ValueError, "positive and finite; got -2.0"),
        ([np.nan, np.inf], ValueError, "positive and finite; got nan, inf"),
        (["a", "b"], TypeError, "must be numbers"),
        ([[1.0, 2.0]], ValueError, r"got \(1, 2\)"),
    ],
)
@pytest.mark.parametrize("kind", ["must_link", "cannot_link"])
def test_wrong_weights(kind, weight, error, message):
    pairs = {kind: [(0, 1), (1, 2)], f"{kind}_weight": weight}
    with pytest.raises(error, match=f"{kind}_weight.*{message}"):
        PairwiseConstraints(**pairs, n_samples=3)


def test_one_weight_for_all():
    c = PairwiseConstraints([(0, 1), (1, 2)], n_samples=3, must_link_weight=0.5)
    assert c.must_link_weight.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("n_samples", "error"),
    [(2.0, TypeError), ("3", TypeError), (True, TypeError), (-1, ValueError)]
    + [(2**40, ValueError), (None, TypeError)],
)
def test_wrong_n_samples(n_samples, error):
    with pytest.raises(error, match="n_samples must be"):
        PairwiseConstraints([], [], n_samples=n_samples)


# Slicing


@given(with_rows())
def test_slice(known_and_rows):
    c, rows = known_and_rows
    part = c[rows]
    assert part.shape == (len(rows),)
    # groups count once a relation, so compare what is known of each pair
    must, cannot = as_dicts(c)
    assert as_dicts(part) == (naive_slice(must, rows), naive_slice(cannot, rows))
    assert part.n_pairs == part.n_must_link + part.n_cannot_link
    assert part.n_must_link == len(part.must_link)
    assert part.n_cannot_link == len(part.cannot_link)


@given(constraints(), st.data())
def test_slices_compose(c, data):
    order = data.draw(st.permutations(range(c.n_samples)))
    kept = data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))
    assert c[order][kept] == c[np.array(order)[kept]]
    assert joblib.hash(c[order][np.argsort(order)]) == joblib.hash(c)


def test_every_form_of_rows():
    c = PairwiseConstraints([(0, 1), (1, 4)], [(1, 3)], n_samples=5)
    c |= PairwiseConstraints.from_labels([-1, 0, 0, 1, -1])
    expected = c[[1, 3, 4]]
    mask = np.array([False, True, False, True, True])
    for rows in (
        np.array([1, 3, 4]),
        np.array([1, 3, 4], dtype=np.uint8),
        [1, -2, -1],
        mask,
        mask.tolist(),
        pd.Series(mask),
        pd.Series([1, 3, 4], index=[7, 8, 9]),
        pd.Index([1, 3, 4]),
        range(1, 5),
        slice(1, None),
    ):
        n_rows = len(np.arange(5)[list(rows) if isinstance(rows, range) else rows])
        part = c[rows]
        assert part == (expected if n_rows == 3 else c[[1, 2, 3, 4]])
        assert part == c[rows, ...] == c[(rows, Ellipsis)]
    assert c[::-1] == c[[4, 3, 2, 1, 0]]
    assert c[:] == c
    assert c[[]].shape == (0,)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([0, 1, 1, 2, 2], ValueError, "rows are repeated: 1, 2. A bootstrap"),
        ([0, -4], ValueError, "rows are repeated: 0"),
        ([0, 4], IndexError, "out of range for 4 samples: 4"),
        ([-5], IndexError, "out of range"),
        (0, TypeError, "single row 0"),
        (np.int64(2), TypeError, "single row 2"),
        ((2, Ellipsis), TypeError, "single row 2"),
        ([True, False], IndexError, "mask has 2 entries for 4"),
        ([0.0, 1.0], TypeError, "rows must hold integers"),
        (["a"], TypeError, "rows must hold integers"),
        (None, TypeError, "single row None"),
        ([[0, 1]], IndexError, "one-dimensional"),
        (([0], [1]), TypeError, "one axis"),
        ((slice(None), 0), TypeError, "one axis"),
    ],
)
def test_wrong_rows(rows, error, message):
    c = PairwiseConstraints([(0, 1)], n_samples=4)
    with pytest.raises(error, match=message):
        c[rows]


def test_no_array_and_no_iteration():
    c = PairwiseConstraints([(0, 1)], n_samples=4)
    with pytest.raises(TypeError, match="cannot become an array.*to_matrix"):
        np.asarray(c)
    with pytest.raises(TypeError, match="not iterable.*must_link"):
        list(c)
    assert not hasattr(c, "iloc")


def test_scikit_learn_slices():
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=60)
    X = np.column_stack((y, np.arange(60)))
    c = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
    for rows in (
        np.arange(10),
        [3, 1, 2],
        slice(4, 9),
        y > 2,
        (y > 2).tolist(),
        (5, 4),
    ):
        assert _safe_indexing(c, rows) == c[list(rows) if type(rows) is tuple else rows]
    train, test, c_train, c_test = train_test_split(X, c, random_state=0)
    splits = [(train, c_train), (test, c_test)]
    for rows, _ in KFold(5, shuffle=True, random_state=0).split(X, c):
        splits.append((X[rows], _safe_indexing(c, rows)))
    for rows, part in splits:
        assert part.n_samples == len(rows) and part.n_pairs
        same = rows[:, 0]
        assert (same[part.must_link[:, 0]] == same[part.must_link[:, 1]]).all()
        assert (same[part.cannot_link[:, 0]] != same[part.cannot_link[:, 1]]).all()


class KnowsItsRows(BaseEstimator):
    """Checks its constraints against the class in the first column of X."""

    def __init__(self, bias=0):
        self.bias = bias

    def fit(self, X, y):
        self.n_pairs_ = self.score(X, y)
        return self

    def score(self, X, y):
        assert isinstance(y, PairwiseConstraints) and len(y) == len(X) and y.n_pairs
        label = np.round(X[:, 0])
        assert (np.equal(*label[y.must_link.T])).all()
        assert (np.not_equal(*label[y.cannot_link.T])).all()
        return y.n_pairs + self.bias


def test_scikit_learn_searches():
    y = np.random.default_rng(0).integers(4, size=90)
    X = np.column_stack((y, np.arange(90))).astype(float)
    c = PairwiseConstraints.sample_from_labels(y, 600, random_state=0)
    c |= PairwiseConstraints.from_labels(np.where(np.arange(90) % 2, y, -1))
    model = make_pipeline(FunctionTransformer(), KnowsItsRows())
    cv = KFold(3, shuffle=True, random_state=0)
    scores = cross_validate(model, X, c, cv=cv, error_score="raise")["test_score"]
    assert scores.tolist() == [c[test].n_pairs for _, test in cv.split(X)]
    grid = {"knowsitsrows__bias": [0, 5]}
    search = GridSearchCV(model, grid, cv=cv, error_score="raise").fit(X, c)
    assert search.best_params_ == {"knowsitsrows__bias": 5}


# Subset and union


@given(constraints(), st.data())
def test_subset(c, data):
    mask = data.draw(st.lists(st.booleans(), min_size=c.n_pairs, max_size=c.n_pairs))
    must, cannot = as_dicts(c)
    flags = iter(mask)
    expected = [{p: w for p, w in d.items() if next(flags)} for d in (must, cannot)]
    assert as_dicts(c.subset(mask)) == tuple(expected)
    assert c.subset(np.flatnonzero(mask)) == c.subset(mask)


def test_wrong_subset():
    c = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=4)
    assert c.subset([0, 0]).must_link_weight.tolist() == [2.0]
    for mask, error in (([True], IndexError), ([5], IndexError), ([0.5], TypeError)):
        with pytest.raises(error):
            c.subset(mask)


@given(st.integers(2, 8).flatmap(lambda n: st.tuples(explicit(n), explicit(n))))
def test_union_adds_weights(two_parts):
    one, other = (build(*parts) for parts in two_parts)
    expected = tuple(
        merge([*a, *b], [*a.values(), *b.values()])
        for a, b in zip(as_dicts(one), as_dicts(other), strict=True)
    )
    assert as_dicts(one | other) == expected
    assert (one | other) == (other | one)


@given(constraints(n_relations=3))
def test_counts_are_those_of_the_lists(c):
    assert (c.n_must_link, c.n_cannot_link) == tuple(map(len, as_dicts(c)))
    assert c.n_pairs == c.n_must_link + c.n_cannot_link


def test_labels_of_two_annotators_add_up():
    one = PairwiseConstraints.from_labels([0, 0, 1, -1])
    other = PairwiseConstraints.from_labels([-1, 3, 4, 4])
    both = one | other
    expected = {(0, 1): 1, (2, 3): 1}, {(0, 2): 1, (1, 2): 2, (1, 3): 1}
    assert as_dicts(both) == expected
    assert both == other | one and joblib.hash(both) == joblib.hash(other | one)


def test_wrong_union():
    c = PairwiseConstraints([(0, 1)], n_samples=4)
    with pytest.raises(ValueError, match="n_samples is 4 here and 5 there"):
        c | PairwiseConstraints([], n_samples=5)
    with pytest.raises(TypeError):
        c | [(0, 1)]


# Equality, pickles, hashes


@given(constraints())
def test_pickle(c):
    c.components(), c.relation_block([0])
    copy = pickle.loads(pickle.dumps(c))
    assert copy == c and copy is not c
    assert joblib.hash(copy) == joblib.hash(c)
    assert copy._cache == {}
    assert_array_equal(copy.components(), c.components())


def test_equality():
    c = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=4)
    others = [
        PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=5),
        PairwiseConstraints([(1, 2)], [(0, 1)], n_samples=4),
        PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=4, must_link_weight=2),
        PairwiseConstraints.from_labels([0, 0, 1, -1]),
        PairwiseConstraints.from_sequences([0, 0, 1, 1]),
        PairwiseConstraints.from_labels([0, 0, 1, 1]),
        "constraints",
    ]
    for other in others:
        assert c != other and joblib.hash(c) != joblib.hash(other)
    assert len({joblib.hash(other) for other in others}) == len(others)
    with pytest.raises(TypeError, match="unhashable"):
        hash(c)


def test_size_counts_the_arrays():
    c = PairwiseConstraints(
        np.column_stack((np.arange(99), np.arange(1, 100))), n_samples=100
    )
    assert c.nbytes == 99 * 3 * 8
    assert c.nbytes < sys.getsizeof(c) < c.nbytes + 200


def test_listing_limit(monkeypatch):
    monkeypatch.setattr(_pairs, "MAX_LISTED_PAIRS", 5)
    c = PairwiseConstraints.from_labels([0, 0, 0, 1])
    assert len(c.must_link) == 3
    with pytest.raises(ValueError, match="6 pairs are too many to list"):
        c.to_matrix()
    with pytest.raises(ValueError, match="6 must-links are too many"):
        _ = PairwiseConstraints.from_labels([0, 0, 0, 0]).must_link


@pytest.mark.parametrize("module", ["torch", "sklearn", "pandas", "matplotlib"])
def test_import_is_light(module):
    code = f"import sys, skpairclust.constraints; assert {module!r} not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
