"""Every strategy with every kind of clusterer: questions are new, and they place."""

import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpairclust import PairwiseConstraints
from skpairclust.active import (
    CoverQuery,
    ExploreConsolidate,
    RandomQuery,
    UncertaintyQuery,
)
from skpairclust.baselines import PCKMeans
from tests.active.oracles import answer, closure, make_blobs

STRATEGIES = [CoverQuery, ExploreConsolidate, RandomQuery, UncertaintyQuery]
MODELS = {
    "none": None,
    "unfitted": PCKMeans(3),
    "kmeans": KMeans(3, n_init=1, random_state=0),
    "pckmeans": PCKMeans(3, random_state=0),
    "mixture": GaussianMixture(3, random_state=0),
    "pipeline": make_pipeline(StandardScaler(), PCKMeans(3, random_state=0)),
}

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def ask_and_answer(strategy, model, X, y, n_rounds, n_queries, *, fits=True):
    """Return all pairs asked, each time with what was known before."""
    known = PairwiseConstraints(n_samples=len(X))
    must, cannot, asked = [], [], []
    for _ in range(n_rounds):
        pairs = strategy.query(model, X, known, n_queries)
        asked.append((pairs, closure(must, cannot, len(X))))
        same = y[pairs[:, 0]] == y[pairs[:, 1]]
        must += pairs[same].tolist()
        cannot += pairs[~same].tolist()
        known = PairwiseConstraints(must or None, cannot or None, n_samples=len(X))
        if fits and model is not None:
            model = clone(model).fit(X, None if "Mixture" in repr(model) else known)
    return asked, known


@every_strategy
@pytest.mark.parametrize("name", MODELS)
def test_questions_are_never_known_and_differ(strategy, name):
    X, y = make_blobs(12)
    fits = name not in ("none", "unfitted")
    asked, _ = ask_and_answer(
        strategy(random_state=0), MODELS[name], X, y, 6, 5, fits=fits
    )
    for pairs, known in asked:
        assert pairs.shape == (5, 2)
        assert pairs.dtype == np.int64
        assert (known[*pairs.T] == 0).all()
        assert len({frozenset(pair) for pair in pairs.tolist()}) == len(pairs)


@every_strategy
@settings(max_examples=25, deadline=None)
@given(st.integers(2, 7), st.integers(1, 3), st.integers(0, 5))
def test_asks_until_everything_is_known(strategy, n, n_classes, seed):
    rng = np.random.RandomState(seed)
    X, y = rng.randint(3, size=(n, 2)).astype(float), rng.randint(n_classes, size=n)
    known = PairwiseConstraints(n_samples=n)
    for _ in range(n * n):
        pairs = strategy(random_state=0).query(None, X, known, 3)
        if not len(pairs):
            break
        same = y[pairs[:, 0]] == y[pairs[:, 1]]
        new = PairwiseConstraints(pairs[same], pairs[~same], n_samples=n)
        known = known | new
    pairs = known.closure().n_pairs
    assert pairs == n * (n - 1) // 2


@every_strategy
def test_more_questions_than_pairs(strategy):
    X, _ = make_blobs(2, 2)
    pairs = strategy(random_state=0).query(None, X, None, 100)
    assert len(pairs) == 6
    assert len(strategy(random_state=0).query(None, X[:2], None, 100)) == 1
    assert strategy(random_state=0).query(None, X[:1], None, 5).shape == (0, 2)
    assert strategy(random_state=0).query(None, X, None, 0).shape == (0, 2)
    everything = np.array([0, 0, 1, 1])
    assert strategy(random_state=0).query(None, X, everything, 5).shape == (0, 2)


@every_strategy
def test_equal_rows(strategy):
    X = np.zeros((30, 3))
    pairs = strategy(random_state=0).query(None, X, None, 10)
    assert len(pairs) == 10
    model = KMeans(1, n_init=1).fit(X)
    assert len(strategy(random_state=0).query(model, X, pairs_to_rows(pairs), 10)) == 10


def pairs_to_rows(pairs, answer=-1):
    """Return pairs and one answer as rows (i, j, r)."""
    return np.column_stack((pairs, np.full(len(pairs), answer)))


