"""The methods that the experiments compare, and how they are scored."""

from functools import partial

import joblib
import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from sklearn.preprocessing import normalize
from torch import nn

from benchmarks.experiments._data import load_rows
from benchmarks.experiments._dcc import DeepClusterer
from benchmarks.experiments._runner import RESULTS, expand
from benchmarks.experiments._siamese import PublishedSiamese
from skpairclust import (
    ConstrainedNeuralClusterer,
    MetricEmbedder,
    PairwiseConstraints,
)
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans
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
PUBLISHED = {"loss": "kcl", "unlabeled": None, "init": "random"}
ORIGINAL = PUBLISHED | ORIGINAL_OPTIMIZER | {"initial_weights": "torch7"}
# For listed pairs the papers give no rate. 32 images then have 16 pairs, where 32
# labels have 496: this rate was chosen before any draw of the table was looked at.
_RATE_OF_LISTED_PAIRS = 3e-3
CLUSTERERS = {
    "published": PUBLISHED,
    "published, original optimizer": PUBLISHED | ORIGINAL_OPTIMIZER,
    "published, torch7": ORIGINAL | {"learning_rate": _RATE_OF_LISTED_PAIRS},
    "mcl": {"unlabeled": None, "init": "random"},
    "default": {},
    "default, vat": {"unlabeled": "vat"},
    "default, rate estimated": {"noise_rate": "estimate"},
}
BASELINES = {
    "KMeans": partial(KMeans, n_init=10),
    "COPKMeans": COPKMeans,
    "PCKMeans": PCKMeans,
    "MPCKMeans": MPCKMeans,
}
# What a cell may state of a clusterer besides its method.
_SETTINGS = ("n_clusters", "n_init", "max_iter", "batch_size")


def is_restarted(method):
    """Whether a method is the best of several restarts: those with pairs alone."""
    return method.startswith("published") or method == "mcl"


def expand_methods(plan, methods):
    """Return the cells of a plan, each with all methods.

    The default has the package's own network alone.
    """
    return [
        cell if is_restarted(cell["method"]) else cell | {"n_init": 1}
        for cell in expand(plan | {"method": methods})
        if cell["network"] == "mlp" or not cell["method"].startswith("default")
    ]


def fit_pairs(cell, device):
    """Return the data of a cell, and its method fitted to random pairs."""
    data = load_rows(cell["dataset"]).head(cell["n_train"])
    draw = {key: cell[key] for key in ("balanced", "noise") if key in cell}
    constraints = PairwiseConstraints.sample_from_labels(
        data.y, cell["pairs"], random_state=cell["seed"], **draw
    )
    return data, make_method(cell, data.shape, device).fit(data.X, constraints)


def make_method(cell, shape, device):
    """Return the estimator of a cell: it has `fit`, `labels_` and `predict`.

    Parameters
    ----------
    cell : dict
        With "method", "n_clusters", "seed" and, but for baselines, "max_iter";
        networks have a "network", clusterers "n_init".
    shape : tuple of int
        That of one image.
    device : str
    """
    method = cell["method"]
    if method in BASELINES:
        return BASELINES[method](cell["n_clusters"], random_state=cell["seed"])
    if method == "DCC-style":
        return DeepClusterer(cell, device)
    if method == "siamese":
        return make_siamese(cell, shape, device)
    if method == "siamese, torch7":
        rate = {"learning_rate": _RATE_OF_LISTED_PAIRS}
        return PublishedSiamese(cell, shape, device, ORIGINAL | rate)
    return make_clusterer(cell, shape, device, CLUSTERERS[method])


def make_clusterer(cell, shape, device, options):
    """Return the package's clusterer with options; what the cell states comes first."""
    stated = {key: cell[key] for key in _SETTINGS if key in cell}
    return ConstrainedNeuralClusterer(
        random_state=cell["seed"],
        device=device,
        checkpoint_dir=_checkpoint_folder(cell),
        **network_options(cell["network"], shape),
        **options | stated,
    )


def _checkpoint_folder(cell):
    """Return where a fit to all rows keeps its state, so that it can go on."""
    if cell.get("n_train", 0) is not None:
        return None
    return RESULTS / "running" / joblib.hash(cell)


def make_siamese(cell, shape, device):
    """Return the two-stage baseline: an embedding from pairs, then k-means."""
    embedder = MetricEmbedder(
        loss="hinge_embedding",
        max_iter=cell["max_iter"],
        random_state=cell["seed"],
        device=device,
        **network_options(cell["network"], shape),
    )
    return FeatureKMeans(embedder, cell)


class FeatureKMeans:
    """k-means on what a network makes of images."""

    def __init__(self, network, cell):
        self.network = network
        self.kmeans = KMeans(cell["n_clusters"], n_init=3, random_state=cell["seed"])

    def fit(self, X, constraints):
        """Train the network, then cluster."""
        self.network.fit(X, constraints)
        return self.cluster(X)

    def cluster(self, X):
        """Cluster images by the network as it is."""
        Z = self.network.transform(X)
        self.labels_ = self.kmeans.fit(Z[:_KMEANS_ROWS]).predict(Z)
        return self

    def predict(self, X):
        """Return the clusters of images."""
        return self.kmeans.predict(self.network.transform(X))


def score_fit(data, model):
    """Return the scores of training and of test rows."""
    return {
        "train": score(data.y, model.labels_),
        "test": score(data.y_test, model.predict(data.X_test)),
    }


def score_features(data, model, cell):
    """Return the scores of k-means on a clusterer's features; none but of KCL's.

    As published, it is restarted 50 times on the test rows themselves, once as they
    are and once by their cosines.
    """
    if cell["method"] == "published":
        return {"features": score_fit(data, FeatureKMeans(model, cell).cluster(data.X))}
    if cell["method"] != "published, torch7":
        return {}
    return {
        f"features, {distance}": {"test": of_test}
        for distance, of_test in score_kmeans(data, model, cell).items()
    }


def score_kmeans(data, model, cell):
    """Return the scores of k-means on what a model makes of the test rows."""
    Z = model.transform(data.X_test)
    return {
        distance: score(data.y_test, _restart_kmeans(features, cell))
        for distance, features in (("Euclidean", Z), ("cosine", normalize(Z)))
    }


def _restart_kmeans(Z, cell):
    """Return the clusters of the best of 50 k-means."""
    kmeans = KMeans(cell["n_clusters"], n_init=50, random_state=cell["seed"])
    return kmeans.fit_predict(Z)


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
