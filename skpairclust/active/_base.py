"""What all strategies share: checks, and pairs at random where ideas run out."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skpairclust.active._knowledge import Knowledge
from skpairclust.active._model_view import ModelView, as_indexable
from skpairclust.constraints._pairs import check_pairs, count_samples
from skpairclust.constraints._supervision import check_supervision
from skpairclust.utils._state import numpy_defaults

# Up to so many, all pairs are listed to find those left.
_MOST_LISTED = 100_000
# Draws in vain before almost all pairs are taken to be known.
_MOST_DRAWS = 50


class BaseQuery(BaseEstimator):
    """A strategy; its subclasses have `_propose`."""

    _parameter_constraints: dict = {"random_state": ["random_state"]}

    def query(self, estimator, X, constraints, n_queries, *, exclude=None):
        """Choose pairs to ask about.

        Parameters
        ----------
        estimator : estimator or None
            The current clusterer. Its `predict_proba`, `predict` and `transform` are
            used if it has them and is fitted. None, or an unfitted one, is for the
            first questions.

        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.

        constraints : PairwiseConstraints or array-like, or None
            What is known of them, in any form that `fit` takes as y.

        n_queries : int
            Number of pairs.

        exclude : array-like of shape (e, 2), default=None
            Pairs that are not to be asked, because they are being asked now, or because
            nobody could tell. Nothing is asked about the groups of these samples
            either.

        Returns
        -------
        pairs : ndarray of shape (m, 2), int64
            Row numbers, the most telling question first. No pair is known, follows
            from what is known, or stands for the same question as another one. m is
            less than `n_queries` only if there are no more such pairs.

        Raises
        ------
        TypeError, ValueError
            If an argument cannot be used.
        """
        self._validate_params()
        n_queries = check_n_queries(n_queries)
        X = as_indexable(X)
        n_samples = count_samples(X)
        constraints = check_supervision(constraints, n_samples=n_samples)
        excluded = check_pairs(exclude, n_samples, "exclude")
        knowledge = Knowledge(constraints, excluded)
        rng = check_random_state(self.random_state)
        if n_queries == 0 or n_samples < 2:
            return np.empty((0, 2), dtype=np.int64)
        with numpy_defaults():
            view = ModelView(estimator, X)
            pairs = self._propose(view, knowledge, n_queries, rng)
        pairs = knowledge.keep_new(pairs, n_queries)
        if len(pairs) < n_queries:
            others = random_pairs(knowledge, n_queries, rng)
            pairs = knowledge.keep_new(np.concatenate((pairs, others)), n_queries)
        return pairs


def check_n_queries(n_queries, name="n_queries"):
    """Return a number of questions as an int, or raise."""
    is_integer = isinstance(n_queries, Integral) and not isinstance(n_queries, bool)
    if not is_integer or n_queries < 0:
        kind = ValueError if is_integer else TypeError
        raise kind(
            f"{name}={n_queries!r} must be an integer of at least 0, the number of "
            "questions to ask."
        )
    return int(n_queries)


def random_pairs(knowledge, n_pairs, rng):
    """Return up to so many unknown pairs, each about two other groups.

    Fewer come only if there are no more; in large data, if a pair in thousands is
    unknown.
    """
    n = knowledge.n_samples
    if n * (n - 1) // 2 <= _MOST_LISTED:
        pairs = np.column_stack(np.triu_indices(n, 1))
        return knowledge.keep_new(pairs[rng.permutation(len(pairs))], n_pairs)
    found = np.empty((0, 2), dtype=np.int64)
    for _ in range(_MOST_DRAWS):
        drawn = rng.randint(n, size=(max(2 * n_pairs, 1000), 2))
        found = knowledge.keep_new(np.concatenate((found, np.sort(drawn, axis=1))))
        if len(found) >= n_pairs:
            break
    return found[:n_pairs]
