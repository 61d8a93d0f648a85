"""
Your own network
================

You can train any torch module that ends in a linear layer. Here it is a small
convolutional network for images of 8 x 8 pixels.
"""

# %%
# `network` is a function that receives the shape of one sample and the number of
# outputs. It is called once per restart. Before each call, the random state of torch is
# set to the seed of the restart, and afterwards it is restored.
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
# With `input_shape`, rows of 64 pixels are reshaped to images. X could also have this
# shape itself.
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
# `transform` returns the input of the last linear layer.
ClusterEmbeddingDisplay.from_estimator(
    models["convolutional"], X, pairs, random_state=0
)
plt.show()
