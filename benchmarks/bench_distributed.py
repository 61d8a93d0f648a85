"""What a second process is worth: restarts that are shared out, and one training.

    python -m benchmarks.bench_distributed

Each case is fitted by one process and by a gloo group of two. Of a group, the process
that took longest counts. Where other programs run, times of a CPU say more than those
of a clock: a process that waits for another takes none.
"""

import multiprocessing
import os
import tempfile
import time
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import distributed

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints

CASES = {
    "4 restarts": {"n_init": 4, "max_iter": 20},
    "one training, 64-128-128-10": {"max_iter": 5},
    "one training, 64-2048-2048-10": {
        "max_iter": 5,
        "hidden_layer_sizes": (2048, 2048),
        "batch_size": 512,
    },
}


def fit(options):
    """Return the seconds of a clock, and of a CPU, that a fit takes."""
    X, y = load_digits(return_X_y=True)
    pairs = PairwiseConstraints.sample_from_labels(y, 1000, random_state=0)
    model = ConstrainedNeuralClusterer(10, random_state=0, **options)
    model.set_params(init="random").fit(X[:500] / 16, y[:500])
    began = time.perf_counter(), time.process_time()
    model.fit(X / 16, pairs)
    return time.perf_counter() - began[0], time.process_time() - began[1]


def work(rank, size, meeting, results):
    """Fit all cases as a member of a group."""
    torch.set_num_threads(1)
    if size > 1:
        distributed.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=rank, world_size=size
        )
    for name, options in CASES.items():
        results.put((name, fit(options)))


def measure(size):
    """Return the longest times of the processes of a group, by case."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            context.Process(target=work, args=(r, size, Path(folder) / "m", results))
            for r in range(size)
        ]
        for process in processes:
            process.start()
        found = [results.get() for _ in range(size * len(CASES))]
        for process in processes:
            process.join()
    return {
        name: [
            max(times)
            for times in zip(*(t for n, t in found if n == name), strict=True)
        ]
        for name in CASES
    }


def main():
    """Print a table."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start")
    one, two = measure(1), measure(2)
    for name in CASES:
        (clock, cpu), (clock_2, cpu_2) = one[name], two[name]
        print(
            f"{name:30s} one process {clock:5.1f} s ({cpu:5.1f} s of a CPU), two "
            f"{clock_2:5.1f} s ({cpu_2:5.1f} s): {clock / clock_2:.2f} and "
            f"{cpu / cpu_2:.2f} times"
        )


if __name__ == "__main__":
    main()
