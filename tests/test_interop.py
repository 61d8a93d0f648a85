"""Constraints in y inside scikit-learn: what remains of them must stay true."""

import re
from inspect import signature

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    LeavePGroupsOut,
    LeavePOut,
    PredefinedSplit,
    RandomizedSearchCV,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample, shuffle

from skpairclust import (
    ConstrainedNeuralClusterer,
    MetricEmbedder,
    PairwiseConstraints,
)
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans
from skpairclust.metrics import constraint_accuracy, get_scorer, get_scorer_names
from skpairclust.model_selection import ConstraintKFold

# Samples carry their number in the first column; the rest tells the classes apart.
N_SAMPLES = 120
_RNG = np.random.default_rng(0)
LABELS = _RNG.integers(3, size=N_SAMPLES)
X = np.column_stack(
    (np.arange(N_SAMPLES), LABELS[:, None] * [[3, -3]] + _RNG.normal(size=(120, 2)))
)
_PAIRS = PairwiseConstraints.sample_from_labels(LABELS, 150, random_state=0)
KNOWN = {
    "pairs": _PAIRS,
    "closure": _PAIRS.closure(),
    "labels": PairwiseConstraints.from_labels(np.where(LABELS[::-1] > 0, LABELS, -1)),
}
SHUFFLED = KFold(3, shuffle=True, random_state=0)


def named_pairs(constraints, ids):
    """Return the pairs of each kind under the samples' own numbers."""
    return [
        set(map(tuple, np.sort(ids[pairs], axis=1).tolist()))
        for pairs in (constraints.must_link, constraints.cannot_link)
    ]


ALL_PAIRS = {name: named_pairs(c, np.arange(N_SAMPLES)) for name, c in KNOWN.items()}


class Witness(ClusterMixin, BaseEstimator):
    """Asserts, wherever scikit-learn hands data over, that y belongs to X.

    The samples' own numbers say which pairs there must be, no more and no fewer,
    and which are true. Predicts the class.
    """

    def __init__(self, known="pairs", level=0):
        self.known = known
        self.level = level

    def fit(self, X, y=None):
        self.check(X, y)
        ids = np.asarray(X)[:, 0].astype(int)
        assert len(y)
        self.ids_, self.labels_ = ids, LABELS[ids]
        return self

    def predict(self, X):
        return LABELS[np.asarray(X)[:, 0].astype(int)]

    def score(self, X, y):
        self.check(X, y)
        # a search prefers the highest level
        return self.level

    def check(self, X, y):
        ids = np.asarray(X)[:, 0].astype(int)
        assert isinstance(y, PairwiseConstraints)
        assert y.shape == (len(X),)
        is_here = np.zeros(N_SAMPLES, dtype=bool)
        is_here[ids] = True
        for found, everything in zip(
            named_pairs(y, ids), ALL_PAIRS[self.known], strict=True
        ):
            assert found == {p for p in everything if is_here[list(p)].all()}
        for pairs, same in ((y.must_link, True), (y.cannot_link, False)):
            left, right = LABELS[ids[pairs]].T
            assert ((left == right) == same).all()


def clusterer(**parameters):
    """Return a small real one."""
    defaults = {"max_iter": 2, "hidden_layer_sizes": (16,), "random_state": 0}
    return ConstrainedNeuralClusterer(3, **(defaults | parameters))


@pytest.fixture(params=KNOWN)
def known(request):
    return request.param


def test_the_witness_notices():
    """The tests below are worth as much as this one."""
    c = KNOWN["pairs"]
    order = np.arange(N_SAMPLES)
    order[[3, 4]] = order[[4, 3]]
    lost = c.subset(np.arange(c.n_pairs - 1))
    for rows, wrong in ((order, c), (np.arange(N_SAMPLES), lost)):
        with pytest.raises(AssertionError):
            Witness().fit(X[rows], wrong)
    Witness().fit(X[order], c[order])


# Splitting

