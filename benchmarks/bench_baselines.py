"""The constrained k-means beside other implementations and plain k-means.

On scikit-learn's digits with 500 random pairs, and on blobs of 10,000 x 50 with a
standard deviation of 5 and 2,000 pairs; ``--large`` adds a million samples, chains of
a million links and planted colorings::

    python -m benchmarks.bench_baselines --seeds 20 --peer-seeds 3 --peers /tmp/peers

Every fit of a peer is followed by ours on the same seed, so that both meet the same
machine: ratios are medians over these seeds. The first rows of a table are about the
seeds that the peers ran, too; those of all seeds come last.

The peers are no requirement, and one changes NumPy's error handling on import. Install
them beside the environment, without what they ask for::

    pip install --no-deps --target /tmp/peers \\
        active-semi-supervised-clustering==0.0.1 copkmeans-ht==1.5

A peer that cannot be imported is skipped, and the output says so.
"""

import argparse
import random
import resource
import statistics
import sys
import time
import tracemalloc
import types
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from benchmarks._report import append_result, environment
from skpairclust import PairwiseConstraints
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans

RESULTS = Path(__file__).parent / "results" / "baselines.jsonl"
# our method and the peers that it has to be compared with
RIVALS = {
    "COPKMeans": ("ASSC COPKMeans", "copkmeans-ht", "KMeans"),
    "PCKMeans": ("ASSC PCKMeans", "KMeans"),
    "PCKMeans w=1": ("ASSC PCKMeans",),
    "MPCKMeans": ("ASSC MPCKMeans", "KMeans"),
}
# a single fit takes a minute on the digits, and hours on the blobs
TOO_SLOW = {("blobs", "ASSC MPCKMeans")}
HARD_THRESHOLDS = dict(
    zip(
        range(3, 11),
        (4.687, 8.901, 13.669, 18.88, 24.455, 30.335, 36.49, 42.93),
        strict=True,
    )
)


def our_methods(k):
    """Return functions (X, constraints, seed) -> labels."""

    def fit(estimator):
        return lambda X, c, seed: (
            estimator.set_params(random_state=seed).fit(X, c).labels_
        )

    return {
        "COPKMeans": fit(COPKMeans(k)),
        "PCKMeans": fit(PCKMeans(k)),
        "PCKMeans w=1": fit(PCKMeans(k, w=1.0)),
        "MPCKMeans": fit(MPCKMeans(k)),
        "KMeans": lambda X, c, seed: (
            KMeans(k, n_init=1, random_state=seed).fit(X).labels_
        ),
    }


def peer_methods(k, folder):
    """Return functions like `our_methods`, of the peers that can be imported."""
    sys.path[:0] = [str(folder), str(Path(folder) / "copkmeans-ht")]
    methods = {}
    try:
        methods.update(_assc_methods(k))
    except ImportError as error:
        print(f"skipped: active-semi-supervised-clustering ({error})")
    try:
        from cop_kmeans import cop_kmeans

        methods["copkmeans-ht"] = lambda X, c, seed: np.array(
            cop_kmeans(X.tolist(), k, c.must_link.tolist(), c.cannot_link.tolist())[0]
        )
    except ImportError as error:
        print(f"skipped: copkmeans-ht ({error})")
    return methods


def _assc_methods(k):
    """Return the methods of active-semi-supervised-clustering."""
    before = np.geterr()
    # only learners that are not called need it, and it fails on scikit-learn 1.9
    stub = types.SimpleNamespace(MMC=None, RCA=None)
    sys.modules.setdefault("metric_learn", stub)
    from active_semi_clustering.semi_supervised import pairwise_constraints

    np.seterr(**before)

    def fit(name):
        def run(X, c, seed):
            pairs = {
                "ml": [tuple(pair) for pair in c.must_link.tolist()],
                "cl": [tuple(pair) for pair in c.cannot_link.tolist()],
            }
            return getattr(pairwise_constraints, name)(k).fit(X, **pairs).labels_

        return run

    names = ("COPKMeans", "PCKMeans", "MPCKMeans")
    return {f"ASSC {name}": fit(name) for name in names}


def load(name):
    """Return X, y and the number of pairs."""
    if name == "digits":
        return *load_digits(return_X_y=True), 500
    X, y = make_blobs(10_000, 50, centers=10, cluster_std=5, random_state=0)
    return X, y, 2000


