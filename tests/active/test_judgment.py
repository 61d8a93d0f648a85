"""Answers are judged by the others: against sums over all cases, and planted errors."""

from itertools import product

import numpy as np
import pytest

from skpairclust.active import ActivePairLearner
from skpairclust.active._answers import count_votes
from skpairclust.active._groups_view import distances
from skpairclust.active._judgment import _PENALTY, Judge, LeaveOneOut, propagate
from skpairclust.baselines import PCKMeans
from tests.active.oracles import answer, make_blobs


def enumerate_clusters(prior, pairs, lead, wrong):
    """Return what `propagate` does, by a sum over the clusters of all samples."""
    n, n_clusters = prior.shape
    same, total = np.zeros(len(pairs)), np.zeros(len(pairs))
    clusters = np.zeros((n, n_clusters))
    for labels in map(np.array, product(range(n_clusters), repeat=n)):
        weight = np.exp(prior[np.arange(n), labels].sum())
        is_same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
        odds = ((1 - wrong) / wrong) ** np.where(is_same, lead, -lead)
        factor = odds / (1 + odds)
        without = weight * factor.prod() / factor
        same += without * is_same
        total += without
        clusters[np.arange(n), labels] += weight * factor.prod()
    return same / total, clusters / clusters.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(4))
def test_beliefs_are_exact_along_a_tree(seed):
    rng = np.random.RandomState(seed)
    pairs = np.array([(0, 1), (1, 2), (1, 3), (3, 4)])
    lead = rng.randint(-2, 3, size=4)
    prior = np.log(rng.dirichlet(np.ones(3), size=5))
    same, clusters = propagate(prior, pairs, lead, wrong=0.2)
    expected = enumerate_clusters(prior, pairs, lead, 0.2)
    np.testing.assert_allclose(same, expected[0], atol=1e-3)
    np.testing.assert_allclose(clusters, expected[1], atol=1e-3)


def test_each_point_is_left_out_of_its_own_prediction():
    rng = np.random.RandomState(0)
    points, values = rng.standard_normal((12, 3)), rng.standard_normal((12, 2))
    found = LeaveOneOut(points).predict(values)
    gaps = distances(points, points)
    width = (np.sort(gaps, axis=1)[:, 1:6] ** 2).mean()
    kernel = np.exp(-(gaps**2) / (2 * width))
    for i in range(12):
        kept = np.delete(np.arange(12), i)
        inner = kernel[kept].T @ kernel[kept] + _PENALTY * kernel
        weights = np.linalg.solve(inner, kernel[kept].T @ values[kept])
        np.testing.assert_allclose(found[i], kernel[i] @ weights, atol=1e-4)


def random_votes(y, n_pairs, n_wrong, seed=0):
    """Return votes on random pairs, the first of which are wrong."""
    rng = np.random.RandomState(seed)
    pairs = np.array([rng.choice(len(y), 2, replace=False) for _ in range(n_pairs)])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    pairs = pairs[rng.permutation(len(pairs))]
    answers = answer(y)(pairs)
    answers[:n_wrong] *= -1
    return count_votes(pairs, answers, len(y))


def test_wrong_answers_stand_out():
    X, y = make_blobs(20)
    votes = random_votes(y, 60, 8)
    same = Judge(X, np.random.RandomState(0)).same(votes, 3)
    agrees = np.where(votes.lead > 0, same, 1 - same)
    assert (agrees[:8] < 0.2).all()
    assert agrees[:8].max() < agrees[8:].min()


def test_more_samples_than_landmarks():
    X, y = make_blobs(500)
    votes = random_votes(y, 1500, 100)
    same = Judge(X, np.random.RandomState(0)).same(votes, 3)
    agrees = np.where(votes.lead > 0, same, 1 - same)
    assert (agrees[:100] < 0.5).mean() > 0.95
    assert (agrees[100:] > 0.5).mean() > 0.95


@pytest.mark.parametrize(
    ("X", "n_clusters"),
    [
        (np.array([["a"], ["b"]] * 30, dtype=object), 3),
        (np.full((60, 2), np.nan), 3),
        (np.zeros((60, 2)), 1),
        (np.zeros((60, 2)), 0),
        # too few samples are in an answer
        (np.zeros((60, 2)), 50),
    ],
)
def test_there_may_be_nothing_to_say(X, n_clusters):
    votes = random_votes(np.arange(60) % 3, 60, 0)
    assert Judge(X, np.random.RandomState(0)).same(votes, n_clusters) is None


def test_equal_samples_say_nothing_but_do_no_harm():
    votes = random_votes(np.arange(60) % 3, 60, 0)
    same = Judge(np.ones((60, 2)), np.random.RandomState(0)).same(votes, 3)
    assert np.isfinite(same).all()


def test_the_others_break_a_tie():
    X, y = make_blobs(20)
    learner = ActivePairLearner(PCKMeans(3), refit_every=5, random_state=0).start(X)
    pairs = learner.ask(40)
    answers = answer(y)(pairs)
    learner.tell(pairs, answers)
    learner.tell(pairs[:5], -answers[:5])
    assert learner.constraints_.n_pairs == 40
    must, cannot = learner.constraints_.must_link, learner.constraints_.cannot_link
    assert (y[must[:, 0]] == y[must[:, 1]]).all()
    assert (y[cannot[:, 0]] != y[cannot[:, 1]]).all()
    assert learner.noise_rate_ == 0


def test_the_others_may_refute_what_was_said_twice():
    X, y = make_blobs(20)
    learner = ActivePairLearner(PCKMeans(3), refit_every=5, random_state=0).start(X)
    pairs = learner.ask(60)
    answers = answer(y)(pairs)
    answers[:6] *= -1
    learner.tell(pairs, answers)
    # the first is repeated, and five others are put right
    learner.tell(pairs[:6], [answers[0], *-answers[1:6]])
    assert learner.constraints_.n_pairs == 59
    kept = np.concatenate(
        (learner.constraints_.must_link, learner.constraints_.cannot_link)
    )
    assert np.sort(pairs[0]).tolist() not in kept.tolist()
