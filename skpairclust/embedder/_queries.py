"""What a fitted embedder answers: embeddings, neighbors, clusters, a score."""

from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_is_fitted

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._labels import encode_labels
from skpairclust.constraints._supervision import check_supervision
from skpairclust.constraints._typing import AnyArray, Samples
from skpairclust.embedder._centers import assign, find_centers
from skpairclust.embedder._deployed import EmbeddingModule, NearestCenterModule
from skpairclust.embedder._near_index import NearIndex, check_search
from skpairclust.embedder._objective import LIFTED
from skpairclust.embedder._validation import pair_auc
from skpairclust.embedder._views import embed_views, find_views
from skpairclust.metrics import recall_at_k
from skpairclust.neural._base import BaseNeuralEstimator
from skpairclust.neural._deployed import InputLayer
from skpairclust.utils._compat import available_if


def _clusters(estimator):
    """Whether the estimator clusters, or say how it would."""
    # What was fitted counts, whatever was set since.
    if not hasattr(estimator, "embedding_"):
        return would_cluster(estimator)
    if not hasattr(estimator, "cluster_centers_"):
        raise _no_clusters()
    return True


def would_cluster(estimator):
    """Whether the next fit clusters, or say how it would."""
    if estimator.n_clusters is None:
        raise _no_clusters()
    return True


def _no_clusters():
    """Return the error for what is not there without clusters."""
    return AttributeError(
        "predict and fit_predict need clusters: set n_clusters, the number of clusters "
        "that k-means looks for in the embedding."
    )


