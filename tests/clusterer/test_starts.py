"""Starts from structure: groups merged under cannot-links, and k-means."""

import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.datasets import load_digits, make_blobs, make_classification
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer._starts import (
    _ward_costs,
    list_groups,
    merge_groups,
    propose_numbers,
    propose_starts,
    ward,
)
from skpairclust.metrics import clustering_accuracy_score, purity_score


def naive_ward(centers, sizes, apart, n_clusters):
    """Merge the cheapest allowed pair of clusters, from the definition."""
    points = np.repeat(centers, sizes.astype(int), axis=0)
    owner = np.repeat(np.arange(len(sizes)), sizes.astype(int))
    clusters = [{i} for i in range(len(sizes))]

    def spread(groups):
        rows = points[np.isin(owner, list(groups))]
        return ((rows - rows.mean(axis=0)) ** 2).sum()

    while len(clusters) > n_clusters:
        allowed = [
            (spread(a | b) - spread(a) - spread(b), i, j)
            for i, a in enumerate(clusters)
            for j, b in enumerate(clusters[:i])
            if not any(apart[p, q] for p in a for q in b)
        ]
        if not allowed:
            break
        _, i, j = min(allowed)
        clusters[j] |= clusters.pop(i)
    labels = np.empty(len(sizes), dtype=int)
    for number, groups in enumerate(clusters):
        labels[list(groups)] = number
    return labels


@given(st.integers(0, 10_000), st.integers(1, 14), st.integers(1, 4))
def test_ward_merges_what_the_definition_says(seed, n_groups, n_clusters):
    rng = np.random.RandomState(seed)
    centers, sizes = rng.randn(n_groups, 2), rng.randint(1, 4, n_groups).astype(float)
    apart = np.triu(rng.rand(n_groups, n_groups) < 0.3, 1)
    apart = apart | apart.T
    found = ward(centers, sizes, apart.copy(), n_clusters)
    expected = naive_ward(centers, sizes, apart, n_clusters)
    assert adjusted_rand_score(expected, found) == 1
    assert not (apart & (found[:, None] == found)).any()


def test_equal_groups_are_merged_first():
    # All that they add is 0: chains of neighbors must come to an end.
    centers = np.repeat(np.arange(5.0), 8)[:, None]
    found = ward(centers, np.ones(40), np.zeros((40, 40), dtype=bool), 5)
    assert adjusted_rand_score(centers.ravel(), found) == 1


def test_groups_that_are_equally_far_from_each_other_are_merged():
    # Distances differ by rounding, and from here to there otherwise than back.
    centers = np.array(
        [
            [-1.0121735668431437, -0.76586926744051],
            [0.7123206526876678, -0.6042534055803034],
            [-0.2898898991031935, 0.8083944662826948],
        ]
    )
    for n_clusters in (1, 2, 3):
        found = ward(centers, np.ones(3), np.zeros((3, 3), dtype=bool), n_clusters)
        assert len(np.unique(found)) == n_clusters


@given(st.integers(0, 10_000), st.integers(1, 20))
def test_what_a_merge_adds_is_the_same_both_ways(seed, n_groups):
    rng = np.random.RandomState(seed)
    cost = _ward_costs(rng.randn(n_groups, 3), rng.rand(n_groups) + 1)
    np.testing.assert_array_equal(cost, cost.T)


def test_groups_that_are_all_apart_stay_so():
    found = ward(np.zeros((6, 2)), np.ones(6), ~np.eye(6, dtype=bool), 2)
    assert len(np.unique(found)) == 6


def test_without_cannot_links_it_is_the_usual_ward():
    X = np.random.RandomState(0).randn(60, 3)
    none = np.zeros((60, 60), dtype=bool)
    found = ward(X, np.ones(60), none, 7)
    usual = fcluster(linkage(X, "ward"), 7, "maxclust")
    assert adjusted_rand_score(usual, found) == 1


