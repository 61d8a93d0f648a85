"""The metric that must-links teach: which samples are near, and where it gives way."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.metrics import pairwise_distances, roc_auc_score
from sklearn.neighbors import NearestNeighbors

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer import _metric
from skpairclust.clusterer._metric import learn_metric
from skpairclust.clusterer._task import make_task


def draw_bands(n_samples=400, scale=20.0):
    """Draw two classes that one direction tells apart, and others vary along much."""
    rng = np.random.RandomState(0)
    y = np.arange(n_samples) % 2
    X = rng.normal(size=(n_samples, 4)) * [1, scale, scale, scale]
    X[:, 0] += 6 * y
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    return (X @ rotation).astype(np.float32), y


def learn(X, constraints, seed=0):
    place = np.arange(len(X))
    return learn_metric(X, place, constraints, np.random.RandomState(seed))


def share_of_same_neighbors(points, y):
    near = NearestNeighbors(n_neighbors=5).fit(points).kneighbors(return_distance=False)
    return (y[near] == y[:, None]).mean()


def test_the_area_is_that_of_scikit_learn():
    rng = np.random.RandomState(0)
    # Some are equal, of one kind or of both.
    low, high = rng.randint(20, size=50) / 1.0, rng.randint(10, 30, size=70) / 1.0
    expected = roc_auc_score(
        np.repeat([False, True], [len(low), len(high)]), np.concatenate([low, high])
    )
    assert _metric._area(low, high) == pytest.approx(expected, rel=1e-12)


def test_neighbors_share_the_class_where_must_links_say_what_varies():
    X, y = draw_bands()
    pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    assert share_of_same_neighbors(X, y) < 0.7
    assert share_of_same_neighbors(learn(X, pairs), y) > 0.95


def test_distances_are_those_of_the_shrunk_covariance_from_the_definition():
    X, y = draw_bands()
    pairs = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)
    d = X[pairs.must_link[:, 0]].astype(float) - X[pairs.must_link[:, 1]]
    covariance = sum(np.outer(v, v) for v in d) / (2 * len(d))
    learned = pairwise_distances(learn(X, pairs)[:20].astype(float))
    expected = []
    for share in _metric._SHARES:
        mixed = (1 - share) * covariance + share * X.var(axis=0).mean() * np.eye(4)
        inverse = np.linalg.inv(mixed)
        expected.append([[mahalanobis(a, b, inverse) for b in X[:20]] for a in X[:20]])
    errors = [np.abs(learned - distances).max() for distances in expected]
    assert min(errors) < 1e-3 * learned.max()


def test_the_share_is_that_of_the_best_area_of_pairs_left_out():
    X, y = draw_bands(scale=3.0)
    pairs = PairwiseConstraints.sample_from_labels(y, 80, random_state=1)
    near = _metric._subtract(X, pairs.must_link)
    far = _metric._subtract(X, pairs.cannot_link)
    fold = _metric._deal(pairs.components()[pairs.must_link[:, 0]], np.random)
    for share in (1.0, 0.4):
        areas, counts = [], []
        for number in np.unique(fold):
            kept, left = near[fold != number], near[fold == number]
            mixed = (1 - share) * kept.T @ kept / len(kept) + share * 2.0 * np.eye(4)
            inverse = np.linalg.inv(mixed)
            distances = [v @ inverse @ v for v in [*left, *far]]
            is_far = [0] * len(left) + [1] * len(far)
            areas.append(roc_auc_score(is_far, distances))
            counts.append(len(left))
        expected = np.average(areas, weights=counts)
        assert _metric._score(share, 2.0, near, far, fold) == pytest.approx(expected)


def test_must_links_of_a_group_are_left_out_together():
    group = np.repeat([7, 3, 9, 11, 2, 5], [4, 1, 1, 5, 2, 1])
    fold = _metric._deal(group, np.random.RandomState(0))
    assert all(len(set(fold[group == name])) == 1 for name in set(group))
    assert set(fold) == {0, 1, 2, 3, 4}


def test_points_stay_as_they_are_where_whitening_would_mix_classes():
    """Noise in as many directions as there are, and classes far apart in the first."""
    rng = np.random.RandomState(0)
    y = np.arange(300) % 3
    X = rng.normal(size=(300, 30)).astype(np.float32) * 0.3
    X[:, :2] += 8 * np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32)[y]
    pairs = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)
    points = learn(X, pairs)
    assert share_of_same_neighbors(points, y) == 1
    # All areas are 1: a tie.
    assert points is X


@pytest.mark.parametrize(
    "pairs",
    [
        PairwiseConstraints(must_link=[(0, 2), (4, 6)], n_samples=40),
        PairwiseConstraints(cannot_link=[(0, 1), (2, 3)], n_samples=40),
        PairwiseConstraints(must_link=[(0, 2)], cannot_link=[(0, 1)], n_samples=40),
        PairwiseConstraints.from_labels(np.where(np.arange(40) < 9, 0, -1)),
    ],
    ids=["no cannot-link", "no must-link", "one group", "one class"],
)
def test_nothing_is_learned_without_something_to_leave_out(pairs):
    X = np.random.RandomState(0).normal(size=(40, 3)).astype(np.float32)
    assert learn(X, pairs) is X


def test_equal_rows_and_constant_columns_give_finite_points():
    y = np.arange(60) % 2
    pairs = PairwiseConstraints.sample_from_labels(y, 40, random_state=0)
    same = np.ones((60, 3), dtype=np.float32)
    assert learn(same, pairs) is same
    rng = np.random.RandomState(0)
    X = np.column_stack([y + 0.1 * rng.normal(size=60), np.zeros(60), np.full(60, 9e5)])
    X = np.column_stack([X, 50 * rng.normal(size=60)]).astype(np.float32)
    points = learn(X, pairs)
    assert np.isfinite(points).all()
    assert share_of_same_neighbors(points, y) > share_of_same_neighbors(X, y)


def test_pairs_without_points_are_passed_over():
    X, y = draw_bands()
    pairs = PairwiseConstraints.sample_from_labels(y, 200, random_state=0)
    place = np.where(np.arange(400) < 200, np.arange(400), -1)
    points = learn_metric(X[:200], place, pairs, np.random.RandomState(0))
    inside = pairs[np.arange(200)]
    expected = learn(X[:200], inside)
    np.testing.assert_allclose(points, expected, rtol=1e-5)


def test_many_pairs_and_labels_are_drawn_from(monkeypatch):
    monkeypatch.setattr(_metric, "_MOST_PAIRS", 150)
    X, y = draw_bands()
    for known in (
        PairwiseConstraints.from_labels(y),
        PairwiseConstraints.sample_from_labels(y, 2000, random_state=0),
    ):
        seen = [
            _metric._draw_pairs(known, kind, np.arange(400), np.random.RandomState(0))
            for kind in ("must_link", "cannot_link")
        ]
        assert [len(pairs) for pairs in seen] == [150, 150]
        assert share_of_same_neighbors(learn(X, known), y) > 0.95


def test_starts_and_walks_are_in_the_learned_metric():
    X, y = draw_bands()
    pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    params = ConstrainedNeuralClusterer(2)
    task = make_task(params, X, pairs, None, np.random.RandomState(0))
    assert (y[task.walk.neighbors] == y[:, None]).mean() > 0.95
    assert share_of_same_neighbors(task.walk.points, y) > 0.95
    for name in ("groups", "ward"):
        labels = task.starts[name]
        share = (labels == y)[labels >= 0].mean()
        assert max(share, 1 - share) > 0.9


def test_the_clusterer_finds_what_k_means_cannot_see():
    X, y = draw_bands(800)
    pairs = PairwiseConstraints.sample_from_labels(y[:400], 60, random_state=0)
    model = ConstrainedNeuralClusterer(2, random_state=0).fit(X[:400], pairs)
    share = (model.predict(X[400:]) == y[400:]).mean()
    assert max(share, 1 - share) > 0.85
