"""PairClassifier: pairs as samples, "same" and "different" as classes."""

import copy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._pairs import check_pairs, check_weights, count_samples
from skpairclust.constraints._typing import AnyArray
from skpairclust.metrics._probabilities import same_cluster_probability
from skpairclust.utils._indexing import take_rows


class PairClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Classify pairs as "same" or "different" with a clusterer.

    The samples of this classifier are pairs of row numbers (positions from 0, not
    labels of an index), and its classes are 1 ("same") and -1 ("different"). Any
    splitter, scorer, search or learning curve for binary classifiers then works on
    pairs, while all rows of X are in every fit.

    Parameters
    ----------
    estimator : estimator
        A clusterer whose `fit` takes `PairwiseConstraints` as y.

    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        The samples to which the row numbers refer. `clone` does not copy them.

    Attributes
    ----------
    estimator_ : estimator
        The clusterer, fitted on all of X.

    classes_ : ndarray of shape (2,), int64
        "different" and "same" as in the y of `fit`: -1 and 1, or 0 and 1.

    n_features_in_ : int
        2, the columns of the pairs.

    See Also
    --------
    cross_validate_constraints : With ``hold_out="pairs"`` it also reports how many
        held-out pairs follow from the others.

    Notes
    -----
    A held-out pair may follow from training pairs: if a and b belong together, and b
    and c, then a and c do as well. Splitters do not check this, and the scores are
    then too good.

    `PairwiseConstraints` sorts its pairs by row. Give a splitter that shuffles, as in
    the example, and no integer as ``cv``: unshuffled folds are each about samples of
    neighboring rows, and their scores say little about other pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import StratifiedKFold, cross_val_score
    >>> from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
    >>> from skpairclust.model_selection import PairClassifier
    >>> X, labels = load_iris(return_X_y=True)
    >>> c = PairwiseConstraints.sample_from_labels(labels, 150, random_state=0)
    >>> pairs = np.concatenate((c.must_link, c.cannot_link))
    >>> y = np.repeat([1, -1], [c.n_must_link, c.n_cannot_link])
    >>> clusterer = ConstrainedNeuralClusterer(3, max_iter=20, random_state=0)
    >>> classifier = PairClassifier(clusterer, X)
    >>> cv = StratifiedKFold(3, shuffle=True, random_state=0)
    >>> scores = cross_val_score(classifier, pairs, y, cv=cv, scoring="roc_auc")
    >>> bool(scores.mean() > 0.8)
    True
    """

    # scikit-learn treats every argument not named X or y as metadata
    __metadata_request__fit = {"pairs": UNUSED}
    __metadata_request__predict = {"pairs": UNUSED}
    __metadata_request__predict_proba = {"pairs": UNUSED}
    __metadata_request__decision_function = {"pairs": UNUSED}

    def __init__(self, estimator: Any, X: AnyArray) -> None:
        self.estimator = estimator
        self.X = X

    def fit(
        self, pairs: AnyArray, y: AnyArray, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit a clone of the estimator to all of X with these pairs.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2), int
            Row numbers of X.

        y : array-like of shape (n_pairs,)
            1 for "same", -1 for "different". 0 and 1 are also accepted, because
            `cross_val_predict` encodes classes like this.

        sample_weight : array-like of shape (n_pairs,), default=None
            Confidence in each pair, positive.

        Returns
        -------
        self : PairClassifier
            Fitted estimator.

        Raises
        ------
        TypeError, ValueError
            If pairs, y or weights cannot be used.
        """
        constraints = self._make_constraints(pairs, y, sample_weight)
        self.estimator_ = clone(self.estimator).fit(self.X, constraints)
        self.classes_ = np.array([0 if (np.asarray(y) == 0).any() else -1, 1])
        self.n_features_in_ = 2
        return self

    def predict(self, pairs: AnyArray) -> NDArray[np.int64]:
        """Return 1 for pairs that are more likely the same than not.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2), int
            Row numbers of X.

        Returns
        -------
        ndarray of shape (n_pairs,), int64
            Entries of `classes_`.
        """
        is_same = self.decision_function(pairs) > 0
        return self.classes_[is_same.astype(np.int64)]

    def predict_proba(self, pairs: AnyArray) -> NDArray[np.float64]:
        """Return the probabilities of "different" and "same".

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2), int
            Row numbers of X.

        Returns
        -------
        ndarray of shape (n_pairs, 2), float64
            The probability that both samples are in the same cluster, from
            `predict_proba` of the estimator if it has one; otherwise 1 for equal
            predictions and 0 for different ones. Columns are ordered as in
            `classes_`.
        """
        same = self._predict_same(pairs)
        return np.column_stack((1 - same, same))

    def decision_function(self, pairs: AnyArray) -> NDArray[np.float64]:
        """Return the probability of "same" minus 1/2.

        Parameters
        ----------
        pairs : array-like of shape (n_pairs, 2), int
            Row numbers of X.

        Returns
        -------
        ndarray of shape (n_pairs,), float64
            In [-0.5, 0.5], positive for "same".
        """
        return self._predict_same(pairs) - 0.5

    def _predict_same(self, pairs):
        """Return the probability of "same" for each pair."""
        check_is_fitted(self, "estimator_")
        pairs = check_pairs(pairs, count_samples(self.X), "pairs")
        rows, places = np.unique(pairs, return_inverse=True)
        # only rows that are asked for; the shape of places differs in numpy 2.0
        places = places.reshape(-1, 2)
        if not len(rows):
            return np.empty(0)
        X = take_rows(self.X, rows)
        if hasattr(self.estimator_, "predict_proba"):
            probabilities = np.asarray(self.estimator_.predict_proba(X))
            return same_cluster_probability(probabilities, places).clip(0, 1)
        labels = np.asarray(self.estimator_.predict(X))[places]
        return (labels[:, 0] == labels[:, 1]).astype(np.float64)

    def _make_constraints(self, pairs, y, weight=None):
        """Return the constraints that the pairs and their classes express."""
        n_samples = count_samples(self.X)
        pairs = check_pairs(pairs, n_samples, "pairs")
        is_must = _check_classes(y, pairs)
        weight = check_weights(weight, len(pairs), "sample_weight")
        return PairwiseConstraints(
            pairs[is_must],
            pairs[~is_must],
            n_samples=n_samples,
            must_link_weight=weight[is_must],
            cannot_link_weight=weight[~is_must],
        )

    def __sklearn_clone__(self):
        # clone would copy X; everything else is cloned as usual
        light = copy.copy(self)
        light.X = None
        twin = super(PairClassifier, light).__sklearn_clone__()
        twin.X = self.X
        return twin

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.positive_only = True
        # pairs are no features: scikit-learn's checks would fit random numbers
        tags.input_tags.two_d_array = False
        return tags


def _check_classes(y, pairs):
    """Return which pairs are "same", or raise an error that says what y must be."""
    y = np.asarray(y)
    check_consistent_length(pairs, y)
    found = set(np.unique(y).tolist())
    # zeros alone may be an encoding of either class
    if y.ndim != 1 or not (found <= {-1, 1} or found == {0, 1}):
        raise ValueError(
            "y must hold 1 for pairs that are the same and -1 for pairs that are "
            f"different, one per pair; got {np.unique(y)[:5]} in shape {y.shape}."
        )
    return y == 1
