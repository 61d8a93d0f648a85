"""Scores against naive oracles, and scorers inside scikit-learn."""

import pickle
import pickletools
from itertools import combinations, permutations

import numpy as np
import pytest
import sklearn
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from skpairclust import metrics
from skpairclust.constraints import PairwiseConstraints
from skpairclust.metrics import (
    ConstraintScorer,
    clustering_accuracy_score,
    constraint_accuracy,
    constraint_accuracy_score,
    constraint_log_loss,
    constraint_roc_auc,
    constraint_roc_auc_score,
    count_respected,
    get_scorer,
    get_scorer_names,
    make_label_scorer,
    neg_constraint_log_loss,
)
from skpairclust.metrics._probabilities import draw_pairs, same_cluster_probability
from tests.constraints.oracles import as_dicts, constraints

# Oracles: loops over pairs. A pair known from two sources counts twice.


def listed_pairs(c):
    """Return lists of must-links and cannot-links, source by source."""
    sources = [
        PairwiseConstraints._from_parts(c.n_samples, relations=(relation,))
        for relation in c._relations
    ]
    sources.append(
        PairwiseConstraints(c._must_link, c._cannot_link, n_samples=c.n_samples)
    )
    must, cannot = zip(*map(as_dicts, sources), strict=True)
    return [p for d in must for p in d], [p for d in cannot for p in d]


def naive_accuracy(c, labels):
    must, cannot = listed_pairs(c)
    shares = []
    if must:
        shares.append(np.mean([labels[i] == labels[j] for i, j in must]))
    if cannot:
        shares.append(np.mean([labels[i] != labels[j] for i, j in cannot]))
    return np.mean(shares)


def naive_roc_auc(c, P):
    must, cannot = listed_pairs(c)
    wins = [
        (P[i] @ P[j] > P[k] @ P[m]) + 0.5 * (P[i] @ P[j] == P[k] @ P[m])
        for i, j in must
        for k, m in cannot
    ]
    return np.mean(wins)


def naive_log_loss(c, P):
    eps = np.finfo(P.dtype).eps
    must, cannot = listed_pairs(c)
    must = [-np.log(max(P[i] @ P[j], eps)) for i, j in must]
    cannot = [-np.log(max(1 - P[i] @ P[j], eps)) for i, j in cannot]
    return np.mean([np.mean(losses) for losses in (must, cannot) if losses])


@st.composite
def with_probabilities(draw):
    c = draw(constraints())
    # few different values: ties, zeros and ones are likely
    cell = st.integers(0, 4)
    row = st.lists(cell, min_size=3, max_size=3).filter(any)
    P = draw(st.lists(row, min_size=c.n_samples, max_size=c.n_samples))
    P = np.array(P, dtype=float)
    return c, P / P.sum(axis=1, keepdims=True)


# Scores


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_clustering_accuracy_is_the_best_matching(pairs):
    true, predicted = np.array(pairs).T
    best = max(
        np.mean(np.array(order)[predicted] == true) for order in permutations(range(5))
    )
    assert clustering_accuracy_score(true, predicted) == pytest.approx(best)


def test_clustering_accuracy_takes_strings_and_refuses_nothing():
    assert clustering_accuracy_score(["a", "a", "b"], [7, 7, 3]) == 1.0
    assert clustering_accuracy_score([0, 0, 0, 0], [0, 1, 2, 3]) == 0.25
    with pytest.raises(ValueError, match="labels_true is empty"):
        clustering_accuracy_score([], [])
    with pytest.raises(ValueError, match="inconsistent"):
        clustering_accuracy_score([0, 1], [0, 1, 2])


@given(constraints(), st.data())
def test_constraint_accuracy(c, data):
    assume(c.n_pairs)
    label = st.integers(-1, 3)
    size = {"min_size": c.n_samples, "max_size": c.n_samples}
    labels = data.draw(st.lists(label, **size))
    assert constraint_accuracy_score(c, labels) == pytest.approx(
        naive_accuracy(c, labels)
    )
    _, total = count_respected(c, np.array(labels))
    assert total.tolist() == list(map(len, listed_pairs(c)))


@given(with_probabilities())
def test_log_loss(c_and_P):
    c, P = c_and_P
    assume(c.n_pairs)
    assert constraint_log_loss(c, P) == pytest.approx(naive_log_loss(c, P))
    narrow = P.astype(np.float32)
    assert constraint_log_loss(c, narrow) == pytest.approx(
        naive_log_loss(c, narrow), rel=1e-4, abs=1e-5
    )


