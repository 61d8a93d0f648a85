"""Whether affinity propagation reaches a number of clusters that it is told.

On the embedding of Omniglot's test characters by the default `MetricEmbedder`, which
has not seen them; k-means is beside it. Rows go to
``benchmarks/results/exemplars.jsonl``::

    python -m benchmarks.bench_exemplars [--seeds 0]
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from benchmarks._report import append_result, environment
from benchmarks.bench_embedding import COMMON, load_part, turn
from skpairclust import MetricEmbedder
from skpairclust.cluster import AffinityPropagationK
from skpairclust.metrics import pairwise_f1_score

RESULTS = Path(__file__).parent / "results" / "exemplars.jsonl"


def main():
    """Train, cluster, and append a row a method."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    args = parser.parse_args()
    for seed in args.seeds:
        X, y, X_new, y_new = load_part("test", seed)
        embedder = MetricEmbedder(**COMMON, random_state=seed).fit(*turn(X, y))
        Z = embedder.transform(X_new)
        n_clusters = len(np.unique(y_new))
        for clusterer in (
            AffinityPropagationK(n_clusters, random_state=seed),
            KMeans(n_clusters, n_init=10, random_state=seed),
        ):
            row = measure(clusterer, Z, y_new)
            print(row, flush=True)
            common = {"environment": environment(), "seed": seed, "asked": n_clusters}
            append_result(RESULTS, common | row)


def measure(clusterer, Z, y):
    """Return what a clusterer finds in an embedding."""
    start = time.process_time()
    with warnings.catch_warnings():
        # Both are in the row: a number that was not reached, a run not converged.
        warnings.simplefilter("ignore")
        labels = clusterer.fit_predict(Z)
    return {
        "method": type(clusterer).__name__,
        "found": len(np.unique(labels)),
        "converged": getattr(clusterer, "converged_", True),
        "n_runs": len(getattr(clusterer, "runs_", [0])),
        "nmi": normalized_mutual_info_score(y, labels),
        "f1": pairwise_f1_score(y, labels),
        "cpu_seconds": round(time.process_time() - start, 1),
    }


if __name__ == "__main__":
    main()