@every_strategy
def test_the_seed_decides(strategy):
    X, _ = make_blobs(20)
    first, second, other = (
        strategy(random_state=seed).query(None, X, None, 8) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert first.tolist() != other.tolist()


@every_strategy
def test_state_is_in_the_constraints(strategy):
    X, y = make_blobs(20)
    used = strategy(random_state=0)
    asked, known = ask_and_answer(used, None, X, y, 4, 5)
    fresh = strategy(random_state=0)
    np.testing.assert_array_equal(
        used.query(None, X, known, 5), fresh.query(None, X, known, 5)
    )


@every_strategy
@pytest.mark.parametrize("form", [pd.DataFrame, sparse.csr_array, list, np.float32])
def test_forms_of_X(strategy, form):
    X, _ = make_blobs(10)
    given = X.astype(np.float32) if form is np.float32 else form(X.tolist())
    if form is sparse.csr_array:
        given = form(X)
    pairs = strategy(random_state=0).query(None, given, [(0, 11, -1)], 5)
    assert len(pairs) == 5


@every_strategy
def test_excluded_pairs_are_not_asked(strategy):
    X, _ = make_blobs(3, 1)
    first = strategy(random_state=0).query(None, X, None, 1)
    rest = strategy(random_state=0).query(None, X, None, 5, exclude=first)
    assert len(rest) == 2
    assert not {*map(frozenset, first.tolist())} & {*map(frozenset, rest.tolist())}


@every_strategy
def test_wrong_input(strategy):
    X, _ = make_blobs(4)
    query = strategy(random_state=0).query
    with pytest.raises(ValueError, match="n_queries=-1 must be"):
        query(None, X, None, -1)
    with pytest.raises(TypeError, match="n_queries=2.5 must be"):
        query(None, X, None, 2.5)
    with pytest.raises(ValueError, match="exclude holds indices out of range"):
        query(None, X, None, 2, exclude=[(0, 99)])
    with pytest.raises(ValueError, match="12"):
        query(None, X, PairwiseConstraints(n_samples=5), 2)
    with pytest.raises(ValueError, match="random_state"):
        strategy(random_state="x").query(None, X, None, 2)


@every_strategy
def test_clone_and_parameters(strategy):
    made = strategy(random_state=3)
    assert clone(made).get_params() == made.get_params()
    made.set_params(random_state=4)
    assert made.random_state == 4


def test_cover_finds_all_groups_with_few_answers():
    X, y = make_blobs(50, 6)
    _, known = ask_and_answer(CoverQuery(random_state=0), KMeans(6), X, y, 10, 5)
    named = np.unique(np.concatenate((known.must_link, known.cannot_link)))
    component = known.components()[named]
    assert len(np.unique(y[named])) == 6
    # a group for each class, when there were 50 answers
    assert len(np.unique(component)) == 6


def test_candidates_of_large_data_stay_the_same():
    """Without a seed too: cells are of the candidates they were made of."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((12_000, 2))
    for seed in (None, np.random.RandomState(0), 3):
        strategy = CoverQuery(random_state=seed)
        known = [(0, 1, -1)]
        for _ in range(4):
            pairs = strategy.query(KMeans(2), X, known, 5)
            assert len(pairs) == 5
            known += [(i, j, -1) for i, j in pairs.tolist()]


def test_cover_starts_with_typical_rows():
    X, y = make_blobs(60, 3, spread=0.5)
    X = np.concatenate((X, [[40.0, 40.0]]))
    strategy = CoverQuery(n_typical=3, random_state=0)
    pairs = strategy.query(None, X, None, 2)
    # an outlier is far from everything, but typical of nothing
    assert len(X) - 1 not in pairs
    centers = np.array([X[:-1][y == c].mean(axis=0) for c in range(3)])
    gaps = np.linalg.norm(X[np.unique(pairs)][:, None] - centers, axis=2).min(axis=1)
    assert np.median(gaps) < 0.5


class Unsure(BaseEstimator):
    """Knows two clusters and has doubts about one place."""

    def fit(self, X, y=None):
        self.n_features_in_ = 1
        return self

    def predict(self, X):
        return (np.asarray(X)[:, 0] > 10).astype(int)

    def predict_proba(self, X):
        sure = np.eye(2)[self.predict(X)]
        return np.where(abs(np.asarray(X) - 1) < 0.5, 0.5, sure)


def test_cover_asks_about_big_cells_before_small_ones_that_are_unclear():
    rng = np.random.RandomState(0)
    sizes, places = [30, 8, 12, 10], [0.0, 1.0, 20.0, 21.0]
    X = (np.repeat(places, sizes) + 0.01 * rng.normal(size=60))[:, None]
    known = [(0, 40, -1)]
    strategy = CoverQuery(n_typical=2, random_state=0)
    pairs = strategy.query(Unsure().fit(X), X, known, 2)
    new = [row for row in pairs.ravel() if row not in (0, 40)]
    assert X[new].round().ravel().tolist() == [21, 1]


def test_cover_gives_up_after_max_tries():
    """A sample that is in no group opens one after so many comparisons."""
    X = np.arange(20, dtype=float)[:, None]
    known = [(i, j, -1) for i in range(0, 16, 4) for j in range(i + 4, 16, 4)]
    known += [(0, 18, -1), (4, 18, -1)]
    for max_tries, again in ((3, True), (2, False)):
        strategy = CoverQuery(max_tries=max_tries, random_state=0)
        pairs = strategy.query(None, X, known, 1)
        assert (18 in pairs[0] and len(set(pairs[0]) & {8, 12}) == 1) is again


def test_cover_goes_on_with_the_likeliest_group():
    """A sample that was not in the nearest group is compared with the next."""
    X = np.array([[0.0], [1.0], [10.0], [2.0]])
    known = [(0, 1, -1), (0, 2, -1), (1, 2, -1), (1, 3, -1)]
    pairs = CoverQuery(random_state=0).query(None, X, known, 1)
    assert pairs.tolist() == [[0, 3]]


def test_groups_that_the_model_thinks_are_one_are_asked_about():
    X, y = make_blobs(10, 2)
    # two groups in each blob, apart from those of the other
    known = [(0, 1, 1), (2, 3, 1), (10, 11, 1), (12, 13, 1), (0, 10, -1), (2, 10, -1)]
    known += [(0, 12, -1), (2, 12, -1)]
    model = KMeans(2, n_init=1, random_state=0).fit(X)
    pairs = CoverQuery(random_state=0).query(model, X, known, 4)
    asked = {frozenset(y_of // 2 for y_of in pair) for pair in pairs[:2].tolist()}
    assert asked == {frozenset({0, 1}), frozenset({5, 6})}


def test_uncertain_samples_come_first():
    rng = np.random.RandomState(0)
    X = np.concatenate(
        (rng.normal(-3, 0.3, (20, 1)), rng.normal(3, 0.3, (20, 1)), [[0]])
    )
    model = GaussianMixture(2, random_state=0).fit(X)
    known = [(0, 1, 1), (20, 21, 1), (0, 20, -1)]
    pairs = UncertaintyQuery(random_state=0).query(model, X, known, 1)
    p = model.predict_proba(X).max(axis=1)
    p[[0, 1, 20, 21]] = 1
    assert pairs[0, 1] == p.argmin()


def test_explore_takes_the_farthest():
    X = np.array([[0.0], [1.0], [10.0], [4.0], [5.5]])
    known = [(0, 2, -1)]
    pairs = ExploreConsolidate(3, random_state=0).query(None, X, known, 1)
    # 5.5 is 4.5 from 10, and 4 is 4 from 0
    assert pairs.tolist() == [[2, 4]]


def test_consolidation_compares_with_the_nearest_group():
    X, y = make_blobs(30)
    known = [(0, 30, -1), (0, 60, -1), (30, 60, -1)]
    pairs = ExploreConsolidate(random_state=0).query(KMeans(3), X, known, 20)
    assert (y[pairs[:, 0]] == y[pairs[:, 1]]).all()
    assert len(np.unique(pairs[:, 1])) == 20


def test_random_pairs_are_spread_evenly():
    X = np.zeros((600, 1))
    counts = np.zeros(600)
    for seed in range(20):
        pairs = RandomQuery(random_state=seed).query(None, X, None, 300)
        np.add.at(counts, pairs, 1)
    # 12,000 ends over 600 samples: 20 each, standard deviation 4.5
    assert counts.mean() == 20
    assert abs(counts.std() - 4.5) < 1


@pytest.mark.slow
def test_hundred_thousand_rows():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((100_000, 256)).astype(np.float32)
    strategy = CoverQuery(random_state=0)
    tracemalloc.start()
    start = time.perf_counter()
    pairs = strategy.query(KMeans(10), X, None, 1)
    assert time.perf_counter() - start < 10
    known = pairs_to_rows(pairs)
    start = time.perf_counter()
    strategy.query(KMeans(10), X, known, 1)
    assert time.perf_counter() - start < 1
    assert tracemalloc.get_traced_memory()[1] < 2 << 30
    tracemalloc.stop()


def test_answers_say_more_than_random_ones():
    """Twenty answers about typical samples place them all."""
    X, y = make_blobs(40, 4, spread=1.0)
    oracle = answer(y)
    shares = {}
    for strategy in (CoverQuery(random_state=0), RandomQuery(random_state=0)):
        asked, known = ask_and_answer(strategy, KMeans(4), X, y, 6, 5)
        shares[type(strategy)] = known.n_must_link / known.n_pairs
        assert (oracle(known.must_link) == 1).all()
    assert shares[CoverQuery] > 2 * shares[RandomQuery]