@given(with_probabilities())
def test_roc_auc(c_and_P):
    c, P = c_and_P
    assume(all(map(len, listed_pairs(c))))
    # P.Q of equal rows may differ in the last digit from the oracle's
    P = np.round(P * 64) / 64
    P[:, 0] += 1 - P.sum(axis=1)
    assert constraint_roc_auc_score(c, P) == pytest.approx(naive_roc_auc(c, P))


def test_a_perfect_clustering_scores_best():
    y = np.array([0, 0, 1, 1, 2, -1])
    c = PairwiseConstraints.from_labels(y)
    P = np.eye(3)[y]
    assert constraint_accuracy_score(c, y) == 1.0
    assert constraint_roc_auc_score(c, P) == 1.0
    assert constraint_log_loss(c, P) == 0.0
    flat = np.full((6, 3), 1 / 3)
    assert constraint_roc_auc_score(c, flat) == 0.5


def test_confident_mistakes_have_finite_loss():
    c = PairwiseConstraints([(0, 1)], None, n_samples=2)
    for dtype, eps in ((float, 2**-52), (np.float32, 2**-23)):
        loss = constraint_log_loss(c, np.eye(2, dtype=dtype))
        assert loss == pytest.approx(-np.log(eps))


@pytest.mark.parametrize("score", [constraint_roc_auc_score, constraint_log_loss])
def test_the_ratio_of_kinds_does_not_matter(score):
    rng = np.random.default_rng(0)
    P = rng.dirichlet([0.3] * 4, size=2000)
    y = np.array([rng.choice(4, p=p) for p in P])
    few, many = (
        PairwiseConstraints.sample_from_labels(
            y, 40_000, balanced=balanced, random_state=0
        )
        for balanced in (True, False)
    )
    assert few.n_must_link > 1.5 * many.n_must_link
    assert score(few, P) == pytest.approx(score(many, P), rel=0.02)


@pytest.mark.parametrize("score", [constraint_roc_auc_score, constraint_log_loss])
@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (np.full((4, 2), 0.5), "have 4 rows, but constraints are about 3"),
        ([[0.5, 0.6]] * 3, "sum to 1"),
        ([[1.5, -0.5]] * 3, "not be negative"),
        ([[np.nan, 1.0]] * 3, "NaN"),
        ([0, 1, 0], "Expected 2D array"),
    ],
)
def test_wrong_probabilities(score, probabilities, message):
    c = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=3)
    with pytest.raises(ValueError, match=message):
        score(c, probabilities)


def test_wrong_constraints():
    P, nothing = np.full((3, 2), 0.5), PairwiseConstraints(n_samples=3)
    for score, given_ in (
        (constraint_roc_auc_score, P),
        (constraint_log_loss, P),
        (constraint_accuracy_score, [0, 1, 0]),
    ):
        with pytest.raises(TypeError, match="must be a PairwiseConstraints"):
            score([0, 1, 0], given_)
        with pytest.raises(ValueError, match="hold(s)? no (pair|must-link)"):
            score(nothing, given_)
    with pytest.raises(ValueError, match="hold no cannot-link"):
        constraint_roc_auc_score(PairwiseConstraints([(0, 1)], n_samples=3), P)
    with pytest.raises(ValueError, match=r"shape \(2,\).*3 samples"):
        constraint_accuracy_score(nothing, [0, 1])


# Pairs implied by groups


def relation_kinds():
    y = np.repeat([0, 1, 2, -1, 3], [30, 20, 5, 10, 1])
    rng = np.random.default_rng(0)
    y = rng.permutation(y)
    listed = PairwiseConstraints([(0, 1), (2, 3)], [(0, 2), (4, 5)], n_samples=66)
    return {"labels": PairwiseConstraints.from_labels(y), "closure": listed.closure()}


@pytest.mark.parametrize("name", ["labels", "closure"])
@pytest.mark.parametrize("kind", ["must_link", "cannot_link"])
def test_drawn_pairs_are_uniform(name, kind):
    c = relation_kinds()[name]
    all_pairs = set(map(tuple, getattr(c, kind).tolist()))
    full, weight = draw_pairs(c, kind)
    assert {tuple(sorted(pair)) for pair in full.tolist()} == all_pairs
    assert (weight == 1).all()
    limit = len(all_pairs) - 1
    drawn, weight = draw_pairs(c, kind, max_implied=limit)
    assert len(drawn) == limit
    assert_allclose(weight.sum(), len(all_pairs))
    assert {tuple(sorted(pair)) for pair in drawn.tolist()} <= all_pairs