def measure(method, X, y, constraints, seed):
    """Return seconds, ARI and violated constraints of a fit; None if it fails."""
    random.seed(seed)
    # what the peers draw from
    np.random.seed(seed)  # noqa: NPY002
    start = time.perf_counter()
    try:
        labels = method(X, constraints, seed)
    except Exception as error:
        print(f"    failed: {type(error).__name__} {error}", flush=True)
        return None
    seconds = time.perf_counter() - start
    must, cannot = constraints.must_link.T, constraints.cannot_link.T
    return {
        "seconds": seconds,
        "ari": float(adjusted_rand_score(y, labels)),
        "must_violated": int((labels[must[0]] != labels[must[1]]).sum()),
        "cannot_violated": int((labels[cannot[0]] == labels[cannot[1]]).sum()),
    }


def compare(name, n_seeds, n_peer_seeds, peers):
    """Run all methods on a data set and print the tables."""
    X, y, n_pairs = load(name)
    ours = our_methods(10)
    for method in ours.values():
        # not measured: the first call of many things is slow
        method(X, PairwiseConstraints.sample_from_labels(y, 50, random_state=0), 0)
    rows = defaultdict(dict)
    for seed in range(n_seeds):
        constraints = PairwiseConstraints.sample_from_labels(
            y, n_pairs, random_state=seed
        )
        methods = dict(ours)
        if seed < n_peer_seeds:
            slow = {m for data, m in TOO_SLOW if data == name}
            methods |= {m: f for m, f in peers.items() if m not in slow}
        for method, function in methods.items():
            result = measure(function, X, y, constraints, seed)
            rows[method][seed] = result
            row = {"benchmark": "baselines", "data": name, "method": method}
            append_result(RESULTS, row | {"seed": seed} | (result or {"failed": True}))
    print(f"\n{name}: {X.shape[0]} x {X.shape[1]}, {n_pairs} pairs")
    if peers:
        _print_table(rows, range(min(n_seeds, n_peer_seeds)))
        _print_ratios(rows)
    _print_table({m: rows[m] for m in ours}, range(n_seeds))


def _print_table(rows, seeds):
    """Print the means over some seeds."""
    columns = ("seconds", "ari", "must_violated", "cannot_violated")
    print(f"{f'mean of {len(seeds)} seeds':<22}" + "".join(f"{c:>17}" for c in columns))
    for method, results in rows.items():
        done = [results[seed] for seed in seeds if results.get(seed)]
        if done:
            means = (statistics.mean(result[c] for result in done) for c in columns)
            print(f"{method:<22}" + "".join(f"{mean:>17.3f}" for mean in means))


def _print_ratios(rows):
    """Print how many times as long as ours the peers took, seed by seed."""
    for method, rivals in RIVALS.items():
        for rival in rivals:
            ratios = [
                theirs["seconds"] / rows[method][seed]["seconds"]
                for seed, theirs in rows.get(rival, {}).items()
                if theirs
            ]
            if ratios:
                print(
                    f"{rival} takes {statistics.median(ratios):.3g} x the time of "
                    f"{method} ({min(ratios):.3g} to {max(ratios):.3g})"
                )


def large_blobs(n_seeds):
    """A million samples beside KMeans, in turns, and memory."""
    rng = np.random.default_rng(0)
    y = rng.integers(20, size=1_000_000)
    X = rng.uniform(-10, 10, size=(20, 20))[y]
    X += rng.normal(scale=5, size=X.shape)
    constraints = PairwiseConstraints.sample_from_labels(y, 100_000, random_state=0)
    print(f"\n1,000,000 x 20, k=20, {constraints!r}")
    for max_iter in (20, 300):
        for seed in range(n_seeds):
            ours = COPKMeans(20, n_init=1, max_iter=max_iter, random_state=seed)
            plain = KMeans(20, n_init=1, max_iter=max_iter, random_state=seed)
            seconds = [_seconds(ours.fit, X, constraints), _seconds(plain.fit, X)]
            row = {
                "benchmark": "baselines",
                "data": "1,000,000 x 20, 100,000 pairs",
                "max_iter": max_iter,
                "seed": seed,
                "cop_seconds": seconds[0],
                "kmeans_seconds": seconds[1],
                "n_iter": [ours.n_iter_, plain.n_iter_],
                "violated": _n_violated(constraints, ours.labels_),
                "ari": [adjusted_rand_score(y, m.labels_) for m in (ours, plain)],
            }
            append_result(RESULTS, row)
            print(
                f"max_iter={max_iter}, seed {seed}: COPKMeans {seconds[0]:.2f} s "
                f"({ours.n_iter_} iterations), KMeans {seconds[1]:.2f} s "
                f"({plain.n_iter_}): {seconds[0] / seconds[1]:.2f} x, "
                f"{row['violated']} violated, ARI {row['ari'][0]:.3f} / "
                f"{row['ari'][1]:.3f}",
                flush=True,
            )
    for name, model in {
        "COPKMeans": COPKMeans(20, n_init=1, max_iter=10, random_state=0),
        "KMeans": KMeans(20, n_init=1, max_iter=10, random_state=0),
    }.items():
        tracemalloc.start()
        model.fit(X, constraints)
        peak = tracemalloc.get_traced_memory()[1] / X.nbytes
        tracemalloc.stop()
        append_result(RESULTS, {"benchmark": "baselines", "memory": name, "of_X": peak})
        print(f"memory of {name}.fit: {peak:.2f} x X beside X itself")
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak resident memory of this process: {resident:.0f} MiB")


