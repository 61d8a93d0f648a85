"""What becomes of too many clusters: figures 5 (right) and 6 of Hsu & Kira (2016).

MNIST with 12,000 pairs and 10 to 100 outputs for its 10 classes: NMI, the clusters in
use, and which class is in which. k-means with as many clusters, on the features that
the published method learned with that number and on those of a Siamese embedding, is
the line beside it.
"""

from sklearn.metrics.cluster import contingency_matrix

from benchmarks.experiments._data import load_rows
from benchmarks.experiments._methods import (
    cluster_features,
    fit_siamese,
    make_clusterer,
    score_parts,
)
from benchmarks.experiments._runner import Experiment, borrow_rows
from skpairclust import PairwiseConstraints

# Two defaults: "imsat" asks for clusters of equal size, "vat" does not.
_METHODS = ("published", "default, vat", "mcl", "default", "siamese")
_SINGLE = ("default", "default, vat", "siamese")
_N_SEEDS = 3


def make_cells(scale):
    """Return the cells."""
    if scale == "tiny":
        tiny = {"n_train": 200, "pairs": 100, "max_iter": 2, "n_init": 1}
        return _make_group("digits", 20, ("mlp",), 0, **tiny)
    if scale == "quick":
        small = {"n_train": 4_000, "pairs": 3_000, "max_iter": 10, "n_init": 1}
        return [
            cell
            for k in (100, 10)
            for cell in _make_group("mnist", k, ("mlp",), 0, **small)
        ]
    return [
        cell
        for seed in range(_N_SEEDS)
        for k in (100, 10, 50, 20)
        for cell in _make_group("mnist", k, ("mlp", "lenet"), seed)
    ]


def _make_group(
    dataset,
    n_clusters,
    networks,
    seed,
    *,
    n_train=None,
    pairs=12_000,
    max_iter=50,
    n_init=5,
):
    """Return the cells of one number of clusters: all methods."""
    return [
        {
            "dataset": dataset,
            "n_train": n_train,
            "pairs": pairs,
            "n_clusters": n_clusters,
            "seed": seed,
            "method": method,
            "network": network,
            "max_iter": max_iter,
            "n_init": 1 if method in _SINGLE else n_init,
        }
        for network in networks
        for method in _METHODS
        if network == "mlp" or not method.startswith("default")
    ]


def measure(cell, device):
    """Return the scores of one fit and the table of classes and clusters."""
    data = load_rows(cell["dataset"]).head(cell["n_train"])
    constraints = PairwiseConstraints.sample_from_labels(
        data.y, cell["pairs"], random_state=cell["seed"]
    )
    if cell["method"] == "siamese":
        labels, labels_test = fit_siamese(cell, data, constraints, device)
        return _score(data, labels, labels_test)
    model = make_clusterer(cell, data.shape, device).fit(data.X, constraints)
    scores = _score(data, model.labels_, model.predict(data.X_test))
    if cell["method"] == "published":
        features = cluster_features(
            model.transform(data.X), model.transform(data.X_test), cell
        )
        scores["features"] = score_parts(data.y, features[0], data.y_test, features[1])
    return scores


def _score(data, labels, labels_test):
    """Return scores, and the contingency table of the test rows by clusters' size."""
    table = contingency_matrix(data.y_test, labels_test)
    table = table[:, (-table.sum(axis=0)).argsort(kind="stable")]
    return {
        **score_parts(data.y, labels, data.y_test, labels_test),
        "contingency": table.tolist(),
    }


def read_partial_constraints():
    """Return the fits of `partial_constraints`, which have ten clusters."""
    return borrow_rows("partial_constraints", without={"balanced": False})


EXPERIMENT = Experiment("n_clusters", make_cells, measure, read_partial_constraints)
