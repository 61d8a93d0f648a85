"""COPKMeans keeps every constraint, or says that this cannot be done."""

import time
import tracemalloc
import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.utils import check_random_state

from skpairclust import PairwiseConstraints
from skpairclust.baselines import COPKMeans
from skpairclust.baselines._coloring import SearchExhausted, Uncolorable, color_graph
from skpairclust.baselines._descent import PairGraph
from skpairclust.metrics import constraint_accuracy_score
from tests.constraints.oracles import constraints, explicit, naive_components

# average degree at which random graphs stop being k-colorable
HARD_THRESHOLDS = {
    3: 4.687,
    4: 8.901,
    5: 13.669,
    6: 18.88,
    7: 24.455,
    8: 30.335,
    9: 36.49,
    10: 42.93,
}


def all_kept(known, labels):
    must, cannot = known.must_link, known.cannot_link
    return bool(
        (labels[must[:, 0]] == labels[must[:, 1]]).all()
        and (labels[cannot[:, 0]] != labels[cannot[:, 1]]).all()
    )


def naive_assignments(known, n_clusters):
    """All assignments that keep the constraints."""
    component = np.array(naive_components(known.must_link.tolist(), known.n_samples))
    for labels in product(range(n_clusters), repeat=component.max() + 1):
        labels = np.array(labels)[component]
        if all_kept(known, labels):
            yield labels


def naive_inertia(X, labels, weights=None):
    weights = np.ones(len(X)) if weights is None else weights
    total = 0.0
    for label in np.unique(labels):
        own = labels == label
        center = np.average(X[own], axis=0, weights=weights[own])
        total += (weights[own] * ((X[own] - center) ** 2).sum(axis=1)).sum()
    return total


def planted_pairs(n_nodes, n_colors, mean_degree, seed):
    """Cannot-links of a random graph that has a coloring."""
    rng = check_random_state(seed)
    colors = rng.randint(n_colors, size=n_nodes)
    pairs = np.empty((0, 2), dtype=int)
    while len(pairs) < n_nodes * mean_degree / 2:
        drawn = np.sort(rng.randint(n_nodes, size=(n_nodes, 2)), axis=1)
        drawn = drawn[colors[drawn[:, 0]] != colors[drawn[:, 1]]]
        pairs = np.unique(np.concatenate((pairs, drawn)), axis=0)
    return rng.permutation(pairs)[: int(n_nodes * mean_degree / 2)]


