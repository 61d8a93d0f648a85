"""The published experiments, rerun: one module each.

    python -m benchmarks.experiments partial_constraints --quick
    python -m benchmarks.experiments --list

See `benchmarks.experiments._runner` for what a run does, and the page on published
experiments for what came out.
"""

from importlib import import_module

NAMES = (
    "partial_constraints",
    "noise",
    "n_clusters",
    "full_supervision",
    "margin",
    "embedding",
    "siamese_cost",
    "comparison",
)


def load_experiment(name):
    """Return the `Experiment` of a name."""
    return import_module(f"benchmarks.experiments.{name}").EXPERIMENT
