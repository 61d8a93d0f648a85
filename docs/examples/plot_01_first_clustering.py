"""
Digits from pairs: a first clustering
=====================================

Half of scikit-learn's digits are clustered with the help of 500 pairs that are known to
be the same or different. The other half is new to the fitted network.
"""

# %%
# Nobody says which digit an image shows: only, of 500 pairs of images, whether both
# show the same one. Here the labels answer in the place of a person.
import matplotlib.pyplot as plt
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.inspection import (
    ClusterEmbeddingDisplay,
    ContingencyDisplay,
    LossCurveDisplay,
)
from skpairclust.metrics import clustering_accuracy_score

X, y = load_digits(return_X_y=True)
X, X_new, y, y_new = train_test_split(X / 16, y, test_size=0.5, random_state=0)
pairs = PairwiseConstraints.sample_from_labels(y, 500, random_state=0)
pairs

# %%
# The pairs go where labels would go. `n_init` restarts guard against an unlucky start.
clusterer = ConstrainedNeuralClusterer(n_clusters=10, n_init=3, random_state=0)
clusterer.fit(X, pairs)
kmeans = KMeans(n_clusters=10, n_init=10, random_state=0).fit(X)
for name, model in (("KMeans, without pairs", kmeans), ("with pairs", clusterer)):
    accuracy = clustering_accuracy_score(y_new, model.predict(X_new))
    print(f"{name}: {accuracy:.3f} of the new digits are in the cluster of their class")

# %%
# The last hidden layer is a space in which clusters are apart. Lines are pairs; those
# that the clusters violate would be marked by a cross.
ClusterEmbeddingDisplay.from_estimator(clusterer, X, pairs, random_state=0)

# %%
# Which classes the clusters hold, for the new digits. Clusters have no names of their
# own: they are put in the order of the classes they match best.
_, axes = plt.subplots(ncols=2, figsize=(11, 4.5), layout="constrained")
ContingencyDisplay.from_estimator(kmeans, X_new, y_new, ax=axes[0])
ContingencyDisplay.from_estimator(clusterer, X_new, y_new, ax=axes[1])
axes[0].set_title("KMeans")
axes[1].set_title("ConstrainedNeuralClusterer")

# %%
# The training of the best restart.
LossCurveDisplay.from_estimator(clusterer)
plt.show()