SPLITTERS = [
    KFold(3),
    SHUFFLED,
    RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    ShuffleSplit(3, test_size=0.4, random_state=0),
    TimeSeriesSplit(3),
    PredefinedSplit(np.arange(N_SAMPLES) % 4 - 1),
    GroupKFold(3),
    GroupShuffleSplit(2, test_size=0.4, random_state=0),
    LeaveOneGroupOut(),
    LeavePGroupsOut(2),
    ConstraintKFold(3, random_state=0),
    ConstraintKFold(3, method="row", random_state=0),
    [(np.arange(60), np.arange(50, 120)), (np.arange(119, 29, -1), np.arange(40))],
]


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_splitters(cv, known):
    groups = None
    if "Group" in type(cv).__name__:
        groups = np.arange(N_SAMPLES) // 5 % 4
    results = cross_validate(
        Witness(known),
        X,
        KNOWN[known],
        cv=cv,
        groups=groups,
        scoring=constraint_accuracy,
        error_score="raise",
    )
    assert (results["test_score"] == 1).all()


def test_our_own_splitter_on_a_cover():
    cv = ConstraintKFold(3, method="cover", random_state=0)
    scores = cross_val_score(
        Witness(), X, KNOWN["pairs"], cv=cv, scoring=constraint_accuracy
    )
    assert (scores == 1).all()
    # a cover of all pairs of labeled samples leaves none to train on
    with pytest.raises(ValueError, match="leaves no pair to train on"):
        cross_val_score(Witness("labels"), X, KNOWN["labels"], cv=cv)


@pytest.mark.parametrize("cv", [LeaveOneOut(), LeavePOut(2)])
def test_leaving_out_a_few(cv):
    rows = np.arange(8)
    c = KNOWN["labels"][rows]
    options = {"cv": cv, "error_score": "raise"}
    assert len(cross_val_score(Witness("labels"), X[rows], c, **options)) >= 8
    # single samples have no pairs to score: no NaN, but an error that says so
    with pytest.raises(ValueError, match="holds no pair"):
        cross_val_score(
            Witness("labels"), X[rows], c, scoring=constraint_accuracy, **options
        )


STRATIFIED = [
    StratifiedKFold(3),
    StratifiedShuffleSplit(2, random_state=0),
    RepeatedStratifiedKFold(n_splits=2, random_state=0),
    StratifiedGroupKFold(3),
]


@pytest.mark.parametrize("cv", STRATIFIED, ids=lambda cv: type(cv).__name__)
def test_pairs_have_no_classes_to_stratify_by(cv, known):
    groups = np.arange(N_SAMPLES) % 10 if "Group" in type(cv).__name__ else None
    with pytest.raises(TypeError, match="constraints cannot become an array"):
        cross_validate(clusterer(), X, KNOWN[known], cv=cv, groups=groups)


@pytest.mark.parametrize("cv", STRATIFIED, ids=lambda cv: type(cv).__name__)
def test_class_labels_are_stratified(cv):
    groups = np.arange(N_SAMPLES) % 10 if "Group" in type(cv).__name__ else None
    scores = cross_val_score(
        clusterer(max_iter=1),
        X,
        LABELS,
        cv=cv,
        groups=groups,
        error_score="raise",
    )
    assert np.isfinite(scores).all()


def test_train_test_split(known):
    parts = train_test_split(X, KNOWN[known], LABELS, test_size=0.3, random_state=0)
    X_train, X_test, c_train, c_test, labels_train, labels_test = parts
    for rows, c, labels in (
        (X_train, c_train, labels_train),
        (X_test, c_test, labels_test),
    ):
        Witness(known).fit(rows, c)
        assert (LABELS[rows[:, 0].astype(int)] == labels).all()
    with pytest.raises(TypeError, match="constraints cannot become an array"):
        train_test_split(X, KNOWN[known], stratify=KNOWN[known])


def test_resampling(known):
    rows, c = shuffle(X, KNOWN[known], random_state=0)
    Witness(known).fit(rows, c)
    rows, c = resample(X, KNOWN[known], replace=False, n_samples=70, random_state=0)
    Witness(known).fit(rows, c)
    with pytest.raises(ValueError, match="rows are repeated.*bootstrap would pair"):
        resample(X, KNOWN[known], random_state=0)


# Validation


def test_cross_validate(known):
    results = cross_validate(
        Witness(known),
        X,
        KNOWN[known],
        cv=SHUFFLED,
        return_train_score=True,
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )
    for fitted, rows in zip(
        results["estimator"], results["indices"]["train"], strict=True
    ):
        assert (fitted.ids_ == rows).all()


