"""The learner as the page uses it: samples by id, answers by name."""

import numpy as np

from skpairclust.active import GroupQuestion
from skpairclust.label._questions import new_question, shuffled
from skpairclust.label._records import Undo

# Answers after which a pair may be asked again.
_RECENT = 10


class Engine:
    """A started learner that knows its samples by their ids.

    Not safe for threads: the session locks it.

    Parameters
    ----------
    learner : ActivePairLearner
        It is started here.
    X : array-like
        Features.
    ids : list of str or int
        A name per row of X.
    answers : list of Answer
        Those so far. What is about other samples is passed over.
    n_groups : int
        Samples to compare with in a question about groups.
    """

    def __init__(self, learner, X, ids, answers, n_groups=5):
        self.learner = learner.start(X)
        self.X, self.ids, self.n_groups = X, ids, n_groups
        self.place = {name: row for row, name in enumerate(ids)}
        # the name of the answer that each row of the history comes from
        self._told = []
        self._n_asked = 0
        self._ahead = self._ready = None
        self.tell(answers)

    def tell(self, records):
        """Take records in the order in which they were saved."""
        pairs, says, names = [], [], []
        before = self._state()
        told = set(self._told)
        for record in records:
            gone = record.undo if isinstance(record, Undo) else record.replaces
            if gone is not None:
                self._tell(pairs, says, names)
                pairs, says, names = [], [], []
                self._remove(gone)
            if isinstance(record, Undo) or record.id in told:
                continue
            told.add(record.id)
            for left, right, answer in record.pairs:
                if left in self.place and right in self.place:
                    pairs.append((self.place[left], self.place[right]))
                    says.append(answer)
                    names.append(record.id)
        self._tell(pairs, says, names)
        self._ready = self._take_ahead(before, records)

    def _tell(self, pairs, says, names):
        """Take answers, and leave the fit for later."""
        if pairs:
            self.learner.tell(pairs, says, fit=False)
            self._told += names

    def _remove(self, name):
        """Take an answer back."""
        rows = [row for row, told in enumerate(self._told) if told == name]
        if rows:
            self.learner.remove(rows)
            self._told = [told for told in self._told if told != name]

    def ask(self, mode):
        """Return a new `Question`, or None if there is nothing left to ask."""
        self._n_asked += 1
        if mode == "group":
            asked = self.learner.ask_groups(1, n_groups=self.n_groups)
            if not asked:
                return None
            sample = self.ids[asked[0].sample]
            others = [self.ids[row] for row in asked[0].candidates]
            return new_question(mode, sample, shuffled(others, sample))
        pair = self._take_ready()
        if pair is None:
            pair = next_pair(self.learner)
        if pair is None:
            return None
        left, right = (self.ids[row] for row in pair)
        return new_question(mode, left, [right])

    def _state(self):
        """Return what the next question depends on, to be compared by identity."""
        model = getattr(self.learner, "estimator_", None)
        return self.learner.history_, model, self._n_asked

    def copy_for(self, question):
        """Return what `think_ahead` needs, None if the question is not about a pair."""
        names = (question.sample, *question.others)
        if question.mode != "pair" or any(name not in self.place for name in names):
            return None
        pair = [self.place[name] for name in names]
        forks = {says: self.learner.fork(to_fit=False) for says in (1, -1)}
        return question.id, self._state(), pair, forks

    def set_ahead(self, name, state, pairs):
        """Keep the next pairs for each answer to a question."""
        self._ahead = name, state, pairs

    def _take_ahead(self, before, records):
        """Return the pair that is next after an answer, if it was found before."""
        if self._ahead is None or len(records) != 1 or isinstance(records[0], Undo):
            return None
        (name, state, pairs), record = self._ahead, records[0]
        self._ahead = None
        is_answer = record.question == name and record.replaces is None
        if not is_answer or not _are_same(state, before) or len(record.pairs) != 1:
            return None
        pair = pairs.get(record.pairs[0][2])
        return None if pair is None else (self._state(), pair)

    @property
    def is_ahead(self):
        """Whether the next pair has been found already."""
        return self._ready is not None

    def _take_ready(self):
        """Return the pair that was found before, if nothing has changed since."""
        ready, self._ready = self._ready, None
        # one question has been asked for since: this one
        if ready is None or not _are_same(ready[0], self._state(), n_asked=1):
            return None
        self.learner.claim([ready[1]])
        return ready[1]

    def release(self, question):
        """Let a question be asked again that nobody will answer."""
        self._n_asked += 1
        if question.sample in self.place:
            sample = self.place[question.sample]
            rows = [self.place[n] for n in question.others if n in self.place]
            asked = GroupQuestion(sample, np.array(rows, dtype=np.int64))
            self.learner.release(asked.as_pairs(None)[0])

    def chains(self):
        """Return the contradictions, as lists of (id, id, answer).

        Each begins with the answer that is left out.
        """
        return [self._with_answers(chain) for chain in self.learner.contradictions_]

    def _with_answers(self, chain):
        """Return pairs of a chain by ids, with what was last said of each."""
        said = {(row["i"], row["j"]): row["answer"] for row in self.learner.history_}
        return [
            (self.ids[i], self.ids[j], said.get((i, j), 0))
            for i, j in np.sort(chain, axis=1).tolist()
        ]


def next_pair(learner):
    """Return the next pair, rather none that has just been answered; None if no more.

    A doubtful answer is asked again, but not while the person remembers it.
    """
    latest = {(row["i"], row["j"]) for row in learner.history_[-_RECENT:]}
    put_off = []
    for _ in range(_RECENT + 1):
        pairs = learner.ask(1)
        if not len(pairs):
            break
        if tuple(sorted(pairs[0].tolist())) not in latest:
            _give_back(learner, put_off)
            return pairs[0]
        put_off.append(pairs[0])
    # there are no others
    _give_back(learner, put_off[1:])
    return put_off[0] if put_off else None


def _give_back(learner, pairs):
    """Let pairs be asked later."""
    if pairs:
        learner.release(pairs)


def think_ahead(pair, forks):
    """Return the next pair for each answer to a pair.

    Parameters
    ----------
    pair : list of two int
    forks : dict of int to ActivePairLearner
        A learner per answer. They are changed.
    """
    return {
        says: next_pair(fork.tell([pair], [says], fit=False))
        for says, fork in forks.items()
    }


def _are_same(state, other, n_asked=0):
    """Whether nothing has changed between two states, but so many questions."""
    is_same = state[0] is other[0] and state[1] is other[1]
    return is_same and state[2] + n_asked == other[2]
