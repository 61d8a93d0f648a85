"""The score that all clusterers have in common. Loads no PyTorch."""

from skpairclust.constraints._supervision import check_supervision
from skpairclust.constraints._typing import AnyArray
from skpairclust.metrics import constraint_accuracy_score


class ConstraintScoreMixin:
    """Score for clusterers with `predict`: the share of constraints respected."""

    def score(self, X: AnyArray, y: AnyArray | None = None) -> float:
        """Return the share of constraints that the prediction for X respects.

        On the pairs that were fitted the score deceives: a clusterer can keep nearly
        all of them (.978 have been measured) and tell nothing of the others (an
        adjusted Rand index of .04). Hold pairs out to learn how good a clustering is::

            cross_validate_constraints(clusterer, X, pairs)["test_score"].mean()

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.

        y : PairwiseConstraints or array-like
            What is known of these samples, as in `fit`; of samples that were not
            fitted, or pairs that were held out.

        Returns
        -------
        float
            Mean of the shares of must-links and of cannot-links, in [0, 1].

        Raises
        ------
        ValueError
            If `y` is None or holds no pair.

        See Also
        --------
        skpairclust.model_selection.cross_validate_constraints : Scores of pairs that
            were held out.
        """
        labels = self.predict(X)
        constraints = check_supervision(y, n_samples=len(labels))
        return constraint_accuracy_score(constraints, labels)
