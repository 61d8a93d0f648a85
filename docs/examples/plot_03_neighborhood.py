"""
Constraints from neighborhood
=============================

Samples that are close to each other often belong together, for example neighboring
plots of land, adjacent frames of a video, or sensors side by side. `from_neighbors`
makes must-links of samples that are near and, if asked, cannot-links of samples that
are far apart.
"""

# %%
# Measuring stations are in four regions of a map. Each station has measured 30 values,
# and these hardly differ between regions. The position on the map is not a feature.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.inspection import ClusterEmbeddingDisplay

place, region = make_blobs(
    600, centers=[[0, 0], [4, 0], [0, 4], [4, 4]], cluster_std=0.7, random_state=0
)
rng = np.random.default_rng(0)
profile = rng.normal(size=(4, 30))
values = 0.6 * profile[region] + rng.normal(size=(600, 30))

# %%
# Each station gets a must-link to each of its two nearest neighbors. 600 cannot-links
# are drawn at random among stations that are farther apart than 4.
constraints = PairwiseConstraints.from_neighbors(
    place, n_neighbors=2, n_cannot_link=600, cannot_radius=4.0, random_state=0
)
constraints

# %%
# Not all of these pairs are right. Stations near a border have neighbors across it, and
# chains with one wrong must-link contradict cannot-links. `fit` warns about such pairs.
must, cannot = constraints.must_link.T, constraints.cannot_link.T
print(f"right must-links:   {np.mean(region[must[0]] == region[must[1]]):.3f}")
print(f"right cannot-links: {np.mean(region[cannot[0]] != region[cannot[1]]):.3f}")
print(constraints.conflicts())
warnings.simplefilter("ignore", UserWarning)

# %%
# From the pairs, the network learns which of the measured values separate the regions.
clusterer = ConstrainedNeuralClusterer(4, random_state=0).fit(values, constraints)
kmeans = KMeans(4, n_init=10, random_state=0).fit(values)
for name, labels in (("KMeans", kmeans.labels_), ("with pairs", clusterer.labels_)):
    print(f"{name}: adjusted Rand index {adjusted_rand_score(region, labels):.3f}")

# %%
# The map shows the clusters and some of the pairs. Crosses mark violated pairs.
display = ClusterEmbeddingDisplay.from_predictions(
    place, clusterer.labels_, constraints
)
display.ax_.set(title="stations by cluster", aspect="equal")
plt.show()
