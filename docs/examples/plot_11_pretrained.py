"""
A pretrained network
====================

A network from torchvision is trained further to embed photographs. Its last layer is
new, and the other layers have a lower learning rate. Images are read only when a batch
needs them.
"""

# %%
# The package does not require torchvision. Without it, this example trains a small
# network from scratch.
from copy import deepcopy
from importlib.util import find_spec
from urllib.error import URLError

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_images
from torch import nn

from skpairclust import MetricEmbedder
from skpairclust.inspection import RetrievalDisplay
from skpairclust.metrics import recall_at_k

HAS_TORCHVISION = find_spec("torchvision") is not None
SIDE, STEP, N_VIEWS = 48, 64, 8


# %%
# Each class is a place in one of two photographs, and each sample is a view of a place.
# Views are shifted a little, some are mirrored, and their brightness differs. `X` need
# not be an array. Any object works that has a length and returns an array for a row
# number, for instance images on a disk. It is read batch by batch.
class Views:
    """Views of some places, each made when it is asked for."""

    def __init__(self, photographs, places):
        self.photographs = photographs
        self.places = places

    def __len__(self):
        return len(self.places) * N_VIEWS

    def __getitem__(self, row):
        rng = np.random.default_rng(row)
        photograph, top, left = self.places[row // N_VIEWS]
        top, left = (top, left) + rng.integers(STEP - SIDE, size=2)
        view = self.photographs[photograph][top : top + SIDE, left : left + SIDE]
        view = view[:, :: rng.choice([-1, 1])] * rng.uniform(0.5, 1)
        # Roughly the scaling with which the networks of torchvision were trained.
        return (view.transpose(2, 0, 1) / 255 - 0.45).astype(np.float32) / 0.23


photographs = load_sample_images().images
height, width, _ = photographs[0].shape
places = [
    (photograph, top, left)
    for photograph in range(len(photographs))
    for top in range(0, height - STEP, STEP)
    for left in range(0, width - STEP, STEP)
]
places = np.random.default_rng(0).permutation(places)
X, X_unseen = Views(photographs, places[:60]), Views(photographs, places[60:])
y = np.repeat(np.arange(60), N_VIEWS)
y_unseen = np.repeat(np.arange(len(places) - 60), N_VIEWS)
pixels = np.array([X_unseen[row] for row in range(len(X_unseen))])
score = recall_at_k(pixels.reshape(len(pixels), -1), y_unseen)
print(f"pixels: Recall@1 {score:.3f} of {len(places) - 60} places never seen")


# %%
# A function makes the network. It receives the shape of a sample and the number of
# components, and replaces the last layer by a new one. Weights are downloaded once. If
# this fails, the network starts from random weights and improves little.
def load_trunk():
    """Return a residual network, trained on ImageNet if its weights are available."""
    from torchvision.models import ResNet18_Weights, resnet18

    try:
        return resnet18(weights=ResNet18_Weights.DEFAULT)
    except (URLError, OSError) as error:
        print(f"no pretrained weights here: {error}")
        return resnet18()


def pretrained(input_shape, n_outputs):
    """Return the trunk with a new last layer."""
    network = deepcopy(trunk)
    network.fc = nn.Linear(network.fc.in_features, n_outputs)
    return network


# %%
# The pretrained layers have a low learning rate, and that of the new layer is ten times
# as high. Recall@1 is the share of views whose nearest other view shows the same place.
# It is computed for places that are not in the training data.
if HAS_TORCHVISION:
    trunk = load_trunk()
    params = {
        "network": pretrained,
        "learning_rate": 2e-4,
        "head_learning_rate_multiplier": 10,
        "max_iter": 5,
    }
else:
    print("torchvision is not installed: a small network learns from these views alone")
    params = {"max_iter": 20}
embedder = MetricEmbedder(32, batch_size=64, random_state=0, **params).fit(X, y)
print(f"embedding: Recall@1 {embedder.score(X_unseen, y_unseen):.3f}")

# %%
# Each row begins with a view of a place that was never seen, and goes on with the views
# most like it.
RetrievalDisplay.from_predictions(
    embedder.transform(X_unseen),
    y_unseen,
    images=np.clip(0.23 * pixels + 0.45, 0, 1).transpose(0, 2, 3, 1),
    queries=np.arange(0, 40, 8),
)
plt.show()
