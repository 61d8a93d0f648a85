"""The package's default beside other methods: MNIST and Fashion-MNIST.

All get the same pairs. "DCC-style" is a deep clusterer after Zhang, Basu & Davidson
(2019): a pretrained autoencoder, DEC's clustering loss, reconstruction, and a loss of
pairs. Rows of the default that ``benchmarks.bench_quality`` has measured are not
measured again.
"""

from benchmarks import bench_quality
from benchmarks._report import read_rows
from benchmarks.experiments._methods import (
    BASELINES,
    CLUSTERERS,
    fit_pairs,
    score_fit,
)
from benchmarks.experiments._runner import Experiment, expand

_METHODS = ("default", "mcl", *BASELINES, "DCC-style", "published")
_COMMON = {"n_clusters": 10, "method": _METHODS}
_FULL = {"n_train": None, "max_iter": 50, "pretrain_epochs": 30}
_PLANS = {
    "tiny": {"dataset": "digits", "pairs": 60, "seed": 0, "n_train": 200}
    | {"max_iter": 2, "pretrain_epochs": 2},
    "quick": {"dataset": "mnist", "pairs": 1_000, "seed": 0, "n_train": 4_000}
    | {"max_iter": 10, "pretrain_epochs": 10},
    "full": _FULL
    # The first seeds were looked at when defaults were chosen.
    | {"seed": (8, 9, 10), "pairs": (1_000, 5_000, 10_000)}
    | {"dataset": ("mnist", "fashion_mnist")},
}


def make_cells(scale):
    """Return the cells."""
    return [_keep_own(cell) for cell in expand(_PLANS[scale] | _COMMON)]


def _keep_own(cell):
    """Return a cell with the settings alone that its method has."""
    cell = dict(cell)
    if cell["method"] != "DCC-style":
        del cell["pretrain_epochs"]
    if cell["method"] in BASELINES:
        del cell["max_iter"]
    if cell["method"] in CLUSTERERS:
        cell |= {"network": "mlp", "n_init": 1}
    return cell


def measure(cell, device):
    """Return the scores of one fit."""
    return score_fit(*fit_pairs(cell, device))


def read_quality():
    """Return the rows of the default in the results of `bench_quality`."""
    plain = {"method": "default", "noise": 0.0, "n_clusters": 10, "n_init": 1}
    plain |= {"unequal": False, "balanced": False, "network": "mlp"}
    keys = ("accuracy", "nmi", "clusters_in_use")
    return [
        {
            "settings": _keep_own(
                _FULL
                | {key: row[key] for key in ("dataset", "pairs", "seed")}
                | {"n_clusters": 10, "method": "default"}
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
