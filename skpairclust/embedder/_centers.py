"""Clusters in an embedding: k-means, whose centers may be merged to clusters."""

import numpy as np
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.neighbors import NearestNeighbors

# Centers in all starts of k-means together, ten starts at most: with many centers,
# starts differ little and take all the time.
_MOST_CENTERS = 1000


def find_centers(embedding, params, seed):
    """Return centers of an embedding, and the cluster that each belongs to.

    Parameters
    ----------
    embedding : ndarray of shape (n_samples, n_components)
    params : object
        Parameters of a `MetricEmbedder`, as attributes.
    seed : int

    Returns
    -------
    centers : ndarray of shape (n_centers, n_components), float32
    cluster_of_center : ndarray of shape (n_centers,), int64
    """
    n_centers = params.n_clusters * params.clusters_per_class
    n_init = min(10, max(1, _MOST_CENTERS // n_centers))
    kmeans = KMeans(n_centers, n_init=n_init, random_state=seed).fit(embedding)
    centers, cluster = kmeans.cluster_centers_, np.arange(n_centers)
    if params.merge_clusters and params.n_clusters == 1:
        cluster = np.zeros(n_centers, dtype=np.int64)
    elif params.merge_clusters and params.clusters_per_class > 1:
        linkage = AgglomerativeClustering(params.n_clusters, linkage="average")
        cluster = linkage.fit_predict(centers)
    return centers, cluster


def assign(embedding, centers, cluster_of_center):
    """Return the cluster of each embedding, (n_samples,) int64."""
    index = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(centers)
    nearest = index.kneighbors(embedding, return_distance=False)[:, 0]
    return cluster_of_center[nearest].astype(np.int64)
