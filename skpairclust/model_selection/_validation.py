"""cross_validate_constraints: scores, and how the splits used the pairs."""

from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any, Literal

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.metrics import check_scoring
from sklearn.metrics import get_scorer_names as sklearn_scorer_names
from sklearn.model_selection import StratifiedKFold, check_cv, cross_validate

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._labels import encode_labels
from skpairclust.constraints._pairs import count_samples
from skpairclust.constraints._supervision import check_supervision
from skpairclust.constraints._typing import AnyArray
from skpairclust.metrics import get_scorer
from skpairclust.model_selection._pair_classifier import PairClassifier
from skpairclust.model_selection._report import (
    describe_pair_splits,
    describe_row_splits,
    raise_if_empty,
)
from skpairclust.model_selection._split import ConstraintKFold


def cross_validate_constraints(
    estimator: Any,
    X: AnyArray,
    y: AnyArray,
    *,
    cv: Any = None,
    scoring: str
    | Callable[..., float]
    | Iterable[str]
    | dict[str, Any]
    | None = "constraint_accuracy",
    hold_out: Literal["rows", "pairs"] = "rows",
    drop_entailed: bool = False,
    groups: AnyArray | None = None,
    params: dict[str, Any] | None = None,
    n_jobs: int | None = None,
    return_train_score: bool = False,
    return_estimator: bool = False,
    return_indices: bool = False,
    error_score: float | Literal["raise"] = "raise",
    verbose: int = 0,
) -> dict[str, Any]:
    """Cross-validate on constraints and report how the splits used the pairs.

    Parameters
    ----------
    estimator : estimator
        A clusterer, or a pipeline, whose `fit` takes `PairwiseConstraints` as y.

    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        Samples.

    y : PairwiseConstraints or array-like
        Any supervision that `fit` takes.

    cv : int, splitter or iterable of (train, test), default=None
        With ``hold_out="rows"`` splits of the rows of X; an integer or None (5)
        means `ConstraintKFold`. With ``hold_out="pairs"`` splits of the pairs, the
        must-links first and each kind sorted by row; an integer or None means
        `StratifiedKFold`, shuffled. Both with ``random_state=0``. A splitter of pairs
        should shuffle, or its folds are about neighboring rows.

    scoring : str, callable, list or dict, default="constraint_accuracy"
        Names of `skpairclust.metrics.get_scorer_names` or of scikit-learn's
        scorers, or scorers.

    hold_out : {"rows", "pairs"}, default="rows"
        "rows" trains on some rows of X and tests on others. This measures how well
        new samples are clustered. "pairs" uses all rows of X in every fit and holds
        out pairs. This measures how well the samples of X are clustered that nobody
        has compared.

    drop_entailed : bool, default=False
        Do not test on pairs that follow from the training pairs. With
        ``hold_out="rows"`` there are none, unless `cv` has rows in both sets.

    groups : array-like of shape (n_samples,), default=None
        Groups of rows for splitters such as `GroupKFold`; with "pairs", of pairs.

    params : dict, default=None
        Passed to `fit` of the estimator, or routed as metadata; arrays have one
        entry per row of X. Only with ``hold_out="rows"``.

    n_jobs, return_train_score, return_estimator, return_indices, verbose
        As in :func:`sklearn.model_selection.cross_validate`.

    error_score : "raise" or float, default="raise"
        Score of a fold whose fit or scoring fails.

    Returns
    -------
    results : dict of str to ndarray of shape (n_splits,)
        The results of :func:`sklearn.model_selection.cross_validate`, and these:
        "train_share", "test_share" and "dropped_share" are the shares of all pairs
        that are used for training, for testing, and not at all. "entailed_share" is
        the share of held-out pairs that follow from training pairs, which is a leak
        (with `drop_entailed`, these do not count in "test_share"). "row_share" is
        the share of rows of X that are fitted.

    Raises
    ------
    ValueError
        If a split leaves no pair to train or to test on, or an argument is wrong.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
    >>> from skpairclust.model_selection import cross_validate_constraints
    >>> X, labels = load_iris(return_X_y=True)
    >>> pairs = PairwiseConstraints.sample_from_labels(labels, 150, random_state=0)
    >>> clusterer = ConstrainedNeuralClusterer(3, max_iter=20, random_state=0)
    >>> results = cross_validate_constraints(clusterer, X, pairs, cv=3)
    >>> bool(results["test_score"].mean() > 0.7)
    True
    >>> bool(results["entailed_share"].any())
    False
    >>> results = cross_validate_constraints(
    ...     clusterer, X, pairs, cv=3, hold_out="pairs"
    ... )
    >>> bool(results["entailed_share"].any())
    True
    """
    if hold_out not in ("rows", "pairs"):
        raise ValueError(f"hold_out must be 'rows' or 'pairs'; got {hold_out!r}.")
    constraints, y = _read_supervision(X, y)
    options = {
        "n_jobs": n_jobs,
        "return_train_score": return_train_score,
        "return_estimator": return_estimator,
        "return_indices": return_indices,
        "error_score": error_score,
        "verbose": verbose,
    }
    scorers = _resolve(scoring)
    if hold_out == "rows":
        splits, report = _split_rows(X, constraints, y, cv, groups, drop_entailed)
        options |= {"scoring": scorers, "params": params}
        results = cross_validate(estimator, X, y, cv=splits, **options)
    else:
        if params:
            raise ValueError(
                "params are one entry a row of X and cannot be passed with "
                "hold_out='pairs'; set them on the estimator."
            )
        results, report = _validate_pairs(
            estimator, X, constraints, cv, groups, drop_entailed, scorers, options
        )
    return results | report


