"""A session of questions and answers, for any number of pages at once."""

import threading
from collections import deque

import numpy as np

from skpairclust.label._ahead import Ahead
from skpairclust.label._errors import LabelError, NotAccepted
from skpairclust.label._pace import minutes_of
from skpairclust.label._questions import OpenQuestions, new_question
from skpairclust.label._records import (
    Answer,
    Undo,
    check_name,
    check_triples,
    check_who,
)
from skpairclust.label._trainer import Trainer

MODES = ("pair", "group")
# Where answers come from: questions, "does not belong" and links of a contradiction.
_ORIGINS = (*MODES, "cluster", "chain")
# Members of a cluster per request, and earlier answers.
_N_MEMBERS, _N_EARLIER = 60, 50
_MOST_CHAINS = 20


class LabelSession:
    """Questions of a learner, answers in a file, and fits beside them.

    Every method may be called from any thread.

    Parameters
    ----------
    source : Source
        The samples.
    learner : ActivePairLearner or callable
        A function that returns one is called beside the page, because PyTorch takes
        seconds to load.
    answers : AnswersFile
    who : str
        Name of the person, until the page says another one.
    most_rows : int
        Of more samples, questions are about so many, drawn at random.
    export_to : Path
    """

    def __init__(self, source, learner, answers, who, most_rows, export_to):
        self.source, self.answers = source, answers
        self._make_learner, self.learner = learner, None
        if not callable(learner):
            self.make_learner()
        self.who = who
        # of the learner; a fit does not hold it
        self.lock = threading.RLock()
        self._inbox, self._open = deque(), OpenQuestions()
        self._ahead = Ahead(self.lock)
        self._shown_strip = None, []
        self._row_of = {name: row for row, name in enumerate(source.ids)}
        rows = self._choose_rows(most_rows)
        self.trainer = Trainer(self, source, rows, export_to)

    def _choose_rows(self, most_rows):
        """Return the samples that questions are about, those with answers first."""
        n_samples = len(self.source)
        if n_samples <= most_rows:
            return np.arange(n_samples)
        named = {n for a in self.answers.answers for p in a.pairs for n in p[:2]}
        told = [self._row_of[name] for name in named if name in self._row_of]
        drawn = np.random.RandomState(0).permutation(n_samples)
        drawn = drawn[~np.isin(drawn, told)][: max(0, most_rows - len(told))]
        return np.sort(np.concatenate((np.array(told, dtype=np.int64), drawn)))

    def make_learner(self):
        """Make the learner, if there is none yet."""
        make = self._make_learner
        if self.learner is None:
            self.learner = make() if callable(make) else make

    @property
    def engine(self):
        """The engine, or an error that says what to wait for."""
        if self.trainer.engine is None:
            raise LabelError(
                self.trainer.failure or "The samples are being read. Wait a moment."
            )
        return self.trainer.engine

    def catch_up(self):
        """Tell the learner what was saved since; the caller holds the lock."""
        if self.trainer.engine is None:
            return
        records = []
        while self._inbox:
            records.append(self._inbox.popleft())
        if records:
            self.engine.tell(records)

    def next_question(self, client, mode):
        """Return the question for a page, as JSON has it, or None if none is left."""
        check_name(client, "client")
        _check_one_of(mode, MODES, "mode")
        with self.lock:
            self.catch_up()
            question = self._open.get(client, mode)
            if question is None:
                for gone in self._open.drop_gone():
                    self.engine.release(gone)
                question = self.engine.ask(mode)
                if question is not None:
                    self._open.put(client, question)
                    self._ahead.want(self.engine, question)
        if question is None and self.trainer.is_reading:
            raise LabelError("More samples are being read. Wait a moment.")
        return None if question is None else self._shown(question)

    def _shown(self, question):
        """Return a question as JSON has it."""
        return {
            "question": question.id,
            "mode": question.mode,
            "sample": self.show(question.sample),
            "others": [self.show(name) for name in question.others],
        }

    def show(self, name):
        """Return what a page shows of a sample."""
        row = self._row(name)
        return {"id": name, "row": row, **self.source.show(row)}

    def _row(self, name):
        """Return the position of a sample, or raise."""
        if type(name) not in (str, int) or name not in self._row_of:
            raise NotAccepted(
                f"There is no sample {name!r:.80} in {self.source.name}. Reload the "
                "page."
            )
        return self._row_of[name]

    def answer(self, sent):
        """Save an answer that a page has sent, once.

        Parameters
        ----------
        sent : dict
            `id`, `question`, `mode`, `pairs` and `who`, and `replaces` for corrections.
            With `next`, a dict of `client` and `mode`, the page asks for its next
            question, if there is one at once.

        Returns
        -------
        dict
            With `saved`, `again` that says whether it had been saved before, and maybe
            `next`.

        Raises
        ------
        LabelError
            If it is not saved.
        """
        pairs = check_triples(sent.get("pairs"))
        for left, right, _ in pairs:
            self._row(left), self._row(right)
        replaces = sent.get("replaces")
        record = Answer(
            check_name(sent.get("id"), "id"),
            "",
            check_who(sent.get("who", self.who)),
            check_name(sent.get("question"), "question"),
            _check_one_of(sent.get("mode"), _ORIGINS, "mode"),
            pairs,
            None if replaces is None else check_name(replaces, "replaces"),
        )
        return self._save(record) | self._next_at_once(sent.get("next"))

    def _next_at_once(self, wanted):
        """Return the next question of a page, if it has been found ahead.

        A page whose answer is on the disk does not wait for anything else here.
        """
        if not isinstance(wanted, dict) or wanted.get("mode") != "pair":
            return {}
        if not self.lock.acquire(blocking=False):
            return {}
        try:
            self.catch_up()
            engine = self.trainer.engine
            if engine is None or not engine.is_ahead:
                return {}
            return {"next": self.next_question(wanted.get("client"), "pair")}
        except Exception:
            # the answer is saved; what is wrong is said to whoever asks for a question
            return {}
        finally:
            self.lock.release()

    def _save(self, record):
        """Write a record, then let the learner know in its time."""
        saved = self.answers.append(record)
        if saved is not None:
            self._inbox.append(saved)
        if isinstance(record, Answer):
            self._open.close(record.question)
        self.trainer.wake()
        return {"saved": record.id, "again": saved is None}

    def undo(self, sent):
        """Take back the last answer of a person.

        Returns
        -------
        dict
            With `saved`, and the `question` that is open again, None for answers that
            were given elsewhere than to a question.
        """
        name = check_name(sent.get("id"), "id")
        client = check_name(sent.get("client"), "client")
        who = check_who(sent.get("who", self.who))
        if self.answers.has(name):
            return {"saved": name, "again": True, "question": None}
        last = next((a for a in reversed(self.answers.answers) if a.who == who), None)
        if last is None:
            raise NotAccepted(f"There is no answer of {who!r} to take back.")
        found = self._save(Undo(name, "", who, last.id))
        question = None
        if last.mode in MODES and self._knows(last):
            question = _question_of(last)
            self._reopen(client, question)
        return found | {"question": question and self._shown(question)}

    def _reopen(self, client, question):
        """Let a page show a question instead of the one that it shows."""
        with self.lock:
            other = self._open.get(client, question.mode)
            if other is not None and self.trainer.engine is not None:
                self.engine.release(other)
            self._open.put(client, question)

    def earlier(self, who):
        """Return the last answers of a person to questions, the latest first."""
        own = [a for a in self.answers.answers if a.who == who and a.mode in MODES]
        known = [a for a in own[::-1] if self._knows(a)][:_N_EARLIER]
        return [
            self._shown(_question_of(a))
            | {"answer": a.id, "says": [said for *_, said in a.pairs]}
            for a in known
        ]

    def _knows(self, answer):
        """Whether all samples of an answer are still there."""
        return all(n in self._row_of for pair in answer.pairs for n in pair[:2])

    def progress(self):
        """Return how far the session has come, as JSON has it."""
        trainer, answers = self.trainer, self.answers.answers
        found = {
            "name": self.source.name,
            "n_samples": len(self.source),
            "answers": len(answers),
            "minutes": round(minutes_of(answers), 1),
            "state": trainer.state,
            "done": list(trainer.done),
            "failure": trainer.failure,
            "exported": trainer.exported,
            "folder": str(trainer.folder),
            "notes": self.source.notes,
            "people": sorted({a.who for a in answers}),
            "is_ready": trainer.engine is not None,
            "clusters": self._strip(),
        }
        if trainer.engine is not None:
            found |= self._summary()
        return found

    def _summary(self):
        """Return the signs that need a learner."""
        with self.lock:
            self.catch_up()
            signs = self.learner.progress()
            n_chains = len(self.learner.contradictions_)
        view = self.trainer.view
        return {
            "groups": signs.n_groups,
            "confirmed": _number(signs.confirmed),
            "changed": _number(signs.changed),
            "changed_by": signs.changed_by,
            "sure": _number(view.sure if view else float("nan")),
            "contradictions": n_chains,
        }

    def _strip(self):
        """Return the clusters with their typical members."""
        view = self.trainer.view
        if view is None:
            return []
        # what the user renders may take long, and pages ask every few seconds
        if self._shown_strip[0] is not view:
            strip = [
                {
                    "cluster": int(name),
                    "size": size,
                    "typical": [self.show(view.ids[row]) for row in rows],
                }
                for name, size, rows in view.strip()
            ]
            self._shown_strip = view, strip
        return self._shown_strip[1]

    def members(self, cluster, start, is_odd_first):
        """Return some members of a cluster, and the typical one to compare with."""
        view = self.trainer.view
        rows = view.members(cluster) if view else []
        if not len(rows):
            raise NotAccepted(
                f"There is no cluster {cluster!r} any more. Close this window."
            )
        ordered = rows[::-1] if is_odd_first else rows
        return {
            "cluster": cluster,
            "size": len(rows),
            "typical": self.show(view.ids[rows[0]]),
            "members": [
                self.show(view.ids[row]) for row in ordered[start : start + _N_MEMBERS]
            ],
        }

    def contradictions(self):
        """Return chains of answers that cannot all be right."""
        with self.lock:
            self.catch_up()
            chains = self.engine.chains()[:_MOST_CHAINS]
        return [
            [
                {"left": self.show(left), "right": self.show(right), "says": says}
                for left, right, says in chain
            ]
            for chain in chains
        ]

    def close(self, wait):
        """Start nothing more, and release the file; maybe wait for a fit."""
        self.trainer.stop()
        self.answers.close()
        self._ahead.stop()
        if wait:
            self.trainer.join()


def _question_of(answer):
    """Return the question that an answer was given to, to be asked anew."""
    if answer.mode == "group":
        # as `GroupQuestion.as_pairs` has them
        return new_question(
            "group", answer.pairs[0][0], [right for _, right, _ in answer.pairs]
        )
    left, right, _ = answer.pairs[0]
    return new_question("pair", left, [right])


def _check_one_of(value, known, field):
    """Return a value that is one of those known, or raise."""
    if value not in known:
        raise NotAccepted(f"{field}={value!r:.80} must be one of {', '.join(known)}.")
    return value


def _number(value):
    """Return a number as JSON has it, None for NaN."""
    return None if value != value else round(float(value), 4)
