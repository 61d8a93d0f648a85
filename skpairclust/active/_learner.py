"""ActivePairLearner: ask about pairs, fit, and ask again."""

from math import ceil
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin, MetaEstimatorMixin, clone
from sklearn.utils import check_random_state, get_tags

from skpairclust.active._beside import FitsBeside
from skpairclust.active._cover import CoverQuery
from skpairclust.active._delegation import DelegatedMethods
from skpairclust.active._group_questions import GroupQuestions
from skpairclust.active._judgment import Judge
from skpairclust.active._model_view import as_indexable, is_fitted
from skpairclust.active._others import (
    ExploreConsolidate,
    RandomQuery,
    UncertaintyQuery,
)
from skpairclust.active._progress import add_refit
from skpairclust.active._refit import fit_best, fit_to_answers, labels_of, seeded
from skpairclust.active._samples import digest
from skpairclust.active._turns import AskAndTell, Judged
from skpairclust.constraints._pairs import count_samples
from skpairclust.constraints._supervision import check_supervision
from skpairclust.utils._compat import CallbackSupportMixin, with_callbacks
from skpairclust.utils._param_validation import (
    Interval,
    StrOptions,
    positive_int,
    restarts,
)
from skpairclust.utils._state import new_fit, restored_on_error

STRATEGIES = {
    "cover": CoverQuery,
    "explore": ExploreConsolidate,
    "random": RandomQuery,
    "uncertainty": UncertaintyQuery,
}
_OF_SESSION = (
    "_X",
    "_digest",
    "_pending",
    "_known",
    "_book",
    "_refits",
    "_unfinished",
    "_judge",
    "_judged",
)


