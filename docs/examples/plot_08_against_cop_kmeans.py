"""
Comparison with constrained k-means
===================================

`COPKMeans` keeps every constraint. In `PCKMeans` and `MPCKMeans`, a violated constraint
has a cost. The network learns a new space. When is which the right one?
"""

# %%
# We cluster the digits in four ways with growing numbers of pairs, and with k-means
# without any. Scores are computed on the half that no fit has seen, where keeping the
# given pairs is no advantage by itself.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans
from skpairclust.metrics import constraint_accuracy_score

X, y = load_digits(return_X_y=True)
X, X_new, y, y_new = train_test_split(X / 16, y, test_size=0.5, random_state=0)
models = {
    "KMeans": KMeans(10, n_init=10, random_state=0),
    "COPKMeans": COPKMeans(10, n_init=10, random_state=0),
    "PCKMeans": PCKMeans(10, n_init=10, random_state=0),
    "MPCKMeans": MPCKMeans(10, random_state=0),
    "network": ConstrainedNeuralClusterer(10, random_state=0),
}
numbers = [50, 150, 500, 1500]
scores = {name: [] for name in models}
kept = {name: [] for name in models}
for n_pairs in numbers:
    pairs = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=0)
    for name, model in models.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, pairs if name != "KMeans" else None)
        kept[name].append(constraint_accuracy_score(pairs, model.labels_))
        scores[name].append(adjusted_rand_score(y_new, model.predict(X_new)))

# %%
# The left picture shows the share of pairs kept among the fitted samples. The right one
# shows the agreement with the classes of the new samples. This is one seed only, so
# differences of a few hundredths are due to chance.
_, axes = plt.subplots(ncols=2, figsize=(10, 4), layout="constrained")
markers = dict(zip(models, "ovs^D", strict=True))
for name in models:
    axes[0].plot(numbers, kept[name], marker=markers[name], label=name)
    axes[1].plot(numbers, scores[name], marker=markers[name], label=name)
axes[0].set(title="pairs kept, fitted samples", ylabel="share")
axes[1].set(title="agreement with classes, new samples", ylabel="adjusted Rand index")
for axis in axes:
    axis.set(xlabel="pairs", xscale="log")
axes[1].legend()

# %%
# If every pair must be kept, for instance because two samples are from one patient, use
# `COPKMeans`. It raises an error if the pairs cannot all be kept:
triangle = PairwiseConstraints(cannot_link=[(0, 1), (1, 2), (0, 2)], n_samples=6)
try:
    COPKMeans(n_clusters=2).fit(np.arange(6.0)[:, None], triangle)
except (ValueError, RuntimeError) as error:
    print(error)
plt.show()
