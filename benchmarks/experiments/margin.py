"""The margin of the pair loss, 1 or 2, chosen by cross-validation: Hsu & Kira (2016).

The paper chooses the margin by cross-validation without saying of what. Here pairs are
held out, whole and with samples of their own, and the share that a fit keeps decides;
labels are not looked at. The test rows then say whether the choice was right.
"""

import numpy as np
from sklearn.model_selection import GridSearchCV

from benchmarks.experiments._data import load_rows
from benchmarks.experiments._methods import CLUSTERERS, make_clusterer, score
from benchmarks.experiments._runner import Experiment, expand
from skpairclust import PairwiseConstraints
from skpairclust.metrics import get_scorer
from skpairclust.model_selection import ConstraintKFold

MARGINS = (1.0, 2.0)
_METHOD = "published, torch7"
_COMMON = {"method": _METHOD, "n_clusters": 10, "n_folds": 3}
_PLANS = {
    "tiny": _COMMON
    | {"dataset": "digits", "n_train": 200, "pairs": 100, "seed": 0}
    | {"network": "mlp", "max_iter": 2, "n_init": 1},
    "quick": _COMMON
    | {"dataset": "mnist", "n_train": 4_000, "pairs": 1_200, "seed": 0}
    | {"network": "mlp", "max_iter": 15, "n_init": 1},
    "full": _COMMON
    | {"dataset": "mnist", "n_train": None, "seed": (10, 11, 12)}
    | {"pairs": (1_200, 3_000, 12_000), "network": "lenet", "max_iter": 100}
    | {"n_init": 5},
}


def make_cells(scale):
    """Return the cells."""
    return expand(_PLANS[scale])


def measure(cell, device):
    """Return, for each margin, the share of pairs held out, and scores of test rows."""
    data = load_rows(cell["dataset"]).head(cell["n_train"])
    constraints = PairwiseConstraints.sample_from_labels(
        data.y, cell["pairs"], random_state=cell["seed"]
    )
    model = make_clusterer(cell, data.shape, device, CLUSTERERS[_METHOD])
    # A search fits many times: each fit would need a folder of its own.
    model.set_params(checkpoint_dir=None)
    # Rows without pairs teach this loss nothing.
    paired = _rows_of(constraints)
    search = GridSearchCV(
        model,
        {"margin": list(MARGINS)},
        scoring=get_scorer("constraint_accuracy"),
        cv=ConstraintKFold(cell["n_folds"], random_state=cell["seed"]),
        refit=False,
        error_score="raise",
    ).fit(data.X[paired], constraints[paired])
    scores = {}
    for place, margin in enumerate(MARGINS):
        model.set_params(margin=margin).fit(data.X, constraints)
        scores[str(margin)] = {
            "held_out": float(search.cv_results_["mean_test_score"][place]),
            "loss": model.loss_,
            "test": score(data.y_test, model.predict(data.X_test)),
        }
    return scores | {"chosen": float(search.best_params_["margin"])}


def _rows_of(constraints):
    """Return the rows that are in pairs."""
    pairs = np.concatenate([constraints.must_link, constraints.cannot_link])
    return np.unique(pairs)


EXPERIMENT = Experiment("margin", make_cells, measure)
