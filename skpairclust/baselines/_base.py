"""Base class of constrained k-means: validation, predict, transform, score."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from skpairclust.baselines._lloyd import iter_blocks, nearest_centers, squared_distances
from skpairclust.constraints._groups import mark_constrained
from skpairclust.constraints._mistakes import explains_names
from skpairclust.constraints._supervision import check_supervision
from skpairclust.constraints._typing import AnyArray
from skpairclust.metrics._constraint_score import ConstraintScoreMixin
from skpairclust.utils._dask import refuse_dask
from skpairclust.utils._param_validation import non_negative, positive_int, restarts
from skpairclust.utils._state import numpy_defaults

# Below the root of the largest number, so that sums over features are numbers too.
_SAFETY = 1e3


class BaseConstrainedKMeans(
    ConstraintScoreMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    BaseEstimator,
):
    """k-means with constraints; `fit` sets `cluster_centers_` and `labels_`."""

    _parameter_constraints: dict = {
        "n_clusters": [positive_int()],
        "n_init": [restarts()],
        "max_iter": [positive_int()],
        "tol": [non_negative()],
        "random_state": ["random_state"],
    }

    def _check_fit(self, X, y, must_link, cannot_link):
        """Return X and what is known of its samples."""
        self._validate_params()
        X = self._check_X(X, reset=True)
        if self.n_clusters > len(X):
            raise ValueError(
                f"n_clusters={self.n_clusters} must be at most the number of samples "
                f"in X, n_samples={len(X)}."
            )
        constraints = check_supervision(
            y, n_samples=len(X), must_link=must_link, cannot_link=cannot_link
        )
        return X, constraints

    def _check_X(self, X, *, reset):
        """Return X as an array of floats."""
        refuse_dask(X)
        X = validate_data(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            order="C",
            accept_large_sparse=False,
        )
        _check_range(X)
        return X

    def _store(self, X, constraints, labels, centers, **others):
        """Set what all have: centers and labels, and arrays with a row a cluster.

        Thus the numbers do not depend on chance. Clusters without samples are replaced
        by the first one and put last. Samples without constraints get the labels that
        `predict` gives them.
        """
        free = ~mark_constrained(constraints)
        n_used = None
        while n_used != len(np.unique(labels)):
            n_used = len(np.unique(labels))
            order, labels = self._order_clusters(centers, labels)
            centers = self.cluster_centers_ = centers[order]
            for name in others:
                others[name] = others[name][order]
                setattr(self, name, others[name])
            # a cluster may lose its last samples, all but rounding away from another
            labels[free] = self._nearest(X)[free]
        self.n_clusters_ = n_used
        self.labels_ = labels
        if self.n_clusters_ < self.n_clusters:
            warnings.warn(
                f"n_clusters={self.n_clusters}, but only {self.n_clusters_} clusters "
                "are in use: must-links, or equal samples, leave no more.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _order_clusters(self, centers, labels):
        """Return the order of the clusters, as many as before, and the new labels."""
        used = np.flatnonzero(np.bincount(labels, minlength=len(centers)))
        order = used[np.lexsort(centers[used].T[::-1])]
        rank = np.zeros(len(centers), dtype=np.int64)
        rank[order] = np.arange(len(order))
        surplus = np.repeat(order[:1], self.n_clusters - len(used))
        return np.concatenate((order, surplus)), rank[labels]

    @explains_names
    def fit_predict(
        self,
        X: AnyArray,
        y: AnyArray | None = None,
        *,
        must_link: AnyArray | None = None,
        cannot_link: AnyArray | None = None,
    ) -> NDArray[np.int64]:
        """Cluster X and return the cluster of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        y : PairwiseConstraints or array-like, default=None
            What is known, as in `fit`.

        must_link, cannot_link : array-like of shape (m, 2), default=None
            Pairs of row numbers, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            Clusters.
        """
        return self.fit(X, y, must_link=must_link, cannot_link=cannot_link).labels_

    def predict(self, X: AnyArray) -> NDArray[np.int64]:
        """Return the cluster whose center is nearest to each sample.

        Constraints are for the samples of `fit` and are not used here. The clusters
        that take them into account are in `labels_`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            Clusters, from 0.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        with numpy_defaults():
            return self._nearest(X)

    def _nearest(self, X):
        """Return the nearest cluster of each sample."""
        # relative to a center, squares of far away data keep their digits
        origin = self.cluster_centers_[0]
        centers = self.cluster_centers_ - origin
        labels = np.empty(len(X), dtype=np.int64)
        for block in iter_blocks(*X.shape):
            labels[block] = nearest_centers(X[block] - origin, centers)
        return labels

    def transform(self, X: AnyArray) -> Any:
        """Return the distance of each sample to each cluster center.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters), of the dtype of X
            Distances.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        with numpy_defaults():
            return self._distances(X)

    def _distances(self, X):
        """Return the distances to the centers."""
        origin = self.cluster_centers_[0]
        squares = squared_distances(X - origin, self.cluster_centers_ - origin)
        return np.sqrt(squares, out=squares).astype(X.dtype, copy=False)

    @property
    def _n_features_out(self):
        return len(self.cluster_centers_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _check_range(X):
    """Raise if distances between rows of X would overflow."""
    most = np.sqrt(np.finfo(X.dtype).max) / _SAFETY
    extreme = max(X.max(initial=0), -X.min(initial=0))
    if extreme > most:
        raise ValueError(
            f"X holds {extreme:.3g}: in {X.dtype}, distances of values beyond "
            f"{most:.1g} overflow. If it stands for a missing value, impute it or "
            "leave the row out; if not, scale X."
        )