@settings(max_examples=150)
@given(constraints(), st.integers(1, 4), st.integers(0, 99))
def test_keeps_all_constraints_or_raises(known, n_clusters, seed):
    n_clusters = min(n_clusters, known.n_samples)
    # few different places, so that samples coincide
    X = np.random.default_rng(seed).integers(3, size=(known.n_samples, 2)).astype(float)
    possible = next(naive_assignments(known, n_clusters), None) is not None
    model = COPKMeans(n_clusters, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if possible:
            model.fit(X, known)
            assert all_kept(known, model.labels_)
            squares = cdist(X, model.cluster_centers_) ** 2
            own = squares[np.arange(len(X)), model.labels_]
            assert_allclose(model.inertia_, own.sum(), atol=1e-9)
            # As `predict` does, `labels_` may put a sample in the middle of two centers
            # with the one that it was not averaged with.
            of_means = naive_inertia(X, model.labels_)
            assert of_means <= model.inertia_ + 1e-9
            if not (np.diff(np.sort(squares)[:, :2]) < 1e-9).any():
                assert_allclose(model.inertia_, of_means, atol=1e-9)
        else:
            with pytest.raises(ValueError):
                model.fit(X, known)


@settings(max_examples=60)
@given(explicit(max_pairs=40), st.integers(2, 4))
def test_coloring_agrees_with_enumeration(drawn, n_colors):
    _, cannot, _, _, n = drawn
    known = PairwiseConstraints([], cannot, n_samples=n)
    pairs = known.cannot_link
    graph = PairGraph.from_pairs(pairs[:0], pairs, n)
    deadline = time.monotonic() + 60
    if next(naive_assignments(known, n_colors), None) is not None:
        colors = color_graph(graph, n_colors, check_random_state(0), deadline)
        assert all_kept(known, colors) and colors.max() < n_colors
        return
    with pytest.raises(Uncolorable) as error:
        color_graph(graph, n_colors, check_random_state(0), deadline)
    clique = error.value.clique
    if clique is not None:
        table = known.to_matrix().toarray()
        assert len(set(clique)) == n_colors + 1
        assert (table[np.ix_(clique, clique)] + np.eye(n_colors + 1) != 0).all()


@pytest.mark.parametrize("seed", range(8))
def test_close_to_the_best_assignment(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(8, 2)), rng.integers(3, size=8)
    known = PairwiseConstraints.sample_from_labels(y, 6, random_state=seed)
    best = min(naive_inertia(X, labels) for labels in naive_assignments(known, 3))
    model = COPKMeans(3, n_init=20, random_state=0).fit(X, known)
    assert model.inertia_ <= 1.05 * best + 1e-9


def test_without_constraints_as_good_as_kmeans():
    X, _ = make_blobs(500, 5, centers=6, cluster_std=2, random_state=0)
    model = COPKMeans(6, n_init=5, random_state=0).fit(X)
    assert_allclose(
        model.inertia_, KMeans(6, n_init=5, random_state=0).fit(X).inertia_, rtol=0.01
    )


def test_constraints_help(digits):
    X, y = digits
    known = PairwiseConstraints.sample_from_labels(y, 1000, random_state=0)
    scores = [
        adjusted_rand_score(y, COPKMeans(10, random_state=s).fit(X, c).labels_)
        for c in (known, None)
        for s in range(3)
    ]
    assert np.mean(scores[:3]) > np.mean(scores[3:]) + 0.05


def test_inertia_falls_with_iterations(digits):
    X, y = digits
    known = PairwiseConstraints.sample_from_labels(y, 800, random_state=1)
    values = []
    for max_iter in (1, 2, 3, 5, 8, 20):
        model = COPKMeans(10, max_iter=max_iter, tol=0, random_state=0).fit(X, known)
        values.append(naive_inertia(X, model.labels_))
    assert (np.diff(values) <= 1e-9 * values[0]).all()


def test_sample_weight_is_repetition():
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(40, 2)), rng.integers(1, 5, size=40)
    must, cannot = [(0, 1), (1, 2)], [(0, 3), (4, 5), (6, 7)]
    model = COPKMeans(3, n_init=10, random_state=0).fit(
        X, sample_weight=weights, must_link=must, cannot_link=cannot
    )
    assert_allclose(model.inertia_, naive_inertia(X, model.labels_, weights))
    first = np.cumsum(weights) - weights
    copies = [(first[i], first[i] + n) for i in range(40) for n in range(1, weights[i])]
    links = [[(first[i], first[j]) for i, j in pairs] for pairs in (must, cannot)]
    repeated = COPKMeans(3, n_init=10, random_state=0).fit(
        X.repeat(weights, axis=0), must_link=links[0] + copies, cannot_link=links[1]
    )
    assert_allclose(model.inertia_, repeated.inertia_, rtol=0.02)


def test_weightless_samples_still_have_constraints():
    X = np.array([[0.0], [0.1], [5.0], [5.1]])
    model = COPKMeans(2, random_state=0).fit(
        X, sample_weight=[1, 0, 0, 1], cannot_link=[(0, 1)], must_link=[(1, 2)]
    )
    assert_array_equal(model.labels_, [0, 1, 1, 1])
    assert_allclose(model.cluster_centers_, [[0.0], [5.1]])
    with pytest.raises(ValueError, match="[Nn]egative"):
        COPKMeans(2).fit(X, sample_weight=[1, -1, 1, 1])


