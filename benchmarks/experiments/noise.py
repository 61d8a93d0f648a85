"""How many wrong pairs are borne: figure 5 (left) of Hsu & Kira (2016).

A share of MNIST's pairs is flipped to the opposite kind. The package's default is told
nothing of it; "default, rate estimated" finds the share while it trains.
"""

from benchmarks.experiments._data import load_rows
from benchmarks.experiments._methods import make_clusterer, score_parts
from benchmarks.experiments._runner import Experiment, borrow_rows
from skpairclust import PairwiseConstraints

_METHODS = ("published", "default", "default, rate estimated", "mcl")
_N_SEEDS = 3


def make_cells(scale):
    """Return the cells."""
    if scale == "tiny":
        tiny = {"n_train": 200, "max_iter": 2, "n_init": 1}
        return _make_group("digits", 60, 0.2, ("mlp",), 0, **tiny)
    if scale == "quick":
        small = {"n_train": 4_000, "max_iter": 10, "n_init": 1}
        return [
            cell
            for noise in (0.0, 0.1, 0.3)
            for cell in _make_group("mnist", 3_000, noise, ("mlp",), 0, **small)
        ]
    return [
        cell
        for seed in range(_N_SEEDS)
        for pairs in (12_000, 3_000, 60_000)
        for noise in (0.1, 0.0, 0.2, 0.3)
        for cell in _make_group("mnist", pairs, noise, ("mlp", "lenet"), seed)
    ]


def _make_group(
    dataset, pairs, noise, networks, seed, *, n_train=None, max_iter=50, n_init=5
):
    """Return the cells of one draw of pairs: all methods."""
    cells = []
    for network in networks:
        for method in _METHODS:
            is_default = method.startswith("default")
            if is_default and network != "mlp":
                continue
            cells.append(
                {
                    "dataset": dataset,
                    "n_train": n_train,
                    "pairs": pairs,
                    "noise": noise,
                    "n_clusters": 10,
                    "seed": seed,
                    "method": method,
                    "network": network,
                    "max_iter": max_iter,
                    "n_init": 1 if is_default else n_init,
                }
            )
    return cells


def measure(cell, device):
    """Return the scores of one fit."""
    data = load_rows(cell["dataset"]).head(cell["n_train"])
    constraints = PairwiseConstraints.sample_from_labels(
        data.y, cell["pairs"], noise=cell["noise"], random_state=cell["seed"]
    )
    model = make_clusterer(cell, data.shape, device).fit(data.X, constraints)
    scores = score_parts(data.y, model.labels_, data.y_test, model.predict(data.X_test))
    if cell["method"] == "default, rate estimated":
        scores["noise_rate"] = float(model.noise_rate_)
    return scores


def read_partial_constraints():
    """Return the fits of `partial_constraints`, which have no wrong pairs."""
    return borrow_rows("partial_constraints", without={"balanced": False}, noise=0.0)


EXPERIMENT = Experiment("noise", make_cells, measure, read_partial_constraints)
