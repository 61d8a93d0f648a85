"""What becomes of too many clusters: figures 5 (right) and 6 of Hsu & Kira (2016).

MNIST with 12,000 pairs and 10 to 100 outputs for its 10 classes: NMI, the clusters in
use, and which class is in which. k-means with as many clusters, on the features that
the published method learned with that number and on those of a Siamese embedding, is
the line beside it.
"""

from functools import partial

import numpy as np
from sklearn.manifold import TSNE
from sklearn.metrics.cluster import contingency_matrix

from benchmarks.experiments._methods import (
    expand_methods,
    fit_pairs,
    score_features,
    score_fit,
)
from benchmarks.experiments._runner import Experiment, borrow_rows

# Test rows on the map of outputs.
_N_SHOWN = 1_500
# Two defaults: "imsat" asks for clusters of equal size, "vat" does not.
_METHODS = ("published", "default, vat", "mcl", "default", "siamese")
_SMALL = {"seed": 0, "network": "mlp", "n_init": 1}
_PLANS = {
    "tiny": _SMALL
    | {"dataset": "digits", "n_train": 200, "pairs": 100, "max_iter": 2}
    | {"n_clusters": 20},
    "quick": _SMALL
    | {"dataset": "mnist", "n_train": 4_000, "pairs": 3_000, "max_iter": 10}
    | {"n_clusters": (100, 10)},
    "full": {
        "dataset": "mnist",
        "n_train": None,
        "pairs": 12_000,
        "seed": (0, 1, 2),
        "n_clusters": (100, 10, 50, 20),
        "network": ("mlp", "lenet"),
        "max_iter": 50,
        "n_init": 5,
    },
}


# With the network, the weights and the optimizer of the paper, and the numbers of
# clusters that its figure shows.
_TO_THE_LETTER = {
    "seed": 10,
    "n_clusters": (10, 30, 100, 20, 50),
    "network": "lenet",
    "max_iter": 100,
}


def make_cells(scale):
    """Return the cells."""
    cells = expand_methods(_PLANS[scale], _METHODS)
    if scale == "full":
        own = _PLANS[scale] | _TO_THE_LETTER
        cells += expand_methods(own, ("published, torch7",))
    return cells


def measure(cell, device):
    """Return the scores of one fit and the table of classes and clusters."""
    data, model = fit_pairs(cell, device)
    is_exact = cell["method"] == "published, torch7"
    return {
        **score_fit(data, model),
        "contingency": _count(data.y_test, model.predict(data.X_test)),
        # 50 restarts on its features would take longer than the method itself.
        **({} if is_exact else score_features(data, model, cell)),
        **(_map_outputs(data, model, cell) if is_exact else {}),
    }


def _map_outputs(data, model, cell):
    """Return some test rows in the plane, by t-SNE of their outputs: figure 4."""
    P = model.predict_proba(data.X_test[:_N_SHOWN])
    places = TSNE(init="pca", random_state=cell["seed"]).fit_transform(P)
    classes = data.y_test[:_N_SHOWN].tolist()
    return {"map": np.round(places, 1).tolist(), "classes": classes}


def _count(y, labels):
    """Return the samples of each class in each cluster, large clusters first."""
    table = contingency_matrix(y, labels)
    return table[:, (-table.sum(axis=0)).argsort(kind="stable")].tolist()


# Fits of `partial_constraints` have ten clusters.
_read_known = partial(borrow_rows, "partial_constraints", without={"balanced": False})
EXPERIMENT = Experiment("n_clusters", make_cells, measure, _read_known)
