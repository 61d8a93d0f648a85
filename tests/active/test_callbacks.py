"""scikit-learn's callbacks while a learner asks."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skpairclust.active import ActivePairLearner
from skpairclust.baselines import PCKMeans
from tests.active.oracles import answer, make_blobs

callback = pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")


class Recorder:
    """A callback that notes the tasks, and can ask for a stop."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.begun, self.ended = [], []

    def setup(self, estimator, context):
        self.n_subtasks = context.max_subtasks

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context.task_name)
        return self.stop_after is not None and len(self.ended) >= self.stop_after

    def teardown(self, estimator, context):
        self.torn_down = True


def learner(**params):
    return ActivePairLearner(PCKMeans(3), n_queries=20, random_state=0, **params)


def test_the_tasks_are_the_questions_asked_at_once():
    X, y = make_blobs(20)
    recorder = Recorder()
    learner().set_callbacks(recorder).fit(X, oracle=answer(y))
    assert recorder.n_subtasks == 4
    assert recorder.begun == ["fit", *["questions"] * 4]
    assert recorder.ended == [*["questions"] * 4, "fit"]


def test_a_callback_stops_the_questions_and_all_answers_count():
    X, y = make_blobs(20)
    stopped = learner().set_callbacks(Recorder(stop_after=2)).fit(X, oracle=answer(y))
    assert len(stopped.history_) == 10
    assert stopped.constraints_.n_pairs == 10
    assert len(stopped.labels_) == 60


def test_callbacks_do_not_change_the_result():
    X, y = make_blobs(20)
    plain = learner().fit(X, oracle=answer(y))
    watched = learner().set_callbacks(Recorder()).fit(X, oracle=answer(y))
    assert [*map(str, plain.history_)] == [*map(str, watched.history_)]
    np.testing.assert_array_equal(plain.labels_, watched.labels_)
    again = pickle.loads(pickle.dumps(clone(watched))).fit(X, oracle=answer(y))
    np.testing.assert_array_equal(plain.labels_, again.labels_)


def test_an_oracle_that_fails_ends_the_callbacks_and_the_call_goes_on():
    X, y = make_blobs(20)
    right, calls = answer(y), []

    def tired(pairs):
        calls.append(len(pairs))
        if len(calls) == 3:
            raise ConnectionError("gone")
        return right(pairs)

    recorder = Recorder()
    watched = learner().set_callbacks(recorder)
    with pytest.raises(ConnectionError):
        watched.fit(X, oracle=tired)
    assert recorder.torn_down
    assert len(watched.history_) == 10
    watched.fit(X, oracle=tired)
    assert recorder.n_subtasks == 2
    assert len(watched.history_) == 20


def test_without_an_oracle_there_is_the_fit_alone():
    X, _ = make_blobs(20)
    recorder = Recorder()
    learner().set_callbacks(recorder).fit(X)
    assert recorder.begun == recorder.ended == ["fit"]


def test_the_progress_bar_of_scikit_learn_counts(capsys):
    pytest.importorskip("rich")
    X, y = make_blobs(20)
    learner().set_callbacks(callback.ProgressBar()).fit(X, oracle=answer(y))
    assert "ActivePairLearner" in capsys.readouterr().out