def test_clique_is_named():
    X = np.arange(12.0)[:, None]
    cannot = [(2, 4), (4, 7), (2, 9), (9, 10), (7, 3)]
    with pytest.raises(ValueError, match=r"n_clusters=2 .* the 3 samples \[2, 4, 7\]"):
        COPKMeans(2).fit(X, cannot_link=cannot, must_link=[(3, 2)])


def test_clique_among_classes_is_named_without_listing_pairs():
    n = 200_000
    known = PairwiseConstraints.from_labels(np.arange(n))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"the 4 samples \[0, 1, 2, 3\]"):
        COPKMeans(3).fit(np.zeros((n, 1)), known)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


def test_impossible_without_a_clique():
    # an odd wheel with a long rim needs four colors but has no clique of four
    rim = [(i, (i + 1) % 7) for i in range(7)] + [(i, 7) for i in range(7)]
    with pytest.raises(ValueError, match="every assignment .* violates"):
        COPKMeans(3).fit(np.arange(8.0)[:, None], cannot_link=rim)
    model = COPKMeans(4, random_state=0).fit(np.arange(8.0)[:, None], cannot_link=rim)
    assert len(set(model.labels_)) == 4
    ring = [(i, (i + 1) % 7) for i in range(7)]
    with pytest.raises(ValueError, match="every assignment .* violates"):
        COPKMeans(2).fit(np.arange(8.0)[:, None], cannot_link=ring)


def test_contradiction_is_named():
    with pytest.warns(UserWarning), pytest.raises(ValueError, match=r"\(0, 2\)"):
        COPKMeans(2).fit(np.eye(4), must_link=[(0, 1), (1, 2)], cannot_link=[(0, 2)])


def test_one_cluster():
    with pytest.raises(ValueError, match=r"n_clusters=1 .* samples \[1, 3\]"):
        COPKMeans(1).fit(np.eye(4), cannot_link=[(3, 1)])
    assert_array_equal(COPKMeans(1).fit_predict(np.eye(4)), np.zeros(4))


def test_more_classes_than_clusters():
    y = np.array([0, 0, 1, 1, 2, 2, -1])
    X = np.array([0.0, 0.1, 5.0, 5.1, 5.2, 5.3, 0.2])[:, None]
    with pytest.warns(UserWarning, match="3 classes, but n_clusters=2.*from_labels"):
        labels = COPKMeans(2, random_state=0).fit_predict(X, y)
    assert_array_equal(labels, [0, 0, 1, 1, 1, 1, 0])
    with pytest.raises(ValueError, match="must all be in different clusters"):
        COPKMeans(2).fit(X, PairwiseConstraints.from_labels(y))


def test_fewer_components_than_clusters():
    X = np.array([[0.0], [1.0], [5.0], [6.0]])
    model = COPKMeans(3, random_state=0)
    with pytest.warns(ConvergenceWarning, match="only 2 clusters"):
        model.fit(X, must_link=[(0, 1), (2, 3)])
    assert_allclose(model.cluster_centers_, [[0.5], [5.5], [0.5]])
    assert_array_equal(model.predict(X), [0, 0, 1, 1])


def test_groups_with_listed_cannot_links():
    ids, times = np.repeat(np.arange(6), 5), np.tile(np.arange(5), 6)
    known = PairwiseConstraints.from_sequences(ids, times=times)
    X = np.random.default_rng(0).normal(size=(30, 2))
    assert all_kept(known, COPKMeans(6, random_state=0).fit(X, known).labels_)
    with pytest.raises(ValueError, match="6"):
        COPKMeans(5, random_state=0).fit(X, known)


@pytest.mark.parametrize("n_colors", sorted(HARD_THRESHOLDS))
def test_planted_coloring_is_found(n_colors):
    n = 200
    pairs = planted_pairs(n, n_colors, 0.8 * HARD_THRESHOLDS[n_colors], n_colors)
    known = PairwiseConstraints([], pairs, n_samples=n)
    X = np.random.default_rng(0).normal(size=(n, 3))
    model = COPKMeans(n_colors, max_iter=5, random_state=0).fit(X, known)
    assert all_kept(known, model.labels_)


