"""Time and memory of PairwiseConstraints at scale.

Ten million random pairs over a million samples must build, check and close within
10 s and 2 GiB, and half of the rows must be sliced within 1 s, on two cores.
"""

import argparse
import resource
import time
from contextlib import contextmanager

import numpy as np

from skpairclust.constraints import PairwiseConstraints


@contextmanager
def timed(what, n_repeats=1):
    """Print the seconds a block takes, and the peak memory so far."""
    start = time.perf_counter()
    yield
    seconds = (time.perf_counter() - start) / n_repeats
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:<52}{seconds:>10.4f} s{peak:>10.0f} MiB peak", flush=True)


def make_pairs(n_samples, n_pairs, n_classes, rng):
    """Draw pairs and their kind; None classes: kinds at random, contradictory."""
    pairs = rng.integers(n_samples, size=(n_pairs, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    if n_classes is None:
        is_must = rng.random(len(pairs)) < 0.5
    else:
        labels = rng.integers(n_classes, size=n_samples)
        is_must = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    return pairs[is_must], pairs[~is_must]


def bench_scale(n_samples, n_pairs, n_classes, rng):
    """Build, check, close and slice random pairs."""
    must, cannot = make_pairs(n_samples, n_pairs, n_classes, rng)
    kind = f"{n_classes} classes" if n_classes else "random kinds"
    print(f"\n{n_pairs} pairs, {n_samples} samples, {kind}: {len(must)} must-links")
    total = f"total: build + conflicts{' + closure' if n_classes else ''}"
    with timed(total):
        with timed("build"):
            constraints = PairwiseConstraints(must, cannot, n_samples=n_samples)
        with timed("conflicts"):
            conflicts = constraints.conflicts()
        if n_classes:
            with timed("closure"):
                closed = constraints.closure()
    print(conflicts)
    if n_classes:
        print(closed)
    mask = rng.random(n_samples) < 0.5
    with timed("slice, half of the rows as a mask"):
        constraints[mask]
    rows = rng.permutation(n_samples)[: n_samples // 2]
    with timed("slice, half of the rows in random order"):
        constraints[rows]
    if n_classes:
        with timed("slice of the closure"):
            closed[rows]


def bench_labels(n_samples, n_pairs, rng):
    """Constraints from labels, and pairs drawn from them."""
    labels = rng.integers(10, size=n_samples)
    print(f"\n{n_samples} labels")
    with timed("from_labels"):
        constraints = PairwiseConstraints.from_labels(labels)
    with timed("conflicts of labels"):
        constraints.conflicts()
    with timed(f"sample_from_labels, {n_pairs} pairs"):
        PairwiseConstraints.sample_from_labels(labels, n_pairs, random_state=0)


def bench_batches(n_samples, n_pairs, n_batches, batch_size, n_repeats, rng):
    """Look up the pairs inside many batches at once."""
    must, cannot = make_pairs(n_samples, n_pairs, 10, rng)
    constraints = PairwiseConstraints(must, cannot, n_samples=n_samples)
    closed = constraints.closure()
    rows = np.concatenate(
        [rng.permutation(n_samples)[:batch_size] for _ in range(n_batches)]
    )
    offsets = np.arange(n_batches + 1) * batch_size
    print(
        f"\n{n_batches} batches of {batch_size}, {n_pairs} pairs, {n_samples} samples"
    )
    constraints.induced_pairs(rows, offsets)
    with timed("induced_pairs, all batches", n_repeats):
        for _ in range(n_repeats):
            constraints.induced_pairs(rows, offsets)
    for name, known in (("pairs", constraints), ("closure", closed)):
        known.relation_block(rows[:batch_size])
        with timed(f"relation_block of {name}, one batch", n_batches):
            for batch in np.split(rows, offsets[1:-1]):
                known.relation_block(batch)


def main():
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-samples", type=int, default=1_000_000)
    parser.add_argument("--n-pairs", type=int, default=10_000_000)
    parser.add_argument("--n-repeats", type=int, default=10)
    parser.add_argument("--random-state", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.random_state)
    for n_classes in (10, 1000, None):
        bench_scale(args.n_samples, args.n_pairs, n_classes, rng)
    bench_labels(args.n_samples, args.n_pairs, rng)
    for n_pairs in (10_000, 100_000, 1_000_000):
        bench_batches(60_000, n_pairs, 64, 256, args.n_repeats, rng)


if __name__ == "__main__":
    main()
