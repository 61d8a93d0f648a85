"""How many wrong pairs are borne: figure 5 (left) of Hsu & Kira (2016).

A share of MNIST's pairs is flipped to the opposite kind. The package's default is told
nothing of it; "default, rate estimated" finds the share while it trains.
"""

from functools import partial

from benchmarks.experiments._methods import expand_methods, fit_pairs, score_fit
from benchmarks.experiments._runner import Experiment, borrow_rows

_METHODS = ("published", "default", "default, rate estimated", "mcl")
_SMALL = {"seed": 0, "n_clusters": 10, "network": "mlp", "n_init": 1}
_PLANS = {
    "tiny": _SMALL
    | {"dataset": "digits", "n_train": 200, "pairs": 60, "noise": 0.2, "max_iter": 2},
    "quick": _SMALL
    | {"dataset": "mnist", "n_train": 4_000, "pairs": 3_000, "max_iter": 10}
    | {"noise": (0.0, 0.1, 0.3)},
    "full": {
        "dataset": "mnist",
        "n_train": None,
        "seed": (0, 1, 2),
        "pairs": (12_000, 3_000, 60_000),
        "noise": (0.1, 0.0, 0.2, 0.3),
        "n_clusters": 10,
        "network": ("mlp", "lenet"),
        "max_iter": 50,
        "n_init": 5,
    },
}


# With the network, the weights and the optimizer of the paper.
_TO_THE_LETTER = {"seed": 10, "pairs": 12_000, "network": "lenet", "max_iter": 100}


def make_cells(scale):
    """Return the cells."""
    cells = expand_methods(_PLANS[scale], _METHODS)
    if scale == "full":
        own = _PLANS[scale] | _TO_THE_LETTER
        cells += expand_methods(own, ("published, torch7",))
    return cells


def measure(cell, device):
    """Return the scores of one fit."""
    data, model = fit_pairs(cell, device)
    scores = score_fit(data, model)
    if cell["method"] == "default, rate estimated":
        scores["noise_rate"] = float(model.noise_rate_)
    return scores


# Fits of `partial_constraints` have no wrong pairs.
_read_known = partial(
    borrow_rows, "partial_constraints", without={"balanced": False}, noise=0.0
)
EXPERIMENT = Experiment("noise", make_cells, measure, _read_known)
