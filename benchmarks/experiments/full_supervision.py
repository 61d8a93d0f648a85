"""Pairs against labels where all is known: table 1 of Hsu & Kira (2016).

The same network learns the same labeled images once by cross-entropy and once by the
loss of all their pairs. Its clusters are then named by the best assignment on the
training rows, and that naming is used for the test rows. The package's default gets the
same labels and the images without labels.
"""

import numpy as np

from benchmarks.experiments._data import load_rows
from benchmarks.experiments._methods import (
    CLUSTERERS,
    ORIGINAL_OPTIMIZER,
    network_options,
)
from benchmarks.experiments._runner import Experiment
from skpairclust import ConstrainedNeuralClusterer
from skpairclust.metrics import clustering_accuracy_score

_METHODS = {
    "cross-entropy": {
        "unlabeled": None,
        "classification_weight": 1.0,
        "pair_weight": 0.0,
    },
    "published": CLUSTERERS["published"],
    # Batches of 128 and a rate of 0.1 with dampening 0.9.
    "published, original optimizer": CLUSTERERS["published"]
    | ORIGINAL_OPTIMIZER
    | {"learning_rate": 0.01},
    # With some 8,000 pairs a batch, their sum at that rate leaves classes together.
    "published, lower rate": CLUSTERERS["published"]
    | ORIGINAL_OPTIMIZER
    | {"learning_rate": 1e-4},
    "mcl": CLUSTERERS["mcl"],
    "default": CLUSTERERS["default"],
}
_FULL = (
    ("mnist", "lenet", (6, 60, 600, None)),
    ("cifar10", "color", (5, 50, 500, None)),
)
_N_SEEDS = 3


def make_cells(scale):
    """Return the cells; `per_class` is None where all images have labels."""
    if scale == "tiny":
        return _make_group("digits", "mlp", 10, 0, n_train=200, max_iter=2, n_init=2)
    if scale == "quick":
        small = {"n_train": 4_000, "max_iter": 30, "n_init": 2}
        return [
            cell
            for per_class in (6, 60)
            for cell in _make_group("mnist", "mlp", per_class, 0, **small)
        ]
    return [
        cell
        for seed in range(_N_SEEDS)
        for dataset, network, numbers in _FULL
        for per_class in numbers
        for cell in _make_group(dataset, network, per_class, seed)
    ]


def _make_group(
    dataset, network, per_class, seed, *, n_train=None, max_iter=100, n_init=5
):
    """Return the cells of one draw of labeled images: all methods."""
    common = {
        "dataset": dataset,
        "n_train": n_train,
        "per_class": per_class,
        "seed": seed,
        "max_iter": max_iter,
        "batch_size": 128,
    }
    cells = []
    for method in _METHODS:
        is_pair_loss = method not in ("cross-entropy", "default")
        settings = {
            "method": method,
            "network": network,
            "n_init": n_init if is_pair_loss else 1,
        }
        if method == "default":
            own = network if network == "color" else "mlp"
            settings |= {"network": own, "batch_size": 256, "max_iter": max_iter // 2}
        cells.append(common | settings)
    return cells


def measure(cell, device):
    """Return the accuracy of training and test rows."""
    data = load_rows(cell["dataset"]).head(cell["n_train"])
    labeled = _draw(data.y, cell["per_class"], cell["seed"])
    X, y = data.X[labeled], data.y[labeled]
    model = _make_model(cell, data, device)
    if cell["method"] == "default":
        partial = np.full(len(data.y), -1)
        partial[labeled] = y
        labels = model.fit(data.X, partial).labels_[labeled]
    else:
        labels = model.fit(X, y).labels_
    accuracy = clustering_accuracy_score(
        data.y_test, model.predict(data.X_test), fitted_on=(y, labels)
    )
    return {
        "train": {"accuracy": clustering_accuracy_score(y, labels)},
        "test": {"accuracy": accuracy},
        "clusters_in_use": int(model.n_clusters_),
    }


def _make_model(cell, data, device):
    """Return the estimator of a cell; batches are the cell's for all methods."""
    options = _METHODS[cell["method"]] | {"batch_size": cell["batch_size"]}
    return ConstrainedNeuralClusterer(
        n_clusters=data.n_classes,
        n_init=cell["n_init"],
        max_iter=cell["max_iter"],
        random_state=cell["seed"],
        device=device,
        **network_options(cell["network"], data.shape),
        **options,
    )


def _draw(y, per_class, seed):
    """Return so many random rows of each class, in order; all for None."""
    if per_class is None:
        return np.arange(len(y))
    rng = np.random.RandomState(seed)
    drawn = [rng.permutation(np.flatnonzero(y == c))[:per_class] for c in np.unique(y)]
    return np.sort(np.concatenate(drawn))


EXPERIMENT = Experiment("full_supervision", make_cells, measure)
