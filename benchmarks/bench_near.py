"""Neighbors among a million embeddings: exact, and by the parts that faiss looks at.

    python -m benchmarks.bench_near

Embeddings are random, in 10,000 groups, and have length 1. Prints CPU seconds and how
many of the five nearest ones are found. Needs ``pip install "skpairclust[retrieval]"``.
"""

import argparse
import time

import numpy as np
from sklearn.neighbors import NearestNeighbors

from skpairclust.embedder._near_index import NearIndex

N_COMPONENTS, N_GROUPS, N_QUERIES, N_NEIGHBORS = 64, 10_000, 1_000, 5


def draw(n_samples, centers, spread, rng):
    """Return embeddings of length 1 around centers, float32."""
    rows = rng.integers(len(centers), size=n_samples)
    noise = rng.standard_normal((n_samples, N_COMPONENTS), dtype=np.float32)
    Z = centers[rows] + np.float32(spread) * noise
    return Z / np.linalg.norm(Z, axis=1, keepdims=True)


def timed(function):
    """Return what a function returns, and the seconds of a CPU that it took."""
    began = time.process_time()
    found = function()
    return found, time.process_time() - began


def measure(n_samples, spread):
    """Print a line for one spread of the groups."""
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((N_GROUPS, N_COMPONENTS), dtype=np.float32)
    Z, queries = (draw(n, centers, spread, rng) for n in (n_samples, N_QUERIES))
    brute = NearestNeighbors(algorithm="brute").fit(Z)
    exact, slow = timed(
        lambda: brute.kneighbors(queries, N_NEIGHBORS, return_distance=False)
    )
    index, building = timed(lambda: NearIndex(Z))
    (_, found), fast = timed(lambda: index.kneighbors(queries, N_NEIGHBORS))
    both = [np.isin(own, other).mean() for own, other in zip(exact, found, strict=True)]
    print(
        f"{n_samples} embeddings, spread {spread}: exact {slow:.2f} s, parts "
        f"{building:.1f} s, with them {fast:.2f} s, found {np.mean(both):.3f}",
        flush=True,
    )


def main():
    """Measure groups that are apart and groups that overlap."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000_000)
    n_samples = parser.parse_args().samples
    for spread in (0.3, 1.0):
        measure(n_samples, spread)


if __name__ == "__main__":
    main()
