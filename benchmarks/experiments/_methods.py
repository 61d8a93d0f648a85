"""The methods that the experiments compare, and how they are scored."""

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.metrics import clustering_accuracy_score, purity_score

# A cluster counts as used if it has this share of the rows.
USED_SHARE = 0.005
# Rows that k-means learns from; it then assigns all of them.
_KMEANS_ROWS = 10_000

# What the authors' code does (NNclustering): the gradient is the sum over pairs, and
# learning rate 0.01 with dampening 0.9, the default of old torch, is 0.001 without.
ORIGINAL_OPTIMIZER = {
    "optimizer": "sgd",
    "reduction": "sum",
    "learning_rate": 1e-3,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "schedule": "halving",
    "batch_size": 32,
}
PUBLISHED = {"loss": "kcl", "unlabeled": None}
CLUSTERERS = {
    "published": PUBLISHED,
    "published, original optimizer": PUBLISHED | ORIGINAL_OPTIMIZER,
    "mcl": {"unlabeled": None},
    "default": {},
    "default, vat": {"unlabeled": "vat"},
    "default, rate estimated": {"noise_rate": "estimate"},
}


def make_clusterer(cell, shape, device):
    """Return the estimator of a cell.

    Parameters
    ----------
    cell : dict
        With "method", "network", "n_clusters", "n_init", "max_iter" and "seed".
    shape : tuple of int
        That of one image.
    device : str
    """
    return ConstrainedNeuralClusterer(
        n_clusters=cell["n_clusters"],
        n_init=cell["n_init"],
        max_iter=cell["max_iter"],
        random_state=cell["seed"],
        device=device,
        **network_options(cell["network"], shape),
        **CLUSTERERS[cell["method"]],
    )


def fit_siamese(cell, data, constraints, device):
    """Learn an embedding from pairs and cluster it: the two-stage baseline.

    Returns clusters of the training and of the test rows.
    """
    embedder = MetricEmbedder(
        loss="hinge_embedding",
        max_iter=cell["max_iter"],
        random_state=cell["seed"],
        device=device,
        **network_options(cell["network"], data.shape),
    )
    embedder.fit(data.X, constraints)
    return cluster_features(embedder.embedding_, embedder.transform(data.X_test), cell)


def cluster_features(Z, Z_test, cell):
    """Return the clusters that k-means finds in features, of both parts."""
    model = KMeans(cell["n_clusters"], n_init=3, random_state=cell["seed"])
    model.fit(Z[:_KMEANS_ROWS])
    return model.predict(Z), model.predict(Z_test)


def score_parts(y, labels, y_test, labels_test):
    """Return the scores of training and of test rows."""
    return {"train": score(y, labels), "test": score(y_test, labels_test)}


def score(y, labels):
    """Return purity, NMI, accuracy and the number of clusters in use."""
    sizes = np.bincount(labels)
    return {
        "purity": purity_score(y, labels),
        "nmi": normalized_mutual_info_score(y, labels),
        "accuracy": clustering_accuracy_score(y, labels),
        "clusters_in_use": int((sizes >= USED_SHARE * len(labels)).sum()),
    }


def network_options(network, shape):
    """Return the estimators' parameters for a network's name."""
    if network == "mlp":
        return {"network": "mlp"}
    return {
        "network": build_color_network if network == "color" else network,
        "input_shape": shape,
    }


def build_color_network(input_shape, n_outputs):
    """Build a network of six convolutions for small color images.

    Parameters
    ----------
    input_shape : tuple of int
        ``(channels, height, width)``, at least 8 x 8.
    n_outputs : int

    Returns
    -------
    torch.nn.Sequential
    """
    channels, height, width = input_shape
    layers = []
    for n_out in (32, 64, 128):
        layers += [*_conv(channels, n_out), *_conv(n_out, n_out), nn.MaxPool2d(2)]
        channels = n_out
    network = nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Linear(channels * (height // 8) * (width // 8), 256),
        nn.BatchNorm1d(256),
        nn.ReLU(),
        nn.Linear(256, n_outputs),
    )
    # Near uniform at the start, so that no cluster begins as the winner.
    with torch.no_grad():
        network[-1].weight.mul_(0.1)
        network[-1].bias.zero_()
    # Convolutions on CPUs take two thirds of the time.
    return network.to(memory_format=torch.channels_last)


def _conv(n_in, n_out):
    """Return a 3 x 3 convolution, batch normalization and ReLU."""
    return [nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU()]
