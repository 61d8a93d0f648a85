"""What a fitted clusterer answers: clusters, probabilities, its score."""

from sklearn.utils.validation import check_is_fitted

from skpairclust._base import BaseNeuralEstimator
from skpairclust.constraints._supervision import check_supervision
from skpairclust.metrics import constraint_accuracy_score


class ClusterQueries(BaseNeuralEstimator):
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

    @property
    def _hidden_layer_sizes(self):
        """Units in each hidden layer of the fitted network."""
        # Files of version 0.1 have no such attribute.
        return getattr(self, "hidden_layer_sizes_", self.hidden_layer_sizes)

    @property
    def _n_outputs(self):
        """Number of outputs of the fitted network."""
        return len(self.cluster_order_)

    def _probabilities(self, X):
        """Return the softmax of the network's outputs, in their own order."""
        return self._infer(
            X, lambda network, x: network(x).softmax(1), self._architecture.n_outputs
        )
