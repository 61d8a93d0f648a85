"""Callbacks of scikit-learn 1.9: progress, scores an epoch, stopping."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.metrics import get_scorer

callback = pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")


@pytest.fixture(scope="module")
def pairs(iris):
    return PairwiseConstraints.sample_from_labels(iris[1], 100, random_state=0)


def clusterer(**changed):
    fast = {"hidden_layer_sizes": (16,), "max_iter": 4, "random_state": 0}
    return ConstrainedNeuralClusterer(3, **(fast | changed))


class Recorder:
    """A callback that notes the tasks, and can ask for a stop."""

    def __init__(self, stop_after=None):
        self.begun, self.ended, self.cut_short = [], [], []
        self.stop_after = stop_after
        self.is_set_up = False

    def setup(self, estimator, context):
        self.is_set_up = True

    def teardown(self, estimator, context):
        self.is_set_up = False

    def on_fit_task_begin(self, estimator, context):
        assert self.is_set_up
        self.begun.append((context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None, X=None):
        self.ended.append((context.task_name, context.task_id))
        if context.task_name != "epoch":
            return False
        if fitted_estimator is None:
            self.cut_short.append(context.task_id)
            return False
        assert fitted_estimator.predict(X).shape == (len(X),)
        return context.task_id + 1 == self.stop_after


def test_tasks_are_begun_and_ended_once(iris, pairs):
    recorder = Recorder()
    clusterer(n_init=2, max_iter=3).set_callbacks(recorder).fit(iris[0], pairs)
    assert sorted(recorder.begun) == sorted(recorder.ended)
    assert recorder.begun[0] == recorder.ended[-1] == ("fit", 0)
    epochs = [task for task in recorder.ended if task[0] == "epoch"]
    assert epochs == [("epoch", number) for number in (0, 1, 2)] * 2
    assert not recorder.is_set_up and not recorder.cut_short


def test_trials_are_tasks_before_the_restarts(iris, pairs):
    recorder = Recorder()
    clusterer(max_iter=12).set_callbacks(recorder).fit(iris[0], pairs)
    names = [name for name, _ in recorder.ended]
    trials = [number for name, number in recorder.ended if name == "trial"]
    assert len(trials) > 1 and trials == list(range(len(trials)))
    assert recorder.begun[1] == ("trials", 0)
    assert names.index("trials") == len(trials) < names.index("epoch")
    assert sorted(recorder.begun) == sorted(recorder.ended)


def test_no_epoch_is_begun_where_clusters_have_settled():
    X, y = make_moons(300, noise=0.05, random_state=0)
    pairs, recorder = (
        PairwiseConstraints.sample_from_labels(y, 60, random_state=0),
        Recorder(),
    )
    model = ConstrainedNeuralClusterer(2, random_state=0).set_callbacks(recorder)
    assert model.fit(X, pairs).n_iter_ < model.max_iter
    assert sorted(recorder.begun) == sorted(recorder.ended)
    assert not recorder.cut_short


def test_no_epoch_is_begun_where_the_loss_no_longer_falls(iris, pairs):
    recorder = Recorder()
    model = clusterer(init="random", max_iter=20, n_iter_no_change=2, tol=10.0)
    assert model.set_callbacks(recorder).fit(iris[0], pairs).n_iter_ == 3
    assert recorder.ended.count(("epoch", 2)) == 1
    assert sorted(recorder.begun) == sorted(recorder.ended)
    assert not recorder.cut_short


def test_an_epoch_that_is_cut_short_is_ended(iris, pairs):
    recorder, calls = Recorder(), []

    class Interrupting(nn.Linear):
        def forward(self, x):
            calls.extend([1] * (self.training and ("epoch", 1) in recorder.begun))
            if calls == [1]:
                raise KeyboardInterrupt
            return super().forward(x)

    model = clusterer(network=lambda shape, n: Interrupting(*shape, n), init="random")
    with pytest.warns(UserWarning, match="interrupted"):
        model.set_callbacks(recorder).fit(iris[0], pairs)
    assert recorder.cut_short == [model.n_iter_] == [1]
    assert sorted(recorder.begun) == sorted(recorder.ended)


@pytest.mark.parametrize("kind", [ConstrainedNeuralClusterer, MetricEmbedder])
def test_clusters_of_each_epoch_are_compared_with_labels(iris, kind):
    monitor = callback.ScoringMonitor(scoring="adjusted_rand_score")
    model = kind(n_clusters=3, max_iter=3, random_state=0)
    model.set_params(hidden_layer_sizes=(16,)).set_callbacks(monitor).fit(*iris)
    rows = [r for r in monitor.get_logs().data if r["task_name"] == "epoch"]
    scores = [row["adjusted_rand_score"] for row in rows]
    expected = adjusted_rand_score(iris[1], model.labels_)
    assert len(scores) == 3 and scores[-1] == pytest.approx(expected, abs=0.05)


class Keeper(Recorder):
    """Keeps what an estimator would be after each epoch, and what it was told."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None, X, y):
        if context.task_name == "epoch":
            self.ended.append(fitted_estimator)
            self.told = y
        return False


