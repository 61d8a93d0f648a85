"""Embeddings of classes never seen: triplets, lifted structure, size of the batch.

Four parts, all measured by how characters of Omniglot that were not there in training
are clustered and found:

- "triplets": batch-wise triplets of several forms against conventional ones and the
  contrastive loss (Shah 2019, table 1 and figures 4 and 5);
- "lifted": the lifted structured loss against contrastive and triplet loss;
- "batch size" and "embedding size": the lifted structured loss by the number m of
  images in a batch and by the number of components (all three Oh Song et al. 2016).

With CUB-200-2011, Cars196 or Stanford Online Products on the machine and torchvision
installed, the same methods start from an ImageNet network::

    python -m benchmarks.experiments embedding --set dataset=cub200
"""

import base64
import warnings

import numpy as np
import torch
from sklearn.metrics import normalized_mutual_info_score
from sklearn.neighbors import NearestNeighbors

from benchmarks import bench_embedding
from benchmarks._report import read_rows
from benchmarks.bench_embedding import METHODS
from benchmarks.experiments._data import load_rows
from benchmarks.experiments._runner import Experiment, expand
from benchmarks.image_folders import LOADERS, ImageFiles
from skpairclust import MetricEmbedder
from skpairclust.cluster import AffinityPropagationK
from skpairclust.metrics import pairwise_f1_score, precision_at_k
from skpairclust.neural._heads import forward_features
from skpairclust.neural._networks import build_network
from skpairclust.neural._torch_utils import resolve_device

_TRIPLETS = (
    "all triplets",
    "conventional triplets",
    "conventional triplets, nearer negatives",
    "conventional triplets, by k-means",
    "nearer negatives",
    "hardest triplets",
    "semi-hard triplets",
    "all triplets, squared",
    "all triplets, ratio",
    "all triplets, soft",
    "semi-hard triplets, ratio",
    "semi-hard triplets, soft",
    "contrastive",
)
# The "pool5" of the papers where the network is pretrained; else random weights.
_TRUNK = "last layer's inputs, no training"
_BLOCK_ROWS = 256
_LIFTED = (
    _TRUNK,
    "lifted",
    "lifted, all terms",
    "lifted, nested max",
    "lifted, hard negatives",
    "contrastive",
    "all triplets",
)
# Of one fit: images whose nearest ones are all of other classes.
_SHOWN, _N_FAILURES, _N_NEAREST = "lifted, nested max", 6, 5
_SCORES = ("nmi", "f1", *(f"recall_{k}" for k in bench_embedding.KS))
# By `turns` right angles are images turned.
_FULL = {
    "dataset": "omniglot",
    "seed": (0, 1, 2),
    "batch_size": bench_embedding.COMMON["batch_size"],
    "max_iter": bench_embedding.COMMON["max_iter"],
    "turns": bench_embedding.N_TURNS,
}
_QUICK = _FULL | {"seed": 0, "turns": 1, "max_iter": 4}
_PARTS = {
    "lifted": {"part": "lifted", "method": _LIFTED},
    "batch size": {"part": "batch size", "method": "lifted"},
    "embedding size": {"part": "embedding size", "method": "lifted"},
    "triplets": {"part": "triplets", "method": _TRIPLETS},
}
_PLANS = {
    "tiny": [
        _FULL
        | {"part": "lifted", "method": ("lifted", "contrastive", _TRUNK)}
        | {"dataset": "digits", "seed": 0, "batch_size": 32, "max_iter": 1}
    ],
    "quick": [
        _QUICK | {"part": "triplets", "method": (*_TRIPLETS[:2], "lifted")},
        _QUICK | _PARTS["batch size"] | {"batch_size": (32, 128)},
    ],
    "full": [
        _FULL | _PARTS["lifted"],
        _FULL | _PARTS["batch size"] | {"batch_size": (32, 48, 64, 128)},
        _FULL | _PARTS["embedding size"] | {"n_components": (64, 128, 256, 512)},
        _FULL | _PARTS["triplets"],
    ],
}


def make_cells(scale):
    """Return the cells."""
    return expand(*_PLANS[scale])