def test_search_ends_in_time():
    # beyond the threshold, planted, and far too little time
    pairs = planted_pairs(2000, 8, 28, 0)
    X = np.random.default_rng(0).normal(size=(2000, 2))
    start = time.perf_counter()
    with pytest.raises(RuntimeError, match="max_search_time=0.05 s"):
        COPKMeans(8, max_search_time=0.05, random_state=0).fit(X, cannot_link=pairs)
    assert time.perf_counter() - start < 10
    graph = PairGraph.from_pairs(pairs[:0], pairs, 2000)
    with pytest.raises(SearchExhausted):
        color_graph(graph, 8, check_random_state(0), time.monotonic())


def test_chains_are_not_recursive():
    n = 100_000
    chain = np.column_stack((np.arange(n - 1), np.arange(1, n)))
    X = np.random.default_rng(0).normal(size=(n, 2))
    with pytest.warns(ConvergenceWarning):
        model = COPKMeans(3, random_state=0).fit(X, must_link=chain)
    assert model.n_clusters_ == 1
    model = COPKMeans(2, random_state=0).fit(X, cannot_link=chain)
    assert (np.diff(model.labels_) != 0).all()
    model = COPKMeans(3, max_iter=3, random_state=0).fit(X, cannot_link=chain)
    assert (np.diff(model.labels_) != 0).all()


def test_labels_of_many_samples():
    n = 100_000
    y = np.arange(n) % 4
    X = np.random.default_rng(0).normal(size=(n, 3)) + y[:, None]
    known = np.where(np.arange(n) % 2 == 0, y, -1)
    model = COPKMeans(4, random_state=0).fit(X, known)
    assert (
        constraint_accuracy_score(PairwiseConstraints.from_labels(known), model.labels_)
        == 1
    )


@pytest.mark.slow
@pytest.mark.parametrize("n_colors", sorted(HARD_THRESHOLDS))
@pytest.mark.parametrize("seed", range(3))
def test_large_planted_coloring_is_found(n_colors, seed):
    n = 1000
    pairs = planted_pairs(n, n_colors, 0.8 * HARD_THRESHOLDS[n_colors], seed)
    known = PairwiseConstraints([], pairs, n_samples=n)
    X = np.random.default_rng(seed).normal(size=(n, 3))
    model = COPKMeans(n_colors, max_iter=10, random_state=0).fit(X, known)
    assert all_kept(known, model.labels_)


@pytest.mark.slow
def test_chain_of_a_million_must_links():
    n = 1_000_000
    chain = np.column_stack((np.arange(n - 1), np.arange(1, n)))
    with pytest.warns(ConvergenceWarning):
        model = COPKMeans(2, random_state=0).fit(np.zeros((n, 1)), must_link=chain)
    assert model.n_clusters_ == 1


@pytest.mark.slow
def test_memory_of_a_million_samples():
    rng = np.random.default_rng(0)
    y = rng.integers(20, size=1_000_000)
    X = rng.uniform(-10, 10, size=(20, 20))[y]
    X += rng.normal(scale=3, size=X.shape)
    known = PairwiseConstraints.sample_from_labels(y, 100_000, random_state=0)
    tracemalloc.start()
    model = COPKMeans(20, max_iter=3, random_state=0).fit(X, known)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * X.nbytes
    assert all_kept(known, model.labels_)


@pytest.mark.parametrize("scale", [2.0**-30, 2.0**30])
def test_scale_of_the_data_does_not_matter(digits, scale):
    X, y = digits
    known = PairwiseConstraints.sample_from_labels(y, 500, random_state=0)
    expected = COPKMeans(10, random_state=0).fit(X, known)
    model = COPKMeans(10, random_state=0).fit(scale * X, known)
    assert_array_equal(model.labels_, expected.labels_)
    assert_allclose(model.inertia_, scale**2 * expected.inertia_)
