"""Clustering with a neural network trained on pairs."""

from skpairclust._publish import publish
from skpairclust.clusterer._clusterer import ConstrainedNeuralClusterer

__all__ = ["ConstrainedNeuralClusterer"]

publish("skpairclust", globals())