def test_cross_validate_a_real_one(known):
    results = cross_validate(
        clusterer(max_iter=10),
        X[:, 1:],
        KNOWN[known],
        cv=SHUFFLED,
        scoring={name: get_scorer(name) for name in get_scorer_names()},
        return_train_score=True,
        n_jobs=2,
        error_score="raise",
    )
    for part in ("train", "test"):
        assert results[f"{part}_constraint_roc_auc"].mean() > 0.6
        assert (results[f"{part}_neg_constraint_log_loss"] < 0).all()


def test_cross_val_predict(known):
    labels = cross_val_predict(Witness(known), X, KNOWN[known], cv=SHUFFLED)
    assert (labels == LABELS).all()
    real = cross_val_predict(clusterer(), X, KNOWN[known], cv=SHUFFLED)
    assert set(real) <= {0, 1, 2}
    # scikit-learn encodes y as classes for this, and pairs have none
    with pytest.raises(TypeError, match="constraints cannot become an array"):
        cross_val_predict(clusterer(), X, KNOWN[known], method="predict_proba")


def test_learning_curve(known):
    sizes, train, test = learning_curve(
        Witness(known),
        X,
        KNOWN[known],
        cv=SHUFFLED,
        train_sizes=[0.3, 0.6, 1.0],
        shuffle=True,
        random_state=0,
        scoring=constraint_accuracy,
        error_score="raise",
    )
    assert sizes.tolist() == [24, 48, 80]
    assert (train == 1).all() and (test == 1).all()


def test_validation_curve(known):
    options = {"cv": SHUFFLED, "error_score": "raise"}
    train, test = validation_curve(
        Witness(known),
        X,
        KNOWN[known],
        param_name="level",
        param_range=[1, 2],
        **options,
    )
    assert (train == test).all() and test.mean(axis=1).tolist() == [1, 2]
    train, test = validation_curve(
        clusterer(max_iter=20, hidden_layer_sizes=(64, 64)),
        X[:, 1:],
        KNOWN[known],
        param_name="n_clusters",
        param_range=[1, 3],
        **options,
    )
    assert test[1].mean() > test[0].mean() + 0.2


def test_permutation_test_score():
    c = KNOWN["pairs"]
    assert c.n_pairs != len(c) == N_SAMPLES
    score, permuted, p_value = permutation_test_score(
        clusterer(max_iter=20),
        X[:, 1:],
        c,
        cv=KFold(2, shuffle=True, random_state=0),
        n_permutations=4,
        random_state=0,
    )
    assert score > permuted.max() and p_value == pytest.approx(0.2)


# Searches


def searches(estimator, name, values, **options):
    options |= {"refit": True, "cv": SHUFFLED, "error_score": "raise"}
    grid = {name: values}
    yield GridSearchCV(estimator, grid, **options)
    yield RandomizedSearchCV(estimator, grid, n_iter=2, random_state=0, **options)
    halving = {"min_resources": 60, "factor": 2, "random_state": 0}
    yield HalvingGridSearchCV(estimator, grid, **options, **halving)
    yield HalvingRandomSearchCV(estimator, grid, n_candidates=2, **options, **halving)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_searches(number, n_jobs, known):
    every = searches(Witness(known), "level", [1, 2], n_jobs=n_jobs)
    search = list(every)[number].fit(X, KNOWN[known])
    assert search.best_params_ == {"level": 2}
    assert len(search.best_estimator_.ids_) == N_SAMPLES
    assert (search.predict(X) == LABELS).all()
    assert search.score(X, KNOWN[known]) == 2


@pytest.mark.parametrize("number", range(4))
def test_searches_with_a_real_one(number):
    every = searches(
        clusterer(max_iter=10),
        "n_clusters",
        [1, 3],
        n_jobs=2,
        scoring=get_scorer("constraint_roc_auc"),
    )
    search = list(every)[number].fit(X[:, 1:], KNOWN["pairs"])
    assert search.best_params_ == {"n_clusters": 3}
    assert search.best_estimator_.labels_.shape == (N_SAMPLES,)
    assert search.predict_proba(X[:, 1:]).shape == (N_SAMPLES, 3)


def test_a_search_inside_cross_validation(known):
    search = GridSearchCV(Witness(known), {"level": [1, 2]}, cv=3)
    results = cross_validate(search, X, KNOWN[known], cv=SHUFFLED, error_score="raise")
    assert (results["test_score"] == 2).all()


