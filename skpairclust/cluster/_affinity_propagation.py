"""AffinityPropagationK: the estimator's API."""

import warnings
from numbers import Integral, Real
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import euclidean_distances, pairwise_distances_argmin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skpairclust.cluster._preference import find_preference
from skpairclust.constraints._typing import AnyArray, RandomState
from skpairclust.utils._dask import refuse_dask
from skpairclust.utils._doc_link import DocLinkMixin
from skpairclust.utils._param_validation import Interval, StrOptions, positive_int
from skpairclust.utils._sparse import canonical
from skpairclust.utils._state import new_fit, numpy_defaults


class AffinityPropagationK(DocLinkMixin, ClusterMixin, BaseEstimator):
    """Affinity propagation with a given number of clusters.

    Affinity propagation [1]_ chooses some samples as exemplars and assigns each sample
    to one of them. The number of exemplars depends on the preference, which is the
    similarity of a sample to itself: a higher preference gives more clusters. This
    estimator finds a preference that gives `n_clusters` by bisection.

    Some numbers cannot be reached, because the number of clusters may jump over them.
    The nearest number found is then used, with a warning.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.

    affinity : {"euclidean", "precomputed"}, default="euclidean"
        "euclidean" uses the negative squared distance of samples as similarity.
        With "precomputed", X holds the similarities.

    damping : float, default=0.8
        Weight of the previous messages in each iteration, in [0.5, 1). With low
        damping, messages may oscillate forever; with high damping, they need more
        iterations.

    max_iter : int, default=500
        Maximum number of iterations per run.

    convergence_iter : int, default=50
        A run has converged when its exemplars have not changed for this number of
        iterations. With scikit-learn's default of 15 and strong damping, runs end
        before messages have spread, and some numbers of clusters are missed.

    max_runs : int, default=30
        Maximum number of preferences to try.

    random_state : int, RandomState instance or None, default=None
        Controls the tiny noise that breaks ties between similarities. It is the same
        in all runs of one call of `fit`.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), int64
        Cluster of each sample of `fit`.

    n_clusters_ : int
        Number of clusters found.

    cluster_centers_indices_ : ndarray of shape (`n_clusters_`,), int64
        Row of the exemplar of each cluster, ascending.

    cluster_centers_ : ndarray or sparse matrix of shape (`n_clusters_`, n_features)
        The exemplars, if `affinity` is "euclidean".

    preference_ : float
        The preference that led to the clusters. It is NaN for a single cluster, and
        for one cluster per sample, because these need no search.

    converged_ : bool
        Whether the exemplars had settled after `max_iter` iterations.

    runs_ : dict of float to int
        The number of clusters found with each preference tried.

    n_iter_ : int
        Number of iterations of the run that was kept.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`, if X had any.

    See Also
    --------
    sklearn.cluster.AffinityPropagation : With a preference instead of a number.

    Notes
    -----
    A run takes O(n_samples ** 2) time per iteration, and the same order of memory. The
    search is for the difference between the highest similarity and the preference, on a
    logarithmic scale. It keeps a preference with too many clusters and one with too
    few.

    The exemplar of a single cluster is the sample with the largest sum of similarities.

    References
    ----------
    .. [1] Frey, Dueck (2007). Clustering by passing messages between data points.
       Science 315 (5814), 972-976.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skpairclust.cluster import AffinityPropagationK
    >>> X, _ = load_iris(return_X_y=True)
    >>> clusterer = AffinityPropagationK(n_clusters=3, random_state=0).fit(X)
    >>> clusterer.n_clusters_, clusterer.cluster_centers_.shape
    (3, (3, 4))
    """

    _parameter_constraints: dict = {
        "n_clusters": [positive_int()],
        "affinity": [StrOptions({"euclidean", "precomputed"})],
        "damping": [Interval(Real, 0.5, 1.0, closed="left")],
        "max_iter": [positive_int()],
        "convergence_iter": [positive_int()],
        "max_runs": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        affinity: Literal["euclidean", "precomputed"] = "euclidean",
        damping: float = 0.8,
        max_iter: int = 500,
        convergence_iter: int = 50,
        max_runs: int = 30,
        random_state: RandomState = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.affinity = affinity
        self.damping = damping
        self.max_iter = max_iter
        self.convergence_iter = convergence_iter
        self.max_runs = max_runs
        self.random_state = random_state

    def fit(self, X: AnyArray, y: object = None) -> Self:
        """Cluster X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. If `affinity` is "precomputed", similarities of shape (n_samples,
            n_samples), which are higher for more similar samples.

        y : object
            Ignored, exists for compatibility.

        Returns
        -------
        self : AffinityPropagationK
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or X cannot be used, or `n_clusters` is more than
            n_samples.

        Warns
        -----
        ConvergenceWarning
            If no preference was found that gives `n_clusters`, or if the run with this
            preference has not converged.
        """
        with new_fit(self):
            self._validate_params()
            X = self._check_X(X, reset=True)
            self._keep(X, *self._search(X))
            self._warn_if_wanting()
        return self

    def _search(self, X):
        """Return the run that comes closest, and what was tried."""
        # the same noise in all runs
        seed = check_random_state(self.random_state).randint(2**31, dtype=np.int64)
        return find_preference(
            self._similarities(X),
            self.n_clusters,
            max_runs=self.max_runs,
            convergence_iter=self.convergence_iter,
            max_iter=self.max_iter,
            damping=self.damping,
            random_state=seed,
        )

    def _keep(self, X, best, tried):
        """Set the fitted attributes."""
        self.runs_ = tried
        self.cluster_centers_indices_, self.labels_ = best.exemplars, best.labels
        self.n_clusters_ = len(best.exemplars)
        self.preference_, self.n_iter_ = best.preference, best.n_iter
        self.converged_ = best.converged
        if self.affinity == "euclidean":
            self.cluster_centers_ = X[best.exemplars].copy()

    def predict(self, X: AnyArray) -> NDArray[np.int64]:
        """Return the cluster of the nearest exemplar of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            Clusters, from 0.

        Raises
        ------
        ValueError
            If `affinity` is "precomputed": there are no samples to compare with.
        """
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        if self.affinity == "precomputed":
            raise ValueError(
                'predict needs exemplars, and affinity="precomputed" has none: take '
                "the largest of the similarities to cluster_centers_indices_."
            )
        with numpy_defaults():
            labels = pairwise_distances_argmin(X, self.cluster_centers_)
        return labels.astype(np.int64)

    def _check_X(self, X, *, reset):
        """Return X as an array of floats or a CSR matrix."""
        refuse_dask(X)
        sparse = "csr" if self.affinity == "euclidean" else False
        X = validate_data(
            self,
            canonical(X),
            reset=reset,
            dtype=[np.float64, np.float32],
            accept_sparse=sparse,
        )
        if not reset:
            return X
        if self.affinity == "precomputed" and X.shape[0] != X.shape[1]:
            raise ValueError(
                f"X has shape {X.shape}, but similarities form a square matrix."
            )
        if self.n_clusters > X.shape[0]:
            raise ValueError(
                f"n_clusters={self.n_clusters} must be at most the number of samples "
                f"in X, n_samples={X.shape[0]}."
            )
        return X

    def _similarities(self, X):
        """Return the (n_samples, n_samples) similarities."""
        if self.affinity == "precomputed":
            return X
        return -euclidean_distances(X, squared=True)

    def _warn_if_wanting(self):
        """Warn if the number of clusters was not reached, or without convergence."""
        if self.n_clusters_ != self.n_clusters:
            warnings.warn(
                f"n_clusters={self.n_clusters} was not reached: the nearest number "
                f"found with {len(self.runs_)} preferences is {self.n_clusters_}. "
                "Raise max_runs, change random_state, or use this number.",
                ConvergenceWarning,
                stacklevel=3,
            )
        elif not self.converged_:
            warnings.warn(
                f"affinity propagation has found n_clusters={self.n_clusters}, but has "
                f"not converged in max_iter={self.max_iter} iterations: raise max_iter "
                "or damping.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.affinity == "precomputed"
        tags.input_tags.sparse = self.affinity == "euclidean"
        return tags
