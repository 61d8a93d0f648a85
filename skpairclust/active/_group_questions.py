"""One sample against several groups: one answer says what many pairs would."""

from typing import NamedTuple

import numpy as np

from skpairclust.active._base import check_n_queries
from skpairclust.active._cover import CoverQuery
from skpairclust.active._groups_view import GroupsView
from skpairclust.active._knowledge import Knowledge
from skpairclust.active._model_view import ModelView, as_indexable
from skpairclust.active._placing import find_standing, score_left
from skpairclust.constraints._pairs import check_pairs, count_samples
from skpairclust.constraints._supervision import check_supervision


class GroupQuestion(NamedTuple):
    """The question which of some samples another one belongs with, or with none.

    Attributes
    ----------
    sample : int
        Row number.
    candidates : ndarray of shape (n_candidates,), int64
        An example of each likely group, the likeliest first.

    Examples
    --------
    >>> import numpy as np
    >>> from skpairclust.active import GroupQuestion
    >>> question = GroupQuestion(7, np.array([0, 3, 5]))
    >>> pairs, answers = question.as_pairs(1)
    >>> pairs.tolist(), answers.tolist()
    ([[0, 7], [3, 7], [5, 7]], [-1, 1, -1])
    """

    sample: int
    candidates: np.ndarray

    def as_pairs(self, choice):
        """Return the pairs that a choice answers.

        Parameters
        ----------
        choice : int or None
            Position of the candidate that is the same, -1 for none of them, None for
            cannot tell.

        Returns
        -------
        pairs : ndarray of shape (n_candidates, 2), int64
            Each candidate and the sample.
        answers : ndarray of shape (n_candidates,), int64
            1, -1 or 0, as for `ActivePairLearner.tell`.

        Raises
        ------
        TypeError, ValueError
            If there is no such candidate.
        """
        n = len(self.candidates)
        pairs = np.column_stack((self.candidates, np.full(n, self.sample)))
        if choice is None:
            return pairs, np.zeros(n, dtype=np.int64)
        is_integer = isinstance(choice, (int, np.integer))
        if not is_integer or isinstance(choice, bool) or not -1 <= choice < n:
            raise (ValueError if is_integer else TypeError)(
                f"choice={choice!r} must be the position of a candidate, from 0 to "
                f"{n - 1}, -1 for none of them, or None for cannot tell."
            )
        answers = np.full(n, -1, dtype=np.int64)
        if choice >= 0:
            answers[choice] = 1
        return pairs, answers


def query_groups(
    estimator, X, constraints, n_queries, *, n_groups=5, strategy=None, exclude=None
):
    """Choose samples, and for each an example of each likely group.

    "Which of these does it belong with, or with none?": one answer to this is a
    must-link and several cannot-links.

    Parameters
    ----------
    estimator : estimator or None
        The current clusterer, as for a strategy.

    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        Samples.

    constraints : PairwiseConstraints or array-like, or None
        What is known of them.

    n_queries : int
        Number of questions.

    n_groups : int, default=5
        Number of examples per question at most.

    strategy : object with `query`, default=None
        What chooses the samples; None is `CoverQuery`.

    exclude : array-like of shape (e, 2), default=None
        Pairs that are not to be asked.

    Returns
    -------
    questions : list of GroupQuestion
        At most `n_queries`, about different samples.

    Raises
    ------
    TypeError, ValueError
        If an argument cannot be used.

    References
    ----------
    .. [1] Basu, Banerjee, Mooney (2004). Active semi-supervision for pairwise
       constrained clustering. SDM. The groups are its neighborhoods.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skpairclust.active import CoverQuery, query_groups
    >>> X, y = load_iris(return_X_y=True)
    >>> known = [(0, 50, -1), (0, 100, -1), (50, 100, -1)]
    >>> strategy = CoverQuery(random_state=0)
    >>> questions = query_groups(None, X, known, 2, strategy=strategy)
    >>> [sorted(q.candidates.tolist()) for q in questions]
    [[0, 50, 100], [0, 50, 100]]
    """
    n_groups = check_n_queries(n_groups, "n_groups")
    X = as_indexable(X)
    n_samples = count_samples(X)
    constraints = check_supervision(constraints, n_samples=n_samples)
    exclude = check_pairs(exclude, n_samples, "exclude")
    strategy = CoverQuery() if strategy is None else strategy
    pairs = strategy.query(estimator, X, constraints, n_queries, exclude=exclude)
    knowledge = Knowledge(constraints, exclude)
    standing = find_standing(knowledge, max_tries=n_samples)
    view = ModelView(estimator, X)
    groups_view = None
    if len(standing.established):
        groups_view = GroupsView(view, knowledge, standing.established)
    questions, asked = [], set()
    for target, sample in pairs.tolist():
        if sample not in asked:
            asked.add(sample)
            others = _candidates(groups_view, knowledge, sample, n_groups)
            candidates = np.array([target, *others], dtype=np.int64)[:n_groups]
            questions.append(GroupQuestion(sample, _different(knowledge, candidates)))
    return questions


def _candidates(groups_view, knowledge, sample, n_groups):
    """Return an example of each likely group that is left for a sample."""
    if groups_view is None:
        return []
    row = np.array([sample])
    scores = score_left(groups_view, knowledge, row)[0]
    best = np.argsort(-scores, kind="stable")[:n_groups]
    best = best[np.isfinite(scores[best])]
    return groups_view.nearest_members(np.repeat(row, len(best)), best).tolist()


def _different(knowledge, candidates):
    """Return candidates without those of the same group as one before."""
    first = np.unique(knowledge.component[candidates], return_index=True)[1]
    return candidates[np.sort(first)]


class GroupQuestions:
    """The part of a learner that asks about a sample and several groups."""

    def ask_groups(self, n_queries=None, *, n_groups=5):
        """Return questions "which of these, or none?".

        Parameters
        ----------
        n_queries : int or None, default=None
            Number of questions, `batch_size` if None.

        n_groups : int, default=5
            Number of examples per question at most.

        Returns
        -------
        questions : list of GroupQuestion
            Each with `sample` and `candidates`; less than `n_queries` if there are no
            more.
        """
        self._check_started()
        questions = query_groups(
            getattr(self, "estimator_", self._template),
            self._X,
            self.constraints_,
            check_n_queries(self.batch_size if n_queries is None else n_queries),
            n_groups=n_groups,
            strategy=self.strategy_,
            exclude=np.concatenate((self._pending, self._book.not_to_ask)),
        )
        asked = [question.as_pairs(None)[0] for question in questions]
        self._pending = np.concatenate((self._pending, *asked))
        return questions

    def tell_groups(self, questions, choices, *, fit=True):
        """Take the answers to questions "which of these, or none?".

        Parameters
        ----------
        questions : list of GroupQuestion
            Those that were answered, in any order.

        choices : list of int or None
            For each the position of the candidate that is the same, -1 for none of
            them, None for cannot tell.

        fit : bool, default=True
            As in :meth:`tell`.

        Returns
        -------
        self : ActivePairLearner
            With the answers: each choice counts as one answer per candidate.

        Raises
        ------
        TypeError, ValueError
            If questions and choices differ in number, or there is no such candidate.
        """
        if len(questions) != len(choices):
            raise ValueError(
                f"choices must hold one entry per question; got {len(choices)} for "
                f"{len(questions)}."
            )
        told = [q.as_pairs(c) for q, c in zip(questions, choices, strict=True)]
        if not told:
            return self
        pairs, answers = zip(*told, strict=True)
        return self.tell(np.concatenate(pairs), np.concatenate(answers), fit=fit)
