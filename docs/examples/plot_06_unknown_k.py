"""
An unknown number of clusters
=============================

`n_clusters` is an upper bound. The pairs determine how many of the clusters are used.
"""

# %%
# A thousand pairs of digits are drawn at random. One in ten is a must-link, which is
# far too many for sixty equal clusters. The clusterer notices this and leaves most
# clusters empty. With "auto", you do not have to pass a number at all.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.inspection import ContingencyDisplay

X, y = load_digits(return_X_y=True)
X = X / 16
pairs = PairwiseConstraints.sample_from_labels(y, 1000, random_state=0)

found = {}
for n_clusters in (10, 60, "auto"):
    model = ConstrainedNeuralClusterer(n_clusters, random_state=0).fit(X, pairs)
    found[n_clusters] = model
    n_large = (np.bincount(model.labels_) > 0.01 * len(X)).sum()
    print(
        f"n_clusters={n_clusters!r}: {model.n_clusters_} clusters in use, {n_large} of "
        f"more than 1 % of the samples; adjusted Rand index "
        f"{adjusted_rand_score(y, model.labels_):.3f}"
    )

# %%
# Clusters in use are numbered first, so that labels have no gaps.
_, axes = plt.subplots(ncols=2, figsize=(12, 4), layout="constrained")
for ax, n_clusters in zip(axes, (60, "auto"), strict=True):
    ContingencyDisplay.from_estimator(found[n_clusters], X, y, ax=ax)
    ax.set_title(f"n_clusters={n_clusters!r}")
plt.show()