def test_searches_over_our_own_folds():
    cv = ConstraintKFold(3, random_state=0)
    search = GridSearchCV(
        clusterer(max_iter=5),
        {"n_clusters": [1, 3]},
        scoring={name: get_scorer(name) for name in get_scorer_names()},
        refit="constraint_roc_auc",
        cv=cv,
        error_score="raise",
    ).fit(X[:, 1:], KNOWN["pairs"])
    assert search.best_params_ == {"n_clusters": 3}
    assert (cv.report_["test_share"] > 0).all()


def test_label_scorers_by_name_do_not_pass_silently(known):
    options = {"scoring": "adjusted_rand_score", "cv": SHUFFLED}
    with pytest.raises(TypeError, match="constraints cannot become an array"):
        cross_validate(
            clusterer(max_iter=1), X, KNOWN[known], error_score="raise", **options
        )
    scorer = check_scoring(clusterer(), scoring="adjusted_rand_score")
    with pytest.raises(TypeError, match="constraints cannot become an array"):
        scorer(clusterer().fit(X, KNOWN[known]), X, KNOWN[known])


# Pipelines


class CountingPCA(TransformerMixin, BaseEstimator):
    """Keeps the sample numbers beside what PCA makes of the rest."""

    n_fits = 0

    def fit(self, X, y=None):
        type(self).n_fits += 1
        self.pca_ = PCA(2).fit(X[:, 1:], y)
        return self

    def transform(self, X):
        return np.column_stack((X[:, 0], self.pca_.transform(X[:, 1:])))


def test_pipeline(known):
    scaled = ColumnTransformer(
        [("number", "passthrough", [0]), ("scaled", StandardScaler(), [1, 2])]
    )
    pipeline = make_pipeline(scaled, Witness(known))
    scores = cross_val_score(
        pipeline,
        X,
        KNOWN[known],
        cv=SHUFFLED,
        scoring=constraint_accuracy,
        error_score="raise",
    )
    assert (scores == 1).all()
    search = GridSearchCV(pipeline, {"witness__level": [1, 2]}, cv=SHUFFLED, n_jobs=2)
    assert search.fit(X, KNOWN[known]).best_params_ == {"witness__level": 2}


def test_pipeline_with_memory(known, tmp_path):
    pipeline = Pipeline(
        [("pca", CountingPCA()), ("witness", Witness(known))], memory=str(tmp_path)
    )
    before = CountingPCA.n_fits
    search = GridSearchCV(pipeline, {"witness__level": [1, 2]}, cv=SHUFFLED)
    search.fit(X, KNOWN[known])
    # three folds and the refit, for both candidates; equal constraints hash alike
    assert CountingPCA.n_fits == before + 4
    pipeline.fit(X, KNOWN[known][np.arange(N_SAMPLES)])
    assert CountingPCA.n_fits == before + 4
    pipeline.fit(X[::-1], KNOWN[known][::-1])
    assert CountingPCA.n_fits == before + 5


def test_pipeline_with_memory_around_a_real_one(tmp_path):
    pipeline = make_pipeline(
        StandardScaler(), clusterer(max_iter=10), memory=str(tmp_path)
    )
    search = GridSearchCV(
        pipeline,
        {"constrainedneuralclusterer__n_clusters": [1, 3]},
        scoring=get_scorer("constraint_roc_auc"),
        cv=SHUFFLED,
        n_jobs=2,
        error_score="raise",
    ).fit(X[:, 1:], KNOWN["pairs"])
    assert search.best_params_["constrainedneuralclusterer__n_clusters"] == 3
    assert search.best_estimator_.score(X[:, 1:], KNOWN["pairs"]) > 0.6
    # as a transformer, too, in the middle of a pipeline
    again = make_pipeline(clusterer(), Witness("pairs").set_params(level=1))[:-1]
    assert again.fit_transform(X, KNOWN["pairs"]).shape == (N_SAMPLES, 16)


