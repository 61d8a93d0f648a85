"""recall_at_k beside the search that users would write with scikit-learn.

60,000 samples of 64 features on the unit sphere, float32, in 10 and in 5,000 classes,
each once well apart and once hardly. Both sides run in turns, in this process and with
the same number of threads. scikit-learn's side is its brute-force NearestNeighbors for
9 neighbors, the sample itself among them, and a comparison of classes::

    OMP_NUM_THREADS=1 python -m benchmarks.bench_retrieval
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from benchmarks._report import append_result, environment, median_ratio
from skpairclust.metrics import recall_at_k

RESULTS = Path(__file__).parent / "results" / "retrieval.jsonl"
SIZES = [1, 2, 4, 8]
# A new process holds nothing but the data and what the call needs.
MEASURE_MEMORY = """
import resource
from benchmarks.bench_retrieval import make, sklearn_recall, recall_at_k, SIZES
X, labels = make({n}, 64, {n_classes}, {spread})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{call}(X, labels, SIZES)
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def make(n, n_features, n_classes, spread):
    """Return normalized samples around random centers, and their classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(n_classes, size=n)
    centers = normalize(rng.normal(size=(n_classes, n_features)))
    noise = rng.normal(scale=spread / n_features**0.5, size=(n, n_features))
    return normalize(centers[labels] + noise).astype(np.float32), labels


def sklearn_recall(X, labels, sizes):
    """Return Recall@K from the neighbors of each sample, itself left out."""
    index = NearestNeighbors(n_neighbors=max(sizes) + 1, algorithm="brute").fit(X)
    neighbors = index.kneighbors(X, return_distance=False)
    is_self = neighbors == np.arange(len(X))[:, None]
    # among equal rows it may be missing: the last one is dropped then
    is_self[~is_self.any(axis=1), -1] = True
    others = neighbors[~is_self].reshape(len(X), -1)
    found = (labels[others] == labels[:, None]).cumsum(axis=1) > 0
    return found[:, np.asarray(sizes) - 1].mean(axis=0)


def peak_mib(call, n, n_classes, spread):
    """Return the resident memory in MiB, with the data alone and at most."""
    code = MEASURE_MEMORY.format(call=call, n=n, n_classes=n_classes, spread=spread)
    output = subprocess.check_output([sys.executable, "-c", code], text=True)
    return [int(kib) / 1024 for kib in output.split()]


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    append_result(RESULTS, {"benchmark": "retrieval", "environment": environment()})
    for n_classes, spread in ((10, 0.7), (10, 8), (5_000, 0.7), (5_000, 1.5)):
        X, labels = make(args.samples, 64, n_classes, spread)
        ours, theirs = (f(X, labels, SIZES) for f in (recall_at_k, sklearn_recall))
        name = f"{args.samples} x 64, {n_classes} classes, spread {spread}"
        print(f"\n{name}: Recall@1, 2, 4, 8 = {ours.round(4).tolist()}")
        ratio = median_ratio(
            "scikit-learn / ours",
            lambda X=X, labels=labels: sklearn_recall(X, labels, SIZES),
            lambda X=X, labels=labels: recall_at_k(X, labels, SIZES),
            n_rounds=args.rounds,
            n_warmup=0,
        )
        row = {"benchmark": "retrieval", "data": name, "recall": ours.tolist()}
        row |= {"sklearn_recall": theirs.tolist(), "times_as_fast": ratio.median}
        row |= {"seconds": ratio.b_seconds, "sklearn_seconds": ratio.a_seconds}
        for call in ("recall_at_k", "sklearn_recall"):
            row[f"{call}_mib"] = peak_mib(call, args.samples, n_classes, spread)
            before, peak = row[f"{call}_mib"]
            print(f"{call}: {before:.0f} MiB with the data, {peak:.0f} MiB at most")
        append_result(RESULTS, row)


if __name__ == "__main__":
    main()