@given(st.integers(0, 10_000), st.integers(1, 60), st.booleans())
def test_groups_keep_all_pairs(seed, n_pairs, closed):
    rng = np.random.RandomState(seed)
    points, y = rng.randn(40, 2), rng.randint(4, size=40)
    pairs = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=seed)
    given_pairs = pairs.closure() if closed else pairs
    nodes = np.arange(40)
    groups = list_groups(nodes, given_pairs)
    labels = merge_groups(points, nodes, groups, given_pairs, 4)
    for pairs_of_kind, same in ((pairs.must_link, True), (pairs.cannot_link, False)):
        a, b = labels[pairs_of_kind].T
        known = (a >= 0) & (b >= 0)
        assert ((a == b) == same)[known].all()
    assert labels.max() < 4
    named = np.zeros(40, dtype=bool)
    named[np.concatenate([pairs.must_link, pairs.cannot_link]).ravel()] = True
    assert (labels[~named] == -1).all()


def test_more_groups_than_clusters_that_exclude_each_other():
    """The largest stay; the others are left to the network."""
    y = np.repeat(np.arange(6), [9, 8, 7, 3, 2, 2])
    X = np.random.RandomState(0).randn(len(y), 2)
    known = PairwiseConstraints.from_labels(y)
    nodes = np.arange(len(y))
    labels = merge_groups(X, nodes, list_groups(nodes, known), known, 3)
    np.testing.assert_array_equal(np.unique(labels), [-1, 0, 1, 2])
    assert (labels[y > 2] == -1).all()
    assert adjusted_rand_score(y[y < 3], labels[y < 3]) == 1


def test_nodes_may_be_some_of_the_samples():
    X, y = make_blobs(300, centers=3, cluster_std=0.3, random_state=0)
    nodes = np.arange(0, 300, 2)
    pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    starts = propose_starts(X[nodes], nodes, pairs, 3, np.random.RandomState(0))
    assert set(starts) == {"groups", "ward", "kmeans"}
    for name, labels in starts.items():
        assert labels.shape == (300,) and (labels[1::2] == -1).all()
        if name != "groups":
            assert (labels[::2] >= 0).all()
        known = labels >= 0
        assert adjusted_rand_score(y[known], labels[known]) == 1


@pytest.mark.parametrize("kind", ["chosen", "random"])
def test_many_clusters_do_not_collapse(kind):
    """Random weights alone reach .71 and .76."""
    X, y = make_classification(
        2400,
        16,
        n_informative=12,
        n_redundant=0,
        n_classes=24,
        n_clusters_per_class=1,
        class_sep=2.5,
        random_state=0,
    )
    X = X.astype(np.float32)
    rng = np.random.RandomState(0)
    if kind == "chosen":
        some = rng.choice(2400, 120, replace=False)
        known = np.full(2400, -1)
        known[some] = y[some]
        pairs = PairwiseConstraints.from_labels(known)
    else:
        pairs = PairwiseConstraints.sample_from_labels(y, 800, random_state=0)
    clusterer = ConstrainedNeuralClusterer(24, max_iter=15, random_state=0)
    clusterer.fit(X, pairs)
    assert clustering_accuracy_score(y, clusterer.labels_) > 0.84
    assert clusterer.start_ == "groups"


def test_many_samples_are_put_into_patches_first():
    X, y = make_blobs(3000, centers=5, cluster_std=0.5, random_state=0)
    nodes = np.arange(3000)
    pairs = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)
    labels = propose_starts(X, nodes, pairs, 5, np.random.RandomState(0))["ward"]
    assert (labels >= 0).all()
    assert adjusted_rand_score(y, labels) > 0.95
    for pairs_of_kind, same in ((pairs.must_link, True), (pairs.cannot_link, False)):
        a, b = labels[pairs_of_kind].T
        assert ((a == b) == same).all()