def test_clusters_of_each_epoch_lie_around_their_centers(iris):
    keeper = Keeper()
    model = MetricEmbedder(8, n_clusters=3, max_iter=4, random_state=0)
    model.set_callbacks(keeper).fit(*iris)
    assert len(keeper.ended) == 4
    for fitted in keeper.ended:
        embedding, labels = fitted.transform(iris[0]), fitted.predict(iris[0])
        means = [embedding[labels == c].mean(axis=0) for c in range(3)]
        np.testing.assert_allclose(fitted.cluster_centers_, means, atol=1e-3)


@pytest.mark.parametrize("kind", [ConstrainedNeuralClusterer, MetricEmbedder])
def test_scorers_get_labels_if_all_are_known(iris, kind):
    X, y = iris
    some = np.where(np.arange(150) % 2, y, -1)
    names = np.array(["a", "b", "c"])[y]
    for given, pairs, is_kept in (
        (y, None, True),
        (names, np.empty((0, 2), int), True),
        (list(names), None, True),
        (some, None, False),
        (y, [(0, 1)], False),
        (PairwiseConstraints.from_labels(y), None, False),
    ):
        keeper = Keeper()
        model = kind(hidden_layer_sizes=(8,), max_iter=1, random_state=0)
        model.set_params(n_clusters=3 if kind is ConstrainedNeuralClusterer else None)
        model.set_callbacks(keeper).fit(X, given, must_link=pairs)
        assert isinstance(keeper.told, PairwiseConstraints) != is_kept


def test_a_callback_stops_the_training(iris, pairs):
    fitted = clusterer(max_iter=20).set_callbacks(Recorder(stop_after=3))
    assert fitted.fit(iris[0], pairs).n_iter_ == 3


def test_callbacks_do_not_change_the_result(iris, pairs):
    watched = clusterer().set_callbacks(Recorder()).fit(iris[0], pairs)
    alone = clusterer().fit(iris[0], pairs)
    np.testing.assert_array_equal(
        watched.predict_proba(iris[0]), alone.predict_proba(iris[0])
    )


def test_teardown_after_an_error_and_an_earlier_fit_is_kept(iris, pairs):
    recorder = Recorder()
    fitted = clusterer().fit(iris[0], pairs).set_callbacks(recorder)
    before = fitted.predict(iris[0])
    with pytest.raises(ValueError, match="n_clusters=1000"):
        fitted.set_params(n_clusters=1000).fit(iris[0], pairs)
    assert not recorder.is_set_up
    np.testing.assert_array_equal(fitted.predict(iris[0]), before)


def test_scoring_monitor_logs_a_score_an_epoch(iris, pairs):
    # scikit-learn 1.9 takes scorers that are not its own by name only.
    scorers = {"score": get_scorer("constraint_accuracy")}
    monitor = callback.ScoringMonitor(scoring=scorers)
    fitted = clusterer(max_iter=8).set_callbacks(monitor).fit(iris[0], pairs)
    rows = [r for r in monitor.get_logs().data if r["task_name"] == "epoch"]
    scores = [row["score"] for row in rows]
    assert len(scores) == 8
    assert all(0 <= score <= 1 for score in scores)
    assert max(scores) == pytest.approx(fitted.score(iris[0], pairs), abs=0.1)


def test_progress_bar_nested_in_a_parallel_search(iris, pairs, capsys):
    pytest.importorskip("rich")
    search = GridSearchCV(
        make_pipeline(StandardScaler(), clusterer(max_iter=2)),
        {"constrainedneuralclusterer__learning_rate": [1e-3, 1e-2]},
        cv=2,
        n_jobs=2,
        error_score="raise",
    )
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=3))
    search.fit(iris[0], pairs)
    assert "GridSearchCV" in capsys.readouterr().out
    copy = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(
        copy.predict(iris[0]), search.best_estimator_.predict(iris[0])
    )
