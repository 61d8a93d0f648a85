"""
Constraints from tracking
=========================

A tracker follows people through a video. All samples of a track show one person, and
two tracks at the same moment show two different people. Nobody has to label anything.
"""

# %%
# We make up a video in which the ten digits stand for ten people. Each track has five
# frames. At any moment there are two or three tracks, all of different people.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.inspection import ContingencyDisplay
from skpairclust.metrics import clustering_accuracy_score

X, y = load_digits(return_X_y=True)
X = X / 16
rng = np.random.default_rng(0)
waiting = [list(rng.permutation(np.flatnonzero(y == person))) for person in range(10)]
track_ids, times = np.full(len(y), -1), np.zeros(len(y))
n_tracks, moment = 0, 0
while sum(len(rows) >= 5 for rows in waiting) >= 3:
    present = [p for p in rng.permutation(10) if len(waiting[p]) >= 5]
    for person in present[: rng.integers(2, 4)]:
        for frame in range(5):
            row = waiting[person].pop()
            track_ids[row], times[row] = n_tracks, moment + frame
        n_tracks += 1
    moment += 5
print(f"{n_tracks} tracks over {moment} moments")

# %%
# `from_sequences` turns tracks into must-links and cannot-links, without listing them.
# With `max_gap`, tracks would be cut where the tracker lost a person for too long.
constraints = PairwiseConstraints.from_sequences(track_ids, times=times)
constraints

# %%
# There are about two must-links per sample, but each connects samples of one track
# only.
clusterer = ConstrainedNeuralClusterer(n_clusters=10, random_state=0)
labels = clusterer.fit_predict(X, constraints)
kmeans = KMeans(10, n_init=10, random_state=0).fit_predict(X)
print(f"accuracy with tracks: {clustering_accuracy_score(y, labels):.3f}")
print(f"accuracy of KMeans:   {clustering_accuracy_score(y, kmeans):.3f}")
ContingencyDisplay.from_predictions(y, labels)
plt.show()
