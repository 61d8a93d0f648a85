"""How much memory a fit takes beyond X, and how long: one epoch of large tables.

    python -m benchmarks.bench_memory [case ...]

Each case runs in a process of its own. Memory is what the process holds of its own
(RssAnon of Linux, without mapped files), looked at every 10 ms, minus what it held
before the fit.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from scipy import sparse

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints

N_PAIRS = 2000


def resident():
    """Return the megabytes that the process holds of its own."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1024
    raise RuntimeError("needs Linux")


class Peak:
    """The most memory that is held within a block, and its time."""

    def __enter__(self):
        self.before = self.most = resident()
        self.is_over = False
        self.watcher = threading.Thread(target=self._watch)
        self.watcher.start()
        self.began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self.began[0]
        # The watcher's own share is a few percent.
        self.busy = time.process_time() - self.began[1]
        self.is_over = True
        self.watcher.join()

    def _watch(self):
        while not self.is_over:
            self.most = max(self.most, resident())
            time.sleep(0.01)

    def __str__(self):
        grown = self.most - self.before
        return f"+{grown:.0f} MB, {self.seconds:.1f} s ({self.busy:.1f} s of a CPU)"


def make_classes(n_samples):
    """Return classes of samples, and pairs of some of them."""
    y = np.random.default_rng(0).integers(0, 10, n_samples)
    return y, PairwiseConstraints.sample_from_labels(y, N_PAIRS, random_state=0)


def fit(X, pairs, **options):
    """Return the peak of a fit of one epoch."""
    clusterer = ConstrainedNeuralClusterer(10, max_iter=1, random_state=0, **options)
    # What is loaded and allocated once is not part of it.
    clusterer.fit(X[:500])
    with Peak() as peak:
        clusterer.fit(X, pairs)
    return peak


def memmap(n_samples=1_000_000, n_features=500):
    """A float32 memory map of 2 GB."""
    rng = np.random.default_rng(0)
    y, pairs = make_classes(n_samples)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.dat"
        with open(path, "wb") as file:
            for part in np.array_split(y, 100):
                rows = rng.standard_normal((len(part), n_features), dtype=np.float32)
                rows[:, :10] += 3 * np.eye(10, dtype=np.float32)[part]
                file.write(rows.tobytes())
        X = np.memmap(path, np.float32, "r", shape=(n_samples, n_features))
        return fit(X, pairs)


def table(n_samples=300_000, n_features=10):
    """A table of few features."""
    y, pairs = make_classes(n_samples)
    X = np.random.default_rng(1).standard_normal((n_samples, n_features), dtype="f4")
    X[:, :10] += 3 * np.eye(10, dtype=np.float32)[y]
    return fit(X, pairs)


def texts(n_samples=200_000, n_features=50_000, n_words=50):
    """A sparse matrix as of word counts."""
    rng = np.random.default_rng(1)
    y, pairs = make_classes(n_samples)
    # Half of the words are those of the class.
    words = rng.integers(0, n_features, (n_samples, n_words))
    own = rng.integers(0, 200, (n_samples, n_words // 2))
    words[:, : n_words // 2] = 200 * y[:, None] + own
    words.sort(axis=1)
    data = np.ones(words.size, dtype=np.float32)
    indptr = np.arange(0, words.size + 1, n_words)
    X = sparse.csr_matrix((data, words.ravel(), indptr), (n_samples, n_features))
    X.sum_duplicates()
    del words, own, data
    return fit(X, pairs)


def predict(n_samples=1_000_000, n_clusters=100):
    """The clusters of many samples."""
    X = np.random.default_rng(1).standard_normal((n_samples, 10), dtype="f4")
    clusterer = ConstrainedNeuralClusterer(
        n_clusters, max_iter=1, random_state=0, hidden_layer_sizes=64
    ).fit(X[: max(1000, n_clusters)])
    with Peak() as peak:
        clusterer.predict(X)
    return peak


def many_clusters():
    """The clusters of 60,000 samples among 10,000."""
    return predict(60_000, 10_000)


CASES = {
    "memmap": memmap,
    "table": table,
    "texts": texts,
    "predict": predict,
    "many_clusters": many_clusters,
}


def main():
    """Run cases, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=", ".join(CASES))
    parser.add_argument("--here", action="store_true", help="in this process")
    options = parser.parse_args()
    unknown = sorted(set(options.cases) - set(CASES))
    if unknown:
        parser.error(f"unknown case {unknown[0]!r}: choose from {', '.join(CASES)}.")
    for name in options.cases or CASES:
        if options.here:
            print(f"{name:14} {CASES[name]()}", flush=True)
            continue
        command = [sys.executable, "-m", "benchmarks.bench_memory", "--here", name]
        subprocess.run(command, check=True, env=os.environ)


if __name__ == "__main__":
    main()