class EmbeddingQueries(BaseNeuralEstimator):
    """The methods of a fitted embedder.

    It has `embedding_` of the samples of `fit`, and the parameters `loss`,
    `normalize`, `n_components`, `n_clusters`, `clusters_per_class` and
    `merge_clusters`.
    """

    def transform(self, X: Samples) -> Any:
        """Embed X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_components), float32
            Embeddings, whose Euclidean distances were learned.
        """
        check_is_fitted(self)
        return self._embed(self._check_X(X, reset=False))

    @available_if(_clusters)
    def predict(self, X: Samples) -> NDArray[np.int64]:
        """Return the cluster whose center is nearest to each sample's embedding.

        Available if `n_clusters` is set.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            Clusters, from 0.
        """
        check_is_fitted(self, "cluster_centers_")
        embedding = self._embed(self._check_X(X, reset=False))
        return self._assign(embedding)

    def kneighbors(
        self,
        X: Samples | None = None,
        n_neighbors: int = 5,
        return_distance: bool = True,
        *,
        algorithm: Literal["brute", "faiss"] = "brute",
    ) -> Any:
        """Find the samples of `fit` that are nearest in the embedding.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or (n_queries, ...), \
                default=None
            Queries. None asks for the neighbors of each sample of `fit`, itself left
            out.

        n_neighbors : int, default=5
            Number of neighbors.

        return_distance : bool, default=True
            Whether to return distances.

        algorithm : {"brute", "faiss"}, default="brute"
            "brute" compares a query with all samples. "faiss", of the package of this
            name, divides 10,000 samples or more into parts and compares a query with
            those in the 32 nearest parts, so that it may miss a neighbor. The parts are
            found in the first call and kept until the next `fit`.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), float32
            Distances in the embedding, ascending; if `return_distance`.

        indices : ndarray of shape (n_queries, n_neighbors), int64
            Row numbers of samples of `fit`.

        Raises
        ------
        ValueError
            If `n_neighbors` is not from 1 to the number of samples to choose from, or
            `algorithm` is not one of these.
        ImportError
            If faiss is asked for and not installed.
        """
        check_is_fitted(self)
        check_search(algorithm, n_neighbors, len(self.embedding_) - (X is None))
        queries = None if X is None else self._embed(self._check_X(X, reset=False))
        if algorithm == "brute":
            index = NearestNeighbors(algorithm="brute").fit(self.embedding_)
            distances, found = index.kneighbors(queries, n_neighbors)
        else:
            distances, found = self._find_near_index().kneighbors(queries, n_neighbors)
        if not return_distance:
            return found
        return distances.astype(np.float32, copy=False), found

    def score(self, X: Samples, y: AnyArray | None = None) -> float:
        """Return Recall@1 for labels, the area under the ROC curve for pairs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples, of new classes as well.

        y : PairwiseConstraints or array-like
            What is known of these samples, as in `fit`.

        Returns
        -------
        float
            For labels the share of labeled samples whose nearest other labeled sample
            has the same label, see :func:`~skpairclust.metrics.recall_at_k`; for pairs
            the probability that a must-link is nearer than a cannot-link. In [0, 1].

        Raises
        ------
        ValueError
            If no two samples have the same label, or `y` lacks must-links or
            cannot-links.
        """
        check_is_fitted(self)
        # Not by the public method, whose output may be a data frame.
        embedding = self._embed(self._check_X(X, reset=False))
        constraints = check_supervision(y, n_samples=len(embedding))
        if not isinstance(y, PairwiseConstraints) and np.ndim(y) == 1:
            labels = encode_labels(y)
            return recall_at_k(embedding[labels >= 0], labels[labels >= 0])
        check_both_kinds(constraints, "score")
        return pair_auc(constraints, embedding)

    def to_module(self) -> torch.nn.Module:
        """Return what `transform` and `predict` compute as one PyTorch module.

        For programs without scikit-learn: ONNX, `torch.compile`, a server in another
        language. It is a copy: the estimator does not change with it.

        Returns
        -------
        torch.nn.Module
            In evaluation mode, on the CPU. It takes a float tensor of samples, of the
            shape that they had in `fit`, and returns embeddings of shape
            (n_samples, n_components). If `n_clusters` is set, it returns two tensors:
            the labels of shape (n_samples,), int64, and the embeddings.
        """
        check_is_fitted(self)
        embedding = EmbeddingModule(
            InputLayer(self._architecture, self._offset),
            self._build_network().cpu(),
            self._is_normalized,
            self._views_on("cpu"),
        )
        if not hasattr(self, "cluster_centers_"):
            return embedding.eval()
        return NearestCenterModule(
            embedding, self.cluster_centers_, self._cluster_of_center
        ).eval()

    def _embed(self, X):
        """Return the embedding of checked X."""
        views = self._views_on(next(self.network_.parameters()).device)
        embed = partial(embed_views, views=views, normalize=self._is_normalized)
        n_columns = self._architecture.n_outputs
        return self._infer(X, embed, n_columns, dense=views is not None)

    def _views_on(self, device):
        """Return what each turned position adds, tensors, None where one is all."""
        views = self.__dict__.get("_views")
        return None if views is None else list(torch.tensor(views, device=device))

    def _look_around(self, X, group):
        """Find how images of X, near zero, are embedded in all positions at once."""
        network = self.network_
        device = next(network.parameters()).device
        rows = self._architecture.make_rows(X, device, dense=True)
        # Rounding decides between components that are nearly equal.
        views = group.share(find_views(network, rows, normalize=self._is_normalized))
        if views is not None:
            self._views = views

    def _find_near_index(self):
        """Return the index of the samples of the last `fit`."""
        index = self.__dict__.get("_near_index")
        if index is None:
            index = self._near_index = NearIndex(self.embedding_)
        return index

    def _cluster(self, seed):
        """Cluster the embedding of the samples of `fit`."""
        centers = find_centers(self.embedding_, self, seed)
        self.cluster_centers_, self._cluster_of_center = centers
        self.labels_ = self._assign(self.embedding_)

    def _assign(self, embedding):
        """Return the cluster of each embedding."""
        return assign(embedding, self.cluster_centers_, self._cluster_of_center)


def is_normalized(params):
    """Whether embeddings are scaled to length 1."""
    if params.normalize is None:
        return params.loss not in LIFTED and params.n_components > 1
    return bool(params.normalize)


def check_both_kinds(constraints, where):
    """Raise unless there are must-links and cannot-links, for `where` to use."""
    if not constraints.n_must_link:
        raise ValueError(
            f"{where} needs must-links, but y holds none: at least two samples must be "
            "known to be the same."
        )
    if not constraints.n_cannot_link:
        raise ValueError(
            f"{where} needs cannot-links, but y holds none, as labels of a single "
            "class do: at least two samples must be known to differ."
        )
