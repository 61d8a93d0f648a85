"""How many pairs are needed: scores of new digits against the number of pairs.

Half of scikit-learn's digits is fitted with random pairs among them, the other half is
new. The network as it comes, with three restarts, beside COP-KMeans and k-means::

    python -m benchmarks.bench_pairs --seeds 3
"""

import argparse
import time
from pathlib import Path

from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split

from benchmarks._report import append_result, environment
from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.baselines import COPKMeans
from skpairclust.metrics import clustering_accuracy_score

RESULTS = Path(__file__).parent / "results" / "pairs.jsonl"


def run(n_pairs, seed):
    """Fit each method to one draw of pairs; store a row each."""
    X, y = load_digits(return_X_y=True)
    X, X_new, y, y_new = train_test_split(X / 16, y, test_size=0.5, random_state=seed)
    pairs = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=seed)
    methods = {
        "KMeans": KMeans(10, n_init=10, random_state=seed),
        "COPKMeans": COPKMeans(10, n_init=10, random_state=seed),
        "network": ConstrainedNeuralClusterer(10, n_init=3, random_state=seed),
    }
    for name, method in methods.items():
        start = time.perf_counter()
        method.fit(X, pairs if name != "KMeans" else None)
        seconds = time.perf_counter() - start
        labels = method.predict(X_new)
        row = {"data": "digits", "method": name, "pairs": n_pairs, "seed": seed}
        row["ari"] = adjusted_rand_score(y_new, labels)
        row["accuracy"] = clustering_accuracy_score(y_new, labels)
        append_result(RESULTS, row | {"seconds": seconds})
        print(row, flush=True)


def main():
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--pairs", nargs="+", type=int, default=[30, 100, 300, 1000, 3000]
    )
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    append_result(RESULTS, {"benchmark": "pairs", "environment": environment()})
    for seed in range(args.seeds):
        for n_pairs in args.pairs:
            run(n_pairs, seed)


if __name__ == "__main__":
    main()
