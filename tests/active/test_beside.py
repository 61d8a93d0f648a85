"""Fits in another thread, answers taken back from the middle, questions given up."""

import threading

import numpy as np
import pytest

from skpairclust import ConstrainedNeuralClusterer
from skpairclust.active import ActivePairLearner
from skpairclust.baselines import PCKMeans
from tests.active.oracles import answer, make_blobs


@pytest.fixture
def blobs():
    return make_blobs(20)


def make(estimator=None, **params):
    defaults = {"refit_every": 5, "batch_size": 5, "random_state": 0}
    return ActivePairLearner(estimator or PCKMeans(3), **defaults | params)


def test_fork_and_adopt_give_what_tell_would(blobs):
    X, y = blobs
    plain, beside = make().start(X), make().start(X)
    for _ in range(4):
        pairs = plain.ask()
        np.testing.assert_array_equal(beside.ask(), pairs)
        plain.tell(pairs, answer(y)(pairs))
        beside.tell(pairs, answer(y)(pairs), fit=False)
        assert beside.is_fit_due
        beside.adopt(beside.fork().update(cold=False))
        assert not beside.is_fit_due
    np.testing.assert_array_equal(plain.labels_, beside.labels_)
    assert plain.history_ == beside.history_
    assert plain.agreements_ == beside.agreements_


def test_answers_during_the_fit_are_kept(blobs):
    X, y = blobs
    learner = make().start(X)
    pairs = learner.ask(10)
    learner.tell(pairs[:5], answer(y)(pairs[:5]), fit=False)
    fork = learner.fork()
    thread = threading.Thread(target=fork.update)
    thread.start()
    learner.tell(pairs[5:], answer(y)(pairs[5:]), fit=False)
    thread.join()
    assert not hasattr(learner, "estimator_")
    learner.adopt(fork)
    assert len(learner.history_) == 10
    assert len(learner.labels_) == 60
    # five answers are not in the model
    assert learner.is_fit_due


def test_warm_fit_of_a_fork_leaves_the_model_alone(blobs):
    X, y = blobs
    model = ConstrainedNeuralClusterer(3, max_iter=2, hidden_layer_sizes=(8,))
    learner = make(model).start(X)
    pairs = learner.ask()
    learner.tell(pairs, answer(y)(pairs))
    before = learner.predict_proba(X)
    fork = learner.fork().update(cold=False)
    np.testing.assert_array_equal(learner.predict_proba(X), before)
    assert not np.array_equal(fork.predict_proba(X), before)


def test_answers_taken_back_during_the_fit_stay_away(blobs):
    X, y = blobs
    learner = make().start(X)
    pairs = learner.ask(6)
    learner.tell(pairs, answer(y)(pairs), fit=False)
    fork = learner.fork().update()
    learner.undo(2)
    learner.adopt(fork)
    assert len(learner.history_) == 4
    assert learner.constraints_.n_pairs == 4
    # it was judged by what is gone
    assert learner._judged.n_answers == 0
    assert not learner.is_fit_due


def test_adopt_refuses_another_learner(blobs):
    X, _ = blobs
    with pytest.raises(ValueError, match="has other samples"):
        make().start(X).adopt(make().start(X.copy()))


def test_fit_is_never_due_with_final(blobs):
    X, y = blobs
    learner = make(refit="final").start(X)
    pairs = learner.ask(20)
    learner.tell(pairs, answer(y)(pairs))
    assert not learner.is_fit_due


def test_remove_from_the_middle(blobs):
    X, _ = blobs
    learner = make(refit="final").start(X)
    learner.tell([(0, 1), (0, 1), (2, 3), (0, 40)], [1, 1, 1, -1])
    assert [row["is_repeat"] for row in learner.history_] == [False, True, False, False]
    assert learner.remove([2, 0]).tolist() == [[0, 1], [2, 3]]
    assert [(r["i"], r["j"]) for r in learner.history_] == [(0, 1), (0, 40)]
    # what was the second answer to a pair is the first one now
    assert [row["is_repeat"] for row in learner.history_] == [False, False]
    assert learner.constraints_.must_link.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("positions", "error", "match"),
    [
        ([3], ValueError, "=3 are not in `history_`, which has 3"),
        ([-1], ValueError, "=-1 are not"),
        ([1, 1], ValueError, "twice"),
        ([0.5], TypeError, "flat list of integers"),
        (1, TypeError, "flat list of integers"),
    ],
)
def test_remove_refuses(blobs, positions, error, match):
    learner = make().start(blobs[0])
    learner.tell([(0, 1), (0, 2), (0, 3)], [1, 1, 1])
    with pytest.raises(error, match=match):
        learner.remove(positions)
    assert len(learner.history_) == 3


def test_released_questions_come_again():
    X, _ = make_blobs(2)
    learner = make().start(X)
    everything = learner.ask(100)
    assert len(learner.ask(1)) == 0
    learner.release(everything[:1, ::-1])
    np.testing.assert_array_equal(learner.ask(100), everything[:1])
    assert len(learner.release().ask(100)) == len(everything)


def test_claimed_questions_do_not_come(blobs):
    X, _ = blobs
    first, second = make().start(X), make().start(X)
    pairs = first.ask(4)
    second.claim(pairs[:2, ::-1]).claim(pairs[:2])
    asked = {frozenset(pair) for pair in second.ask(4).tolist()}
    assert not asked & {frozenset(pair) for pair in pairs[:2].tolist()}
    second.release()
    assert frozenset(pairs[0].tolist()) in {
        frozenset(pair) for pair in second.ask(4).tolist()
    }


def test_a_fork_says_what_would_be_asked(blobs):
    X, y = blobs
    learner = make().start(X)
    pairs = learner.ask()
    learner.tell(pairs, answer(y)(pairs))
    pair = learner.ask(1)
    expected = {}
    for says in (1, -1):
        fork = learner.fork(to_fit=False)
        assert fork.estimator_ is learner.estimator_
        expected[says] = fork.tell(pair, [says], fit=False).ask(1)
    assert len(learner.history_) == 5
    says = answer(y)(pair)[0]
    np.testing.assert_array_equal(
        learner.tell(pair, [says], fit=False).ask(1), expected[says]
    )
