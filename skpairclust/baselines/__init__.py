"""Constrained k-means: COP-KMeans, PCKMeans and MPCKMeans, without PyTorch.

Another baseline needs no class of its own: k-means on the features that a network
learned from the pairs, ``make_pipeline(ConstrainedNeuralClusterer(k), KMeans(k))``.
"""

from skpairclust.baselines.cop_kmeans import COPKMeans
from skpairclust.baselines.mpckmeans import MPCKMeans
from skpairclust.baselines.pckmeans import PCKMeans

__all__ = ["COPKMeans", "MPCKMeans", "PCKMeans"]
