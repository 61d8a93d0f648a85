"""The score that all clusterers have in common. Loads no PyTorch."""

from skpairclust.constraints._supervision import check_supervision
from skpairclust.metrics import constraint_accuracy_score


class ConstraintScoreMixin:
    """Score for clusterers with `predict`: the share of constraints respected."""

    def score(self, X, y=None):
        """Return the share of constraints that the prediction for X respects.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.

        y : PairwiseConstraints or array-like
            What is known of these samples, as in `fit`.

        Returns
        -------
        float
            Mean of the shares of must-links and of cannot-links, in [0, 1].

        Raises
        ------
        ValueError
            If `y` is None or holds no pair.
        """
        labels = self.predict(X)
        constraints = check_supervision(y, n_samples=len(labels))
        return constraint_accuracy_score(constraints, labels)