def _read_supervision(X, y):
    """Return the constraints, and the y to fit and split with: labels stay labels."""
    n_samples = count_samples(X)
    constraints = check_supervision(y, n_samples=n_samples)
    if not constraints.n_pairs:
        raise ValueError(
            "y holds no constraint to validate on: pass PairwiseConstraints, or labels."
        )
    if isinstance(y, PairwiseConstraints) or sparse.issparse(y) or np.ndim(y) != 1:
        return constraints, constraints
    # as numbers: of names and missing ones an array is not always a whole
    return constraints, encode_labels(y)


def _resolve(scoring):
    """Return scorers for `cross_validate`; names of this package are looked up."""
    if isinstance(scoring, str):
        if scoring in sklearn_scorer_names():
            return scoring
        # Names those of this package if it is none of them.
        return get_scorer(scoring)
    if callable(scoring):
        return scoring
    if isinstance(scoring, dict):
        return {name: _resolve(scorer) for name, scorer in scoring.items()}
    if scoring is None:
        return _resolve("constraint_accuracy")
    return {name: _resolve(name) for name in scoring}


def _split_rows(X, constraints, y, cv, groups, drop_entailed):
    """Return splits of rows and the report on them."""
    if cv is None or isinstance(cv, Integral):
        cv = ConstraintKFold(5 if cv is None else cv, random_state=0)
    splits = list(check_cv(cv).split(X, y, groups))
    report = describe_row_splits(constraints, splits)
    raise_if_empty(report, f"cv={cv}", "ConstraintKFold, fewer splits or more pairs")
    if drop_entailed and report["entailed_share"].any():
        raise ValueError(
            "drop_entailed=True cannot leave out single pairs with hold_out='rows', "
            "but cv has rows in both the training and the test set that share pairs: "
            "use ConstraintKFold or hold_out='pairs'."
        )
    return splits, report


def _validate_pairs(
    estimator, X, constraints, cv, groups, drop_entailed, scorers, options
):
    """Cross-validate with pairs as samples; return the results and the report."""
    pairs, relation, weight = _list_pairs(constraints)
    if cv is None or isinstance(cv, Integral):
        # in the order of the container, folds would be about neighboring rows
        cv = StratifiedKFold(5 if cv is None else cv, shuffle=True, random_state=0)
    splits = [
        tuple(map(_as_positions, split))
        for split in check_cv(cv).split(pairs, relation, groups)
    ]
    report, entailed = describe_pair_splits(
        constraints.subset, relation > 0, pairs, splits
    )
    if drop_entailed:
        splits = [
            (train, test[~follows])
            for (train, test), follows in zip(splits, entailed, strict=True)
        ]
        kept, _ = describe_pair_splits(constraints.subset, relation > 0, pairs, splits)
        report = kept | {"entailed_share": report["entailed_share"]}
    what = f"cv={cv}" + " without entailed pairs" * drop_entailed
    raise_if_empty(report, what, "fewer splits or more pairs")
    classifier, params = PairClassifier(estimator, X), None
    if (weight != 1).any():
        params = {"sample_weight": weight}
        if get_config()["enable_metadata_routing"]:
            classifier.set_fit_request(sample_weight=True)
    results = cross_validate(
        classifier,
        pairs,
        relation,
        cv=splits,
        scoring=_on_pairs(scorers, estimator),
        params=params,
        **options,
    )
    if "estimator" in results:
        results["estimator"] = [fitted.estimator_ for fitted in results["estimator"]]
    return results, report


def _as_positions(rows):
    """Return positions, given positions or a mask."""
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def _list_pairs(constraints):
    """Return all pairs, +1 or -1, and the weights; must-links first."""
    pairs = np.concatenate((constraints.must_link, constraints.cannot_link))
    counts = [constraints.n_must_link, constraints.n_cannot_link]
    weight = (constraints.must_link_weight, constraints.cannot_link_weight)
    return pairs, np.repeat([1, -1], counts), np.concatenate(weight)


def _on_pairs(scorers, estimator):
    """Make scorers of a clusterer into scorers of a PairClassifier around it."""
    if isinstance(scorers, dict):
        return {name: _on_pairs(one, estimator) for name, one in scorers.items()}
    return _PairScorer(check_scoring(estimator, scoring=scorers))


class _PairScorer:
    """Score the clusterer inside a PairClassifier on constraints of all its rows."""

    def __init__(self, scorer):
        self.scorer = scorer

    def __call__(self, classifier, pairs, relation):
        constraints = classifier._make_constraints(pairs, relation)
        return self.scorer(classifier.estimator_, classifier.X, constraints)
