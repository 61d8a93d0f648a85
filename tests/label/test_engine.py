"""Questions that are found ahead are those that would be asked, or are not used."""

import numpy as np
import pytest

from skpairclust.label._engine import Engine, think_ahead
from skpairclust.label._pace import minutes_of
from skpairclust.label._records import Answer, Undo
from tests.label.serving import blobs, learner

X, Y, IDS = blobs()
TRUTH = dict(zip(IDS, Y.tolist(), strict=True))


def engine(answers=()):
    return Engine(learner(refit_every=1000), X, IDS, list(answers))


def answer_to(question, name="a", says=None, **fields):
    left, right = question.sample, question.others[0]
    if says is None:
        says = 1 if TRUTH[left] == TRUTH[right] else -1
    pairs = [(left, right, says)]
    return Answer(name, "", "ann", question.id, "pair", pairs, **fields)


def think(engine, question):
    name, state, pair, forks = engine.copy_for(question)
    engine.set_ahead(name, state, think_ahead(pair, forks))


def names(question):
    return question.sample, *question.others


def test_what_is_found_ahead_is_what_would_be_asked():
    plain, ahead = engine(), engine()
    n_used = 0
    for number in range(25):
        questions = plain.ask("pair"), ahead.ask("pair")
        assert names(questions[0]) == names(questions[1])
        think(ahead, questions[1])
        for each, question in zip((plain, ahead), questions, strict=True):
            each.tell([answer_to(question, f"a{number}")])
        n_used += ahead._ready is not None
    assert n_used == 25
    assert plain.learner.history_ == ahead.learner.history_
    np.testing.assert_array_equal(plain.learner._pending, ahead.learner._pending)


@pytest.mark.parametrize(
    "event", ["cannot tell", "another answer", "another question", "a fit", "undo"]
)
def test_what_was_found_ahead_is_dropped_when_something_happens(event):
    each = engine([answer_to(engine().ask("pair"), "first")])
    question = each.ask("pair")
    think(each, question)
    records = [answer_to(question)]
    if event == "cannot tell":
        records = [answer_to(question, says=0)]
    elif event == "another answer":
        other = each.ask("pair")
        records = [answer_to(other, "b"), *records]
    elif event == "another question":
        each.ask("group")
    elif event == "a fit":
        each.learner.adopt(each.learner.fork().update())
    else:
        records = [Undo("u", "", "ann", "first"), *records]
    each.tell(records)
    assert each._ready is None
    assert each.ask("pair") is not None


def test_a_question_that_was_found_ahead_is_not_asked_twice():
    each = engine()
    question = each.ask("pair")
    think(each, question)
    each.tell([answer_to(question)])
    asked = [frozenset(names(each.ask("pair"))) for _ in range(6)]
    assert len(set(asked)) == 6


def test_answers_about_other_samples_are_passed_over():
    strange = Answer("x", "", "ann", "x", "pair", [("nobody", IDS[0], 1)])
    each = engine([strange, answer_to(engine().ask("pair"))])
    assert len(each.learner.history_) == 1
    each.tell([Undo("u", "", "ann", "x"), Undo("v", "", "ann", "a")])
    assert each.learner.history_ == []


def test_records_that_come_twice_count_once():
    """One is read from the file, and was on its way from the page as well."""
    record = answer_to(engine().ask("pair"))
    each = engine([record])
    each.tell([record])
    assert len(each.learner.history_) == 1


def test_minutes_leave_out_breaks():
    def at(time, who="ann"):
        return Answer("x", f"2026-01-01T{time}Z", who, "q", "pair", [])

    assert minutes_of([]) == 0
    # eight seconds for the first, then as long as it took
    assert minutes_of([at("10:00:00"), at("10:00:30")]) == pytest.approx(38 / 60)
    # an hour of lunch is no work
    assert minutes_of([at("10:00:00"), at("11:00:00")]) == pytest.approx(16 / 60)
    both = [at("10:00:00"), at("10:00:01", "bob"), at("10:00:10")]
    assert minutes_of(both) == pytest.approx((8 + 8 + 10) / 60)
