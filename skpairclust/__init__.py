"""Clustering from pairs that are known to be the same or different.

The estimators train a PyTorch network inside ``fit`` and otherwise behave like any
scikit-learn estimator. Names are loaded on first use, so that
``import skpairclust.constraints`` does not wait for PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from skpairclust._version import __version__

if TYPE_CHECKING:
    from skpairclust.clusterer import ConstrainedNeuralClusterer
    from skpairclust.constraints import PairwiseConstraints
    from skpairclust.embedder import MetricEmbedder

__all__ = [
    "ConstrainedNeuralClusterer",
    "MetricEmbedder",
    "PairwiseConstraints",
    "__version__",
]

_MODULE_OF = {
    "ConstrainedNeuralClusterer": "clusterer",
    "MetricEmbedder": "embedder",
    "PairwiseConstraints": "constraints",
}
_SUBMODULES = (
    "active",
    "baselines",
    "cluster",
    "constraints",
    "images",
    "inspection",
    "label",
    "losses",
    "metrics",
    "model_selection",
)


def __getattr__(name):
    if name in _SUBMODULES:
        return import_module(f".{name}", __name__)
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModuleNotFoundError(
            f"{name} needs PyTorch, which is not installed: `pip install torch`. "
            "skpairclust.baselines works without it.",
            name="torch",
        ) from error
    globals()[name] = value
    return value


def __dir__():
    return sorted({*__all__, *_SUBMODULES, *globals()} - {"import_module"})
