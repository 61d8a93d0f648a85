"""Constrained k-means: COP-KMeans, PCKMeans and MPCKMeans, without PyTorch."""

from skpairclust.baselines.cop_kmeans import COPKMeans
from skpairclust.baselines.mpckmeans import MPCKMeans
from skpairclust.baselines.pckmeans import PCKMeans

__all__ = ["COPKMeans", "MPCKMeans", "PCKMeans"]
