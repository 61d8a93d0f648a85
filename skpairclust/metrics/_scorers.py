"""Scorers, which searches and cross-validation call with a fitted estimator."""

from collections.abc import Callable
from typing import Any, Literal

import sklearn.metrics
from sklearn.metrics import make_scorer

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._supervision import check_supervision
from skpairclust.constraints._typing import AnyArray
from skpairclust.metrics import _classes
from skpairclust.metrics._checks import read_class_labels
from skpairclust.metrics._labels import constraint_accuracy_score
from skpairclust.metrics._probabilities import (
    constraint_log_loss,
    constraint_roc_auc_score,
)


class ConstraintScorer:
    """A scorer that compares clusterers with constraints, for ``scoring=``.

    It is called as ``scorer(estimator, X, y)``, where `y` is any supervision that `fit`
    takes: `PairwiseConstraints`, labels with -1 or None for unlabeled samples, rows
    ``(i, j, r)``, or a relation matrix. Higher is better. On the pairs that were fitted
    the score deceives: see
    :func:`~skpairclust.model_selection.cross_validate_constraints`.

    Parameters
    ----------
    score_func : callable
        Takes `PairwiseConstraints` and the output of the estimator.
    response_method : {"predict", "predict_proba"}, default="predict"
        The method of the estimator that is called with X.
    greater_is_better : bool, default=True
        False for losses, whose sign is flipped.

    See Also
    --------
    get_scorer : The ready-made scorers by name.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.cluster import KMeans
    >>> from skpairclust import PairwiseConstraints
    >>> from skpairclust.metrics import constraint_accuracy
    >>> X, y = load_iris(return_X_y=True)
    >>> pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    >>> kmeans = KMeans(3, n_init=1, random_state=0).fit(X)
    >>> constraint_accuracy(kmeans, X, pairs) > 0.8
    True
    """

    def __init__(
        self,
        score_func: Callable[..., float],
        *,
        response_method: Literal["predict", "predict_proba"] = "predict",
        greater_is_better: bool = True,
    ) -> None:
        self.score_func = score_func
        self.response_method = response_method
        self.greater_is_better = greater_is_better

    def __call__(self, estimator: Any, X: AnyArray, y: AnyArray | None = None) -> float:
        """Return the score of `estimator` on X.

        Parameters
        ----------
        estimator : estimator
            Fitted.
        X : array-like
            Samples.
        y : PairwiseConstraints or array-like
            What is known of them.

        Returns
        -------
        float
            Higher is better.

        Raises
        ------
        TypeError
            If the estimator lacks the method.
        ValueError
            If `y` is None or holds no pair of a kind that the score needs.
        """
        respond = getattr(estimator, self.response_method, None)
        if respond is None:
            raise TypeError(
                f"{self!r} needs an estimator with {self.response_method}, which "
                f"{type(estimator).__name__} has not; see "
                "skpairclust.metrics.get_scorer_names() for others."
            )
        if y is None:
            raise ValueError(
                f"{self!r} compares with constraints: pass PairwiseConstraints as y."
            )
        response = respond(X)
        if not isinstance(y, PairwiseConstraints):
            y = check_supervision(y, n_samples=len(response))
        sign = 1 if self.greater_is_better else -1
        return sign * self.score_func(y, response)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConstraintScorer):
            return NotImplemented
        return vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.score_func, self.response_method, self.greater_is_better))

    def __repr__(self) -> str:
        sign = "" if self.greater_is_better else "-"
        return f"{type(self).__name__}({sign}{self.score_func.__name__})"


constraint_accuracy = ConstraintScorer(constraint_accuracy_score)
constraint_roc_auc = ConstraintScorer(
    constraint_roc_auc_score, response_method="predict_proba"
)
neg_constraint_log_loss = ConstraintScorer(
    constraint_log_loss, response_method="predict_proba", greater_is_better=False
)

_SCORERS = {
    "constraint_accuracy": constraint_accuracy,
    "constraint_roc_auc": constraint_roc_auc,
    "neg_constraint_log_loss": neg_constraint_log_loss,
}


def get_scorer_names() -> list[str]:
    """List the names of the scorers that compare with constraints.

    Returns
    -------
    list of str
        Sorted names. Those of scikit-learn are not included, because its scorers need
        class labels in `y`.

    Examples
    --------
    >>> from skpairclust.metrics import get_scorer_names
    >>> get_scorer_names()
    ['constraint_accuracy', 'constraint_roc_auc', 'neg_constraint_log_loss']
    """
    return sorted(_SCORERS)


