"""Folds of constraints, pairs as samples, cross-validation that reports leaks."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, ClusterMixin, clone, is_classifier
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)

from skpairclust import ConstrainedNeuralClusterer
from skpairclust.constraints import PairwiseConstraints
from skpairclust.metrics import constraint_accuracy, constraint_roc_auc
from skpairclust.model_selection import (
    ConstraintKFold,
    PairClassifier,
    cross_validate_constraints,
)
from skpairclust.model_selection._folds import deal, greedy_cover, pack
from skpairclust.model_selection._report import mark_entailed
from tests.constraints.oracles import as_dicts, constraints, naive_closure

METHODS = ["component", "cover", "row"]


def random_pairs(n_samples, n_pairs, seed=0, n_classes=10):
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n_samples)
    return PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=seed)


def split(c, method="auto", n_splits=5, random_state=0):
    """Return the splitter after use, and its folds."""
    cv = ConstraintKFold(n_splits, method=method, random_state=random_state)
    return cv, list(cv.split(np.zeros((c.n_samples, 1)), c))


def pair_set(c, rows):
    """Return the pairs inside some rows, under their original numbers."""
    part = c[rows]
    listed = np.concatenate((part.must_link, part.cannot_link))
    return set(map(tuple, np.sort(rows[listed], axis=1).tolist()))


def all_pairs(c):
    return pair_set(c, np.arange(c.n_samples))


# ConstraintKFold


@given(constraints(), st.sampled_from(METHODS), st.integers(2, 4), st.integers(0, 9))
def test_report_is_what_folds_do(c, method, n_splits, seed):
    cv = ConstraintKFold(n_splits, method=method, random_state=seed)
    try:
        folds = list(cv.split(np.zeros((c.n_samples, 1)), c))
    except ValueError as error:
        assert "leaves no pair to t" in str(error)
        return
    assert cv.method_ == method and len(folds) == n_splits == cv.get_n_splits()
    total = all_pairs(c)
    for number, (train, test) in enumerate(folds):
        for rows in (train, test):
            assert_array_equal(rows, np.unique(rows))
        trained, tested = pair_set(c, train), pair_set(c, test)
        assert trained and tested and not trained & tested
        report = {name: column[number] for name, column in cv.report_.items()}
        assert report["row_share"] == pytest.approx(len(train) / c.n_samples)
        assert report["entailed_share"] == 0
        # a pair that is both kinds is one pair here, but two in the report
        if not len(c.conflicts().direct):
            dropped = len(total - trained - tested)
            for name, count in (
                ("train", len(trained)),
                ("test", len(tested)),
                ("dropped", dropped),
            ):
                assert report[f"{name}_share"] == pytest.approx(count / len(total))


@given(constraints(), st.integers(2, 4), st.integers(0, 9))
def test_every_pair_is_tested_by_cover_and_component(c, n_splits, seed):
    for method in ("cover", "component"):
        try:
            _, folds = split(c, method, n_splits, seed)
        except ValueError:
            continue
        tested = [pair_set(c, test) for _, test in folds]
        assert set.union(*tested) == all_pairs(c)
        if method == "component":
            assert sum(map(len, tested)) == len(all_pairs(c))
            for train, test in folds:
                assert pair_set(c, train) | pair_set(c, test) == all_pairs(c)


@given(constraints(n_relations=0), st.integers(0, 9))
def test_training_rows_entail_no_tested_pair(c, seed):
    try:
        _, folds = split(c, "cover", 2, seed)
    except ValueError:
        return
    for train, test in folds:
        must, cannot = as_dicts(c[train])
        implied = naive_closure(must, cannot, len(train))
        implied = {
            tuple(sorted(train[list(pair)].tolist()))
            for kind in implied
            for pair in kind
        }
        assert not implied & pair_set(c, test)


@pytest.mark.parametrize(
    ("n_pairs", "expected"), [(200, (0.79, 0.20, 0.98)), (2000, (0.61, 0.29, 0.83))]
)
def test_shares_of_a_cover(n_pairs, expected):
    shares = []
    for seed in range(4):
        cv, _ = split(random_pairs(2000, n_pairs, seed), "cover")
        shares.append([cv.report_[f"{n}_share"] for n in ("train", "test", "row")])
    assert_allclose(np.mean(shares, axis=(0, 2)), expected, atol=0.012)


def test_shares_of_rows():
    cv, _ = split(random_pairs(2000, 2000), "row")
    assert_allclose(cv.report_["train_share"].mean(), 0.64, atol=0.01)
    assert_allclose(cv.report_["test_share"].mean(), 0.04, atol=0.01)


def test_components_are_even_and_lose_nothing():
    cv, folds = split(random_pairs(2000, 500), "component")
    assert_allclose(cv.report_["train_share"], 0.8, atol=0.01)
    assert_allclose(cv.report_["test_share"], 0.2, atol=0.01)
    assert_allclose(cv.report_["dropped_share"], 0.0, atol=1e-12)
    # samples without pairs are always trained on
    assert all(len(train) + len(test) == 2000 for train, test in folds)
    assert len(set(np.concatenate([test for _, test in folds]))) < 1000


@pytest.mark.parametrize(
    ("c", "method"),
    [
        (random_pairs(2000, 200), "component"),
        (random_pairs(2000, 900), "component"),
        (random_pairs(2000, 2000), "cover"),
        (random_pairs(2000, 10_000), "row"),
        (random_pairs(2000, 200).closure(), "component"),
        (random_pairs(2000, 3000).closure(), "row"),
        (PairwiseConstraints.from_labels(np.arange(300) % 3), "row"),
        # too few to leave any to rows alone
        (random_pairs(12, 40, n_classes=3), "cover"),
    ],
)
def test_auto(c, method):
    cv, folds = split(c)
    assert cv.method_ == method
    _, same = split(c, method)
    for fold, other in zip(folds, same, strict=True):
        assert all(map(np.array_equal, fold, other))


def test_both_kinds_are_in_every_fold():
    c = random_pairs(2000, 300)
    assert c.n_must_link < 40
    for method in ("cover", "component"):
        for train, test in split(c, method)[1]:
            assert c[test].n_must_link >= 4 and c[train].n_must_link >= 20


def test_labels_are_stratified_and_never_listed():
    rng = np.random.default_rng(0)
    y = rng.choice([-1, 0, 1, 2], p=[0.5, 0.3, 0.19, 0.01], size=100_000)
    cv, folds = split(PairwiseConstraints.from_labels(y))
    assert cv.method_ == "row"
    expected = np.bincount(y[y >= 0])
    for train, test in folds:
        assert (y[test] >= 0).all()
        assert len(train) + len(test) == len(y)
        assert_allclose(np.bincount(y[test]), expected / 5, atol=2.5)


def test_small_groups_keep_must_links():
    # forty tracks of two and three images
    c = PairwiseConstraints.from_sequences(np.repeat(np.arange(40), [2, 3] * 20))
    for train, test in split(c, "row", 4)[1]:
        assert c[test].n_must_link >= 10 and c[train].n_must_link >= 30


@pytest.mark.parametrize(
    "y",
    [
        np.arange(40) % 2,
        [(i, i + 1, 1 - 2 * (i % 2)) for i in range(39)],
        sparse.csr_array(np.where(np.eye(40, k=1) > 0, 1.0, 0.0)),
    ],
)
def test_every_form_of_supervision_is_split(y):
    cv = ConstraintKFold(2, random_state=0)
    for train, test in cv.split(pd.DataFrame(np.zeros((40, 2))), y):
        assert len(train) and len(test)
    assert (cv.report_["train_share"] > 0).all()


def test_folds_follow_the_seed():
    c = random_pairs(300, 300)
    for method in METHODS:
        first, again, other = (split(c, method, 3, seed)[1] for seed in (0, 0, 1))
        assert str(first) == str(again) != str(other)
    rng = np.random.RandomState(0)
    assert str(split(c, "row", 3, rng)[1]) != str(split(c, "row", 3, rng)[1])


def test_a_fold_without_pairs_is_an_error():
    c = PairwiseConstraints([(0, 1)], [(2, 3)], n_samples=10)
    for method in ("auto", *METHODS):
        with pytest.raises(ValueError, match="no pair to .* on in split .*NaN.*fewer"):
            split(c, method, 3)
    with pytest.raises(ValueError, match="no pair to train on"):
        split(PairwiseConstraints(n_samples=10))
    chain = PairwiseConstraints([(i, i + 1) for i in range(99)], n_samples=100)
    with pytest.raises(ValueError, match="method='component'.*another method"):
        split(chain, "component")
    # an error before the first fit, also in a search
    search = GridSearchCV(
        KMeans(2, n_init=1),
        {"n_clusters": [2]},
        scoring=constraint_accuracy,
        cv=ConstraintKFold(3),
    )
    with pytest.raises(ValueError, match="leaves no pair"):
        search.fit(np.zeros((10, 2)), c)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_splits": 1}, ValueError, "n_splits must be 2 at least; got 1"),
        ({"n_splits": 2.0}, TypeError, "n_splits must be an integer; got 2.0"),
        ({"n_splits": True}, TypeError, "n_splits must be an integer; got True"),
        ({"method": "random"}, ValueError, "method must be 'auto' or one of.*'random'"),
        ({"random_state": "a"}, ValueError, "cannot be used to seed"),
    ],
)
def test_wrong_splitter_parameters(parameters, error, message):
    c = random_pairs(100, 100)
    with pytest.raises(error, match=message):
        ConstraintKFold(**parameters).split(np.zeros((100, 1)), c)


def test_wrong_y_for_the_splitter():
    cv = ConstraintKFold(2)
    with pytest.raises(ValueError, match="y is None: pass PairwiseConstraints"):
        cv.split(np.zeros((10, 1)))
    with pytest.raises(ValueError, match="for 100 samples, but X has 10"):
        cv.split(np.zeros((10, 1)), random_pairs(100, 10))


def test_splitter_is_cloned_pickled_and_shown():
    cv, _ = split(random_pairs(100, 100))
    assert repr(ConstraintKFold(3)) == (
        "ConstraintKFold(method='auto', n_splits=3, random_state=None)"
    )
    assert repr(pickle.loads(pickle.dumps(cv))) == repr(cv)
    assert repr(clone(cv, safe=False)) == repr(cv)


def test_cover_of_many_pairs_is_quick():
    c = random_pairs(200_000, 100_000)
    cv, _ = split(c, "cover", 2)
    assert (cv.report_["dropped_share"] < 0.2).all()


# What folds are made of


@given(st.integers(2, 8), st.data())
def test_cover_covers(n_rows, data):
    index = st.integers(0, n_rows - 1)
    pair = st.tuples(index, index).filter(lambda p: p[0] < p[1])
    pairs = data.draw(st.lists(pair, unique=True))
    pairs = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    cost = np.array(
        data.draw(st.lists(st.integers(0, 5), min_size=n_rows, max_size=n_rows))
    )
    covering = greedy_cover(pairs, cost)
    assert covering[pairs].any(axis=1).all()
    assert not np.setdiff1d(np.flatnonzero(covering), pairs).size
    subsets = np.array(list(np.ndindex(*[2] * n_rows)), dtype=bool)
    covers = subsets[subsets[:, pairs].any(axis=2).all(axis=1)]
    best = (covers @ (cost + 1)).min()
    degree = np.bincount(pairs.ravel(), minlength=1).max()
    # Chvatal's bound for the greedy rule
    harmonic = (1 / np.arange(1, degree + 1)).sum()
    assert covering @ (cost + 1) <= best * max(harmonic, 1) + 1e-9


@pytest.mark.parametrize("kind", ["random", "chain", "star"])
def test_cover_takes_rows_in_the_order_of_the_greedy_rule(kind):
    """At once where it can, one by one where each row waits for the one before."""
    rng = np.random.RandomState(0)
    n_rows = 400
    cost = rng.randint(4, size=n_rows)
    if kind == "chain":
        cost = np.arange(n_rows)
        pairs = np.column_stack([np.arange(n_rows - 1), np.arange(1, n_rows)])
    elif kind == "star":
        pairs = np.column_stack([np.zeros(n_rows - 1, int), np.arange(1, n_rows)])
    else:
        pairs = random_pairs(n_rows, 900).cannot_link
    expected, left = np.zeros(n_rows, dtype=bool), pairs
    while len(left):
        degree = np.bincount(left.ravel(), minlength=n_rows)
        price = np.where(degree > 0, (cost + 1) / np.maximum(degree, 1), np.inf)
        expected[price.argmin()] = True
        left = left[~expected[left].any(axis=1)]
    np.testing.assert_array_equal(greedy_cover(pairs, cost), expected)


def test_cover_prefers_rows_that_lose_little():
    pairs = np.array([[0, 1], [2, 3], [3, 4], [3, 5]])
    assert np.flatnonzero(greedy_cover(pairs, np.zeros(6, int))).tolist() == [0, 3]
    cost = np.array([9, 0, 0, 20, 0, 0])
    assert np.flatnonzero(greedy_cover(pairs, cost)).tolist() == [1, 2, 4, 5]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=2))
def test_packing_is_no_worse_than_the_largest_component(counts):
    counts = np.array(counts)
    fold = pack(counts, 3, np.random.RandomState(0))
    assert set(fold) <= {0, 1, 2}
    load = np.array([counts[fold == k].sum(axis=0) for k in range(3)])
    share = (load / np.maximum(counts.sum(axis=0), 1)).sum(axis=1)
    largest = (counts / np.maximum(counts.sum(axis=0), 1)).sum(axis=1).max()
    assert np.ptp(share) <= 2 * largest + 1e-9


@given(st.lists(st.integers(0, 3)), st.integers(1, 4), st.booleans())
def test_dealing_is_even(strata, n_folds, couples):
    strata = np.array(strata, dtype=np.int64)
    fold = deal(strata, n_folds, np.random.RandomState(0), couples=couples)
    assert ((fold >= 0) & (fold < n_folds)).all()
    for stratum in np.unique(strata):
        counts = np.bincount(fold[strata == stratum], minlength=n_folds)
        assert np.ptp(counts) <= (2 if couples else 1)


@given(constraints(), st.data())
def test_entailed_pairs_are_those_of_the_closure(c, data):
    must, cannot = as_dicts(c)
    implied = naive_closure(must, cannot, c.n_samples)
    index = st.integers(0, c.n_samples - 1)
    pair = st.tuples(index, index).filter(lambda p: p[0] < p[1])
    pairs = data.draw(st.lists(pair, min_size=1))
    is_must = data.draw(
        st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs))
    )
    expected = [p in implied[not m] for p, m in zip(pairs, is_must, strict=True)]
    marked = mark_entailed(c, np.array(pairs), np.array(is_must))
    assert marked.tolist() == expected


# PairClassifier


@pytest.fixture(scope="module")
def iris_pairs(iris):
    """Return X, constraints, and the same as pairs and classes."""
    X, y = iris
    c = PairwiseConstraints.sample_from_labels(y, 200, random_state=0)
    pairs = np.concatenate((c.must_link, c.cannot_link))
    return X, c, pairs, np.repeat([1, -1], [c.n_must_link, c.n_cannot_link])


class Recorder(ClusterMixin, BaseEstimator):
    """Keeps what it was fitted on; clusters by the first feature."""

    def fit(self, X, y=None):
        self.X_, self.y_ = X, y
        self.labels_ = self.predict(X)
        return self

    def predict(self, X):
        column = X.iloc[:, 0] if hasattr(X, "iloc") else X[:, [0]]
        if sparse.issparse(column):
            column = column.toarray()
        return (np.asarray(column).ravel() > 0).astype(int)


def small_clusterer(**parameters):
    defaults = {"max_iter": 3, "hidden_layer_sizes": (16,), "random_state": 0}
    return ConstrainedNeuralClusterer(3, **(defaults | parameters))


def test_fit_hands_over_all_rows_and_the_pairs(iris_pairs):
    X, c, pairs, y = iris_pairs
    classifier = PairClassifier(Recorder(), X).fit(pairs, y)
    assert classifier.estimator_.X_ is X
    assert classifier.estimator_.y_ == c
    assert classifier.classes_.tolist() == [-1, 1]
    assert classifier.n_features_in_ == 2
    assert not hasattr(classifier.estimator, "y_")
    weighted = classifier.fit(pairs, y, sample_weight=np.full(len(y), 2.0))
    assert_array_equal(weighted.estimator_.y_.must_link_weight, 2)


def test_probability_is_that_of_sharing_a_cluster(iris_pairs):
    X, _, pairs, y = iris_pairs
    classifier = PairClassifier(GaussianMixture(3, random_state=0), X).fit(pairs, y)
    P = classifier.estimator_.predict_proba(X)
    asked = np.array([[5, 3], [3, 5], [149, 0], [0, 149]])
    proba = classifier.predict_proba(asked)
    assert_allclose(proba[:, 1], (P[asked[:, 0]] * P[asked[:, 1]]).sum(axis=1))
    assert_allclose(proba.sum(axis=1), 1)
    assert_allclose(classifier.decision_function(asked), proba[:, 1] - 0.5)
    assert_array_equal(
        classifier.predict(asked), np.where(proba[:, 1] > proba[:, 0], 1, -1)
    )
    assert classifier.predict_proba(np.empty((0, 2), dtype=int)).shape == (0, 2)


def test_classes_may_be_encoded(iris_pairs):
    X, c, pairs, y = iris_pairs
    for encoded in ((y + 1) // 2, y > 0):
        classifier = PairClassifier(Recorder(), X).fit(pairs, encoded)
        assert classifier.estimator_.y_ == c
        assert classifier.classes_.tolist() == [0, 1]
        assert set(classifier.predict(pairs)) == {0, 1}


@pytest.mark.parametrize(
    "make", [np.asarray, pd.DataFrame, sparse.csr_array, sparse.csr_matrix]
)
def test_every_form_of_X(iris_pairs, make):
    X, _, pairs, y = iris_pairs
    classifier = PairClassifier(Recorder(), make(X)).fit(pairs, y)
    same = (X[pairs[:, 0], 0] > 0) == (X[pairs[:, 1], 0] > 0)
    assert_array_equal(classifier.predict(pairs), np.where(same, 1, -1))
    assert set(classifier.predict_proba(pairs)[:, 1]) == {0.0, 1.0}


def test_clone_shares_X(iris_pairs):
    X, _, pairs, y = iris_pairs
    classifier = PairClassifier(small_clusterer(), X)
    with sklearn.config_context(enable_metadata_routing=True):
        classifier.set_fit_request(sample_weight=True)
        twin = clone(classifier)
        assert twin.get_metadata_routing().fit.requests == {"sample_weight": True}
    assert type(twin) is PairClassifier and twin is not classifier
    assert twin.X is classifier.X is X
    assert twin.estimator is not classifier.estimator
    assert twin.estimator.get_params() == classifier.estimator.get_params()
    assert clone(twin.fit(pairs, y)).X is X
    assert not hasattr(clone(twin), "estimator_")
    results = cross_validate(twin, pairs, y, cv=2, return_estimator=True)
    assert all(fitted.X is X for fitted in results["estimator"])


def test_it_is_a_classifier(iris_pairs):
    X, _, pairs, y = iris_pairs
    classifier = PairClassifier(small_clusterer(), X)
    assert is_classifier(classifier)
    assert classifier.__sklearn_tags__().target_tags.required
    assert "PairClassifier" in repr(classifier)
    classifier.fit(pairs, y)
    copy = pickle.loads(pickle.dumps(classifier))
    assert_array_equal(copy.predict_proba(pairs), classifier.predict_proba(pairs))
    assert 0 <= classifier.score(pairs, y) <= 1


def test_stock_model_selection(iris_pairs):
    X, _, pairs, y = iris_pairs
    classifier = PairClassifier(small_clusterer(max_iter=5), X)
    cv = StratifiedKFold(2, shuffle=True, random_state=0)
    scores = cross_val_score(classifier, pairs, y, cv=cv, scoring="roc_auc")
    assert (scores > 0.6).all()
    search = GridSearchCV(
        classifier,
        {"estimator__n_clusters": [1, 3]},
        scoring=["roc_auc", "balanced_accuracy", "neg_log_loss"],
        refit="roc_auc",
        cv=cv,
        error_score="raise",
        n_jobs=2,
    ).fit(pairs, y)
    assert search.best_params_ == {"estimator__n_clusters": 3}
    assert search.best_estimator_.X is X
    sizes, train, test = learning_curve(
        classifier,
        pairs,
        y,
        cv=cv,
        train_sizes=[0.3, 1.0],
        scoring="roc_auc",
        # the pairs are ordered by kind
        shuffle=True,
        random_state=0,
    )
    assert sizes.tolist() == [30, 100] and np.isfinite(train).all()
    assert np.isfinite(test).all()
    out = cross_val_predict(classifier, pairs, y, cv=2, method="predict_proba")
    assert out.shape == (200, 2)


@pytest.mark.parametrize(
    ("pairs", "y", "error", "message"),
    [
        ([(0, 1)], [0], ValueError, "y must hold 1 .* and -1 .*got .*0"),
        ([(0, 1), (1, 2)], [0, -1], ValueError, "y must hold 1"),
        ([(0, 1)], [[1]], ValueError, "y must hold 1"),
        ([(0, 1)], ["same"], ValueError, "y must hold 1"),
        ([(0, 1)], [1, -1], ValueError, "inconsistent numbers"),
        ([(0, 150)], [1], ValueError, "pairs holds indices out of range"),
        ([(0.0, 1.0)], [1], TypeError, "pairs must hold integers"),
        ([(2, 2)], [1], ValueError, "pairs pairs samples with themselves"),
        ([0, 1], [1, 1], ValueError, r"pairs must have shape \(m, 2\)"),
    ],
)
def test_wrong_pairs(iris_pairs, pairs, y, error, message):
    with pytest.raises(error, match=message):
        PairClassifier(small_clusterer(), iris_pairs[0]).fit(pairs, y)


def test_not_fitted(iris_pairs):
    classifier = PairClassifier(small_clusterer(), iris_pairs[0])
    with pytest.raises(sklearn.exceptions.NotFittedError):
        classifier.predict([(0, 1)])


# cross_validate_constraints

REPORT = {"train_share", "test_share", "dropped_share", "entailed_share", "row_share"}


def test_rows_held_out(iris_pairs):
    X, c, _, _ = iris_pairs
    cv = ConstraintKFold(3, random_state=0)
    options = {"cv": cv, "return_estimator": True, "return_train_score": True}
    results = cross_validate_constraints(
        small_clusterer(), X, c, scoring=["constraint_roc_auc"], **options
    )
    assert set(results) >= REPORT | {"test_constraint_roc_auc", "fit_time"}
    for (train, test), model, on_train, score in zip(
        cv.split(X, c),
        results["estimator"],
        results["train_constraint_roc_auc"],
        results["test_constraint_roc_auc"],
        strict=True,
    ):
        assert score == constraint_roc_auc(model, X[test], c[test])
        assert on_train == constraint_roc_auc(model, X[train], c[train])
    for name in REPORT:
        assert_array_equal(results[name], cv.report_[name])


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_pairs_held_out(iris_pairs, routing, weighted):
    X, c, pairs, y = iris_pairs
    if weighted:
        weight = np.arange(1.0, c.n_pairs + 1)
        c = PairwiseConstraints(
            c.must_link,
            c.cannot_link,
            n_samples=c.n_samples,
            must_link_weight=weight[: c.n_must_link],
            cannot_link_weight=weight[c.n_must_link :],
        )
    cv = StratifiedKFold(4, shuffle=True, random_state=3)
    with sklearn.config_context(enable_metadata_routing=routing):
        results = cross_validate_constraints(
            Recorder(),
            X,
            c,
            cv=cv,
            hold_out="pairs",
            return_estimator=True,
            return_indices=True,
        )
    for number, (train, test) in enumerate(cv.split(pairs, y)):
        model = results["estimator"][number]
        assert type(model) is Recorder and model.X_ is X
        assert model.y_ == c.subset(train)
        assert_array_equal(results["indices"]["test"][number], test)
        score = constraint_accuracy(model, X, c.subset(test))
        assert results["test_score"][number] == score
        must, cannot = as_dicts(c.subset(train))
        implied = naive_closure(must, cannot, len(X))
        kinds = (y[test] < 0).astype(int)
        entailed = [
            tuple(pair) in implied[kind]
            for pair, kind in zip(pairs[test], kinds, strict=True)
        ]
        assert results["entailed_share"][number] == pytest.approx(np.mean(entailed))
    assert_allclose(results["train_share"], 0.75, atol=0.01)
    assert_allclose(results["test_share"], 0.25, atol=0.01)
    assert_allclose(results["dropped_share"], 0, atol=1e-12)
    assert (results["row_share"] == 1).all()


def test_entailed_pairs_are_left_out(iris_pairs):
    X, c, pairs, y = iris_pairs
    options = {"hold_out": "pairs", "cv": 4, "return_indices": True}
    kept = cross_validate_constraints(Recorder(), X, c, **options)
    less = cross_validate_constraints(Recorder(), X, c, drop_entailed=True, **options)
    assert (kept["entailed_share"] > 0).any()
    assert_array_equal(kept["entailed_share"], less["entailed_share"])
    assert_allclose(
        less["test_share"], kept["test_share"] * (1 - kept["entailed_share"])
    )
    for train, test in zip(
        less["indices"]["train"], less["indices"]["test"], strict=True
    ):
        assert not mark_entailed(c.subset(train), pairs[test], y[test] > 0).any()
    # a clique without its last pair entails that pair
    clique = PairwiseConstraints([(0, 1), (1, 2), (0, 2)], n_samples=3)
    with pytest.raises(ValueError, match="without entailed pairs leaves no pair"):
        cross_validate_constraints(
            Recorder(),
            np.eye(3),
            clique,
            hold_out="pairs",
            cv=KFold(3),
            drop_entailed=True,
        )


def test_rows_in_both_sets_leak(iris_pairs):
    X, c, _, _ = iris_pairs
    rows = np.arange(len(X))
    results = cross_validate_constraints(Recorder(), X, c, cv=[(rows, rows)])
    assert results["entailed_share"] == [1.0] and results["dropped_share"] == [0.0]
    with pytest.raises(ValueError, match="cv has rows in both"):
        cross_validate_constraints(
            Recorder(), X, c, cv=[(rows, rows)], drop_entailed=True
        )


@pytest.mark.parametrize("hold_out", ["rows", "pairs"])
def test_every_form_of_supervision_is_validated(iris, hold_out):
    X, y = iris
    c = PairwiseConstraints.from_labels(np.where(np.arange(150) % 7, -1, y))
    triples = [(*pair, 1) for pair in c.must_link.tolist()]
    triples += [(*pair, -1) for pair in c.cannot_link.tolist()]
    expected = cross_validate_constraints(Recorder(), X, c, cv=2, hold_out=hold_out)
    labels = np.where(np.arange(150) % 7, -1, y)
    results = cross_validate_constraints(
        Recorder(), X, labels, cv=2, hold_out=hold_out, return_estimator=True
    )
    assert_array_equal(results["test_score"], expected["test_score"])
    if hold_out == "rows":
        # an estimator that learns classes still gets them
        assert isinstance(results["estimator"][0].y_, np.ndarray)
    for form in (triples, c.to_matrix()):
        results = cross_validate_constraints(
            Recorder(), X, form, cv=2, hold_out=hold_out
        )
        assert np.isfinite(results["test_score"]).all()
        assert (results["train_share"] > 0.2).all()


@pytest.mark.parametrize(
    "cv",
    [
        KFold(3, shuffle=True, random_state=0),
        ShuffleSplit(2, random_state=0, test_size=0.3),
        GroupKFold(3),
        PredefinedSplit(np.arange(150) % 3 - 1),
    ],
)
def test_other_splitters(iris_pairs, cv):
    X, c, _, _ = iris_pairs
    groups = np.arange(150) % 10
    groups = groups if isinstance(cv, GroupKFold) else None
    results = cross_validate_constraints(Recorder(), X, c, cv=cv, groups=groups)
    for number, (train, test) in enumerate(cv.split(X, groups=groups)):
        assert results["test_score"][number] == constraint_accuracy(
            results_model(X), X[test], c[test]
        )
        assert results["train_share"][number] == c[train].n_pairs / c.n_pairs
    assert not results["entailed_share"].any()
    on_pairs = cross_validate_constraints(
        Recorder(), X, c, cv=KFold(2, shuffle=True), hold_out="pairs"
    )
    assert np.isfinite(on_pairs["test_score"]).all()


def results_model(X):
    return Recorder().fit(X)


@pytest.mark.parametrize("hold_out", ["rows", "pairs"])
def test_scoring(iris_pairs, hold_out):
    X, c, _, _ = iris_pairs
    model = GaussianMixture(3, random_state=0)
    options = {"cv": 2, "hold_out": hold_out}
    one = cross_validate_constraints(model, X, c, scoring=None, **options)
    many = cross_validate_constraints(
        model,
        X,
        c,
        scoring={"a": "constraint_accuracy", "b": constraint_roc_auc, "c": _own_score},
        **options,
    )
    assert_array_equal(one["test_score"], many["test_a"])
    assert (many["test_b"] > 0.5).all() and (many["test_c"] == 7).all()
    with pytest.raises(ValueError, match="nope"):
        cross_validate_constraints(model, X, c, scoring="nope", **options)


def _own_score(estimator, X, y):
    assert isinstance(y, PairwiseConstraints) and len(X) == y.n_samples
    return 7


def test_wrong_arguments(iris_pairs):
    X, c, _, _ = iris_pairs
    with pytest.raises(ValueError, match="hold_out must be 'rows' or 'pairs'"):
        cross_validate_constraints(Recorder(), X, c, hold_out="both")
    with pytest.raises(ValueError, match="y holds no constraint"):
        cross_validate_constraints(Recorder(), X, None)
    with pytest.raises(ValueError, match="params are one entry a row"):
        cross_validate_constraints(
            Recorder(), X, c, hold_out="pairs", params={"sample_weight": [1]}
        )
    few = PairwiseConstraints([(0, 1)], [(2, 3)], n_samples=150)
    with pytest.raises(ValueError, match=r"KFold.* leaves no pair to train.*use Con"):
        cross_validate_constraints(Recorder(), X, few, cv=KFold(5))


def test_failures_are_raised_unless_asked_otherwise(iris_pairs):
    X, c, _, _ = iris_pairs
    bad = small_clusterer(loss="nope")
    with pytest.raises(ValueError, match="loss"):
        cross_validate_constraints(bad, X, c, cv=2)
    partly = cross_validate_constraints
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        partly(bad, X, c, cv=2, error_score=np.nan)
