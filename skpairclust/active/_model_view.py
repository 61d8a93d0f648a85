"""How a clusterer sees samples, whatever methods it has and before any fit."""

import numpy as np
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skpairclust.constraints._pairs import count_samples
from skpairclust.utils._indexing import take_rows

# Of a clusterer that only says which cluster: how sure it is taken to be.
_SURE = 0.9
# Rows that are looked at together.
_BLOCK_ROWS = 2048
# Of bigger groups, this many members stand for all.
MOST_MEMBERS = 50


class ModelView:
    """Probabilities and features of some rows of X.

    Parameters
    ----------
    estimator : estimator or None
        None, or one that is not fitted yet: features are those of X.
    X : array-like of shape (n_samples, ...)
    """

    def __init__(self, estimator, X):
        self.X = as_indexable(X)
        self.given = estimator
        self.estimator = estimator if is_fitted(estimator) else None

    def __len__(self):
        return count_samples(self.X)

    @property
    def has_probabilities(self):
        """Whether something is known of the clusters."""
        return self.estimator is not None and (
            hasattr(self.estimator, "predict_proba")
            or hasattr(self.estimator, "predict")
        )

    def probabilities(self, rows):
        """Return cluster probabilities of rows, (n_rows, n_clusters)."""
        if hasattr(self.estimator, "predict_proba"):
            return np.asarray(self._blockwise(self.estimator.predict_proba, rows))
        labels = np.asarray(self._blockwise(self.estimator.predict, rows))
        labels = labels.astype(np.int64)
        n_clusters = find_n_clusters(self.estimator) or 1
        # a cluster that is not used by these rows has no column of its own
        n_clusters = max(n_clusters, int(labels.max(initial=0)) + 1, 2)
        spread = np.full((len(labels), n_clusters), (1 - _SURE) / (n_clusters - 1))
        known = labels >= 0
        spread[np.flatnonzero(known), labels[known]] = _SURE
        return spread

    def features(self, rows):
        """Return features of rows in which near samples are alike, (n_rows, d)."""
        if hasattr(self.estimator, "transform"):
            found = self._blockwise(self.estimator.transform, rows)
        else:
            found = as_dense(take_rows(self.X, rows))
        return np.asarray(found, dtype=np.float32).reshape(len(rows), -1)

    def _blockwise(self, method, rows):
        """Return what a method says of rows, a block at a time."""
        starts = range(0, len(rows), _BLOCK_ROWS)
        blocks = [rows[start : start + _BLOCK_ROWS] for start in starts]
        return np.concatenate(
            [as_dense(method(take_rows(self.X, block))) for block in blocks]
        )

    def same(self, pairs):
        """Return the probability that each pair belongs together.

        NaN if the model gives no probabilities: clusters alone surprise nobody.
        """
        if not hasattr(self.estimator, "predict_proba") or not len(pairs):
            return np.full(len(pairs), np.nan)
        rows, place = np.unique(pairs, return_inverse=True)
        p = self.probabilities(rows)[place.reshape(pairs.shape)]
        return np.einsum("ij,ij->i", p[:, 0], p[:, 1]).astype(np.float64)


def is_fitted(estimator):
    """Whether there is an estimator, and it is fitted."""
    if estimator is None:
        return False
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def find_n_clusters(estimator):
    """Return how many clusters an estimator or its last step makes, None if unsaid."""
    for part in (estimator, *(step for _, step in getattr(estimator, "steps", ()))):
        for name in ("n_clusters", "n_clusters_"):
            number = getattr(part, name, None)
            if isinstance(number, (int, np.integer)) and number >= 1:
                return int(number)
    return None


def as_indexable(X):
    """Return X in a form that gives rows: sparse as CSR, lists as an array."""
    if sparse.issparse(X):
        return X.tocsr()
    if getattr(getattr(X, "dtype", None), "kind", "f") == "c":
        raise ValueError(f"Complex data not supported: X has dtype {X.dtype}.")
    if hasattr(X, "iloc") or (hasattr(X, "shape") and hasattr(X, "__getitem__")):
        return X
    return np.asarray(X)


def as_dense(values):
    """Return an array, whatever a method or a container of rows gives."""
    if hasattr(values, "toarray"):
        values = values.toarray()
    return np.asarray(values)
