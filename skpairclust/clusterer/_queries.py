"""What a fitted clusterer answers: clusters, probabilities, its score."""

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skpairclust.clusterer._calibration import fit_temperature
from skpairclust.clusterer._deployed import ClusterModule
from skpairclust.constraints._supervision import check_supervision
from skpairclust.constraints._typing import AnyArray, Samples
from skpairclust.metrics._constraint_score import ConstraintScoreMixin
from skpairclust.neural._base import BaseNeuralEstimator
from skpairclust.neural._deployed import InputLayer


class ClusterQueries(ConstraintScoreMixin, BaseNeuralEstimator):
    """The methods of a fitted clusterer.

    It has `cluster_order_` and the parameter `hidden_layer_sizes`.
    """

    def predict(self, X: Samples) -> NDArray[np.int64]:
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
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        return self._most_likely(X, self.temperature_, self.cluster_order_)

    def predict_proba(self, X: Samples) -> NDArray[np.float32]:
        """Return the probability of each cluster for each sample.

        The sum over clusters of the products of two samples' probabilities is the
        probability that they belong together. Networks that have memorized their pairs
        are too sure; therefore the logits are divided by `temperature_`, a typical
        value until `calibrate` has found one from pairs that were not fitted.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters), float32
            Probabilities; rows sum to 1. Clusters in use come first.

        Raises
        ------
        ValueError
            If the network's output for a sample is not finite.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        return self._probabilities(X, self.temperature_, self.cluster_order_)

    def calibrate(
        self,
        X: Samples,
        y: AnyArray | None = None,
        *,
        must_link: AnyArray | None = None,
        cannot_link: AnyArray | None = None,
    ) -> Self:
        """Set `temperature_` so that probabilities fit pairs that were not fitted.

        Clusters stay as they are: only how sure they are changes. Temperature scaling
        [1]_ with pairs in place of labels. With few pairs the temperature stays near
        its typical value.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in `fit`.

        y : PairwiseConstraints or array-like, default=None
            What is known of these samples, as in `fit`. With pairs that `fit` has seen
            the result is too sure.

        must_link, cannot_link : array-like of shape (m, 2), default=None
            Pairs of row numbers, as in `fit`.

        Returns
        -------
        self : ConstrainedNeuralClusterer
            The estimator.

        Raises
        ------
        ValueError
            If no pair is given.

        References
        ----------
        .. [1] Guo, Pleiss, Sun, Weinberger (2017). On calibration of modern neural
           networks. ICML. arXiv:1706.04599.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
        >>> X, y = load_iris(return_X_y=True)
        >>> pairs = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
        >>> held_out = np.arange(300) % 5 == 0
        >>> clusterer = ConstrainedNeuralClusterer(n_clusters=3, random_state=0)
        >>> clusterer = clusterer.fit(X, pairs.subset(~held_out))
        >>> clusterer.calibrate(X, pairs.subset(held_out)).temperature_ > 0
        True
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        constraints = check_supervision(
            y, n_samples=X.shape[0], must_link=must_link, cannot_link=cannot_link
        )
        if not constraints.n_pairs:
            raise ValueError(
                "calibrate needs pairs, but y holds none: pass some that fit has not "
                "seen, as y or as must_link= and cannot_link=."
            )
        rate = min(self.noise_rate_, 0.4)
        self.temperature_ = fit_temperature(self._probabilities(X), constraints, rate)
        return self

    def to_module(self) -> torch.nn.Module:
        """Return what `predict` and `predict_proba` compute as one PyTorch module.

        For programs without scikit-learn: ONNX, `torch.compile`, a server in another
        language. It is a copy: the estimator does not change with it.

        Returns
        -------
        torch.nn.Module
            In evaluation mode, on the CPU. It takes a float tensor of samples, of the
            shape that they had in `fit`, and returns two: the labels of shape
            (n_samples,), int64, and the probabilities of shape (n_samples, n_clusters).

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_iris
        >>> from skpairclust import ConstrainedNeuralClusterer
        >>> X, y = load_iris(return_X_y=True)
        >>> clusterer = ConstrainedNeuralClusterer(max_iter=3, random_state=0).fit(X, y)
        >>> labels, probabilities = clusterer.to_module()(torch.from_numpy(X))
        >>> bool((labels.numpy() == clusterer.predict(X)).all())
        True
        """
        check_is_fitted(self)
        return ClusterModule(
            InputLayer(self._architecture, self._offset),
            self._build_network().cpu(),
            self.cluster_order_,
            self.temperature_,
        ).eval()

    def _probabilities(self, X, temperature=1.0, order=None, reduce=None):
        """Return the softmax of the network's outputs, in their own order or another.

        Or what `reduce` makes of each row.
        """
        order = None if order is None else torch.from_numpy(order)

        def compute(network, x):
            y = (network(x) / temperature).softmax(1)
            return y if order is None else y.index_select(1, order.to(y.device))

        return self._infer(X, compute, self._architecture.n_outputs, reduce)

    def _most_likely(self, X, temperature=1.0, order=None):
        """Return the place of the highest probability, of few rows at a time."""
        return self._probabilities(X, temperature, order, lambda y: y.argmax(1))
