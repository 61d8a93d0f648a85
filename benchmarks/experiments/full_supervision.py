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
    ORIGINAL,
    ORIGINAL_OPTIMIZER,
    PUBLISHED,
    is_restarted,
    make_clusterer,
)
from benchmarks.experiments._runner import Experiment, expand
from skpairclust.metrics import clustering_accuracy_score

# As the authors' code is run for clustering; of its restarts the one counts that has
# the highest accuracy on training rows.
_BY_ACCURACY = {
    "published, original optimizer": PUBLISHED | ORIGINAL_OPTIMIZER,
    "published, torch7": ORIGINAL,
}
_METHODS = {
    "cross-entropy": {
        "unlabeled": None,
        "init": "random",
        "classification_weight": 1.0,
        "pair_weight": 0.0,
    },
    "published": PUBLISHED,
    **_BY_ACCURACY,
    "mcl": CLUSTERERS["mcl"],
    "default": CLUSTERERS["default"],
}
_SMALL = {"network": "mlp", "seed": 0, "n_init": 2}
_FULL = {"n_train": None, "seed": (0, 1, 2), "max_iter": 100, "n_init": 5}
# `per_class` is None where all images have labels.
_PLANS = {
    "tiny": [
        _SMALL | {"dataset": "digits", "n_train": 200, "per_class": 10, "max_iter": 2}
    ],
    "quick": [
        _SMALL
        | {"dataset": "mnist", "n_train": 4_000, "per_class": (6, 60), "max_iter": 30}
    ],
    "full": [
        _FULL
        | {"dataset": "mnist", "network": "lenet", "per_class": (6, 60, 600, None)},
        _FULL
        | {"dataset": "cifar10", "network": "lenet", "per_class": (5, 50, 500, None)},
    ],
}


def make_cells(scale):
    """Return the cells."""
    methods = {"batch_size": 128, "method": tuple(_METHODS)}
    return list(map(_adjust, expand(*(plan | methods for plan in _PLANS[scale]))))


def _adjust(cell):
    """Return a cell with the restarts that its method needs, the default's as it is."""
    if cell["method"] in _BY_ACCURACY:
        return cell | {"batch_size": ORIGINAL_OPTIMIZER["batch_size"]}
    if is_restarted(cell["method"]):
        return cell
    cell = cell | {"n_init": 1}
    if cell["method"] == "default":
        own = "color" if cell["dataset"] == "cifar10" else "mlp"
        cell |= {"network": own, "batch_size": 256, "max_iter": cell["max_iter"] // 2}
    return cell


def measure(cell, device):
    """Return the accuracy of training and test rows."""
    data = load_rows(cell["dataset"]).head(cell["n_train"])
    labeled = _draw(data.y, cell["per_class"], cell["seed"])
    X, y = data.X[labeled], data.y[labeled]
    settings = cell | {"n_clusters": data.n_classes}
    options = _METHODS[cell["method"]]
    if cell["method"] in _BY_ACCURACY:
        model = _fit_by_accuracy(settings, data.shape, device, options, X, y)
        labels = model.labels_
        return _score(data, y, labels, model)
    model = make_clusterer(settings, data.shape, device, options)
    if cell["method"] == "default":
        partial = np.full(len(data.y), -1)
        partial[labeled] = y
        labels = model.fit(data.X, partial).labels_[labeled]
    else:
        labels = model.fit(X, y).labels_
    return _score(data, y, labels, model)


def _fit_by_accuracy(cell, shape, device, options, X, y):
    """Return the one of several fits that is most accurate on what it was fitted to."""
    fits = []
    for restart in range(cell["n_init"]):
        one = cell | {"n_init": 1, "seed": 1_000 * cell["seed"] + restart}
        model = make_clusterer(one, shape, device, options).fit(X, y)
        fits.append((clustering_accuracy_score(y, model.labels_), -restart, model))
    return max(fits)[2]


def _score(data, y, labels, model):
    """Return the scores of a model that gave the training rows these labels."""
    accuracy = clustering_accuracy_score(
        data.y_test, model.predict(data.X_test), fitted_on=(y, labels)
    )
    return {
        "train": {"accuracy": clustering_accuracy_score(y, labels)},
        "test": {"accuracy": accuracy},
        "clusters_in_use": int(model.n_clusters_),
    }


def _draw(y, per_class, seed):
    """Return so many random rows of each class, in order; all for None."""
    if per_class is None:
        return np.arange(len(y))
    rng = np.random.RandomState(seed)
    drawn = [rng.permutation(np.flatnonzero(y == c))[:per_class] for c in np.unique(y)]
    return np.sort(np.concatenate(drawn))


EXPERIMENT = Experiment("full_supervision", make_cells, measure)
