"""How few pairs are enough: figure 3 of Hsu & Kira (2016).

Clusters of MNIST and CIFAR-10 from randomly drawn pairs among the training rows, by the
number of pairs. The published method is the best of five restarts by training loss. Its
features clustered by k-means, a Siamese embedding clustered by k-means, the same
authors' later loss (MCL) and the package's default stand beside it.
"""

from benchmarks.experiments._methods import (
    fit_pairs,
    is_restarted,
    score_features,
    score_fit,
    score_kmeans,
)
from benchmarks.experiments._runner import Experiment, expand

_COMMON = {"balanced": False, "n_clusters": 10}
_SMALL = _COMMON | {"seed": 0, "n_init": 2}
_FULL = _COMMON | {"n_train": None, "seed": (0, 1, 2), "max_iter": 50, "n_init": 5}
_PLANS = {
    "tiny": [
        _SMALL | {"dataset": "digits", "n_train": 200, "pairs": 60, "max_iter": 2}
    ],
    "quick": [
        _SMALL
        | {"dataset": "mnist", "n_train": 4_000, "max_iter": 15}
        | {"pairs": (1_200, 300, 3_000)}
    ],
    "full": [
        _FULL | {"dataset": "mnist", "pairs": (1_200, 300, 3_000, 12_000, 60_000)},
        _FULL
        | {"dataset": "cifar10", "pairs": (400_000, 800_000, 200_000, 100_000, 50_000)},
    ],
}
# Network of the paper, other networks.
_NETWORKS = {"mnist": ("lenet", "mlp"), "cifar10": ("lenet", "color")}
_METHODS = ("published", "mcl", "siamese", "published, original optimizer")
# With the weights and the optimizer of the paper: its network, and draws of pairs that
# nothing was chosen on.
_TO_THE_LETTER = ("published, torch7", "siamese, torch7")
_FRESH_SEEDS = (10, 11, 12)


def make_cells(scale):
    """Return the cells."""
    cells = []
    for draw in expand(*_PLANS[scale]):
        networks = _NETWORKS[draw["dataset"]] if scale == "full" else ("mlp",)
        # The default has the package's own network, where images have no colors.
        cells.append(_make_cell(draw, "default", networks[-1]))
        cells += [
            _make_cell(draw, m, network) for network in networks for m in _METHODS
        ]
    if scale != "quick":
        network = "lenet" if scale == "full" else "mlp"
        seeds = {"seed": _FRESH_SEEDS if scale == "full" else 0}
        draws = expand(*(plan | seeds for plan in _PLANS[scale]))
        cells += [_make_cell(d, m, network) for d in draws for m in _TO_THE_LETTER]
    return cells


def _make_cell(draw, method, network):
    """Return the cell of a method on one draw of pairs."""
    cell = draw | {"method": method, "network": network}
    if not is_restarted(method):
        cell["n_init"] = 1
    if method in ("published, original optimizer", *_TO_THE_LETTER):
        # The authors' code trains for 100 epochs.
        cell["max_iter"] *= 2
    return cell


def measure(cell, device):
    """Return the scores of one fit, and of k-means on its features."""
    data, model = fit_pairs(cell, device)
    if cell["method"] == "siamese, torch7":
        found = score_kmeans(data, model, cell)
        return {
            "test": found["Euclidean"],
            "siamese, cosine": {"test": found["cosine"]},
        }
    scores = score_fit(data, model)
    if cell["method"] != "siamese":
        scores["loss"] = model.loss_
    return scores | score_features(data, model, cell)


EXPERIMENT = Experiment("partial_constraints", make_cells, measure)
