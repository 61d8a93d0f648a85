"""
Embedding and retrieval
=======================

`MetricEmbedder` learns a distance that also separates classes that were not in the
training data. Here it is trained on some characters of a made-up alphabet. Then it
searches for images of the same character among other, new characters.
"""

# %%
# A character has four random strokes. Each time it is written, it is rotated, shifted
# and scaled a little, and the hand shakes.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from skpairclust import MetricEmbedder, PairwiseConstraints
from skpairclust.inspection import ClusterEmbeddingDisplay, RetrievalDisplay
from skpairclust.metrics import pairwise_f1_score, recall_at_k

rng = np.random.default_rng(0)
SIDE = 16


def draw(strokes):
    """Return an image of strokes, (n_strokes, 2, 2), written with a shaking hand."""
    angle, scale = rng.normal(scale=0.3), rng.normal(1, 0.1, size=(2, 1))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (strokes + rng.normal(scale=0.06, size=strokes.shape)) @ (scale * turn).T
    points = (points + rng.normal(scale=0.2, size=2)) * 0.35 * SIDE + SIDE / 2
    along = np.linspace(0, 1, 25)[:, None, None, None]
    ink = (1 - along) * points[:, 0, None] + along * points[:, 1, None]
    grid = np.stack(np.meshgrid(*[np.arange(SIDE)] * 2), axis=-1)
    squares = ((grid[:, :, None] - ink.reshape(-1, 2)) ** 2).sum(axis=-1).min(axis=-1)
    return np.exp(-squares)


alphabet = rng.uniform(-1, 1, size=(80, 4, 2, 2))
y = np.repeat(np.arange(80), 20)
X = np.array([draw(alphabet[character]) for character in y]).reshape(len(y), -1)
is_known = y < 60
X_known, y_known, X_unseen, y_unseen = (
    X[is_known],
    y[is_known],
    X[~is_known],
    y[~is_known],
)

# %%
# We train one embedder on labels and another on pairs. There are ten pairs per image,
# drawn at random.
settings = {
    "network": "conv",
    "input_shape": (1, SIDE, SIDE),
    "max_iter": 15,
    "augment": "affine",
    "random_state": 0,
}
pairs = PairwiseConstraints.sample_from_labels(
    y_known, 10 * len(y_known), random_state=0
)
embedders = {
    "labels": MetricEmbedder(32, **settings).fit(X_known, y_known),
    "pairs": MetricEmbedder(32, **settings).fit(X_known, pairs),
}

# %%
# The scores are for the 20 characters that are not in the training data. Recall@1 is
# the share of images whose nearest other image shows the same character. The other
# scores compare k-means clusters with the characters.
spaces = {"pixels": X_unseen}
spaces |= {name: model.transform(X_unseen) for name, model in embedders.items()}
for name, space in spaces.items():
    clusters = KMeans(20, n_init=10, random_state=0).fit_predict(space)
    print(
        f"{name}: Recall@1 {recall_at_k(space, y_unseen):.3f}, "
        f"NMI {normalized_mutual_info_score(y_unseen, clusters):.3f}, "
        f"pairwise F1 {pairwise_f1_score(y_unseen, clusters):.3f}"
    )

# %%
# Each row begins with a query, followed by its nearest neighbors. Right neighbors have
# a green frame, wrong ones a dashed red frame. The first picture uses the distance of
# pixels, the second one the distance in the learned space.
rows = np.arange(0, 80, 20)
RetrievalDisplay.from_predictions(X_unseen, y_unseen, images=X_unseen, queries=rows)

# %%
RetrievalDisplay.from_estimator(embedders["labels"], X_unseen, y_unseen, queries=rows)

# %%
# This is the learned space with ten of the new characters.
shown = y_unseen < 70
ClusterEmbeddingDisplay.from_predictions(
    spaces["labels"][shown], y_unseen[shown], random_state=0
)

# %%
# `kneighbors` searches among the samples of `fit`. The query is a new image of
# character 3.
distances, found = embedders["labels"].kneighbors(
    [draw(alphabet[3]).ravel()], n_neighbors=5
)
print(y_known[found])
plt.show()
