"""AffinityPropagationK: the number of clusters, and what it says when it misses."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.cluster import AffinityPropagation
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, euclidean_distances
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpairclust.cluster import AffinityPropagationK


@pytest.fixture(scope="module")
def blobs():
    centers = [[x, y] for x in (0, 8, 17) for y in (0, 9)]
    return make_blobs(120, 2, centers=centers, random_state=0)


@pytest.mark.parametrize("k", [2, 3, 6, 12, 40])
def test_reaches_the_number(blobs, k):
    X, _ = blobs
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = AffinityPropagationK(k, random_state=0).fit(X)
    assert model.n_clusters_ == k == len(model.cluster_centers_indices_)
    assert_array_equal(np.unique(model.labels_), np.arange(k))
    assert model.converged_ and model.runs_[model.preference_] == k
    # each exemplar is in its own cluster
    assert_array_equal(model.labels_[model.cluster_centers_indices_], np.arange(k))
    assert_array_equal(model.cluster_centers_, X[model.cluster_centers_indices_])


def test_finds_the_blobs(blobs):
    X, y = blobs
    labels = AffinityPropagationK(6, random_state=0).fit_predict(X)
    assert adjusted_rand_score(y, labels) == 1.0


def test_is_affinity_propagation_with_the_preference_it_names(blobs):
    X, _ = blobs
    model = AffinityPropagationK(12, random_state=0).fit(X)
    plain = AffinityPropagation(
        preference=model.preference_,
        damping=0.8,
        max_iter=500,
        convergence_iter=50,
        random_state=0,
    ).fit(X)
    assert_array_equal(plain.labels_, model.labels_)
    assert_array_equal(plain.predict(X + 0.1), model.predict(X + 0.1))


def test_one_cluster_is_centered_at_the_medoid(blobs):
    X, _ = blobs
    model = AffinityPropagationK(1).fit(X)
    costs = euclidean_distances(X, squared=True).sum(axis=0)
    assert model.cluster_centers_indices_.tolist() == [costs.argmin()]
    assert not model.labels_.any() and np.isnan(model.preference_)


def test_a_cluster_for_every_sample(blobs):
    X, _ = blobs
    model = AffinityPropagationK(len(X)).fit(X)
    assert_array_equal(model.labels_, np.arange(len(X)))
    assert_array_equal(model.predict(X), np.arange(len(X)))


def test_says_how_close_it_came():
    # with equal similarities nothing speaks for a second exemplar
    model = AffinityPropagationK(2, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"n_clusters=2 was not reached.* is 1"):
        model.fit(np.ones((5, 2)))
    assert model.n_clusters_ == 1 and set(model.runs_.values()) == {1}
    assert len(model.runs_) <= model.max_runs


def test_max_runs_bounds_the_search(blobs):
    X, _ = blobs
    with pytest.warns(ConvergenceWarning, match="with 1 preferences"):
        model = AffinityPropagationK(47, max_runs=1, random_state=0).fit(X)
    assert len(model.runs_) == 1


def test_says_that_it_has_not_converged(blobs):
    X, _ = blobs
    model = AffinityPropagationK(6, max_iter=3, max_runs=2, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(X)
    assert not model.converged_
    # the messages of so few iterations name no exemplar, or hardly any
    assert model.labels_.min() == 0 and model.n_clusters_ >= 1
    assert model.predict(X).max() < model.n_clusters_


def test_equal_samples():
    for k in (1, 2, 5):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = AffinityPropagationK(k, random_state=0).fit(np.ones((5, 2)))
        assert 1 <= model.n_clusters_ <= 5
        assert set(model.labels_) == set(range(model.n_clusters_))


def test_precomputed_similarities(blobs):
    X, _ = blobs
    S = -euclidean_distances(X, squared=True)
    before = S.copy()
    model = AffinityPropagationK(6, affinity="precomputed", random_state=0).fit(S)
    expected = AffinityPropagationK(6, random_state=0).fit(X)
    assert_array_equal(model.labels_, expected.labels_)
    assert_array_equal(S, before)
    assert not hasattr(model, "cluster_centers_")
    with pytest.raises(ValueError, match="predict needs exemplars"):
        model.predict(S)


def test_similarities_need_no_distance():
    # positive, asymmetric and of another scale; the diagonal plays no part
    rng = np.random.default_rng(0)
    S = rng.random((40, 40)) + 5 * (np.arange(40)[:, None] % 4 == np.arange(40) % 4)
    np.fill_diagonal(S, 1e6)
    model = AffinityPropagationK(4, affinity="precomputed", random_state=0).fit(S)
    assert adjusted_rand_score(np.arange(40) % 4, model.labels_) == 1.0
    one = AffinityPropagationK(1, affinity="precomputed").fit(S)
    np.fill_diagonal(S, 0)
    assert one.cluster_centers_indices_.tolist() == [S.sum(axis=0).argmax()]


def test_sparse_single_precision_and_scale(blobs):
    X, _ = blobs
    expected = AffinityPropagationK(6, random_state=0).fit(X)
    for other in (sparse.csr_array(X), X.astype(np.float32), 1e3 * X, X - 1e3):
        model = AffinityPropagationK(6, random_state=0).fit(other)
        assert_array_equal(model.labels_, expected.labels_)
        assert_array_equal(model.predict(other), expected.predict(X))


def test_pickle_and_pipeline(iris):
    X, _ = iris
    pipeline = make_pipeline(StandardScaler(), AffinityPropagationK(3, random_state=0))
    labels = pipeline.fit_predict(X)
    copy = pickle.loads(pickle.dumps(pipeline))
    assert_array_equal(copy.predict(X), pipeline.predict(X))
    assert len(set(labels)) == 3
    assert_allclose(copy[-1].cluster_centers_, pipeline[-1].cluster_centers_)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 0}, "n_clusters"),
        ({"n_clusters": 7}, "n_clusters=7 must be at most.*n_samples=6"),
        ({"damping": 0.4}, "damping"),
        ({"max_runs": 0}, "max_runs"),
        ({"affinity": "cosine"}, "affinity"),
        ({"affinity": "precomputed"}, "similarities form a square matrix"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        AffinityPropagationK(**{"n_clusters": 2, **parameters}).fit(np.ones((6, 2)))
