"""
Constraints from neighborhood
=============================

Where things are says something of what they are: neighboring plots of land, adjacent
frames, sensors side by side. `from_neighbors` makes must-links of what is near and,
if asked, cannot-links of what is far.
"""

# %%
# Stations of four regions on a map. Each has measured 30 values in which regions hardly
# differ; the map itself is not given to the clusterer as a feature.
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
# Two nearest stations are taken for the same region, and as many pairs as there are
# stations, drawn at random among those further apart than 4, for different ones.
constraints = PairwiseConstraints.from_neighbors(
    place, n_neighbors=2, n_cannot_link=600, cannot_radius=4.0, random_state=0
)
constraints

# %%
# Not all of these are right: stations near a border have neighbors across it, and one
# wrong must-link makes chains that contradict cannot-links. `fit` warns of such pairs.
must, cannot = constraints.must_link.T, constraints.cannot_link.T
print(f"right must-links:   {np.mean(region[must[0]] == region[must[1]]):.3f}")
print(f"right cannot-links: {np.mean(region[cannot[0]] != region[cannot[1]]):.3f}")
print(constraints.conflicts())
warnings.simplefilter("ignore", UserWarning)

# %%
# The network learns from pairs which of the measured values tell regions apart.
clusterer = ConstrainedNeuralClusterer(4, random_state=0).fit(values, constraints)
kmeans = KMeans(4, n_init=10, random_state=0).fit(values)
for name, labels in (("KMeans", kmeans.labels_), ("with pairs", clusterer.labels_)):
    print(f"{name}: adjusted Rand index {adjusted_rand_score(region, labels):.3f}")

# %%
# The clusters on the map, with some of the pairs. Crosses mark violated ones.
display = ClusterEmbeddingDisplay.from_predictions(
    place, clusterer.labels_, constraints
)
display.ax_.set(title="stations by cluster", aspect="equal")
plt.show()
