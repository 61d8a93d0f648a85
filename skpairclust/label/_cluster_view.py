"""Clusters as the page shows them: sizes, and members from typical to odd."""

import numpy as np

from skpairclust.active._model_view import ModelView

# Members of a cluster that are shown in the strip.
_N_TYPICAL = 4


class ClusterView:
    """The clusters of a fit.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array-like of shape (n_samples, ...)
    labels : ndarray of shape (n_samples,)
    ids : list of str or int
        Names of the samples.

    Attributes
    ----------
    sure : float
        Mean of the highest cluster probability, NaN if there are none.
    """

    def __init__(self, estimator, X, labels, ids):
        self.labels, self.ids = np.asarray(labels), ids
        view = ModelView(estimator, X)
        rows = np.arange(len(self.labels))
        features = view.features(rows)
        self.names, place = np.unique(self.labels, return_inverse=True)
        self._members = {}
        for number, name in enumerate(self.names.tolist()):
            own = np.flatnonzero(place == number)
            center = features[own].mean(axis=0)
            gaps = np.linalg.norm(features[own] - center, axis=1)
            self._members[name] = own[np.argsort(gaps, kind="stable")]
        self.sure, self.probabilities = float("nan"), None
        if hasattr(estimator, "predict_proba"):
            self.probabilities = view.probabilities(rows).max(axis=1)
            self.sure = float(self.probabilities.mean())

    def members(self, name):
        """Return the rows of a cluster, the most typical first; none if unknown."""
        return self._members.get(name, np.empty(0, dtype=np.int64))

    def strip(self):
        """Return (name, size, typical rows) of each cluster, the biggest first."""
        order = sorted(self._members, key=lambda name: -len(self._members[name]))
        return [
            (name, len(self._members[name]), self._members[name][:_N_TYPICAL])
            for name in order
        ]
