"""Whether samples without a label help an embedding, with what can be told of them.

A fifth of the training images of each Omniglot character has a label. The others are
left out; or each is made a class of its own: copies of it that are bent differently
belong together, and apart from all else, as in learning by telling instances apart. The
same with the images of the test characters, which are there before anybody has labeled
them. Scores are those of the test characters. Rows go to
``benchmarks/results/embedding_unlabeled.jsonl``::

    python -m benchmarks.bench_embedding_unlabeled [--seeds 0 1]
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks._report import append_result, environment
from benchmarks.bench_embedding import COMMON, load_part, measure, turn
from skpairclust import MetricEmbedder

RESULTS = Path(__file__).parent / "results" / "embedding_unlabeled.jsonl"
N_LABELED = 4
METHODS = ("labeled only", "training images", "test images")


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--methods", nargs="*", default=METHODS, choices=METHODS)
    args = parser.parse_args()
    for seed in args.seeds:
        for method in args.methods:
            row = run(method, seed)
            append_result(RESULTS, row)
            print(method, seed, row["recall_1"], row["nmi"], flush=True)


def run(method, seed):
    """Train and return the row of its scores."""
    X, y, X_new, y_new = load_part("test", seed)
    is_labeled = mark_some(y, np.random.RandomState(seed))
    known, classes = turn(X[is_labeled], y[is_labeled])
    if method != "labeled only":
        others = X[~is_labeled] if method == "training images" else X_new
        # Each copy is bent on its own in training.
        known = np.concatenate([known, np.repeat(others, N_LABELED, axis=0)])
        instances = np.repeat(np.arange(len(others)), N_LABELED)
        classes = np.concatenate([classes, classes.max() + 1 + instances])
    # As many steps, whatever the number of samples.
    n_epochs = round(COMMON["max_iter"] * 4 * len(X) / len(known))
    settings = COMMON | {"max_iter": n_epochs}
    embedder = MetricEmbedder(**settings, random_state=seed).fit(known, classes)
    return {
        "environment": environment(),
        "unlabeled": method,
        "seed": seed,
        "n_labeled": int(is_labeled.sum()),
        "n_fitted": len(known),
        **measure(embedder.transform(X_new), y_new, seed),
        "settings": settings,
    }


def mark_some(y, rng):
    """Return a mask of `N_LABELED` random samples of each class."""
    mask = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        mask[rng.permutation(np.flatnonzero(y == label))[:N_LABELED]] = True
    return mask


if __name__ == "__main__":
    main()