def get_scorer(name: str | Callable[..., float]) -> Callable[..., float]:
    """Return a scorer by its name.

    Parameters
    ----------
    name : str or callable
        One of :func:`get_scorer_names`. A callable is returned as it is.

    Returns
    -------
    ConstraintScorer
        For ``scoring=`` of scikit-learn's searches and cross-validation.

    Raises
    ------
    ValueError
        If there is no such scorer.

    Examples
    --------
    >>> from skpairclust.metrics import get_scorer
    >>> get_scorer("neg_constraint_log_loss")
    ConstraintScorer(-constraint_log_loss)
    """
    if callable(name):
        return name
    if name not in _SCORERS:
        raise ValueError(
            f"{name!r} is no scorer that compares with constraints; there are "
            f"{get_scorer_names()}. For scores against labels, see make_label_scorer."
        )
    return _SCORERS[name]


def make_label_scorer(score_func: str | Callable[..., float]) -> Callable[..., float]:
    """Make a scorer against true labels, for constraints in `y`.

    `y` holds constraints, and the labels are passed as metadata `labels_true`, which
    scikit-learn slices together with X: ``GridSearchCV(...).fit(X, constraints,
    labels_true=labels)`` or ``cross_validate(..., params={"labels_true":
    labels})``. This needs ``sklearn.set_config(enable_metadata_routing=True)``.

    Parameters
    ----------
    score_func : str or callable
        Name of a score in `sklearn.metrics` or `skpairclust.metrics`, such as
        "adjusted_rand_score", or a callable that takes true and predicted labels. It
        gets the samples whose true label is not missing (None, NaN, ``pandas.NA``).

    Returns
    -------
    scorer
        A scikit-learn scorer of `predict` that requests `labels_true`.

    Raises
    ------
    ValueError
        If there is no score of that name.
    RuntimeError
        If metadata routing is not enabled.

    Examples
    --------
    >>> import sklearn
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_validate
    >>> from skpairclust import PairwiseConstraints
    >>> from skpairclust.metrics import make_label_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     scorer = make_label_scorer("adjusted_rand_score")
    ...     results = cross_validate(
    ...         KMeans(3, random_state=0),
    ...         X,
    ...         pairs,
    ...         scoring=scorer,
    ...         params={"labels_true": y},
    ...     )
    >>> results["test_score"].shape
    (5,)
    """
    if not callable(score_func):
        score_func = _find_score(score_func)
    scorer = make_scorer(LabelScore(score_func))
    return scorer.set_score_request(labels_true=True)


def _find_score(name):
    """Return a score function by its name, or raise."""
    for module in (_classes, sklearn.metrics):
        function = getattr(module, str(name), None)
        if callable(function) and str(name).endswith("_score"):
            return function
    raise ValueError(
        f"{name!r} is no score in sklearn.metrics or skpairclust.metrics; pass a "
        "function of true and predicted labels."
    )


class LabelScore:
    """A score against `labels_true`, whatever `y` holds.

    :func:`make_label_scorer` makes it. It is public because pickles of such scorers
    contain it.

    Parameters
    ----------
    score_func : callable
        Takes true and predicted labels.

    Examples
    --------
    >>> from sklearn.metrics import adjusted_rand_score
    >>> from skpairclust.metrics import LabelScore
    >>> score = LabelScore(adjusted_rand_score)
    >>> score(None, [0, 0, 1, 1], labels_true=["a", "a", "b", None])
    1.0
    """

    def __init__(self, score_func: Callable[..., float]) -> None:
        self.score_func = score_func
        # scikit-learn's repr of a scorer asks for it
        self.__name__ = getattr(score_func, "__name__", repr(score_func))

    def __call__(
        self, y: object, labels_pred: AnyArray, *, labels_true: AnyArray
    ) -> float:
        """Return the score of the samples whose true label is not missing.

        Parameters
        ----------
        y : object
            Ignored.
        labels_pred : array-like of shape (n_samples,)
            Clusters.
        labels_true : array-like of shape (n_samples,)
            Classes, some of which may be missing (None, NaN, ``pandas.NA``).

        Returns
        -------
        float
            What `score_func` returns.
        """
        true, pred, _ = read_class_labels(labels_true, labels_pred)
        return self.score_func(true, pred)
