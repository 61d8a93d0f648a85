"""The learner: asking, telling, taking back, and oracles that fail or err."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.active import ActivePairLearner, CoverQuery, GroupQuestion
from skpairclust.active._progress import add_refit, summarize
from skpairclust.baselines import COPKMeans, PCKMeans
from tests.active.oracles import answer, make_blobs


class Mixture(GaussianMixture):
    """A model with probabilities that takes no pairs."""

    def fit(self, X, y=None):
        return super().fit(X)


@pytest.fixture
def blobs():
    return make_blobs(20)


def make(estimator=None, **params):
    """Return a learner that asks little."""
    defaults = {"n_queries": 20, "batch_size": 5, "refit_every": 5, "random_state": 0}
    params = defaults | params
    return ActivePairLearner(estimator or PCKMeans(3), **params)


def test_fit_asks_and_clusters(blobs):
    X, y = blobs
    learner = make().fit(X, oracle=answer(y))
    assert len(learner.history_) == 20
    assert learner.constraints_.n_pairs == 20
    assert adjusted_rand_score(y, learner.labels_) == 1
    assert adjusted_rand_score(y, learner.predict(X)) == 1
    assert learner.transform(X).shape == (60, 3)
    assert not hasattr(learner, "predict_proba")
    assert learner.n_features_in_ == 2
    assert learner.noise_rate_ == 0
    assert learner.contradictions_ == []


def test_history_has_a_row_per_answer(blobs):
    X, y = blobs
    learner = make(Mixture(3)).fit(X, oracle=answer(y))
    table = pd.DataFrame(learner.history_)
    assert (table["i"] < table["j"]).all()
    assert ((y[table["i"]] == y[table["j"]]) == (table["answer"] == 1)).all()
    # no model before the first fit
    assert table["same"][:5].isna().all()
    assert table["same"][5:].astype(float).between(0, 1).all()
    assert table["is_first"][0]
    assert not table["is_repeat"].any()


def test_a_line_of_progress_per_fit(blobs, capsys):
    X, y = blobs
    make(n_queries=10, verbose=1).fit(X, oracle=answer(y))
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" answers. ")[0] for line in lines] == [
        "5 of 10",
        "10 of 10",
        "10 of 10",
    ]
    make(n_queries=10).fit(X, oracle=answer(y))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("strategy", ["cover", "explore", "random", "uncertainty"])
@pytest.mark.parametrize("refit", ["warm", "cold", "final", {"max_iter": 3}])
def test_every_strategy_and_refit(blobs, strategy, refit):
    X, y = blobs
    learner = make(strategy=strategy, refit=refit).fit(X, oracle=answer(y))
    assert len(learner.history_) == 20
    assert learner.estimator_.max_iter == PCKMeans(3).max_iter


@pytest.mark.parametrize(
    "estimator",
    [
        KMeans(3, n_init=1),
        COPKMeans(3),
        make_pipeline(StandardScaler(), PCKMeans(3)),
        ConstrainedNeuralClusterer(3, max_iter=2, hidden_layer_sizes=(8,)),
    ],
    ids=lambda e: type(e).__name__,
)
def test_estimators(blobs, estimator):
    X, y = blobs
    learner = make(estimator, n_queries=10).fit(X, oracle=answer(y))
    assert len(learner.predict(X)) == 60
    again = make(estimator, n_queries=10).fit(X, oracle=answer(y))
    np.testing.assert_array_equal(learner.labels_, again.labels_)


def test_warm_fits_go_on_and_the_last_is_cold(blobs):
    X, y = blobs
    estimator = ConstrainedNeuralClusterer(3, max_iter=2, hidden_layer_sizes=(8,))
    learner = make(estimator).start(X)
    starts = []
    for _ in range(2):
        pairs = learner.ask()
        learner.tell(pairs, answer(y)(pairs))
        starts.append(learner.estimator_.start_)
    assert starts[1] == "earlier fit"
    assert learner.update().estimator_.start_ != "earlier fit"
    assert not learner.estimator_.warm_start


def test_ask_and_tell(blobs):
    X, y = blobs
    learner = make().start(X)
    pairs = learner.ask(8)
    # in parts, in another order and another orientation, and a pair of one's own
    learner.tell(pairs[[5, 2]][:, ::-1], answer(y)(pairs[[5, 2]]))
    learner.tell([(0, 1)], [1])
    assert [(r["i"], r["j"]) for r in learner.history_] == [
        *map(tuple, np.sort(pairs[[5, 2]], axis=1).tolist()),
        (0, 1),
    ]
    # the others are still out
    more = learner.ask(8)
    out = {frozenset(pair) for pair in pairs.tolist()}
    assert not out & {frozenset(pair) for pair in more.tolist()}
    assert not hasattr(learner, "estimator_")
    learner.tell(more, answer(y)(more))
    assert len(learner.labels_) == 60


def test_one_at_a_time_fits_by_the_batch(blobs):
    X, y = blobs
    learner = make(refit_every=3).start(X)
    fits = []
    for _ in range(7):
        pairs = learner.ask(1)
        learner.tell(pairs, answer(y)(pairs))
        fits.append(len(learner._refits))
    assert fits == [0, 0, 1, 1, 1, 2, 2]


def test_undo(blobs):
    X, y = blobs
    learner = make().start(X)
    pairs = learner.ask(4)
    learner.tell(pairs, [1, 1, -1, 0])
    before = learner.constraints_
    learner.tell([(0, 30)], [-1])
    assert learner.undo().tolist() == [[0, 30]]
    assert learner.constraints_ == before
    np.testing.assert_array_equal(learner.undo(4), np.sort(pairs, axis=1))
    assert learner.constraints_.n_pairs == 0
    assert learner.undo(0).shape == (0, 2)
    with pytest.raises(ValueError, match="n_answers=1 cannot be taken back"):
        learner.undo()
    # what was taken back may be asked again
    assert len(learner.ask(4)) == 4


def test_undo_does_not_put_off_the_next_fit(blobs):
    X, y = blobs
    learner = make(refit_every=3).start(X)
    for n_told, n_fits in ((1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (6, 2)):
        pairs = learner.ask(1)
        learner.tell(pairs, answer(y)(pairs))
        assert len(learner.history_) == n_told
        assert len(learner.agreements_) == max(n_fits - 1, 0)
    learner.undo(2)
    assert len(learner.agreements_) == 0
    pairs = learner.ask(2)
    learner.tell(pairs, answer(y)(pairs))
    assert len(learner.agreements_) == 1


def test_cannot_tell_is_not_asked_again(blobs):
    X, _ = blobs
    learner = make(n_queries=30).fit(X[:6], oracle=lambda pairs: np.zeros(len(pairs)))
    assert len(learner.history_) == 15
    assert learner.constraints_.n_pairs == 0
    assert len(learner.ask()) == 0


@pytest.mark.parametrize("says", [1, -1])
def test_one_answer_to_everything(blobs, says):
    X, _ = blobs
    model = PCKMeans(2, random_state=0)
    learner = make(model, n_queries=40, batch_size=1)
    learner.fit(X[:8], oracle=lambda pairs: np.full(len(pairs), says))
    # seven answers join eight samples, and 28 keep them all apart
    assert len(learner.history_) == (7 if says == 1 else 28)
    assert len(learner.ask()) == 0


def test_two_rows():
    X = np.array([[0.0], [1.0]])
    learner = make(KMeans(2, n_init=1)).fit(X, oracle=lambda pairs: [-1] * len(pairs))
    assert len(learner.history_) == 1
    assert len(np.unique(learner.labels_)) == 2


class FailingOracle:
    """Fail the third time."""

    def __init__(self, y):
        self.y, self.n_calls = y, 0

    def __call__(self, pairs):
        self.n_calls += 1
        if self.n_calls == 3:
            raise ConnectionError("the line is dead")
        return answer(self.y)(pairs)


def test_the_same_call_goes_on_after_an_error(blobs):
    X, y = blobs
    learner, oracle = make(), FailingOracle(y)
    with pytest.raises(ConnectionError, match="the line is dead"):
        learner.fit(X, oracle=oracle)
    assert len(learner.history_) == 10
    learner = pickle.loads(pickle.dumps(learner))
    kept = learner.history_
    learner.fit(X, oracle=oracle)
    assert learner.history_[:10] == kept
    assert len(learner.history_) == 20
    straight = make().fit(X, oracle=answer(y))
    assert straight.history_ == learner.history_
    np.testing.assert_array_equal(straight.labels_, learner.labels_)


def test_a_finished_fit_begins_anew(blobs):
    X, y = blobs
    learner = make().fit(X, oracle=answer(y))
    first = learner.history_
    assert learner.fit(X, oracle=answer(y)).history_ == first
    learner.fit(X[:30], oracle=answer(y[:30]))
    assert learner.constraints_.n_samples == 30


def test_other_data_after_an_error_begin_anew(blobs):
    X, y = blobs
    learner = make()
    with pytest.raises(ConnectionError):
        learner.fit(X, oracle=FailingOracle(y))
    learner.fit(X[:40], oracle=answer(y[:40]))
    assert len(learner.history_) == 20
    assert learner.constraints_.n_samples == 40


@pytest.mark.parametrize("returned", ["yes", None, True, [1], ["same"] * 5])
def test_oracles_that_return_nonsense(blobs, returned):
    X, y = blobs
    learner = make()
    with pytest.raises((TypeError, ValueError), match="answers must"):
        learner.fit(X, oracle=lambda pairs: returned)
    assert learner.history_ == []
    learner.fit(X, oracle=answer(y))
    assert len(learner.history_) == 20


def test_oracles_may_change_their_copy(blobs):
    X, y = blobs

    def careless(pairs):
        said = answer(y)(pairs)
        pairs[:] = 0
        return said

    assert make().fit(X, oracle=careless).history_ == (
        make().fit(X, oracle=answer(y)).history_
    )


def test_X_changed_after_the_start(blobs):
    X, _ = blobs
    learner = make().start(X)
    pairs = learner.ask()
    X[0, 0] += 1
    with pytest.raises(ValueError, match="X has been changed since"):
        learner.tell(pairs, [1] * len(pairs))
    assert learner.history_ == []


def test_wrong_pairs_take_no_answer(blobs):
    X, _ = blobs
    learner = make().start(X)
    for pairs, match in (
        ([(0, 99)], "pairs holds indices out of range"),
        ([(3, 3)], "pairs samples with themselves"),
        ([0, 1], r"pairs must have shape \(m, 2\)"),
    ):
        with pytest.raises(ValueError, match=match):
            learner.tell(pairs, [1])
    with pytest.raises(ValueError, match="one answer per pair"):
        learner.tell([(0, 1), (1, 2)], [1])
    assert learner.history_ == []


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ({"strategy": "best"}, TypeError, "strategy='best' must be one of"),
        ({"strategy": 3}, TypeError, "strategy=3 must be one of"),
        ({"refit": "never"}, ValueError, "refit"),
        ({"n_queries": 0}, ValueError, "n_queries"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"refit_every": 0}, ValueError, "refit_every"),
        ({"recheck_share": 2}, ValueError, "recheck_share"),
    ],
)
def test_wrong_parameters(blobs, params, error, match):
    with pytest.raises(error, match=match):
        make(**params).fit(blobs[0])


def test_what_needs_a_start_or_a_fit(blobs):
    X, _ = blobs
    learner = make()
    for call in (learner.ask, learner.undo, learner.update, learner.progress):
        with pytest.raises(NotFittedError, match="call start"):
            call()
    with pytest.raises(NotFittedError, match="has no model yet"):
        learner.start(X).predict(X)
    with pytest.raises(TypeError, match="oracle='x' must be callable"):
        learner.fit(X, oracle="x")


def test_known_pairs_are_trusted(blobs):
    X, y = blobs
    known = PairwiseConstraints([(0, 1)], [(0, 20)], n_samples=60)
    learner = make().start(X, known)
    learner.tell([(1, 20), (1, 20), (1, 2)], [1, 1, 1])
    assert learner.constraints_ == known | PairwiseConstraints([(1, 2)], n_samples=60)
    assert [chain.tolist() for chain in learner.contradictions_] == [
        [[1, 20], [0, 1], [0, 20]]
    ]
    with pytest.raises(ValueError, match="agree"), pytest.warns(UserWarning):
        learner.start(X, [(0, 1, 1), (1, 2, 1), (0, 2, -1)])


def test_contradictions_are_asked_at_once():
    X, y = make_blobs(20)
    learner = make(n_queries=100).start(X)
    learner.tell([(0, 1), (1, 2)], [1, 1])
    learner.tell([(0, 2)], [-1])
    assert learner.ask(3)[0].tolist() == [0, 2]
    assert len(learner.contradictions_) == 1
    # a second and a third answer settle it
    learner.tell([(0, 2)], [1])
    assert learner.ask(3)[0].tolist() == [0, 2]
    learner.tell([(0, 2)], [1])
    assert learner.contradictions_ == []
    assert learner.constraints_.n_must_link == 3
    assert learner.noise_rate_ == pytest.approx(1 / 3)


def test_surprising_answers_are_asked_again():
    X, y = make_blobs(20)
    learner = make(Mixture(3), n_queries=100, refit_every=2, recheck_share=0.5).start(X)
    learner.tell([(0, 1), (0, 20)], [1, -1])
    learner.tell([(3, 43), (5, 6)], [1, 1])
    assert learner.ask(1).tolist() == [[3, 43]]
    learner.tell([(3, 43)], [-1])
    learner.tell(learner.ask(1), [-1])
    assert [r["is_repeat"] for r in learner.history_][-2:] == [True, True]
    assert [3, 43] in learner.constraints_.cannot_link.tolist()
    # without a share for it, nothing is asked twice
    learner = make(Mixture(3), refit_every=2, recheck_share=0).start(X)
    learner.tell([(0, 1), (0, 20), (3, 43), (5, 6)], [1, -1, 1, 1])
    assert learner.ask(1).tolist() != [[3, 43]]


def test_share_of_second_questions_is_kept():
    X, y = make_blobs(20)
    rng = np.random.RandomState(0)

    def noisy(pairs):
        return answer(y)(pairs) * np.where(rng.random_sample(len(pairs)) < 0.3, -1, 1)

    learner = make(Mixture(3), n_queries=60, recheck_share=0.2)
    learner.fit(X, oracle=noisy)
    assert 0 < sum(row["is_repeat"] for row in learner.history_) <= 12
    assert not learner.constraints_.conflicts()


class NoiseTaker(PCKMeans):
    """A clusterer that can be told how much noise there is."""

    def __init__(self, n_clusters=3, *, noise_rate=0.0):
        super().__init__(n_clusters)
        self.noise_rate = noise_rate


@pytest.mark.parametrize(("given", "told"), [(0.0, 0.3), (0.05, 0.05)])
def test_noise_rate_is_handed_on(given, told):
    X, _ = make_blobs(20)
    learner = make(NoiseTaker(noise_rate=given)).start(X)
    learner.tell([(0, 1), (0, 20), (0, 20), (0, 20)], [1, 1, -1, -1])
    assert learner.noise_rate_ == 0.5
    assert learner.update().estimator_.noise_rate == told


def test_clone_and_pickle(blobs):
    X, y = blobs
    learner = make(strategy=CoverQuery(max_tries=2)).fit(X, oracle=answer(y))
    again = clone(learner)
    assert not hasattr(again, "history_")
    assert again.get_params()["strategy__max_tries"] == 2
    stored = pickle.loads(pickle.dumps(learner))
    np.testing.assert_array_equal(stored.ask(5), learner.ask(5))
    np.testing.assert_array_equal(stored.predict(X), learner.predict(X))


class Moody(PCKMeans):
    """A clusterer that goes wrong with the first seed."""

    def fit(self, X, y=None):
        super().fit(X, y)
        if self.random_state % 3 == 0:
            self.labels_ = np.zeros(len(X), dtype=np.int64)
        return self


@pytest.mark.parametrize(("n_init", "n_clusters"), [(1, 1), (3, 3)])
def test_a_last_fit_against_the_answers_is_run_again(blobs, n_init, n_clusters):
    X, y = blobs
    learner = make(Moody(3, random_state=3), n_init=n_init).fit(X, oracle=answer(y))
    assert len(np.unique(learner.labels_)) == n_clusters
    assert learner.estimator_.random_state == (3 if n_init == 1 else 4)


def test_fit_without_an_oracle(blobs):
    X, y = blobs
    labels = np.full(60, -1)
    labels[::10] = y[::10]
    learner = make().fit(X, labels)
    assert learner.history_ == []
    assert adjusted_rand_score(y, learner.labels_) == 1


def test_progress(blobs):
    X, y = blobs
    learner = make().start(X)
    assert str(learner.progress()) == "0 answers, too few to say more."
    learner.fit(X, oracle=answer(y))
    progress = learner.progress()
    assert progress.n_answers == 20
    assert progress.n_groups == 3
    assert progress.changed == 0
    assert 0.5 < progress.confirmed <= 1
    assert "answers changed 0.0 % of the clusters" in str(progress)


def test_progress_compares_fits_that_are_a_window_apart():
    labels = np.repeat([0, 1], 50)
    refits = []
    for number in range(12):
        now = labels.copy()
        now[: 2 * number] = 1
        refits = add_refit(refits, 10 * number, now)
    # fits at 60 and 110 answers: 2 samples a fit change
    progress = summarize([], refits, 2, 0.0)
    assert progress.changed_by == 50
    assert progress.changed == pytest.approx(0.1)
    assert [r.agreement for r in refits[1:]] == pytest.approx([0.98] * 11)
    # old labels are not kept
    assert [r.labels is None for r in refits] == [True] * 6 + [False] * 6


def test_groups_of_candidates(blobs):
    X, y = blobs
    learner = make().start(X)
    for _ in range(4):
        questions = learner.ask_groups(5, n_groups=3)
        assert len({q.sample for q in questions}) == len(questions)
        choices = []
        for q in questions:
            assert len(q.candidates) <= 3
            assert q.sample not in q.candidates
            same = np.flatnonzero(y[q.candidates] == y[q.sample])
            # examples are of different groups
            assert len(same) <= 1 or len(learner.history_) == 0
            choices.append(int(same[0]) if len(same) else -1)
        learner.tell_groups(questions, choices)
    assert adjusted_rand_score(y, learner.update().labels_) == 1
    with pytest.raises(ValueError, match="one entry per question; got 0 for 1"):
        learner.tell_groups(questions[:1], [])
    with pytest.raises(ValueError, match="choice=9 must be"):
        learner.tell_groups(questions[:1], [9])
    with pytest.raises(TypeError, match="choice='a' must be"):
        learner.tell_groups(questions[:1], ["a"])
    before = len(learner.history_)
    learner.tell_groups([], [])
    assert len(learner.history_) == before


def test_unknown_number_of_clusters():
    X, y = make_blobs(30, 4)
    estimator = ConstrainedNeuralClusterer("auto", max_iter=5, hidden_layer_sizes=(8,))
    learner = make(estimator, batch_size=10).fit(X, oracle=answer(y))
    assert len(learner.history_) == 20


def test_of_several_groups_the_likeliest_alone_is_a_first_guess(blobs):
    X, y = blobs
    known = [(0, 20, -1), (0, 40, -1), (20, 40, -1)]
    learner = make().start(X, known)
    questions = [GroupQuestion(7, np.array([0, 20, 40])), GroupQuestion(27, [0, 20])]
    learner.tell_groups(questions, [0, 1])
    is_first = [row["is_first"] for row in learner.history_]
    assert is_first == [True, False, False, True, False]
    assert learner.progress().confirmed == 0.5
    # It is placed by now.
    learner.tell([(7, 8)], [1])
    assert learner.history_[-1]["is_first"]
    learner.tell([(7, 8)], [1])
    assert not learner.history_[-1]["is_first"]
