"""Equal rows, fewer of them than clusters; and what a fit leaves behind."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skpairclust import PairwiseConstraints
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans
from skpairclust.cluster import AffinityPropagationK

MODELS = {
    "cop": COPKMeans(random_state=0),
    "pck": PCKMeans(random_state=0),
    "pck++": PCKMeans(init="k-means++", n_init=3, random_state=0),
    "mpck": MPCKMeans(random_state=0),
    "mpck full": MPCKMeans(metric="full", random_state=0),
    "mpck shared": MPCKMeans(shared_metric=True, random_state=0),
}
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def assert_equal_rows_together(X, labels):
    place = {}
    for row, label in zip(np.asarray(X), labels, strict=True):
        assert place.setdefault((row + 0.0).tobytes(), label) == label


@models
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_distinct", [1, 2, 3, 5])
def test_more_clusters_than_distinct_rows(model, n_distinct, dtype):
    rng = np.random.RandomState(n_distinct)
    rows = rng.normal(size=(n_distinct, 3)) * 10 + rng.normal(size=3) * 100
    X = rows[np.arange(61) % n_distinct].astype(dtype)
    model = clone(model).set_params(n_clusters=8)
    match = f"n_clusters=8, but only {n_distinct} clusters are in use"
    with pytest.warns(ConvergenceWarning, match=match):
        model.fit(X)
    assert model.n_clusters_ == n_distinct == len(set(model.labels_))
    assert_equal_rows_together(X, model.labels_)
    assert model.labels_.tolist() == model.predict(X).tolist()
    assert model.cluster_centers_.shape == (8, 3)
    assert np.isfinite(model.cluster_centers_).all()


@models
def test_no_warning_with_as_many_clusters_as_rows(model):
    X = np.repeat(np.random.RandomState(0).normal(size=(4, 2)), 5, axis=0)
    model = clone(model).set_params(n_clusters=4, n_init=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(X)
    assert_equal_rows_together(X, model.labels_)


@models
@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=25
    ),
    n_clusters=st.integers(1, 6),
    max_iter=st.sampled_from([1, 2, 100]),
    scale=st.sampled_from([1.0, 0.1, 1e6]),
)
def test_labels_are_those_of_predict(model, rows, n_clusters, max_iter, scale):
    X = np.array(rows, dtype=float) * scale
    n_clusters = min(n_clusters, len(X))
    model = clone(model).set_params(n_clusters=n_clusters, max_iter=max_iter)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X)
    assert model.labels_.tolist() == model.predict(X).tolist()
    assert_equal_rows_together(X, model.labels_)
    assert model.n_clusters_ == len(set(model.labels_.tolist()))
    assert model.n_clusters_ <= len({*rows})


@models
def test_samples_without_constraints_have_the_labels_of_predict(model):
    rng = np.random.RandomState(0)
    y = np.arange(90) % 3
    X = np.round(rng.normal(size=(90, 2)) + 3 * np.eye(3)[y][:, :2], 1)
    pairs = PairwiseConstraints.sample_from_labels(
        np.where(np.arange(90) < 40, y, -1), 40, random_state=0
    )
    model = clone(model).set_params(n_clusters=3).fit(X, pairs)
    assert model.labels_[40:].tolist() == model.predict(X)[40:].tolist()


@models
def test_equal_rows_that_are_cannot_linked_are_apart(model):
    X = np.ones((6, 2))
    model = clone(model).set_params(n_clusters=2)
    model.set_params(**({"w": 1.0} if hasattr(model, "w") else {}))
    if isinstance(model, COPKMeans):
        model.fit(X, cannot_link=[(0, 1)])
        assert model.labels_[0] != model.labels_[1]
        assert len(set(model.labels_[2:])) == 1
    else:
        with pytest.warns(ConvergenceWarning, match="only 1 clusters are in use"):
            model.fit(X)


# Fits that fail, and fits that follow

X_GOOD = np.random.RandomState(0).normal(size=(30, 3))
BAD_FITS = {
    "y": ((X_GOOD[:, :2], [0, 1]), {}),
    "X": (([["a"]],), {}),
    "NaN": ((np.full((30, 2), np.nan),), {}),
    "few rows": ((X_GOOD[:1, :2],), {}),
    "parameter": ((X_GOOD[:, :2],), {"n_clusters": -1}),
}


@pytest.mark.parametrize("bad", BAD_FITS.values(), ids=BAD_FITS)
@pytest.mark.parametrize(
    "model",
    [COPKMeans(2), PCKMeans(2), MPCKMeans(2), AffinityPropagationK(2)],
    ids=lambda model: type(model).__name__,
)
def test_a_fit_that_fails_changes_nothing(model, bad):
    arguments, params = bad
    model = clone(model).set_params(random_state=0).fit(X_GOOD)
    if isinstance(model, AffinityPropagationK):
        if arguments[0] is BAD_FITS["y"][0][0]:
            pytest.skip("y is ignored")
        arguments = arguments[:1]
    before, labels = dict(vars(model)), model.predict(X_GOOD)
    n_clusters = model.n_clusters
    model.set_params(**params)
    with pytest.raises((ValueError, TypeError)):
        model.fit(*arguments)
    model.n_clusters = n_clusters
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is before[name] for name in before)
    assert model.predict(X_GOOD).tolist() == labels.tolist()
    fresh = clone(model).set_params(**params)
    with pytest.raises((ValueError, TypeError)):
        fresh.fit(*arguments)
    assert not [name for name in vars(fresh) if name.endswith("_")]


def test_attributes_do_not_outlive_a_new_fit():
    model = AffinityPropagationK(3, random_state=0).fit(X_GOOD)
    assert hasattr(model, "cluster_centers_")
    model.set_params(affinity="precomputed").fit(-np.abs(X_GOOD @ X_GOOD.T))
    assert not hasattr(model, "cluster_centers_")
    pck = PCKMeans(2, random_state=0).fit(X_GOOD)
    pck.old_ = 1
    assert not hasattr(pck.fit(X_GOOD), "old_")
