"""Embeddings of classes never seen: triplets, lifted structure, size of the batch.

Three parts, all measured by how characters of Omniglot that were not there in training
are clustered and found:

- "triplets": batch-wise triplets of several forms against conventional ones and the
  contrastive loss (Shah 2019, table 1 and figures 4 and 5);
- "lifted": the lifted structured loss against contrastive and triplet loss;
- "batch size": the lifted structured loss by the number m of images in a batch (both
  Oh Song et al. 2016).

With CUB-200-2011, Cars196 or Stanford Online Products on the machine and torchvision
installed, the same methods start from an ImageNet network::

    python -m benchmarks.experiments embedding --set dataset=cub200
"""

import numpy as np
from sklearn.datasets import load_digits

from benchmarks import bench_embedding
from benchmarks._report import read_rows
from benchmarks.bench_embedding import METHODS
from benchmarks.experiments._runner import Experiment
from benchmarks.image_folders import LOADERS, ImageFiles
from skpairclust import MetricEmbedder

_TRIPLETS = (
    "all triplets",
    "conventional triplets",
    "hardest triplets",
    "semi-hard triplets",
    "all triplets, squared",
    "all triplets, ratio",
    "all triplets, soft",
    "semi-hard triplets, ratio",
    "semi-hard triplets, soft",
    "contrastive",
)
_LIFTED = ("lifted", "lifted, hard negatives", "contrastive", "all triplets")
_SCORES = ("nmi", "f1", *(f"recall_{k}" for k in bench_embedding.KS))
_BATCH_SIZES = (32, 48, 64, 128)
_N_SEEDS = 3


def make_cells(scale):
    """Return the cells."""
    if scale == "tiny":
        return [
            _make_cell("lifted", method, 0, dataset="digits", max_iter=1, batch_size=32)
            for method in ("lifted", "contrastive")
        ]
    if scale == "quick":
        small = {"turns": 1, "max_iter": 4}
        return [
            *(
                _make_cell("triplets", m, 0, **small)
                for m in (*_TRIPLETS[:2], "lifted")
            ),
            *(
                _make_cell("batch size", "lifted", 0, batch_size=m, **small)
                for m in (32, 128)
            ),
        ]
    return [cell for seed in range(_N_SEEDS) for cell in _make_seed(seed)]


def _make_seed(seed):
    """Return all cells of a seed."""
    return [
        *(_make_cell("lifted", m, seed) for m in _LIFTED),
        *(_make_cell("batch size", "lifted", seed, batch_size=m) for m in _BATCH_SIZES),
        *(_make_cell("triplets", m, seed) for m in _TRIPLETS),
    ]


def _make_cell(
    part,
    method,
    seed,
    *,
    dataset="omniglot",
    batch_size=None,
    max_iter=None,
    turns=bench_embedding.N_TURNS,
):
    """Return a cell; `turns` is by how many right angles images are turned."""
    common = bench_embedding.COMMON
    return {
        "part": part,
        "dataset": dataset,
        "method": method,
        "seed": seed,
        "batch_size": batch_size or common["batch_size"],
        "max_iter": max_iter or common["max_iter"],
        "turns": turns,
    }


def measure(cell, device):
    """Return the scores of one embedding."""
    X, y, X_new, y_new, options = _load(cell["dataset"], cell["turns"])
    settings = bench_embedding.COMMON | options | METHODS[cell["method"]]
    settings |= {key: cell[key] for key in ("batch_size", "max_iter")}
    embedder = MetricEmbedder(**settings, random_state=cell["seed"], device=device)
    embedder.fit(X, y)
    return bench_embedding.measure(embedder.transform(X_new), y_new, cell["seed"])


def _load(dataset, turns):
    """Return samples and classes to train on and to measure on, and what they need."""
    if dataset in LOADERS:
        data = LOADERS[dataset]()
        return (
            ImageFiles(data.paths_train),
            data.y_train,
            ImageFiles(data.paths_test),
            data.y_test,
            PRETRAINED,
        )
    if dataset == "digits":
        X, y, X_new, y_new = _load_digits()
    else:
        X, y, X_new, y_new = bench_embedding.load_part("test", 0)
    return *bench_embedding.turn(X, y, turns), X_new, y_new, {}


def _load_digits():
    """Return digits 0 to 4 to train on and 5 to 9 to measure on, 16 x 16."""
    X, y = load_digits(return_X_y=True)
    X = np.kron(X.reshape(-1, 8, 8) / 16, np.ones((2, 2))).astype(np.float32)[:400]
    y = y[:400]
    return X[y < 5], y[y < 5], X[y >= 5], y[y >= 5]


def build_pretrained(input_shape, n_outputs):
    """Build ResNet-18 with ImageNet weights and a new last layer."""
    try:
        from torchvision.models import ResNet18_Weights, resnet18
    except ImportError as error:
        raise ImportError(
            "Photographs need a pretrained network: pip install torchvision."
        ) from error
    from torch import nn

    network = resnet18(weights=ResNet18_Weights.DEFAULT)
    network.fc = nn.Linear(network.fc.in_features, n_outputs)
    return network


# Photographs are neither turned nor stretched; the new layer learns ten times as fast.
PRETRAINED = {
    "network": build_pretrained,
    "augment": None,
    "learning_rate": 1e-4,
    "head_learning_rate_multiplier": 10.0,
}


def read_bench_embedding():
    """Return the rows of these cells in the results of `bench_embedding`."""
    rows = []
    for row in read_rows(bench_embedding.RESULTS):
        method = row["method"]
        as_planned = bench_embedding.COMMON | METHODS.get(method, {})
        if (row["part"], row["known"]) != ("test", "labels"):
            continue
        if row["settings"] != as_planned:
            continue
        rows += [
            {
                "settings": _make_cell(part, method, row["seed"]),
                "scores": {key: row[key] for key in _SCORES},
                "seconds": row["fit_seconds"],
                "environment": row["environment"],
                "source": bench_embedding.RESULTS.name,
            }
            for part, methods in (("lifted", _LIFTED), ("triplets", _TRIPLETS))
            if method in methods
        ]
    return rows


EXPERIMENT = Experiment("embedding", make_cells, measure, read_bench_embedding)
