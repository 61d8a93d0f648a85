"""PCKMeans: the objective, its descent, and what soft constraints do."""

import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import adjusted_rand_score

from skpairclust import PairwiseConstraints
from skpairclust.baselines import PCKMeans
from skpairclust.baselines._descent import PairGraph, descend
from skpairclust.baselines._soft_assignment import seed_neighborhoods
from skpairclust.baselines._soft_pairs import list_soft_pairs
from tests.constraints.oracles import as_dicts, build, constraints, explicit


def naive_objective(X, labels, centers, known, w):
    total = sum(
        ((x - centers[c]) ** 2).sum() / 2 for x, c in zip(X, labels, strict=True)
    )
    must, cannot = as_dicts(known)
    total += w * sum(v for (i, j), v in must.items() if labels[i] != labels[j])
    return total + w * sum(v for (i, j), v in cannot.items() if labels[i] == labels[j])


def naive_cost(unary, labels, graph, cost):
    total = unary[np.arange(len(labels)), labels].sum()
    for e, (i, j) in enumerate(graph.pairs):
        a, b = labels[i], labels[j]
        if e < graph.n_must:
            total += (cost[e, a] + cost[e, b]) if a != b else 0
        elif a == b:
            total += cost[e, a]
    return total


@st.composite
def soft_problems(draw):
    must, cannot, *_, n = draw(explicit())
    seed = draw(st.integers(0, 999))
    rng = np.random.default_rng(seed)
    k = draw(st.integers(2, 4))
    as_pairs = [np.array(p, dtype=int).reshape(-1, 2) for p in (must, cannot)]
    graph = PairGraph.from_pairs(*as_pairs, n)
    cost = rng.exponential(size=(len(graph.pairs), k))
    if draw(st.booleans()):
        cost = np.broadcast_to(cost[:, :1], cost.shape)
    return rng.exponential(size=(n, k)), graph.priced(cost), rng.integers(k, size=n)


@settings(max_examples=150)
@given(soft_problems())
def test_descent_ends_where_no_single_move_helps(problem):
    unary, graph, start = problem
    labels = descend(unary, start, graph)
    cost = naive_cost(unary, labels, graph, graph.cost)
    assert cost <= naive_cost(unary, start, graph, graph.cost) + 1e-9
    for node, label in product(range(graph.n_nodes), range(unary.shape[1])):
        moved = labels.copy()
        moved[node] = label
        assert naive_cost(unary, moved, graph, graph.cost) >= cost - 1e-9


@settings(max_examples=100)
@given(soft_problems())
def test_each_round_lowers_the_cost(problem):
    unary, graph, labels = problem
    costs = [naive_cost(unary, labels, graph, graph.cost)]
    for n_rounds in range(1, 6):
        moved = descend(unary, labels, graph, max_rounds=n_rounds)
        costs.append(naive_cost(unary, moved, graph, graph.cost))
    assert (np.diff(costs) <= 1e-9).all()


@settings(max_examples=80)
@given(constraints(), st.integers(1, 4), st.sampled_from(["auto", 0, 0.5, 100.0]))
def test_objective_is_that_of_the_paper(known, n_clusters, w):
    n_clusters = min(n_clusters, known.n_samples)
    X = np.random.default_rng(0).normal(size=(known.n_samples, 2))
    must, cannot = known.must_link, known.cannot_link
    both = {tuple(p) for p in must.tolist()} & {tuple(p) for p in cannot.tolist()}
    model = PCKMeans(n_clusters, w=w, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if both:
            with pytest.raises(ValueError, match="both must-link and cannot-link"):
                model.fit(X, known)
            return
        model.fit(X, known)
    expected = naive_objective(
        X, model.labels_, model.cluster_centers_, known, model.w_
    )
    assert_allclose(model.objective_, expected, atol=1e-9)


def test_objective_falls_with_iterations(digits):
    X, y = digits
    known = PairwiseConstraints.sample_from_labels(y, 500, noise=0.1, random_state=1)
    values = [
        PCKMeans(10, max_iter=m, tol=0, random_state=0).fit(X, known).objective_
        for m in (1, 2, 3, 5, 8, 20)
    ]
    assert (np.diff(values) <= 1e-9).all()


def test_automatic_price_follows_the_scale(iris):
    X, y = iris
    known = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)
    small, large = (PCKMeans(3, random_state=0).fit(s * X, known) for s in (1, 1e3))
    assert_array_equal(small.labels_, large.labels_)
    assert_allclose(small.w_, X.var(axis=0).sum() / 4)
    assert_allclose(large.w_, 1e6 * small.w_)


