"""MPCKMeans: the objective, the metrics, and the search for far-apart samples."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

from skpairclust import PairwiseConstraints
from skpairclust.baselines import MPCKMeans
from skpairclust.baselines._metrics import (
    distances_to_centers,
    farthest_gaps,
    invert,
    log_determinants,
    own_squared_lengths,
    squared_lengths,
)
from skpairclust.baselines._soft_assignment import SoftAssigner
from skpairclust.baselines._soft_pairs import list_soft_pairs
from skpairclust.baselines.mpckmeans import _estimate, _prices, _Problem
from tests.constraints.oracles import as_dicts, explicit

KINDS = [(full, shared) for full in (False, True) for shared in (False, True)]


def as_matrices(metrics):
    return np.stack([np.diag(m) if m.ndim == 1 else m for m in metrics])


def random_metrics(rng, k, d, is_full):
    roots = rng.normal(size=(k, d, d))
    matrices = roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(d)
    return matrices if is_full else np.diagonal(matrices, axis1=1, axis2=2).copy()


def naive_objective(X, labels, centers, metrics, known, w, extents):
    A = as_matrices(metrics)
    total = 0.0
    for x, c in zip(X, labels, strict=True):
        total += (x - centers[c]) @ A[c] @ (x - centers[c])
        total -= np.log(np.linalg.det(A[c]))
    must, cannot = as_dicts(known)
    for (i, j), v in must.items():
        a, b, gap = labels[i], labels[j], X[i] - X[j]
        if a != b:
            total += w * v * (gap @ A[a] @ gap + gap @ A[b] @ gap) / 2
    for (i, j), v in cannot.items():
        a, gap = labels[i], X[i] - X[j]
        if a == labels[j]:
            total += w * v * (extents[a] @ A[a] @ extents[a] - gap @ A[a] @ gap)
    return total


def naive_scatters(X, labels, centers, known, w, extents):
    """The matrices whose inverses are the metrics, but for the regularization."""
    k, d = centers.shape
    S = np.zeros((k, d, d))
    for x, c in zip(X, labels, strict=True):
        S[c] += np.outer(x - centers[c], x - centers[c])
    must, cannot = as_dicts(known)
    for (i, j), v in must.items():
        gap = X[i] - X[j]
        if labels[i] != labels[j]:
            for c in (labels[i], labels[j]):
                S[c] += w * v * np.outer(gap, gap) / 2
    for (i, j), v in cannot.items():
        c, gap = labels[i], X[i] - X[j]
        if c == labels[j]:
            far = extents[c]
            S[c] += w * v * (np.outer(far, far) - np.outer(gap, gap))
    return S


@st.composite
def problems(draw):
    must, cannot, *_, n = draw(explicit())
    must = [pair for pair in must if {*pair} not in map(set, cannot)]
    known = PairwiseConstraints(must, cannot, n_samples=n)
    is_full, is_shared = draw(st.sampled_from(KINDS))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    k = 3
    X, labels = rng.normal(size=(n, 2)), rng.integers(k, size=n)
    pairs = list_soft_pairs(known, np.random.RandomState(0))
    problem = _Problem(X, SoftAssigner(pairs, known), 0.7, 0.1, is_full, is_shared)
    metrics = random_metrics(rng, k, 2, is_full)
    if is_shared:
        metrics = np.stack([metrics[0]] * k)
    return problem, known, metrics, labels, rng.normal(size=(k, 2))


def gaps_of(problem):
    pairs = problem.assigner.nodes[problem.assigner.graph.pairs]
    return problem.points[pairs[:, 0]] - problem.points[pairs[:, 1]]


@settings(max_examples=100)
@given(problems())
def test_costs_are_those_of_the_paper(drawn):
    problem, known, metrics, labels, centers = drawn
    X, assigner = problem.points, problem.assigner
    cost, extents = _prices(problem, gaps_of(problem), metrics)
    assert (cost >= -1e-12).all()
    unary = distances_to_centers(X, centers, metrics) - log_determinants(metrics)
    total = unary[np.arange(len(X)), labels].sum()
    total += assigner.violation_cost(cost, labels[assigner.nodes])
    expected = naive_objective(X, labels, centers, metrics, known, 0.7, extents)
    assert_allclose(total, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=100)
@given(problems())
def test_metrics_are_those_of_the_paper(drawn):
    problem, known, metrics, labels, centers = drawn
    X, k = problem.points, len(centers)
    totals = np.bincount(labels, minlength=k).astype(float)
    gaps = gaps_of(problem)
    extents = _prices(problem, gaps, metrics)[1]
    result = as_matrices(_estimate(problem, gaps, extents, labels, centers, totals))
    S = naive_scatters(X, labels, centers, known, 0.7, extents)
    within = sum(((x - centers[c]) ** 2).sum() for x, c in zip(X, labels, strict=True))
    ridge = 0.1 * within / X.size
    if problem.is_shared:
        S, totals = np.stack([S.sum(axis=0)] * k), np.full(k, totals.sum())
    for S_h, n_h, A in zip(S, totals, result, strict=True):
        S_h = S_h / max(n_h, 1)
        if not problem.is_full:
            expected = np.diag(1 / (np.maximum(np.diag(S_h), 0) + ridge))
        else:
            values, vectors = np.linalg.eigh(S_h)
            inverse = 1 / (np.maximum(values, 0) + ridge)
            expected = vectors @ np.diag(inverse) @ vectors.T
        assert_allclose(A, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("is_full", [False, True])
def test_distances(is_full):
    rng = np.random.default_rng(0)
    X, centers = rng.normal(size=(50, 4)), rng.normal(size=(3, 4))
    metrics = random_metrics(rng, 3, 4, is_full)
    A = as_matrices(metrics)
    expected = np.column_stack(
        [cdist(X, centers[[c]], "mahalanobis", VI=A[c])[:, 0] ** 2 for c in range(3)]
    )
    assert_allclose(distances_to_centers(X, centers, metrics), expected)
    gaps = X[:10] - X[10:20]
    expected = np.einsum("mi,kij,mj->mk", gaps, A, gaps)
    assert_allclose(squared_lengths(gaps, metrics), expected)
    assert_allclose(own_squared_lengths(gaps[:3], metrics), np.diag(expected))
    assert_allclose(log_determinants(metrics), np.log(np.linalg.det(A)))


@pytest.mark.parametrize("is_full", [False, True])
def test_far_apart_samples(is_full):
    rng = np.random.default_rng(0)
    for _ in range(20):
        X, metrics = rng.normal(size=(80, 3)), random_metrics(rng, 2, 3, is_full)
        gaps = farthest_gaps(X, metrics)
        for gap, A in zip(gaps, as_matrices(metrics), strict=True):
            longest = cdist(X, X, "mahalanobis", VI=A).max()
            assert longest / 2 <= np.sqrt(gap @ A @ gap) <= longest + 1e-9
    assert not farthest_gaps(np.zeros((5, 3)), metrics).any()


def test_negative_scatter_counts_as_none():
    metrics = invert(np.array([[-1.0, 3.0]]), np.ones(1), 0.5)
    assert_allclose(metrics, [[2.0, 1 / 3.5]])
    full = invert(np.diag([-1.0, 3.0])[None], np.ones(1), 0.5)
    assert_allclose(full, [np.diag([2.0, 1 / 3.5])], atol=1e-12)


@pytest.mark.parametrize(("is_full", "is_shared"), KINDS)
def test_noise_features_are_learned_away(is_full, is_shared):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 60)
    X = np.column_stack((y + 0.1 * rng.normal(size=120), 2 * rng.normal(size=120)))
    known = PairwiseConstraints.sample_from_labels(y, 150, random_state=0)
    metric = "full" if is_full else "diagonal"
    model = MPCKMeans(2, metric=metric, shared_metric=is_shared, random_state=0)
    model.fit(X, known)
    assert adjusted_rand_score(y, model.predict(X)) == 1
    assert model.metrics_.shape == (2, 2, 2)[: 3 if is_full else 2]
    A = as_matrices(model.metrics_)
    assert (A[:, 0, 0] > 3 * A[:, 1, 1]).all()
    assert_array_equal(A[0], A[1]) if is_shared else None
    gap = np.abs(model.transform(X)[np.arange(120), model.labels_])
    expected = [
        np.sqrt((x - m) @ A[c] @ (x - m))
        for x, c in zip(X, model.labels_, strict=True)
        for m in [model.cluster_centers_[c]]
    ]
    assert_allclose(gap, expected, rtol=1e-6)


def test_scale_of_the_data_does_not_matter(iris):
    X, y = iris
    known = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)
    small, large = (MPCKMeans(3, random_state=0).fit(s * X, known) for s in (1, 1e4))
    assert adjusted_rand_score(small.labels_, large.labels_) > 0.9


def test_price_decides(iris):
    X, y = iris
    known = PairwiseConstraints.sample_from_labels(y, 80, random_state=0)

    def n_violated(w):
        labels = MPCKMeans(3, w=w, random_state=0).fit(X, known).labels_
        return (
            labels[known.must_link[:, 0]] != labels[known.must_link[:, 1]]
        ).sum() + (
            labels[known.cannot_link[:, 0]] == labels[known.cannot_link[:, 1]]
        ).sum()

    assert n_violated(10.0) <= n_violated(0.0)
    assert n_violated(10.0) == 0


def test_contradictions_are_paid_for():
    X = np.array([[0.0, 0.0], [0.1, 0.0], [0.2, 0.1], [5.0, 5.0], [5.1, 5.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = MPCKMeans(2, random_state=0).fit(
            X, must_link=[(0, 1), (1, 2)], cannot_link=[(0, 2)]
        )
    assert np.isfinite(model.metrics_).all() and np.isfinite(model.objective_)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"metric": "cosine"}, "metric"),
        ({"shared_metric": "no"}, "shared_metric"),
        ({"w": -1.0}, "w"),
        ({"regularization": 0.0}, "regularization"),
        ({"init": "random"}, "init"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=f"'{message}' parameter"):
        MPCKMeans(2, **parameters).fit(np.eye(4))
