"""What a fitted clusterer answers: clusters, probabilities, its score."""

from sklearn.utils.validation import check_is_fitted

from skpairclust.metrics._constraint_score import ConstraintScoreMixin
from skpairclust.neural._base import BaseNeuralEstimator


class ClusterQueries(ConstraintScoreMixin, BaseNeuralEstimator):
    """The methods of a fitted clusterer.

    It has `cluster_order_` and the parameter `hidden_layer_sizes`.
    """

    def predict(self, X):
        """Return the most probable cluster of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            Clusters, from 0.
        """
        return self.predict_proba(X).argmax(axis=1)

    def predict_proba(self, X):
        """Return the probability of each cluster for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters), float32
            Probabilities; rows sum to 1. Clusters in use come first.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        return self._probabilities(X)[:, self.cluster_order_]

    def _probabilities(self, X):
        """Return the softmax of the network's outputs, in their own order."""
        return self._infer(
            X, lambda network, x: network(x).softmax(1), self._architecture.n_outputs
        )
