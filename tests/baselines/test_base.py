"""What the constrained k-means have in common: scikit-learn's checks, y, errors."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skpairclust import PairwiseConstraints
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans

ESTIMATORS = [COPKMeans, PCKMeans, MPCKMeans]
# not among those that scikit-learn runs on estimators of others
EXTRA_CHECKS = [
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_dataframe_column_names_consistency",
    "check_param_validation",
    "check_inplace_ensure_writeable",
]


@parametrize_with_checks(
    [
        COPKMeans(),
        PCKMeans(),
        PCKMeans(init="k-means++"),
        MPCKMeans(),
        MPCKMeans(metric="full"),
        MPCKMeans(metric="full", shared_metric=True),
    ]
)
def test_sklearn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", EXTRA_CHECKS)
def test_extra_sklearn_check(estimator, name):
    check = getattr(estimator_checks, name, None)
    if check is None:
        pytest.skip(f"this scikit-learn has no {name}")
    if "output" in name:
        pytest.importorskip("pandas")
    check(estimator.__name__, estimator(n_clusters=3))


@pytest.fixture(params=ESTIMATORS, ids=lambda estimator: estimator.__name__)
def make(request):
    return request.param


@pytest.fixture
def problem(iris):
    X, y = iris
    return X, y, PairwiseConstraints.sample_from_labels(y, 60, random_state=0)


def test_forms_of_y_agree(make, problem):
    X, _, c = problem
    triples = np.concatenate(
        [np.insert(c.must_link, 2, 1, axis=1), np.insert(c.cannot_link, 2, -1, axis=1)]
    )
    expected = make(3, random_state=0).fit(X, c).labels_
    for y in (triples, c.to_matrix(), c.to_matrix().toarray()):
        assert_array_equal(make(3, random_state=0).fit(X, y).labels_, expected)
    pairs = {"must_link": c.must_link, "cannot_link": c.cannot_link}
    assert_array_equal(make(3, random_state=0).fit(X, **pairs).labels_, expected)
    assert_array_equal(make(3, random_state=0).fit_predict(X, **pairs), expected)


def test_partial_labels_are_constraints(make, iris):
    X, y = iris
    known = np.where(np.arange(len(y)) % 5 == 0, y, -1)
    model = make(3, random_state=0).fit(X, known)
    labels = model.labels_[known >= 0]
    # one cluster a class
    assert len(np.unique(np.column_stack((labels, known[known >= 0])), axis=0)) == 3


def test_seed_decides(make, problem):
    X, _, c = problem
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (make(3, random_state=7).fit(X, c) for _ in range(2))
    assert_array_equal(first.labels_, second.labels_)
    assert_array_equal(first.cluster_centers_, second.cluster_centers_)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_more_starts_are_no_worse(make, problem):
    X, _, c = problem
    name = "inertia_" if make is COPKMeans else "objective_"
    values = [
        getattr(make(5, n_init=n, random_state=0).fit(X, c), name) for n in (1, 6)
    ]
    assert values[1] <= values[0]


def test_shift_of_the_data_does_not_matter(make, problem):
    X, _, c = problem
    near = make(3, random_state=0).fit(X, c)
    far = make(3, random_state=0).fit(X + 1e6, c)
    assert_array_equal(near.labels_, far.labels_)
    assert_array_equal(near.predict(X), far.predict(X + 1e6))


def test_single_precision(make, problem):
    X, _, c = problem
    model = make(3, random_state=0).fit(X.astype(np.float32), c)
    expected = make(3, random_state=0).fit(X, c)
    assert model.transform(X.astype(np.float32)).dtype == np.float32
    assert_array_equal(model.labels_, expected.labels_)
    assert_allclose(model.cluster_centers_, expected.cluster_centers_, atol=1e-5)


def test_centers_are_means(make, problem):
    X, _, c = problem
    model = make(3, random_state=0, max_iter=300, tol=0).fit(X, c)
    means = [X[model.labels_ == label].mean(axis=0) for label in range(3)]
    assert_allclose(model.cluster_centers_, means, atol=1e-9)


def test_nothing_known_is_kmeans(make, iris):
    X, _ = iris
    model = make(3, random_state=0).fit(X)
    assert_array_equal(model.labels_, model.predict(X))
    assert model.n_clusters_ == 3


def test_transform_is_a_distance(make, problem):
    X, _, c = problem
    model = make(3, random_state=0).fit(X, c)
    distances = model.transform(X)
    assert distances.shape == (len(X), 3)
    assert_allclose(model.transform(model.cluster_centers_).diagonal(), 0, atol=1e-6)
    if make is not MPCKMeans:
        assert_array_equal(distances.argmin(axis=1), model.predict(X))


def test_score_is_the_share_of_constraints_kept(make, iris):
    X, y = iris
    model = make(3, random_state=0).fit(X)
    pairs = PairwiseConstraints.from_labels(model.predict(X))
    assert model.score(X, pairs) == 1
    with pytest.raises(ValueError, match="no pair"):
        model.score(X)


def test_search_over_a_pipeline(make, problem):
    X, _, c = problem
    name = make.__name__.lower()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), make(random_state=0)),
        {f"{name}__n_clusters": [3, 4]},
        error_score="raise",
        cv=3,
    ).fit(X, c)
    assert search.best_params_[f"{name}__n_clusters"] in (3, 4)
    assert search.predict(X).shape == (150,)


def test_pickle_and_clone(make, problem):
    X, _, c = problem
    model = make(3, random_state=0).fit(X, c)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert not hasattr(clone(model), "labels_")


def test_read_only_input_stays_as_it_was(make, problem):
    X, _, c = problem
    before = X.copy()
    make(3, random_state=0).fit(X, c)
    assert_array_equal(X, before)


def test_equal_samples(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = make(3, random_state=0).fit(np.ones((6, 2)), cannot_link=[(0, 1)])
    assert np.isfinite(model.cluster_centers_).all()
    assert len(model.cluster_centers_) == 3
    assert set(model.labels_) == set(range(model.n_clusters_))


def test_as_many_clusters_as_samples(make):
    X = np.arange(5.0)[:, None] ** 2
    assert_array_equal(make(5, random_state=0).fit_predict(X), np.arange(5))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 0}, "n_clusters"),
        ({"n_clusters": 7}, "n_clusters=7 must be at most.*n_samples=6"),
        ({"n_init": 0}, "n_init"),
        ({"max_iter": 0}, "max_iter"),
        ({"tol": -1.0}, "tol"),
    ],
)
def test_wrong_parameters(make, parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**{"n_clusters": 2, **parameters}).fit(np.eye(6))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"must_link": [(0, 6)]}, ValueError, "out of range"),
        ({"y": [(0, 1, 1)], "must_link": [(0, 1)]}, ValueError, "carries pairs"),
        ({"y": [0, 1]}, ValueError, "2 labels, but X has 6 samples"),
        ({"must_link": [(0, 1)], "cannot_link": [(1, 0)]}, ValueError, "both must"),
        ({"y": "labels"}, TypeError, "no supervision"),
    ],
)
def test_wrong_supervision(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(2).fit(np.eye(6), **arguments)


def test_wrong_X(make):
    with pytest.raises(TypeError, match="[Ss]parse"):
        make(2).fit(sparse.eye_array(6).tocsr())
    with pytest.raises(ValueError, match="NaN"):
        make(2).fit(np.full((6, 2), np.nan))