@pytest.mark.parametrize("name", ["labels", "closure"])
def test_every_pair_is_drawn_equally_often(name):
    c = relation_kinds()[name]
    relation = c._relations[0]
    for is_must in (True, False):
        pairs = c.must_link if is_must else c.cannot_link
        n_draws = 200 * len(pairs)
        drawn = metrics._probabilities._draw_implied(
            relation, is_must, n_draws, np.random.RandomState(1)
        )
        keys = np.sort(drawn, axis=1) @ [1000, 1]
        _, counts = np.unique(keys, return_counts=True)
        assert len(counts) == len(pairs)
        # chi-squared: its mean is the number of pairs less one
        assert ((counts - 200) ** 2 / 200).sum() < len(pairs) + 5 * np.sqrt(
            2 * len(pairs)
        )


def test_scores_of_many_labels_are_close_to_exact(monkeypatch):
    rng = np.random.default_rng(0)
    P = rng.dirichlet([0.2] * 5, size=900)
    c = PairwiseConstraints.from_labels([rng.choice(5, p=p) for p in P])
    exact = [s(c, P) for s in (constraint_roc_auc_score, constraint_log_loss)]
    monkeypatch.setattr(metrics._probabilities, "MAX_IMPLIED_PAIRS", 20_000)
    drawn = [s(c, P) for s in (constraint_roc_auc_score, constraint_log_loss)]
    again = [s(c, P) for s in (constraint_roc_auc_score, constraint_log_loss)]
    assert drawn != exact and drawn == again
    assert_allclose(drawn, exact, rtol=0.02)


def test_labels_of_many_samples_need_little_memory():
    rng = np.random.default_rng(0)
    y = rng.integers(10, size=200_000)
    c = PairwiseConstraints.from_labels(y)
    P = np.full((len(y), 10), 0.02) + 0.8 * np.eye(10)[y]
    assert c.n_pairs > 10**10
    assert constraint_accuracy_score(c, y) == 1.0
    assert constraint_roc_auc_score(c, P) == 1.0
    assert constraint_log_loss(c, P) < 0.5


def test_same_cluster_probability_by_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    P = rng.dirichlet([1] * 3, size=20).astype(np.float32)
    pairs = np.array(list(combinations(range(20), 2)))
    whole = same_cluster_probability(P, pairs)
    monkeypatch.setattr(metrics._probabilities, "_BLOCK_VALUES", 7)
    assert_allclose(same_cluster_probability(P, pairs), whole)
    assert_allclose(whole, (P @ P.T)[tuple(pairs.T)], rtol=1e-6)
    assert whole.dtype == np.float64


# Scorers

SCORERS = ["constraint_accuracy", "constraint_roc_auc", "neg_constraint_log_loss"]


@pytest.fixture(scope="module")
def mixture(iris):
    X, y = iris
    return GaussianMixture(3, random_state=0).fit(X), X, y


def test_names():
    assert get_scorer_names() == SCORERS
    for name in SCORERS:
        assert get_scorer(name) is getattr(metrics, name)
        assert get_scorer(get_scorer(name)) is get_scorer(name)
    with pytest.raises(ValueError, match="'accuracy' is no scorer.*constraint_acc"):
        get_scorer("accuracy")


def test_scorers_call_the_scores(mixture):
    model, X, y = mixture
    c = PairwiseConstraints.sample_from_labels(y, 200, random_state=0)
    P = model.predict_proba(X)
    assert constraint_accuracy(model, X, c) == constraint_accuracy_score(
        c, model.predict(X)
    )
    assert constraint_roc_auc(model, X, c) == constraint_roc_auc_score(c, P)
    assert neg_constraint_log_loss(model, X, c) == -constraint_log_loss(c, P)


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_take_every_form_of_supervision(name, mixture):
    model, X, y = mixture
    scorer = get_scorer(name)
    y = np.where(np.arange(len(y)) % 3, y, -1)
    c = PairwiseConstraints.from_labels(y)
    triples = np.concatenate(
        [
            np.column_stack((c.must_link, np.ones(c.n_must_link, dtype=int))),
            np.column_stack((c.cannot_link, -np.ones(c.n_cannot_link, dtype=int))),
        ]
    )
    forms = [y, triples, c.to_matrix(), c.to_matrix().toarray(), c.closure()]
    forms.append(sparse.coo_array(c.to_matrix()))
    expected = scorer(model, X, c)
    assert_allclose([scorer(model, X, form) for form in forms], expected)


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_pickle_and_clone(name):
    scorer = get_scorer(name)
    for copy in (pickle.loads(pickle.dumps(scorer)), clone(scorer, safe=False)):
        assert copy == scorer and hash(copy) == hash(scorer)
        assert repr(copy) == repr(scorer) and name.split("_")[-1] in repr(copy)
    assert scorer != "other" and scorer != ConstraintScorer(max)