def large_chains():
    """Chains of a million links."""
    n = 1_000_000
    X = np.random.default_rng(0).normal(size=(n, 5))
    chain = np.column_stack((np.arange(n - 1), np.arange(1, n)))
    print("\nchains of a million samples x 5")
    for name, k, pairs in (
        ("must-links, k=3", 3, {"must_link": chain}),
        ("cannot-links, k=2", 2, {"cannot_link": chain}),
        ("cannot-links, k=3", 3, {"cannot_link": chain}),
    ):
        constraints = PairwiseConstraints(
            **{"must_link": None, "cannot_link": None, **pairs}, n_samples=n
        )
        model = COPKMeans(k, n_init=1, max_iter=10, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            seconds = _seconds(model.fit, X, constraints)
        violated = _n_violated(constraints, model.labels_)
        row = {"benchmark": "baselines", "data": f"chain, {name}", "seconds": seconds}
        append_result(RESULTS, row | {"violated": violated})
        print(f"{name}: {seconds:.2f} s, {violated} violated", flush=True)


def planted_colorings(n_seeds):
    """Random graphs with a hidden coloring, at 0.8 of the hard threshold."""
    print("\nplanted colorings, average degree 0.8 x the threshold: seconds")
    for n in (200, 1000, 10_000):
        X = np.random.default_rng(0).normal(size=(n, 5))
        for k, threshold in HARD_THRESHOLDS.items():
            outcomes = [
                _color_planted(X, k, 0.8 * threshold, seed) for seed in range(n_seeds)
            ]
            row = {"benchmark": "baselines", "data": f"planted, n={n}, k={k}"}
            append_result(RESULTS, row | {"outcomes": outcomes})
            print(f"n={n}, k={k}: {', '.join(outcomes)}", flush=True)


def _color_planted(X, k, mean_degree, seed):
    """Fit a planted graph; return the seconds, or what was reported instead."""
    rng = np.random.default_rng(seed)
    n = len(X)
    colors = rng.integers(k, size=n)
    keys = np.empty(0, dtype=np.int64)
    while len(keys) < n * mean_degree / 2:
        i, j = np.sort(rng.integers(n, size=(2, n)), axis=0)
        keys = np.unique(np.concatenate((keys, (i * n + j)[colors[i] != colors[j]])))
    keys = rng.permutation(keys)[: int(n * mean_degree / 2)]
    constraints = PairwiseConstraints(
        None, np.column_stack(np.divmod(keys, n)), n_samples=n
    )
    model = COPKMeans(k, n_init=1, max_iter=10, max_search_time=60, random_state=seed)
    start = time.perf_counter()
    try:
        model.fit(X, constraints)
    except RuntimeError:
        return f"reported after {time.perf_counter() - start:.1f}"
    assert _n_violated(constraints, model.labels_) == 0
    return f"{time.perf_counter() - start:.2f}"


def _n_violated(constraints, labels):
    """Return the number of violated constraints."""
    must, cannot = constraints.must_link.T, constraints.cannot_link.T
    violated = (labels[must[0]] != labels[must[1]]).sum()
    return int(violated + (labels[cannot[0]] == labels[cannot[1]]).sum())


def _seconds(function, *arguments):
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def main():
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--peer-seeds", type=int, default=3)
    parser.add_argument("--peers", default="/tmp/peers", help="folder of the peers")
    parser.add_argument("--only", nargs="*", help="names of the peers to run")
    parser.add_argument("--data", nargs="*", default=["digits", "blobs"])
    parser.add_argument("--large", action="store_true")
    args = parser.parse_args()
    append_result(RESULTS, {"benchmark": "baselines", "environment": environment()})
    peers = peer_methods(10, args.peers) if args.peer_seeds else {}
    if args.only is not None:
        peers = {name: f for name, f in peers.items() if name in args.only}
    for name in args.data:
        compare(name, args.seeds, args.peer_seeds, peers)
    if args.large:
        large_blobs(min(args.seeds, 3))
        large_chains()
        planted_colorings(min(args.seeds, 3))


if __name__ == "__main__":
    main()
