"""Neighbors among very many embeddings, by an index that looks at a part of them."""

import math
from numbers import Integral

import numpy as np
from sklearn.neighbors import NearestNeighbors

from skpairclust.utils._extras import import_extra

_ALGORITHMS = ("brute", "faiss")

# Fewer are compared one by one as fast.
_LEAST_SAMPLES = 10_000

# Of the parts of an index, about the root of the number of samples: how many are looked
# at for a query, and how many samples of each teach where the parts are.
_N_PROBES, _N_TAUGHT = 32, 40


class NearIndex:
    """An inverted file of embeddings.

    The embeddings are divided into parts by k-means. A query is compared with those in
    the parts that are nearest to it.

    Parameters
    ----------
    embedding : ndarray of shape (n_samples, n_components), float32
    """

    def __init__(self, embedding):
        faiss = import_extra("faiss", 'kneighbors(algorithm="faiss")', "retrieval")
        self.embedding = embedding
        self.index = None
        n_samples, n_components = embedding.shape
        if n_samples < _LEAST_SAMPLES:
            return
        n_parts = math.isqrt(n_samples)
        # The index refers to it, but does not keep it alive.
        self._parts = faiss.IndexFlatL2(n_components)
        self.index = faiss.IndexIVFFlat(self._parts, n_components, n_parts)
        rng = np.random.default_rng(0)
        taught = rng.choice(n_samples, _N_TAUGHT * n_parts, replace=False)
        self.index.train(embedding[np.sort(taught)])
        self.index.add(embedding)
        self.index.nprobe = _N_PROBES

    def kneighbors(self, queries, n_neighbors):
        """Return distances and indices of neighbors, of all samples if None.

        Parameters
        ----------
        queries : ndarray of shape (n_queries, n_components), float32, or None
        n_neighbors : int
            At most the number of samples, without the query itself.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), float32
        indices : ndarray of shape (n_queries, n_neighbors), int64
        """
        asked = self.embedding if queries is None else queries
        # A sample is the nearest one to itself.
        n_asked = int(n_neighbors) + (queries is None)
        distances, found = self._search(asked, n_asked)
        if queries is None:
            return _without_self(distances, found)
        return distances, found

    def _search(self, queries, n_neighbors):
        """Return distances and indices, of the parts or of all samples."""
        if self.index is None:
            return self._search_all(queries, n_neighbors)
        squared, found = self.index.search(queries, n_neighbors)
        distances = np.sqrt(np.maximum(squared, 0.0))
        # The parts that were looked at may hold too few.
        lacking = np.flatnonzero((found < 0).any(axis=1))
        if len(lacking):
            whole = self._search_all(queries[lacking], n_neighbors)
            distances[lacking], found[lacking] = whole
        return distances, found

    def _search_all(self, queries, n_neighbors):
        """Return exact distances and indices."""
        brute = NearestNeighbors(algorithm="brute").fit(self.embedding)
        distances, found = brute.kneighbors(queries, n_neighbors)
        return distances.astype(np.float32, copy=False), found


def _without_self(distances, found):
    """Leave out each row's own number, or the farthest if it was not found."""
    is_self = found == np.arange(len(found))[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    shape = len(found), found.shape[1] - 1
    return distances[~is_self].reshape(shape), found[~is_self].reshape(shape)


def check_search(algorithm, n_neighbors, n_samples):
    """Raise unless so many neighbors can be found among so many samples."""
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"algorithm={algorithm!r} must be one of {_ALGORITHMS}.")
    is_number = isinstance(n_neighbors, Integral) and not isinstance(n_neighbors, bool)
    if not is_number or not 1 <= n_neighbors <= n_samples:
        raise ValueError(
            f"n_neighbors={n_neighbors!r} must be an integer from 1 to {n_samples}, "
            "the number of samples to choose from."
        )
