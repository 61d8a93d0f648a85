"""
An unknown number of clusters
=============================

`n_clusters` is an upper bound: pairs, not the parameter, say how many clusters are in
use.
"""

# %%
# Ask for more clusters than there can be. The default for unlabeled samples wants
# clusters of about equal sizes and would fill all of them; "vat" asks only that a
# sample's surroundings share its cluster, and leaves surplus clusters empty.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.inspection import ContingencyDisplay

X, y = load_digits(return_X_y=True)
X = X / 16
pairs = PairwiseConstraints.sample_from_labels(y, 2000, random_state=0)

found = {}
for unlabeled in ("imsat", "vat"):
    for n_clusters in (10, 30):
        model = ConstrainedNeuralClusterer(
            n_clusters, unlabeled=unlabeled, random_state=0
        ).fit(X, pairs)
        found[unlabeled, n_clusters] = model
        print(
            f"unlabeled={unlabeled!r}, n_clusters={n_clusters}: "
            f"{model.n_clusters_} clusters in use, adjusted Rand index "
            f"{adjusted_rand_score(y, model.labels_):.3f}"
        )

# %%
# Clusters in use are numbered first, so that labels have no gaps.
_, axes = plt.subplots(
    ncols=2, figsize=(12, 4), layout="constrained", width_ratios=[3, 1.4]
)
for ax, unlabeled in zip(axes, ("imsat", "vat"), strict=True):
    ContingencyDisplay.from_estimator(found[unlabeled, 30], X, y, ax=ax)
    ax.set_title(f"unlabeled={unlabeled!r}, n_clusters=30")
plt.show()
