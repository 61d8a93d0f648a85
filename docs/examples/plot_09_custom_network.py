"""
A network of your own
=====================

Any torch module that ends in a linear layer can be trained: here a small convolutional
network on images of 8 x 8.
"""

# %%
# `network` is a function of the shape of one sample and of the number of outputs. It
# is called once a restart, and its weights come from the global state of torch inside
# a fork that is seeded for that restart.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.inspection import ClusterEmbeddingDisplay, LossCurveDisplay


def small_convolutional(input_shape, n_outputs):
    """Two convolutions and a linear layer."""
    channels = input_shape[0]
    return nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (input_shape[1] // 4) * (input_shape[2] // 4), n_outputs),
    )


# %%
# Rows of 64 pixels become images by `input_shape`; X could have that shape itself, too.
X, y = load_digits(return_X_y=True)
X, y = X[:1000] / 16, y[:1000]
pairs = PairwiseConstraints.sample_from_labels(y, 500, random_state=0)
common = {"n_clusters": 10, "max_iter": 30, "random_state": 0}
models = {
    "default": ConstrainedNeuralClusterer(**common),
    "convolutional": ConstrainedNeuralClusterer(
        **common, network=small_convolutional, input_shape=(1, 8, 8)
    ),
}
axes = None
for name, model in models.items():
    model.fit(X, pairs)
    n_weights = sum(weights.numel() for weights in model.network_.parameters())
    score = adjusted_rand_score(y, model.labels_)
    print(f"{name}: {n_weights} weights, adjusted Rand index {score:.3f}")
    axes = LossCurveDisplay.from_estimator(model, name=name, ax=axes).ax_

# %%
# The input of the last linear layer is what `transform` returns.
ClusterEmbeddingDisplay.from_estimator(
    models["convolutional"], X, pairs, random_state=0
)
plt.show()
