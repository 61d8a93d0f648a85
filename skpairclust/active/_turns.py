"""Questions and answers in turns: ask, tell, take back."""

from typing import NamedTuple

import numpy as np
from sklearn.exceptions import NotFittedError

from skpairclust.active._answers import check_answers, check_positions, mark_repeats
from skpairclust.active._base import check_n_queries
from skpairclust.active._model_view import ModelView, find_n_clusters
from skpairclust.active._progress import summarize
from skpairclust.active._samples import digest
from skpairclust.active._session import AnswerBook
from skpairclust.constraints._groups import mark_constrained
from skpairclust.constraints._pairs import check_pairs, contains, encode

# Share of what may be asked again that is used before the end.
_EARLY = 0.5
# They are judged anew whenever there are more by one such part.
_REFRESHES = 50
# In the end, answers are asked again that are less likely, or that may join more
# samples to others wrongly, times the probability of that.
_UNLIKELY, _MOST_HARM = 0.5, 1


class Judged(NamedTuple):
    """What the other answers say of each pair that was answered.

    Attributes
    ----------
    n_answers : int
        Answers at that time.
    same : dict of tuple to float
        Probability that a pair belongs together, by (i, j) with i < j.
    """

    n_answers: int
    same: dict


class AskAndTell:
    """The part of a learner that asks about pairs and takes answers."""

    def ask(self, n_queries=None):
        """Return pairs to ask about.

        Parameters
        ----------
        n_queries : int or None, default=None
            Number of pairs, `batch_size` if None.

        Returns
        -------
        pairs : ndarray of shape (m, 2), int64
            Row numbers. Pairs whose answer is in doubt come first, then new ones. Pairs
            that were asked for before and not answered yet do not come again. m is
            less than `n_queries` if there are no more.

        Raises
        ------
        NotFittedError
            Before :meth:`start` or :meth:`fit`.
        ValueError
            If X has been changed.
        """
        self._check_started()
        n_queries = check_n_queries(self.batch_size if n_queries is None else n_queries)
        again = self._ask_again(n_queries)
        out = np.concatenate((self._pending, self._book.not_to_ask))
        new = self.strategy_.query(
            getattr(self, "estimator_", self._template),
            self._X,
            self.constraints_,
            n_queries - len(again),
            exclude=out,
        )
        pairs = np.concatenate((again, new))
        self._pending = np.concatenate((self._pending, pairs))
        return pairs

    def _ask_again(self, n_queries):
        """Return doubtful pairs, as many as their share of the questions allows."""
        n_answers = len(self.history_)
        n_repeats = sum(row["is_repeat"] for row in self.history_)
        budget = int(self.recheck_share * max(self.n_queries, n_answers)) - n_repeats
        if budget <= 0 or not n_answers:
            return self._pending[:0]
        pairs = self._book.contradicted()[: min(budget, n_queries)]
        share = self.recheck_share * self._book.worth_asking_again()
        is_end = n_answers + share * self.n_queries - n_repeats >= self.n_queries
        if is_end:
            self._judge_answers(n_answers // _REFRESHES)
        # surprises wait: the more answers there are, the better they judge each other
        n_due = int((1 if is_end else _EARLY) * share * n_answers) - n_repeats
        n_left = min(n_due, budget) - len(pairs)
        if n_left > 0:
            limits = (_UNLIKELY, _MOST_HARM) if is_end else ()
            more = self._book.surprising(*limits)[:n_left]
            pairs = np.concatenate((pairs, more))
        return pairs[~self._is_in(pairs, self._pending)][:n_queries]

    def _is_in(self, pairs, others):
        """Mark the pairs that are among others, in any orientation."""
        n_samples = self._known.n_samples
        return contains(np.sort(encode(others, n_samples)), encode(pairs, n_samples))

    def tell(self, pairs, answers, *, fit=True):
        """Take answers, and fit if there are `refit_every` new ones.

        Parameters
        ----------
        pairs : array-like of shape (m, 2), int
            Row numbers: any of those asked for in any order, or others.

        answers : array-like of shape (m,), int
            1 for same, -1 for different, 0 for cannot tell. If a pair was answered
            before, the majority counts.

        fit : bool, default=True
            False leaves a fit that is due to a :meth:`fork`, so that it is no wait.

        Returns
        -------
        self : ActivePairLearner
            With the answers.

        Raises
        ------
        TypeError, ValueError
            If pairs or answers cannot be used, or X has been changed. None of the
            answers is taken then.
        """
        self._check_started()
        pairs = check_pairs(pairs, self._known.n_samples, "pairs")
        answers = check_answers(answers, len(pairs))
        self._set_history(self.history_ + self._make_rows(pairs, answers))
        self._pending = self._pending[~self._is_in(self._pending, pairs)]
        if not fit:
            return self
        if len(self.history_) - self._judged.n_answers >= self.refit_every:
            self._judge_answers()
        if self.is_fit_due:
            self._fit(cold=False)
        return self

    def _judge_answers(self, n_new=0):
        """Judge each answer by the others, if there are more new ones than `n_new`."""
        n_more = len(self.history_) - self._judged.n_answers
        if 0 <= n_more <= n_new:
            return
        votes = self._book.counted
        same = self._judge.same(votes, self._count_clusters())
        pairs = map(tuple, votes.pairs.tolist())
        found = {} if same is None else dict(zip(pairs, same.tolist(), strict=True))
        self._judged = Judged(len(self.history_), found)
        self._set_history(self.history_)

    def _count_clusters(self):
        """Return the number of clusters, as far as it is known."""
        number = find_n_clusters(getattr(self, "estimator_", self._template))
        if number is None and hasattr(self, "labels_"):
            number = len(np.unique(self.labels_))
        return number or 0

    def _make_rows(self, pairs, answers):
        """Return the rows of the history for some answers."""
        same = self._view().same(pairs)
        is_new = ~mark_constrained(self.constraints_)
        told = {(row["i"], row["j"]) for row in self.history_}
        rows = []
        for number, (i, j) in enumerate(np.sort(pairs, axis=1).tolist()):
            rows.append(
                {
                    "i": i,
                    "j": j,
                    "answer": int(answers[number]),
                    "same": None if np.isnan(same[number]) else float(same[number]),
                    "is_first": bool(is_new[i] or is_new[j]),
                    "is_repeat": (i, j) in told,
                }
            )
            told.add((i, j))
            # Of a sample and several groups, the likeliest comes first.
            is_new[[i, j]] = False
        return rows

    def undo(self, n_answers=1):
        """Take back the last answers.

        The clusterer stays as it is until the next fit.

        Parameters
        ----------
        n_answers : int, default=1
            How many.

        Returns
        -------
        pairs : ndarray of shape (n_answers, 2), int64
            The pairs they were about. They may be asked again.

        Raises
        ------
        ValueError
            If there are not as many answers.
        """
        self._check_started()
        n_answers = check_n_queries(n_answers, "n_answers")
        if n_answers > len(self.history_):
            raise ValueError(
                f"n_answers={n_answers} cannot be taken back, there are only "
                f"{len(self.history_)}."
            )
        n_kept = len(self.history_) - n_answers
        return self.remove(range(n_kept, len(self.history_)))

    def remove(self, positions):
        """Take back any answers, by their positions in `history_`.

        :meth:`undo` takes back the last ones. If several people answer, the last
        answer of one of them may be anywhere.

        Parameters
        ----------
        positions : array-like of shape (m,), int
            Each from 0 to ``len(history_) - 1``, none twice.

        Returns
        -------
        pairs : ndarray of shape (m, 2), int64
            The pairs they were about, in the order of `history_`.

        Raises
        ------
        TypeError, ValueError
            If there is no such answer, or one is named twice.
        """
        self._check_started()
        gone = check_positions(positions, len(self.history_))
        kept = [row for n, row in enumerate(self.history_) if n not in gone]
        pairs = [(self.history_[n]["i"], self.history_[n]["j"]) for n in sorted(gone)]
        self._refits = [r for r in self._refits if r.n_answers <= len(kept)]
        # what the others say is to be found anew
        self._judged = self._judged._replace(n_answers=0)
        self._set_history(mark_repeats(kept))
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)

    def claim(self, pairs):
        """Say that pairs are being asked about, so that :meth:`ask` returns others.

        Parameters
        ----------
        pairs : array-like of shape (m, 2), int
            Row numbers.

        Returns
        -------
        self : ActivePairLearner
            As if it had returned these pairs.
        """
        self._check_started()
        pairs = check_pairs(pairs, self._known.n_samples, "pairs")
        new = pairs[~self._is_in(pairs, self._pending)]
        self._pending = np.concatenate((self._pending, new))
        return self

    def release(self, pairs=None):
        """Say that questions will not be answered, so that they may be asked again.

        Parameters
        ----------
        pairs : array-like of shape (m, 2), int, default=None
            Pairs that :meth:`ask` returned, in any orientation. None is all of them.

        Returns
        -------
        self : ActivePairLearner
            Ready to ask about them.
        """
        self._check_started()
        out = self._pending
        if pairs is not None:
            out = check_pairs(pairs, self._known.n_samples, "pairs")
        self._pending = self._pending[~self._is_in(self._pending, out)]
        return self

    def _set_history(self, history):
        """Set the answers and what follows from them."""
        self.history_ = history
        self._book = AnswerBook(history, self._known, self._view(), self._judged.same)
        self.constraints_ = self._book.constraints
        self.noise_rate_ = self._book.noise_rate

    @property
    def contradictions_(self):
        """Shortest contradicting chains, one for each answer that is left out."""
        self._check_started()
        return self._book.chains

    @property
    def agreements_(self):
        """Number of answers and agreement with the fit before, of each fit but one."""
        self._check_started()
        return [(r.n_answers, r.agreement) for r in self._refits[1:]]

    @property
    def _n_answers_fitted(self):
        """Number of answers at the last fit."""
        return self._refits[-1].n_answers if self._refits else 0

    def _view(self):
        """Return X as the current model sees it."""
        return ModelView(getattr(self, "estimator_", None), self._X)

    def progress(self):
        """Say how far the questions have come, without labels.

        Returns
        -------
        AnswerProgress
            Its ``str`` is a sentence such as "The last 50 answers changed 0.4 % of the
            clusters."
        """
        self._check_started()
        named = mark_constrained(self.constraints_)
        n_groups = len(np.unique(self.constraints_.components()[named]))
        return summarize(self.history_, self._refits, n_groups, self.noise_rate_)

    def _check_started(self):
        """Raise if there is no X yet, or it has changed."""
        if not hasattr(self, "_X"):
            raise NotFittedError(
                f"This {type(self).__name__} has no samples yet: call start(X), or "
                "fit(X, oracle=...), first."
            )
        if digest(self._X) != self._digest:
            raise ValueError(
                "X has been changed since `start` or `fit`, so answers could be about "
                "other samples than the questions were. Call start(X) to begin anew, "
                "or pass a copy of X to it."
            )
