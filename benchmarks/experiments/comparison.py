"""The package's default beside other methods: MNIST and Fashion-MNIST.

All get the same pairs. "DCC-style" is a deep clusterer after Zhang, Basu & Davidson
(2019): a pretrained autoencoder, DEC's clustering loss, reconstruction, and a loss of
pairs. Rows of the default that ``benchmarks.bench_quality`` has measured are not
measured again.
"""

from sklearn.cluster import KMeans

from benchmarks import bench_quality
from benchmarks._report import read_rows
from benchmarks.experiments._data import load_rows
from benchmarks.experiments._dcc import fit_dcc
from benchmarks.experiments._methods import CLUSTERERS, make_clusterer, score_parts
from benchmarks.experiments._runner import Experiment
from skpairclust import PairwiseConstraints
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans

_BASELINES = {"COPKMeans": COPKMeans, "PCKMeans": PCKMeans, "MPCKMeans": MPCKMeans}
_METHODS = ("default", "mcl", "KMeans", *_BASELINES, "DCC-style", "published")
# The first ones were looked at when defaults were chosen.
_SEEDS = (8, 9, 10)
_PRETRAIN_EPOCHS = 30


def make_cells(scale):
    """Return the cells."""
    if scale == "tiny":
        tiny = {"n_train": 200, "max_iter": 2}
        return [_make_cell("digits", 60, 0, method, **tiny) for method in _METHODS]
    if scale == "quick":
        small = {"n_train": 4_000, "max_iter": 10}
        return [_make_cell("mnist", 1_000, 0, method, **small) for method in _METHODS]
    return [
        _make_cell(dataset, pairs, seed, method)
        for seed in _SEEDS
        for pairs in (1_000, 5_000, 10_000)
        for dataset in ("mnist", "fashion_mnist")
        for method in _METHODS
    ]


def _make_cell(dataset, pairs, seed, method, *, n_train=None, max_iter=50):
    """Return a cell."""
    cell = {
        "dataset": dataset,
        "n_train": n_train,
        "pairs": pairs,
        "n_clusters": 10,
        "seed": seed,
        "method": method,
    }
    if method in CLUSTERERS:
        cell |= {"network": "mlp", "max_iter": max_iter, "n_init": 1}
    if method == "DCC-style":
        pretrain = _PRETRAIN_EPOCHS if n_train is None else max_iter
        cell |= {"pretrain_epochs": pretrain, "max_iter": max_iter}
    return cell


def measure(cell, device):
    """Return the scores of one fit."""
    data = load_rows(cell["dataset"]).head(cell["n_train"])
    constraints = PairwiseConstraints.sample_from_labels(
        data.y, cell["pairs"], random_state=cell["seed"]
    )
    labels, labels_test = _cluster(cell, data, constraints, device)
    return score_parts(data.y, labels, data.y_test, labels_test)


def _cluster(cell, data, constraints, device):
    """Return the clusters of training and test rows."""
    method, k, seed = cell["method"], cell["n_clusters"], cell["seed"]
    if method == "DCC-style":
        return fit_dcc(cell, data, constraints, device)
    if method == "KMeans":
        model = KMeans(k, n_init=10, random_state=seed).fit(data.X)
    elif method in _BASELINES:
        model = _BASELINES[method](k, random_state=seed).fit(data.X, constraints)
    else:
        model = make_clusterer(cell, data.shape, device).fit(data.X, constraints)
    return model.labels_, model.predict(data.X_test)


def read_quality():
    """Return the rows of the default in the results of `bench_quality`."""
    plain = {"method": "default", "noise": 0.0, "n_clusters": 10, "n_init": 1}
    plain |= {"unequal": False, "balanced": False, "network": "mlp"}
    keys = ("accuracy", "nmi", "clusters_in_use")
    return [
        {
            "settings": _make_cell(
                row["dataset"], row["pairs"], row["seed"], "default"
            ),
            "scores": {"test": {key: row[key] for key in keys}},
            "seconds": row["seconds"],
            "environment": row["environment"],
            "source": bench_quality.RESULTS.name,
        }
        for row in read_rows(bench_quality.RESULTS)
        if row.get("dataset") in bench_quality.IMAGES and plain.items() <= row.items()
    ]


EXPERIMENT = Experiment("comparison", make_cells, measure, read_quality)