def test_weights_of_pairs_decide():
    X = np.array([[0.0], [0.1], [1.0], [1.1]])
    pairs = [[(0, 2)], [(0, 1)]]
    weak = build(*pairs, [0.01], [0.01], 4)
    strong = build(*pairs, [50.0], [50.0], 4)
    assert_array_equal(PCKMeans(2, random_state=0).fit_predict(X, weak), [0, 0, 1, 1])
    labels = PCKMeans(2, random_state=0).fit_predict(X, strong)
    assert labels[0] == labels[2] != labels[1]


def test_contradictions_are_paid_for():
    X = np.array([[0.0], [0.1], [0.2], [5.0]])
    with pytest.warns(UserWarning, match="contradict"):
        labels = PCKMeans(2, random_state=0).fit_predict(
            X, must_link=[(0, 1), (1, 2)], cannot_link=[(0, 2)]
        )
    assert_array_equal(labels, [0, 0, 0, 1])


def test_more_classes_than_clusters():
    X = np.arange(6.0)[:, None]
    labels = PCKMeans(2, w=10, random_state=0).fit_predict(X, [0, 0, 1, 1, 2, 2])
    assert_array_equal(labels[::2], labels[1::2])


def test_neighborhoods_are_the_first_centers(iris):
    X, y = iris
    must = [(0, 1), (1, 2), (50, 51), (100, 101), (3, 4)]
    components = PairwiseConstraints(must, n_samples=150).components()
    rng = np.random.RandomState(0)
    centers = seed_neighborhoods(X, components, 4, rng, largest_first=True)
    expected = [X[[0, 1, 2]], X[[3, 4]], X[[50, 51]], X[[100, 101]]]
    assert_allclose(centers, [rows.mean(axis=0) for rows in expected])
    centers = seed_neighborhoods(X, components, 3, rng, largest_first=True)
    assert_allclose(centers[0], X[:3].mean(axis=0))
    # one of each species: the two of the first are close together
    assert_allclose(
        np.sort(centers[1:, 0]), np.sort([X[50:52, 0].mean(), X[100:102, 0].mean()])
    )
    centers = seed_neighborhoods(X, components, 6, rng, largest_first=True)
    assert len(np.unique(centers, axis=0)) == 6


def test_groups_are_listed_or_drawn():
    rng = np.random.RandomState(0)
    y = rng.randint(3, size=300)
    known = PairwiseConstraints.from_labels(y)
    pairs = list_soft_pairs(known, rng)
    assert_array_equal(pairs.must, known.must_link)
    assert_array_equal(pairs.cannot, known.cannot_link)
    y = rng.randint(3, size=3000)
    for known in (
        PairwiseConstraints.from_labels(y),
        PairwiseConstraints.from_labels(y)
        | PairwiseConstraints([(0, 1)], n_samples=3000)
        if y[0] == y[1]
        else PairwiseConstraints.from_labels(y),
        PairwiseConstraints.from_sequences(y, times=np.zeros(3000)),
    ):
        pairs = list_soft_pairs(known, rng)
        assert len(pairs.must) < 250_000 and len(pairs.cannot) < 250_000
        assert (y[pairs.must[:, 0]] == y[pairs.must[:, 1]]).all()
        assert (y[pairs.cannot[:, 0]] != y[pairs.cannot[:, 1]]).all()
        assert_allclose(pairs.must_weight.sum(), known.n_must_link, rtol=1e-6)
        assert_allclose(pairs.cannot_weight.sum(), known.n_cannot_link, rtol=1e-6)


def test_many_labels():
    n = 20_000
    y = np.arange(n) % 3
    X = np.random.default_rng(0).normal(size=(n, 2)) + 2 * y[:, None]
    assert adjusted_rand_score(y, PCKMeans(3, random_state=0).fit_predict(X, y)) == 1


def test_constraints_help(digits):
    X, y = digits
    known = PairwiseConstraints.sample_from_labels(y, 1000, random_state=0)
    scores = [
        adjusted_rand_score(y, PCKMeans(10, random_state=s).fit(X, c).labels_)
        for c in (known, None)
        for s in range(3)
    ]
    assert np.mean(scores[:3]) > np.mean(scores[3:]) + 0.05


def test_wrong_noise_is_survived(digits):
    X, y = digits
    known = PairwiseConstraints.sample_from_labels(y, 1000, noise=0.1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = PCKMeans(10, random_state=0).fit_predict(X, known)
    plain = adjusted_rand_score(y, PCKMeans(10, random_state=0).fit_predict(X))
    assert adjusted_rand_score(y, labels) > plain - 0.05


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"w": -1.0}, "w"), ({"w": "large"}, "w"), ({"init": "random"}, "init")],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=f"'{message}' parameter"):
        PCKMeans(2, **parameters).fit(np.eye(4))