def test_scorers_say_what_is_missing(mixture):
    model, X, y = mixture
    with pytest.raises(TypeError, match="needs an estimator with predict_proba, which"):
        constraint_roc_auc(KMeans(2, n_init=1).fit(X), X, y)
    with pytest.raises(ValueError, match="pass PairwiseConstraints as y"):
        constraint_accuracy(model, X)
    with pytest.raises(ValueError, match="for 7 samples|about 7 samples"):
        constraint_accuracy(model, X, PairwiseConstraints([(0, 1)], n_samples=7))


@pytest.mark.parametrize("routing", [False, True])
def test_scorers_in_searches(mixture, routing):
    model, X, y = mixture
    c = PairwiseConstraints.sample_from_labels(y, 600, random_state=0)
    with sklearn.config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            clone(model),
            {"n_components": [1, 3]},
            scoring={name: get_scorer(name) for name in SCORERS},
            refit="constraint_roc_auc",
            cv=KFold(3, shuffle=True, random_state=0),
            error_score="raise",
        ).fit(X, c)
    assert search.best_params_ == {"n_components": 3}
    for name in SCORERS:
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all()


# Scores against labels that come as metadata


def test_label_scorer_gets_its_labels_sliced(iris):
    X, y = iris
    c = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
    cv = KFold(3, shuffle=True, random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        results = cross_validate(
            KMeans(3, n_init=1, random_state=0),
            X,
            c,
            cv=cv,
            scoring={
                "rand": make_label_scorer("adjusted_rand_score"),
                "accuracy": make_label_scorer(clustering_accuracy_score),
            },
            params={"labels_true": y},
            return_estimator=True,
            error_score="raise",
        )
    for (_, test), model, rand, accuracy in zip(
        cv.split(X),
        results["estimator"],
        results["test_rand"],
        results["test_accuracy"],
        strict=True,
    ):
        labels = model.predict(X[test])
        assert rand == adjusted_rand_score(y[test], labels)
        assert accuracy == clustering_accuracy_score(y[test], labels)


def test_label_scorer_in_a_search(iris):
    X, y = iris
    c = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            KMeans(n_init=1, random_state=0),
            {"n_clusters": [2, 3, 9]},
            scoring=make_label_scorer("clustering_accuracy_score"),
            error_score="raise",
            n_jobs=2,
            cv=KFold(3, shuffle=True, random_state=0),
        ).fit(X, c, labels_true=y)
    assert search.best_params_ == {"n_clusters": 3}


def test_label_scorer_pickles():
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_label_scorer("adjusted_rand_score")
        data = pickle.dumps(scorer)
        copy = pickle.loads(data)
        assert repr(copy) == repr(scorer)
        named = [op for op in pickletools.genops(data) if isinstance(op[1], str)]
        modules = {text for _, text, _ in named if text.startswith("skpairclust")}
        assert modules == {"skpairclust.metrics"}
        assert "adjusted_rand_score" in repr(scorer)


def test_wrong_label_scorer():
    with sklearn.config_context(enable_metadata_routing=True):
        for name in ("nope", "make_scorer", "adjusted_rand", 3):
            with pytest.raises(ValueError, match="is no score in sklearn.metrics"):
                make_label_scorer(name)
    with pytest.raises(RuntimeError, match="enable_metadata_routing"):
        make_label_scorer("adjusted_rand_score")


def test_scores_agree_with_sklearn():
    rng = np.random.default_rng(0)
    P = rng.dirichlet([0.5] * 3, size=100)
    c = PairwiseConstraints.sample_from_labels(
        rng.integers(3, size=100), 300, random_state=0
    )
    pairs = np.concatenate((c.must_link, c.cannot_link))
    is_must = np.repeat([1, 0], [c.n_must_link, c.n_cannot_link])
    same = (P[pairs[:, 0]] * P[pairs[:, 1]]).sum(axis=1)
    assert constraint_roc_auc_score(c, P) == pytest.approx(roc_auc_score(is_must, same))
