"""Precision at K against sorting all distances, with ties in every order."""

from itertools import permutations

import numpy as np
import pytest

from skpairclust.metrics import precision_at_k, recall_at_k


def naive(X, y, k, gallery=None, gallery_y=None):
    among = gallery is None
    gallery, gallery_y = (X, y) if among else (gallery, gallery_y)
    shares = []
    for i, (x, c) in enumerate(zip(X, y, strict=True)):
        others = [j for j in range(len(gallery)) if not (among and j == i)]
        if not any(gallery_y[j] == c for j in others):
            continue
        d = {j: float(((gallery[j] - x) ** 2).sum()) for j in others}
        near = sorted(others, key=d.get)[:k]
        shares.append(np.mean([gallery_y[j] == c for j in near]))
    return np.mean(shares)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_a_loop(dtype):
    rng = np.random.RandomState(0)
    X, y = rng.randn(80, 6).astype(dtype), rng.randint(9, size=80)
    y[0] = 50  # alone in its class
    ks = [1, 2, 5, 20, 79]
    expected = [naive(X.astype(float), y, k) for k in ks]
    np.testing.assert_allclose(precision_at_k(X, y, ks), expected)
    gallery, gallery_y = rng.randn(33, 6).astype(dtype), rng.randint(7, size=33)
    found = precision_at_k(X, y, 4, X_gallery=gallery, gallery_labels=gallery_y)
    assert found == pytest.approx(
        naive(X.astype(float), y, 4, gallery.astype(float), gallery_y)
    )


def test_is_recall_for_one_neighbor():
    rng = np.random.RandomState(1)
    X, y = rng.randint(3, size=(60, 2)).astype(float), rng.randint(4, size=60)
    assert precision_at_k(X, y) == pytest.approx(recall_at_k(X, y))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_ties_count_as_in_random_order(k):
    X = np.array([[0.0], [1.0], [-1.0], [1.0], [5.0]])
    y = np.array([0, 0, 1, 1, 0])
    scores = []
    for order in permutations(range(len(X))):
        order = list(order)
        scores.append(naive(X[order], y[order], k))
    assert precision_at_k(X, y, k) == pytest.approx(np.mean(scores))


def test_equal_samples_far_from_the_origin_are_tied():
    rng = np.random.RandomState(0)
    X = np.repeat(rng.randn(1, 40) + 1e3, 30, axis=0).astype(np.float32)
    y = np.arange(30) % 3
    assert precision_at_k(X, y, 7) == pytest.approx(9 / 29)


def test_cosine():
    X, y = np.array([[1.0, 0], [9, 1], [0, 1], [1, 9]]), [0, 0, 1, 1]
    assert precision_at_k(X, y, metric="cosine") == 1
    assert precision_at_k(X, y) < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0], [1]], [0, 1]), "no sample has another one of its class"),
        (([[0.0], [1]], [0, 0], 2), "k=2 is more than the 1 samples"),
        (([[0.0], [1]], [0, 0], 0), "k must be integers of at least 1"),
    ],
)
def test_wrong_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        precision_at_k(*arguments)
