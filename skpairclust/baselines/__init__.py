"""Constrained k-means: COP-KMeans, PCKMeans and MPCKMeans, without PyTorch.

Two more baselines are simple pipelines. The two-stage one of Hsu & Kira (2016) is
k-means on an embedding that is learned from the same pairs with a contrastive loss:

>>> from sklearn.cluster import KMeans
>>> from sklearn.datasets import load_iris
>>> from sklearn.metrics import adjusted_rand_score
>>> from sklearn.pipeline import make_pipeline
>>> from skpairclust import MetricEmbedder, PairwiseConstraints
>>> X, y = load_iris(return_X_y=True)
>>> constraints = PairwiseConstraints.sample_from_labels(y, 200, random_state=0)
>>> two_stages = make_pipeline(
...     MetricEmbedder(loss="contrastive", random_state=0), KMeans(3, random_state=0)
... )
>>> labels = two_stages.fit(X, constraints).predict(X)
>>> bool(adjusted_rand_score(y, labels) > 0.8)
True

The other is k-means on the features of the clusterer,
``make_pipeline(ConstrainedNeuralClusterer(3), KMeans(3))``.
"""

from skpairclust._publish import publish
from skpairclust.baselines.cop_kmeans import COPKMeans
from skpairclust.baselines.mpckmeans import MPCKMeans
from skpairclust.baselines.pckmeans import PCKMeans

__all__ = ["COPKMeans", "MPCKMeans", "PCKMeans"]

publish(__name__, globals())