class ActivePairLearner(
    AskAndTell,
    GroupQuestions,
    FitsBeside,
    DelegatedMethods,
    ClusterMixin,
    CallbackSupportMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """Ask whether pairs belong together, and cluster by the answers.

    An oracle answers: a person, a rule or a language model. :meth:`fit` asks it and
    ends with a clustering. A program that cannot wait for answers, such as a page in a
    browser, calls :meth:`start`, then :meth:`ask` and :meth:`tell` in turns, and
    :meth:`update` in the end.

    Parameters
    ----------
    estimator : estimator
        A clusterer. What is known is passed to its `fit` as y, together with all that
        follows from it. Those of scikit-learn do not use it.

    strategy : {"cover", "explore", "random", "uncertainty"} or object, \
            default="cover"
        What chooses the questions: :class:`CoverQuery`, :class:`ExploreConsolidate`,
        :class:`RandomQuery` or :class:`UncertaintyQuery`, or an object with such a
        method `query`.

    n_queries : int, default=100
        Number of questions that `fit` asks.

    batch_size : int, default=5
        Number of pairs that the oracle gets at once, and of those that :meth:`ask`
        returns by default. Questions that are asked together do not build on each
        other's answers, so that more are needed.

    refit_every : int, default=20
        Number of answers after which the clusterer is fitted again.

    refit : {"warm", "cold", "final"} or dict, default="warm"
        How the clusterer is fitted between questions. "warm" starts from the last fit
        if the clusterer has the parameter `warm_start`, "cold" starts anew. With
        "final" there is no fit before the last answer, and questions are chosen by
        distance. A dict holds parameters for the fits between questions, for instance
        ``{"max_iter": 10}``. The last fit is always cold, with the parameters of
        `estimator`.

    n_init : int, default=3
        Number of last fits at most. If the first one respects less than 99.5 % of the
        answers (less, if many answers were wrong), because two clusters were merged for
        instance, it is run again from another seed, and the fit that respects most is
        kept. If none respects so many, one more starts from the fit before, unless
        `n_init` is 1.

    recheck_share : float, default=0.2
        Share of the questions that may ask about an answered pair again, in [0, 1].
        This is done if answers contradict each other, or if an answer is unlikely by
        all the others: below .2, and below .5 when the last questions are asked, for
        which at least half of this share is kept. The less often second answers differ
        from the first, the fewer are asked for. A pair is asked three times at most,
        and the majority counts. A tie is broken by the other answers where these are
        clear.

    verbose : int, default=0
        If not 0, each fit prints a line of progress.

    random_state : int, RandomState instance or None, default=None
        Controls the choice of questions, and the estimator if its `random_state` is
        None.

    Attributes
    ----------
    constraints_ : PairwiseConstraints
        What is known: the y of `fit` and the answers that are kept. They do not
        contradict each other.

    estimator_ : estimator
        The clusterer of the last fit.

    history_ : list of dict
        A row per answer: the samples `i` and `j`, the `answer`, the probability `same`
        that the model gave it (None without a model), whether a sample was in its first
        question, `is_first`, and whether the pair was answered before, `is_repeat`.

    labels_ : ndarray of shape (n_samples,)
        Clusters of the last fit.

    contradictions_ : list of ndarray of shape (n_links, 2)
        For each answer that is left out, the shortest chain of answers that cannot all
        be right. It starts with the one that is left out.

    noise_rate_ : float
        Share of the pairs whose first answer did not last. It is passed to the
        estimator if this has a parameter `noise_rate`, and it is 0 there.

    agreements_ : list of tuple (int, float)
        For each fit but the first, the number of answers, and the share of samples
        whose cluster is that of the fit before, after the best matching of clusters.

    n_features_in_ : int
        Number of features seen in `fit`, if the estimator says it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`, if X had any.

    See Also
    --------
    CoverQuery : The default choice of questions.
    skpairclust.inspection.ActiveCurveDisplay : Draws how far the questions have come.

    References
    ----------
    .. [1] Basu, Banerjee, Mooney (2004). Active semi-supervision for pairwise
       constrained clustering. SDM.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.metrics import adjusted_rand_score
    >>> from skpairclust.active import ActivePairLearner
    >>> from skpairclust.baselines import PCKMeans
    >>> X, y = load_iris(return_X_y=True)
    >>> def oracle(pairs):
    ...     return np.where(y[pairs[:, 0]] == y[pairs[:, 1]], 1, -1)
    >>> learner = ActivePairLearner(PCKMeans(3), n_queries=60, random_state=0)
    >>> len(learner.fit(X, oracle=oracle).history_)
    60
    >>> bool(adjusted_rand_score(y, learner.labels_) > 0.7)
    True
    """

    _parameter_constraints: dict = {
        "estimator": "no_validation",
        "strategy": "no_validation",
        "n_queries": [positive_int()],
        "batch_size": [positive_int()],
        "refit_every": [positive_int()],
        "refit": [StrOptions({"warm", "cold", "final"}), dict],
        "n_init": [restarts()],
        "recheck_share": [Interval(Real, 0, 1, closed="both")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        strategy="cover",
        *,
        n_queries=100,
        batch_size=5,
        refit_every=20,
        refit="warm",
        n_init=3,
        recheck_share=0.2,
        verbose=0,
        random_state=None,
    ):
        self.estimator = estimator
        self.strategy = strategy
        self.n_queries = n_queries
        self.batch_size = batch_size
        self.refit_every = refit_every
        self.refit = refit
        self.n_init = n_init
        self.recheck_share = recheck_share
        self.verbose = verbose
        self.random_state = random_state

    @with_callbacks
    def fit(self, X, y=None, *, oracle=None):
        """Ask the oracle, fit in between, and fit to all answers in the end.

        If the oracle fails, its error is raised and the answers until then are kept.
        The same call then goes on where it stopped.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.

        y : PairwiseConstraints or array-like, default=None
            What is known before the first question, in any form that clusterers of
            this package take. It is trusted: answers that contradict it are left out.

        oracle : callable, default=None
            ``oracle(pairs)`` gets an (m, 2) array of row numbers and returns m answers:
            1 for same, -1 for different, 0 for cannot tell. None asks nothing.

        Returns
        -------
        self : ActivePairLearner
            Fitted learner. It may go on with :meth:`ask` and :meth:`tell`.

        Raises
        ------
        TypeError, ValueError
            If an argument or an answer cannot be used.
        """
        if oracle is not None and not callable(oracle):
            raise TypeError(
                f"oracle={oracle!r:.80} must be callable: it gets pairs of row numbers "
                "and returns 1, -1 or 0 for each. Answers that you have already go to "
                "`tell(pairs, answers)` after `start(X)`."
            )
        self._validate_params()
        if not self._goes_on(X):
            self.start(X, y)
        n_left = 0 if oracle is None else self.n_queries - len(self.history_)
        context = self._init_callback_context(
            max_subtasks=max(0, ceil(n_left / self.batch_size))
        )
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        if oracle is not None:
            self._unfinished, self._pending = True, self._pending[:0]
            self._ask_all(oracle, context)
            self._unfinished = False
        self.update()
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def _goes_on(self, X):
        """Whether an oracle failed in the last call of `fit`, with the same X."""
        if not getattr(self, "_unfinished", False):
            return False
        return digest(as_indexable(X)) == self._digest

    def _ask_all(self, oracle, context):
        """Ask until `n_queries` answers are there, or nothing is left to ask.

        A callback may end it sooner.
        """
        while (n_left := self.n_queries - len(self.history_)) > 0:
            pairs = self.ask(min(self.batch_size, n_left))
            if not len(pairs):
                break
            questions = context.subcontext(task_name="questions")
            questions.call_on_fit_task_begin(estimator=self)
            self.tell(pairs, oracle(pairs.copy()))
            if questions.call_on_fit_task_end(estimator=self):
                break

    def start(self, X, y=None):
        """Begin anew with some samples, and fit nothing yet.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples. They are kept, not copied, and must not be changed.

        y : PairwiseConstraints or array-like, default=None
            What is known of them, as in `fit`.

        Returns
        -------
        self : ActivePairLearner
            Ready for :meth:`ask`.

        Raises
        ------
        ValueError
            If y contradicts itself, or does not fit X.
        """
        self._validate_params()
        with new_fit(self, _OF_SESSION):
            X = as_indexable(X)
            n_samples = count_samples(X)
            self._known = check_supervision(y, n_samples=n_samples)
            # an error here names the contradicting pairs
            self._known.closure()
            self._X, self._digest = X, digest(X)
            self._pending = np.empty((0, 2), dtype=np.int64)
            self._refits, self._unfinished = [], False
            rng = check_random_state(self.random_state)
            self.strategy_ = self._make_strategy(rng)
            self._template = seeded(self.estimator, rng, self.random_state)
            self._judge, self._judged = Judge(X, rng), Judged(0, {})
            self._set_history([])
        return self

    def _make_strategy(self, rng):
        """Return the strategy that the parameter names or is."""
        seed = int(rng.randint(2**31, dtype=np.int64))
        if self.strategy in list(STRATEGIES):
            return STRATEGIES[self.strategy](random_state=seed)
        if not hasattr(self.strategy, "query"):
            raise TypeError(
                f"strategy={self.strategy!r:.80} must be one of {sorted(STRATEGIES)} "
                "or an object with a method `query(estimator, X, constraints, "
                "n_queries, *, exclude)`."
            )
        return clone(self.strategy, safe=False)

    def update(self, *, cold=True):
        """Fit the clusterer to all answers, with the parameters of `estimator`.

        Parameters
        ----------
        cold : bool, default=True
            False fits as between questions, as `refit` says.

        Returns
        -------
        self : ActivePairLearner
            With new `labels_`.
        """
        self._check_started()
        self._fit(cold=cold)
        return self

    def _fit(self, *, cold):
        """Fit to what is known, and note what the fit changed."""
        with restored_on_error(self):
            self._judge_answers()
            self.estimator_ = self._make_fitted(cold=cold)
            self.labels_ = labels_of(self.estimator_, self._X)
            self._refits = add_refit(self._refits, len(self.history_), self.labels_)
            # the new model may find other answers doubtful
            self._set_history(self.history_)
        if self.verbose:
            n_answers = len(self.history_)
            print(f"{n_answers} of {self.n_queries} answers. {self.progress()}")

    def _make_fitted(self, *, cold):
        """Return the last clusterer, or one to choose the next questions with."""
        fit = fit_best if cold else fit_to_answers
        return fit(
            self._template,
            getattr(self, "estimator_", None),
            self._X,
            self.constraints_,
            noise_rate=self.noise_rate_,
            **({"n_init": self.n_init} if cold else {"refit": self.refit}),
        )

    def __sklearn_is_fitted__(self):
        return is_fitted(getattr(self, "estimator_", None))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.transformer_tags = inner.transformer_tags
        return tags