def measure(cell, device):
    """Return the scores of one embedding."""
    X, y, X_new, y_new, options = _load(cell["dataset"], cell["turns"])
    settings = bench_embedding.COMMON | options | METHODS.get(cell["method"], {})
    stated = ("batch_size", "max_iter", "n_components")
    settings |= {key: cell[key] for key in stated if key in cell}
    if cell["method"] == _TRUNK:
        Z = _embed_untrained(settings["network"], X_new, cell["seed"], device)
    else:
        model = MetricEmbedder(**settings, random_state=cell["seed"], device=device)
        Z = model.fit(X, y).transform(X_new)
    scores = bench_embedding.measure(Z, y_new, cell["seed"])
    sizes = [k for k in bench_embedding.KS if k < len(Z)]
    scores |= {f"precision_{k}": precision_at_k(Z, y_new, k) for k in sizes}
    if cell["part"] == "embedding size":
        scores |= _propagate(Z, y_new, cell["seed"])
    is_drawing = X_new[0].ndim == 2
    if is_drawing and (cell["method"], cell["seed"]) == (_SHOWN, 0):
        scores["failures"] = find_failures(Z, X_new, y_new)
    return scores


def find_failures(Z, X, y):
    """Return images none of whose nearest ones are of their class, and these.

    Those that are nearest to another class come first, at most one of each class.

    Parameters
    ----------
    Z : ndarray of shape (n, d)
        Embeddings.
    X : ndarray of shape (n, ..., height, width)
        Images, from 0 to 1.
    y : ndarray of shape (n,)

    Returns
    -------
    list of lists of str
        A query and its nearest images each, as `pack_image` writes them.
    """
    search = NearestNeighbors(n_neighbors=_N_NEAREST).fit(Z)
    distance, near = search.kneighbors()
    is_failure = (y[near] != y[:, None]).all(axis=1)
    rows = np.flatnonzero(is_failure)
    rows = rows[distance[rows, 0].argsort(kind="stable")]
    _, first = np.unique(y[rows], return_index=True)
    return [
        [pack_image(X[other]) for other in (row, *near[row])]
        for row in rows[np.sort(first)[:_N_FAILURES]]
    ]


def pack_image(image):
    """Return a square image as text, a bit per pixel."""
    bits = np.packbits(np.asarray(image).ravel() > 0.5)
    return base64.b64encode(bits.tobytes()).decode()


@torch.no_grad()
def _embed_untrained(network, X, seed, device):
    """Return what the last layer of a network gets before any training."""
    device = resolve_device(device)
    shape = X[0].shape
    network = build_network(network, shape, 1, hidden_layer_sizes=(), seed=seed)
    network = network.to(device).eval()
    parts = []
    for start in range(0, len(X), _BLOCK_ROWS):
        rows = range(start, min(start + _BLOCK_ROWS, len(X)))
        x = torch.as_tensor(np.stack([X[row] for row in rows]), dtype=torch.float32)
        parts.append(forward_features(network, x.to(device)).cpu().numpy())
    return np.concatenate(parts)


def _propagate(Z, y, seed):
    """Return the scores of affinity propagation, which the paper clusters with."""
    n_clusters = len(np.unique(y))
    with warnings.catch_warnings():
        # That the number was not reached is in the scores.
        warnings.simplefilter("ignore")
        labels = AffinityPropagationK(n_clusters, random_state=seed).fit_predict(Z)
    return {
        "propagated_clusters": len(np.unique(labels)),
        "propagated_nmi": normalized_mutual_info_score(y, labels),
        "propagated_f1": pairwise_f1_score(y, labels),
    }


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
    digits = load_rows("digits")
    X, y = digits.X[:400].reshape(-1, 16, 16), digits.y[:400]
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
    rows = [
        row
        for row in read_rows(bench_embedding.RESULTS)
        if (row["part"], row["known"]) == ("test", "labels")
        # Earlier rows do not say what was not there yet.
        and {"augment_classes": False, "unlabeled": None} | row["settings"]
        == bench_embedding.COMMON | METHODS.get(row["method"], {})
    ]
    return [
        {
            "settings": _FULL
            | {"part": part, "method": row["method"], "seed": row["seed"]},
            "scores": {key: row[key] for key in _SCORES},
            "seconds": row["fit_seconds"],
            "environment": row["environment"],
            "source": bench_embedding.RESULTS.name,
        }
        for row in rows
        for part in ("lifted", "triplets")
        if row["method"] in _PARTS[part]["method"]
    ]


EXPERIMENT = Experiment("embedding", make_cells, measure, read_bench_embedding)
