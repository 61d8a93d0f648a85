"""Many clusters and pairs that somebody chose: accuracy on test rows of Banking77.

10,003 questions, 77 intents, vectors of 256 features. What is known of them is

- "chosen": answers to questions that look for groups. k-means with 800 centers, the row
  nearest to each center, biggest cluster first; each is compared with the groups known
  so far in the order of nearness (mean of the group plus nearest member), six times at
  most, then it opens a group of its own. Raw, and closed;
- "random": 2,000 pairs drawn at random;
- "near": 2,000 pairs of near neighbors;
- "labels": the intents of eight rows each, partial labels.

Labels answer, nothing is chosen with them, and test rows are never fitted.

    python -m benchmarks.bench_many_clusters --pairs chosen closed random near --seeds 2

Raw rows are appended to ``benchmarks/results/many_clusters.jsonl`` or to ``--output``.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from benchmarks._report import append_result, environment
from benchmarks.datasets import load_banking77
from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.baselines import PCKMeans
from skpairclust.metrics import clustering_accuracy_score

RESULTS = Path(__file__).parent / "results" / "many_clusters.jsonl"
METHODS = ("default", "KMeans", "PCKMeans", "linear")
N_CENTERS, MOST_TRIES, N_PAIRS, N_LABELS = 800, 6, 2000, 8


def choose_rows(X, seed):
    """Return typical rows, those of the biggest clusters first."""
    kmeans = KMeans(N_CENTERS, n_init=1, max_iter=30, random_state=seed).fit(X)
    gaps = np.linalg.norm(X - kmeans.cluster_centers_[kmeans.labels_], axis=1)
    order = np.argsort(-np.bincount(kmeans.labels_, minlength=N_CENTERS))
    clusters = (np.flatnonzero(kmeans.labels_ == c) for c in order)
    return [rows[gaps[rows].argmin()] for rows in clusters]


def ask(X, y, seed):
    """Return the answers to questions about typical rows."""
    groups, must_link, cannot_link = [], [], []
    for row in choose_rows(X, seed):
        gaps = [np.linalg.norm(X[group] - X[row], axis=1) for group in groups]
        means = [np.linalg.norm(X[group].mean(axis=0) - X[row]) for group in groups]
        near = [mean + gap.min() for mean, gap in zip(means, gaps, strict=True)]
        for number in np.argsort(near)[:MOST_TRIES]:
            member = groups[number][gaps[number].argmin()]
            if y[member] == y[row]:
                must_link.append((member, row))
                groups[number].append(row)
                break
            cannot_link.append((member, row))
        else:
            groups.append([row])
    return PairwiseConstraints(must_link, cannot_link, n_samples=len(X))


def pair_neighbors(X, y, seed):
    """Return pairs of rows and one of their five nearest neighbors each."""
    rng = np.random.RandomState(seed)
    rows = rng.choice(len(X), N_PAIRS, replace=False)
    index = NearestNeighbors(n_neighbors=6).fit(X)
    neighbors = index.kneighbors(X[rows], return_distance=False)
    others = neighbors[np.arange(N_PAIRS), rng.randint(1, 6, N_PAIRS)]
    pairs = np.unique(np.sort(np.column_stack([rows, others]), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    same = y[pairs[:, 0]] == y[pairs[:, 1]]
    return PairwiseConstraints(pairs[same], pairs[~same], n_samples=len(X))


def label_some(X, y, seed):
    """Return the labels of some rows of each class, -1 for the others, of X alone."""
    rng = np.random.RandomState(seed)
    labels = np.full(len(X), -1)
    for label in np.unique(y):
        labels[rng.choice(np.flatnonzero(y == label), N_LABELS, replace=False)] = label
    return labels


DRAWS = {
    "chosen": ask,
    "closed": lambda X, y, seed: ask(X, y, seed).closure(),
    "random": lambda X, y, seed: PairwiseConstraints.sample_from_labels(
        y, N_PAIRS, random_state=seed
    ),
    "near": pair_neighbors,
    "labels": label_some,
}


class LinearModel(LogisticRegression):
    """Logistic regression on the rows that have a label."""

    def __init__(self):
        super().__init__(C=10, max_iter=2000)

    def fit(self, X, y):
        """Fit on labeled rows."""
        known = y >= 0
        return super().fit(X[known], y[known])


def make_method(name, n_clusters, seed):
    """Return an estimator by its name."""
    if name == "default":
        return ConstrainedNeuralClusterer(n_clusters, random_state=seed)
    if name == "KMeans":
        return KMeans(n_clusters, n_init=3, random_state=seed)
    if name == "PCKMeans":
        return PCKMeans(n_clusters, random_state=seed)
    return LinearModel()


def measure(name, data, constraints, seed):
    """Return the scores of one fit."""
    method = make_method(name, len(np.unique(data.y_train)), seed)
    start = time.process_time()
    method.fit(data.X_train, None if name == "KMeans" else constraints)
    seconds = time.process_time() - start
    labels = method.predict(data.X_test)
    return {
        "accuracy": clustering_accuracy_score(data.y_test, labels),
        "ari": adjusted_rand_score(data.y_test, labels),
        "clusters_in_use": len(np.unique(labels)),
        "start": getattr(method, "start_", None),
        "cpu_seconds": seconds,
    }


def main():
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", nargs="+", choices=DRAWS, default=list(DRAWS))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["default"])
    parser.add_argument("--seeds", type=int, default=1, help="number of draws")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    data = load_banking77()
    data = replace(
        data,
        X_train=data.X_train.astype(np.float32),
        X_test=data.X_test.astype(np.float32),
    )
    for pairs in arguments.pairs:
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            constraints = DRAWS[pairs](data.X_train, data.y_train, seed)
            for name in arguments.methods:
                if name == "linear" and pairs != "labels":
                    continue
                row = {"pairs": pairs, "seed": seed, "method": name}
                row |= measure(name, data, constraints, seed)
                append_result(arguments.output, {**row, "environment": environment()})
                print(
                    f"{pairs:7} seed {seed}, {name:8} accuracy {row['accuracy']:.3f}, "
                    f"ARI {row['ari']:.3f}, {row['clusters_in_use']} clusters in use, "
                    f"start {row['start']}, {row['cpu_seconds']:.0f} CPU s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
