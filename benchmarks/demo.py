"""The main job on real data: cluster digits from pairs, then new digits.

Half of scikit-learn's digits are fitted with pairs sampled from their classes, the
other half is new. Prints a table and draws the new digits in the learned space.

    python -m benchmarks.demo [--pairs 500] [--seed 0] [--picture demo.png]
"""

import argparse
import time
from pathlib import Path

import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.model_selection import train_test_split

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.baselines import COPKMeans
from skpairclust.metrics import clustering_accuracy_score, constraint_accuracy_score

SCORES = {
    "accuracy": clustering_accuracy_score,
    "NMI": normalized_mutual_info_score,
    "ARI": adjusted_rand_score,
}
COLUMNS = "{:<28}{:>8}{:>10}{:>8}{:>8}{:>13}{:>9}"


def main():
    """Fit, print the table, draw the picture."""
    args = parse_arguments()
    # Two threads gain nothing on a table of this size, and lose much when the
    # machine is busy.
    torch.set_num_threads(1)
    X, y = load_digits(return_X_y=True)
    X_old, X_new, y_old, y_new = train_test_split(
        X / 16, y, test_size=0.5, random_state=args.seed
    )
    constraints, constraints_new = (
        PairwiseConstraints.sample_from_labels(labels, args.pairs, random_state=seed)
        for labels, seed in ((y_old, args.seed), (y_new, args.seed + 1))
    )
    print(f"{len(X_old)} digits to fit, with {constraints!r}")
    print(f"{len(X_new)} digits that are new\n")
    estimators = {
        "KMeans": KMeans(10, n_init=10, random_state=args.seed),
        "COPKMeans": COPKMeans(10, n_init=10, random_state=args.seed),
        "ConstrainedNeuralClusterer": ConstrainedNeuralClusterer(
            10, n_init=5, random_state=args.seed, verbose=1
        ),
    }
    rows = []
    for name, estimator in estimators.items():
        start = time.perf_counter()
        supervision = constraints if name != "KMeans" else None
        estimator.fit(X_old, supervision)
        seconds = time.perf_counter() - start
        parts = {
            "fitted": (y_old, estimator.labels_, constraints),
            "new": (y_new, estimator.predict(X_new), constraints_new),
        }
        rows += [(name, part, *parts[part], seconds) for part in parts]
    print_table(rows)
    if args.picture:
        clusterer = estimators["ConstrainedNeuralClusterer"]
        draw(clusterer.transform(X_new), clusterer.predict(X_new), args.picture)
        print(f"\nPicture of the new digits in the learned space: {args.picture}")


def parse_arguments():
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=500, help="pairs in each half")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--picture", default="docs/images/demo.png", help="'' draws none"
    )
    return parser.parse_args()


def print_table(rows):
    """Print one line an estimator and part of the data."""
    header = ("", "rows", *SCORES, "constraints", "seconds")
    print("\n" + COLUMNS.format(*header))
    for name, part, y_true, labels, constraints, seconds in rows:
        values = [f"{score(y_true, labels):.3f}" for score in SCORES.values()]
        kept = f"{constraint_accuracy_score(constraints, labels):.3f}"
        took = f"{seconds:.1f}" if part == "fitted" else ""
        print(COLUMNS.format(name, part, *values, kept, took))


def draw(features, labels, path):
    """Write a picture of the features in two dimensions, colored by cluster."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from sklearn.manifold import TSNE

    embedded = TSNE(init="pca", random_state=0).fit_transform(features)
    figure, axes = plt.subplots(figsize=(7, 6), layout="constrained")
    points = axes.scatter(*embedded.T, c=labels, cmap="tab10", s=14, linewidths=0)
    handles, names = points.legend_elements(num=None)
    axes.legend(
        handles, names, title="cluster", loc="center left", bbox_to_anchor=(1, 0.5)
    )
    axes.set_title("Digits never seen in fit, in the learned space (t-SNE)")
    axes.set_xticks([])
    axes.set_yticks([])
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
