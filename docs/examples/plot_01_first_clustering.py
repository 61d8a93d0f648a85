"""
Digits from pairs: a first clustering
=====================================

Half of scikit-learn's digits are clustered with the help of 500 pairs of images. For
each pair it is known whether both show the same digit. The other half is used as new
data.
"""

# %%
# Nobody says which digit an image shows. Suppose that somebody compared 500 pairs of
# images and said whether both show the same digit. Here the labels answer instead.
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
# Pass the pairs where labels would go. With `n_init` restarts, an unlucky start does
# little harm.
clusterer = ConstrainedNeuralClusterer(n_clusters=10, n_init=3, random_state=0)
clusterer.fit(X, pairs)
kmeans = KMeans(n_clusters=10, n_init=10, random_state=0).fit(X)
for name, model in (("KMeans, without pairs", kmeans), ("with pairs", clusterer)):
    accuracy = clustering_accuracy_score(y_new, model.predict(X_new))
    print(f"{name}: {accuracy:.3f} of the new digits are in the cluster of their class")

# %%
# In the space of the last hidden layer, the clusters are well separated. Lines are
# pairs. Pairs that the clusters violate would be marked by a cross.
ClusterEmbeddingDisplay.from_estimator(clusterer, X, pairs, random_state=0)

# %%
# The tables show which digits the clusters contain, for the new data. Clusters have no
# names. They are sorted so that each is next to the class that it matches best.
_, axes = plt.subplots(ncols=2, figsize=(11, 4.5), layout="constrained")
ContingencyDisplay.from_estimator(kmeans, X_new, y_new, ax=axes[0])
ContingencyDisplay.from_estimator(clusterer, X_new, y_new, ax=axes[1])
axes[0].set_title("KMeans")
axes[1].set_title("ConstrainedNeuralClusterer")

# %%
# Finally, this is the training loss of the best restart.
LossCurveDisplay.from_estimator(clusterer)
plt.show()