def test_an_embedder_before_a_clusterer_of_pairs(known):
    pipeline = make_pipeline(
        StandardScaler(),
        MetricEmbedder(4, hidden_layer_sizes=(16,), max_iter=10, random_state=0),
        PCKMeans(3, random_state=0),
    )
    search = GridSearchCV(
        pipeline,
        {"metricembedder__loss": ["triplet", "lifted"]},
        scoring=constraint_accuracy,
        cv=SHUFFLED,
        n_jobs=2,
        error_score="raise",
    ).fit(X[:, 1:], KNOWN[known])
    assert search.best_score_ > 0.85
    # alone, its own score is that of pairs
    scores = cross_val_score(
        search.best_estimator_[1], X[:, 1:], KNOWN[known], cv=SHUFFLED
    )
    assert scores.mean() > 0.85


def test_data_frames(known):
    frame = pd.DataFrame(X, columns=["number", "a", "b"], index=np.arange(120)[::-1])
    results = cross_validate(
        Witness(known), frame, KNOWN[known], cv=SHUFFLED, error_score="raise"
    )
    assert len(results["test_score"]) == 3
    real = cross_val_predict(clusterer(), frame, KNOWN[known], cv=SHUFFLED)
    assert real.shape == (N_SAMPLES,)


# Metadata routing


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def requesting():
    return clusterer().set_fit_request(must_link=True, cannot_link=True)


def test_index_arrays_are_routed(routing):
    c = KNOWN["pairs"]
    arrays = {"must_link": c.must_link, "cannot_link": c.cannot_link}
    expected = clusterer().fit(X, c)
    fitted = requesting().fit(X, **arrays)
    assert (fitted.labels_ == expected.labels_).all()
    scaled = StandardScaler().fit_transform(X)
    pipeline = make_pipeline(StandardScaler(), requesting()).fit(X, **arrays)
    assert (pipeline.predict(X) == clusterer().fit(scaled, c).labels_).all()


def test_index_arrays_are_not_slices_of_themselves(routing):
    c = KNOWN["pairs"]
    arrays = {"must_link": c.must_link, "cannot_link": c.cannot_link}
    message = r"out of range.*cannot be sliced by cross-validation.*PairwiseConstraints"
    pipeline = make_pipeline(StandardScaler(), requesting())
    for estimator in (requesting(), pipeline):
        with pytest.raises(ValueError, match=message):
            cross_validate(
                estimator, X, cv=SHUFFLED, params=arrays, error_score="raise"
            )
        search = GridSearchCV(
            estimator, {}, cv=SHUFFLED, scoring=_any_score, error_score="raise"
        )
        with pytest.raises(ValueError, match=message):
            search.fit(X, **arrays)
        # where scikit-learn would go on with NaN, all fits fail: it shows why
        with pytest.raises(ValueError, match="(?s)fits failed.*PairwiseConstraints"):
            cross_validate(estimator, X, cv=SHUFFLED, params=arrays, scoring=_any_score)


def _any_score(estimator, X, y=None):
    return 0.0


def test_a_sparse_matrix_loses_its_columns_and_says_so(known):
    search = GridSearchCV(clusterer(), {}, cv=SHUFFLED, error_score="raise")
    with pytest.raises(ValueError, match=r"needs \(80, 80\)"):
        search.fit(X, KNOWN[known].to_matrix())


# What `fit` says to those who try another name

ESTIMATORS = [
    clusterer(max_iter=1),
    MetricEmbedder(max_iter=1, n_clusters=2, loss="contrastive", hidden_layer_sizes=8),
    COPKMeans(2),
    PCKMeans(2),
    MPCKMeans(2),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("method", ["fit", "fit_predict"])
def test_constraints_by_another_name(estimator, method):
    call = getattr(clone(estimator), method)
    with pytest.raises(TypeError, match=rf"'constraints'.* as y.*`{method}\(X, pairs"):
        call(X, constraints=KNOWN["pairs"])
    assert set(signature(call).parameters) - {"sample_weight"} == {
        *("X", "y", "must_link", "cannot_link")
    }


@pytest.mark.parametrize("estimator", ESTIMATORS[:4], ids=lambda e: type(e).__name__)
def test_a_warning_of_fit_names_the_line_that_calls_it(estimator):
    if isinstance(estimator, COPKMeans):
        y, message = np.arange(N_SAMPLES) % 3, "3 classes"
    else:
        y, message = [(0, 1, 1), (1, 2, 1), (0, 2, -1)], "contradict"
    with pytest.warns(UserWarning, match=message) as caught:
        clone(estimator).fit(X, y)
    (warning,) = (w for w in caught if re.search(message, str(w.message)))
    assert warning.filename == __file__