def test_without_pairs_that_could_be_merged_there_is_kmeans_alone():
    X, y = make_blobs(50, centers=3, random_state=0)
    one = PairwiseConstraints([(0, 1)], [], n_samples=50)
    starts = propose_starts(X, np.arange(50), one, 3, np.random.RandomState(0))
    assert set(starts) == {"ward", "kmeans"}
    none = PairwiseConstraints([], [], n_samples=50)
    starts = propose_starts(X, np.arange(50), none, 3, np.random.RandomState(0))
    assert set(starts) == {"kmeans"}


def test_structure_is_looked_at_where_all_samples_are_in_pairs():
    """Tracks of people, two in a scene: without a start from structure, .79."""
    rng = np.random.default_rng(4)
    people = 2 * rng.normal(size=(4, 6))
    scenes = np.array([rng.permutation(4)[:2] for _ in range(40)])
    looks = people[scenes] + rng.normal(size=(40, 2, 6))
    X = looks[:, :, None] + rng.normal(size=(40, 2, 4, 6))
    scene, track, frame = np.indices(X.shape[:3]).reshape(3, -1)
    pairs = PairwiseConstraints.from_sequences(
        2 * scene + track, times=10 * scene + frame
    )
    X = StandardScaler().fit_transform(X.reshape(-1, 6))
    clusterer = ConstrainedNeuralClusterer(4, random_state=0).fit(X, pairs)
    assert clusterer.start_ != "random"
    assert purity_score(np.repeat(scenes, 4), clusterer.labels_) > 0.9


def test_a_bound_on_the_number_is_tried_with_smaller_ones():
    X, y = make_blobs(300, n_features=4, centers=5, random_state=0)
    pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    rng = np.random.RandomState(0)
    starts = propose_numbers(X, np.arange(300), pairs, 20, rng)
    assert list(starts) == [f"ward {k}" for k in (20, 14, 10, 7, 5, 4)]
    # Cannot-links may keep more groups apart; then there are labels for so many.
    for name, labels in starts.items():
        assert len(np.unique(labels[labels >= 0])) == int(name.split()[1])
    few = propose_numbers(X, np.arange(300), pairs, 3, rng)
    assert list(few) == ["ward 3", "ward 2"]


@pytest.mark.parametrize("seed", range(2))
def test_structure_helps_to_find_the_number_of_clusters(seed):
    """From random weights, .5 to .6 of the ten digits' pairs agreed."""
    X, y = load_digits(return_X_y=True)
    pairs = PairwiseConstraints.sample_from_labels(y, 500, random_state=seed)
    clusterer = ConstrainedNeuralClusterer("auto", random_state=seed)
    clusterer.fit((X / 16).astype(np.float32), pairs)
    assert clusterer.start_ == "ward"
    assert 9 <= clusterer.n_clusters_ <= 15
    assert adjusted_rand_score(y, clusterer.labels_) > 0.75


@pytest.mark.parametrize("grouped", [False, True])
def test_more_groups_that_exclude_each_other_than_clusters_are_named(grouped):
    X, _ = make_blobs(60, n_features=2, centers=3, random_state=0)
    apart = list(combinations(range(5), 2))
    joined = [(i, i + 10) for i in range(5)] if grouped else []
    # A group with many cannot-links, but not among each other, is none of them.
    apart += [(20, i) for i in range(21, 30)]
    clusterer = ConstrainedNeuralClusterer(4, max_iter=1, random_state=0)
    with pytest.warns(UserWarning, match=r"Samples \[0, 1, 2, 3, 4\]") as seen:
        clusterer.fit(X, must_link=joined, cannot_link=apart)
    assert seen[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clusterer.set_params(n_clusters=5).fit(X, cannot_link=apart)


def test_one_cluster_with_a_cannot_link_is_said():
    X, _ = make_blobs(60, n_features=2, centers=3, random_state=0)
    clusterer = ConstrainedNeuralClusterer(1, max_iter=12, random_state=0)
    with pytest.warns(UserWarning, match=r"Samples \[0, 1\] .* n_clusters=2 or more"):
        clusterer.fit(X, cannot_link=[(0, 1)])
    assert clusterer.n_clusters_ == 1
