"""How few pairs are enough: figure 3 of Hsu & Kira (2016).

Clusters of MNIST and CIFAR-10 from randomly drawn pairs among the training rows, by the
number of pairs. The published method is the best of five restarts by training loss. Its
features clustered by k-means, a Siamese embedding clustered by k-means, the same
authors' later loss (MCL) and the package's default stand beside it.
"""

from benchmarks.experiments._data import load_rows
from benchmarks.experiments._methods import (
    cluster_features,
    fit_siamese,
    make_clusterer,
    score_parts,
)
from benchmarks.experiments._runner import Experiment
from skpairclust import PairwiseConstraints

# Data set, pairs, network of the paper, other networks.
_FULL = (
    ("mnist", (1_200, 300, 3_000, 12_000, 60_000), ("lenet", "mlp")),
    ("cifar10", (400_000, 800_000, 200_000, 100_000, 50_000), ("color",)),
)
_N_SEEDS = 3


def make_cells(scale):
    """Return the cells."""
    if scale == "tiny":
        return _make_group("digits", 60, ("mlp",), 0, n_train=200, max_iter=2, n_init=2)
    if scale == "quick":
        small = {"n_train": 4_000, "max_iter": 15, "n_init": 2}
        return [
            cell
            for pairs in (1_200, 300, 3_000)
            for cell in _make_group("mnist", pairs, ("mlp",), 0, **small)
        ]
    return [
        cell
        for seed in range(_N_SEEDS)
        for dataset, numbers, networks in _FULL
        for pairs in numbers
        for cell in _make_group(dataset, pairs, networks, seed)
    ]


def _make_group(dataset, pairs, networks, seed, *, n_train=None, max_iter=50, n_init=5):
    """Return the cells of one draw of pairs: all methods."""
    common = {
        "dataset": dataset,
        "n_train": n_train,
        "pairs": pairs,
        "balanced": False,
        "n_clusters": 10,
        "seed": seed,
        "max_iter": max_iter,
    }
    # The default has the package's own network, where images have no colors.
    own = networks[-1]
    cells = [common | {"method": "default", "network": own, "n_init": 1}]
    for network in networks:
        for method, restarts, epochs in (
            ("published", n_init, 1),
            ("mcl", n_init, 1),
            ("siamese", 1, 1),
            # The authors' code trains for 100 epochs.
            ("published, original optimizer", n_init, 2),
        ):
            settings = {"method": method, "network": network, "n_init": restarts}
            cells.append(common | settings | {"max_iter": epochs * max_iter})
    return cells


def measure(cell, device):
    """Return the scores of one fit, and of k-means on its features."""
    data = load_rows(cell["dataset"]).head(cell["n_train"])
    constraints = PairwiseConstraints.sample_from_labels(
        data.y, cell["pairs"], balanced=cell["balanced"], random_state=cell["seed"]
    )
    if cell["method"] == "siamese":
        labels, labels_test = fit_siamese(cell, data, constraints, device)
        return score_parts(data.y, labels, data.y_test, labels_test)
    model = make_clusterer(cell, data.shape, device).fit(data.X, constraints)
    scores = score_parts(data.y, model.labels_, data.y_test, model.predict(data.X_test))
    scores["loss"] = model.loss_
    if cell["method"] == "published":
        features = cluster_features(
            model.transform(data.X), model.transform(data.X_test), cell
        )
        scores["features"] = score_parts(data.y, features[0], data.y_test, features[1])
    return scores


EXPERIMENT = Experiment("partial_constraints", make_cells, measure)
