"""Scores against classes: closed forms and loops over pairs."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from skpairclust.metrics import (
    clustering_accuracy_score,
    pairwise_f1_score,
    purity_score,
)

LABEL = st.integers(0, 4)
LABELED = st.lists(st.tuples(LABEL, LABEL), min_size=1, max_size=30)
SCORES = [clustering_accuracy_score, pairwise_f1_score, purity_score]


@given(LABELED, LABELED)
def test_matching_of_other_samples_stays_as_it_is(scored, others):
    true, predicted = np.array(scored).T
    other_true, other_predicted = np.array(others).T
    # all one-to-one maps that are best on the others; ties leave several
    maps = list(permutations(range(5)))
    hits = [np.mean(np.array(m)[other_predicted] == other_true) for m in maps]
    known = np.isin(true, other_true) & np.isin(predicted, other_predicted)
    possible = [
        np.mean((np.array(m)[predicted] == true) & known)
        for m, hit in zip(maps, hits, strict=True)
        if hit == max(hits)
    ]
    score = clustering_accuracy_score(
        true, predicted, fitted_on=(other_true, other_predicted)
    )
    assert min(possible) - 1e-9 <= score <= max(possible) + 1e-9
    assert score <= clustering_accuracy_score(true, predicted) + 1e-9


def test_what_the_matching_does_not_know_is_wrong():
    fitted_on = ["a", "b", "b"], [3, 7, 7]
    score = clustering_accuracy_score(
        ["a", "b", "c", "a"], [3, 7, 9, 9], fitted_on=fitted_on
    )
    assert score == 0.5
    # the surplus cluster 4 of the others belongs to no class
    assert clustering_accuracy_score([0], [4], fitted_on=([0, 0, 0], [1, 1, 4])) == 0


@given(LABELED)
def test_purity(pairs):
    true, predicted = np.array(pairs).T
    hits = sum(np.bincount(true[predicted == c]).max() for c in set(predicted))
    assert purity_score(true, predicted) == pytest.approx(hits / len(true))
    assert purity_score(true, predicted) >= clustering_accuracy_score(true, predicted)


@given(LABELED)
def test_pairwise_f1(pairs):
    true, predicted = np.array(pairs).T
    same = {p for p in combinations(range(len(true)), 2) if len(set(true[[*p]])) == 1}
    together = {
        p for p in combinations(range(len(true)), 2) if len(set(predicted[[*p]])) == 1
    }
    total = len(same) + len(together)
    expected = 2 * len(same & together) / total if total else 1.0
    assert pairwise_f1_score(true, predicted) == pytest.approx(expected)


def test_pairs_of_many_samples_are_counted():
    # 10^6 samples in two halves: about 2.5 * 10^11 pairs, above 32 bits
    true = np.arange(1_000_000) % 2
    assert pairwise_f1_score(true, np.zeros(1_000_000)) == pytest.approx(2 / 3)


@pytest.mark.parametrize("score", SCORES)
def test_labels_are_names(score, iris):
    X, y = iris
    labels = KMeans(3, n_init=1, random_state=0).fit_predict(X)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    assert score(names, labels + 5) == score(y, labels) < score(y, names) == 1.0


@pytest.mark.parametrize("score", SCORES)
def test_wrong_labels(score):
    with pytest.raises(ValueError, match="labels_true is empty: a score needs"):
        score([], [])
    with pytest.raises(ValueError, match="inconsistent"):
        score([0, 1], [0, 1, 2])
    with pytest.raises(ValueError, match="labels_true must be one-dimensional"):
        score([[0, 1], [1, 0]], [0, 1])


def test_wrong_reference():
    with pytest.raises(ValueError, match="labels_true is empty in fitted_on"):
        clustering_accuracy_score([0], [0], fitted_on=([], []))
