"""What a GPU brings: steps per second, and seconds and quality of whole fits.

    python -m benchmarks.gpu [PART ...] [--out FILE] [--jobs N] [--minutes M]

Run by ``benchmarks/gpu.sh`` after the tests that need a GPU. A cell whose row is in the
file already is passed over, so that a run that was cut off goes on; rows name the
device. Cells that are there for their seconds run alone; with ``--jobs``, the others
share the GPU: their seconds are then longer than they need be, and rows say so.
"""

import argparse
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score
from torch.nn import functional

from benchmarks import bench_embedding, bench_images, bench_many_clusters
from benchmarks._report import append_result, environment, read_rows
from benchmarks.datasets import (
    load_banking77,
    load_cifar10,
    load_fashion_mnist,
    load_mnist,
    load_omniglot,
)
from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.metrics import clustering_accuracy_score, recall_at_k
from skpairclust.neural._networks import build_network
from skpairclust.neural._optimizers import make_optimizer
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._steps import RecordedStep
from skpairclust.neural._torch_utils import resolve_device

N_CLASSES, SIDE = 10, 28
RESULTS = "benchmarks/results/gpu.jsonl"


def main():
    """Run the cells that are not in the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART")
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time")
    parser.add_argument("--minutes", type=float, default=60, help="begin none later")
    args = parser.parse_args()
    end = time.monotonic() + 60 * args.minutes
    machine = environment()
    print(machine)
    if not torch.cuda.is_available():
        raise SystemExit("There is no GPU here.")
    rows = read_rows(args.out)
    cells = [cell for cell in CELLS if cell[0] in args.parts]
    cells = [cell for cell in cells if not any(_is_row_of(cell, r) for r in rows)]

    def keep(cell, row, n_jobs):
        row = {"part": cell[0], **cell[1], **row, "n_jobs": n_jobs}
        print(row, flush=True)
        append_result(args.out, {**row, **machine})

    for cell in [cell for cell in cells if cell[0] in ALONE or args.jobs == 1]:
        if time.monotonic() < end:
            keep(cell, _run(*cell), 1)
            cells.remove(cell)
    if cells and args.jobs > 1:
        _run_together(cells, args.jobs, end, keep)


def _is_row_of(cell, row):
    """Whether a row is that of a cell."""
    part, settings = cell
    return row["part"] == part and settings.items() <= row.items()


def _run(part, settings):
    """Return the row of a cell."""
    return PARTS[part](**settings)


def _run_together(cells, n_jobs, end, keep):
    """Run cells in several processes, in their order, and begin none after the end."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_jobs, mp_context=spawn) as pool:
        running = {pool.submit(_run_before, end, *cell): cell for cell in cells}
        for future in as_completed(running):
            try:
                row = future.result()
            except Exception as error:
                print(running[future], repr(error), flush=True)
                continue
            if row is not None:
                keep(running[future], row, n_jobs)


def _run_before(end, part, settings):
    """Return the row of a cell, or None if it is too late to begin."""
    return _run(part, settings) if time.monotonic() < end else None


def time_steps(network, batch_size):
    """Return the steps per second, said and recorded."""
    rng = np.random.RandomState(0)
    X = rng.rand(60_000, SIDE * SIDE).astype(np.float32)
    y = rng.randint(N_CLASSES, size=len(X))
    known = PairwiseConstraints.sample_from_labels(y, 40_000, random_state=0)
    row = {"bare loop": _rate(_bare_step(X, y, network, batch_size))}
    for name, changed in _VARIANTS.items():
        row[name] = _rate(_our_step(X, known, network, batch_size, **changed))
    return row


_VARIANTS = {
    "pairs only, said": {"unlabeled": None, "recorded": False},
    "pairs only, recorded": {"unlabeled": None},
    "default, said": {"recorded": False},
    "default, recorded": {},
    "default, recorded, TF32": {"tf32": True},
    "default, recorded, bfloat16": {"autocast": True},
}


def _rate(step, seconds=0.7):
    """Return steps per second, after a few that do not count."""
    for _ in range(8):
        step()
    torch.cuda.synchronize()
    start, n_steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for _ in range(10):
            step()
        torch.cuda.synchronize()
        n_steps += 10
    return round(n_steps / (time.perf_counter() - start), 1)


def _bare_step(X, y, network, batch_size):
    """Return a step of the loop that everybody writes, with labels."""
    X, y = torch.tensor(X, device="cuda"), torch.tensor(y, device="cuda")
    X = X.reshape(-1, 1, SIDE, SIDE)
    shape, sizes = (1, SIDE, SIDE), (512, 512)
    module = build_network(network, shape, N_CLASSES, hidden_layer_sizes=sizes, seed=0)
    module = module.cuda()
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-3, fused=True)

    def step():
        rows = torch.randint(len(X), (batch_size,), device="cuda")
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(module(X[rows]), y[rows]).backward()
        optimizer.step()

    return step


class _Autocast:
    """An objective whose products are in bfloat16."""

    def __init__(self, objective):
        self.objective = objective
        self.can_record, self.generators = True, objective.generators
        self.draw = objective.draw

    def compute(self, network, inputs):
        """Compute the loss."""
        with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
            return self.objective.compute(network, inputs)


def _our_step(
    X,
    known,
    network,
    batch_size,
    *,
    recorded=True,
    tf32=False,
    autocast=False,
    **params,
):
    """Return a step of the clusterer."""
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    device = resolve_device("cuda")
    clusterer = ConstrainedNeuralClusterer(
        N_CLASSES,
        network=network,
        hidden_layer_sizes=(512, 512),
        # A table to the one, images to the others.
        input_shape=None if network == "mlp" else (1, SIDE, SIDE),
        batch_size=batch_size,
        walk_length=0,
        device="cuda",
        **params,
    )
    task = make_task(clusterer, X, known, None, np.random.RandomState(0))
    rows = FeatureRows(X, task.architecture.input_shape, device)
    module = task.architecture.build(0).to(device).train()
    objective = PairObjective(rows, known, task, seed=0)
    if autocast:
        objective = _Autocast(objective)
    optimizer = make_optimizer(module.parameters(), task.training, on_gpu=True)
    step = RecordedStep(module, objective, optimizer)
    if not recorded:
        step._n_to_warm_up = np.inf
    return lambda: step(2e-3)


def fit_digits(n_init):
    """Return seconds and accuracy on the small images."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    known = PairwiseConstraints.sample_from_labels(y[::2], 500, random_state=0)
    return _fit(X[::2], known, X[1::2], y[1::2], N_CLASSES, n_init=n_init)


@cache
def _load_images(name):
    """Return a data set with its values in [0, 1]."""
    data = {
        "mnist": load_mnist,
        "fashion_mnist": load_fashion_mnist,
        "cifar10": load_cifar10,
    }[name]()
    X, X_test = ((x / 255).astype(np.float32) for x in (data.X_train, data.X_test))
    return X, data.y_train, X_test, data.y_test


def fit_pairs(data, n_pairs, seed, flat, **params):
    """Return seconds and test accuracy of random pairs of images, or of their rows."""
    X, y, X_test, y_test = _load_images(data)
    if flat:
        X, X_test = X.reshape(len(X), -1), X_test.reshape(len(X_test), -1)
    known = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=seed)
    return _fit(X, known, X_test, y_test, N_CLASSES, seed=seed, **params)


def fit_lenet(loss, n_pairs, max_iter):
    """Return the same of CIFAR-10 and the papers' network, pairs alone."""
    params = {"loss": loss, "max_iter": max_iter, "network": "lenet"}
    alone = {"unlabeled": None, "init": "random"}
    return fit_pairs("cifar10", n_pairs, 0, False, **params, **alone)


def fit_banking(pairs, seed):
    """Return seconds and test accuracy of 77 intents."""
    data = load_banking77()
    X, X_test = (X.astype(np.float32) for X in (data.X_train, data.X_test))
    known = bench_many_clusters.DRAWS[pairs](X, data.y_train, seed)
    return _fit(X, known, X_test, data.y_test, 77, seed=seed)


def _fit(X, known, X_test, y_test, n_clusters, *, seed=0, **params):
    """Return what a fit takes and reaches."""
    torch.cuda.reset_peak_memory_stats()
    clusterer = ConstrainedNeuralClusterer(n_clusters, random_state=seed, **params)
    start = time.perf_counter()
    clusterer.fit(X, known)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    labels = clusterer.predict(X_test)
    return {
        "fit_s": round(seconds, 2),
        "predict_s": round(time.perf_counter() - start, 3),
        "accuracy": round(clustering_accuracy_score(y_test, labels), 4),
        "nmi": round(normalized_mutual_info_score(y_test, labels), 4),
        "start": clusterer.start_,
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2),
    }


def fit_embedder(seed, known, centered):
    """Return seconds, Recall@1 and NMI on characters never seen, all by default."""
    data = load_omniglot()
    model = bench_images.make_embedder(seed, centered)
    y = bench_images.tell(data.y_train, known, seed)
    return _embed(model, data.X_train, y, data.X_test, data.y_test, seed)


def fit_tuned_embedder(seed):
    """Return the same of the settings that were tuned for these images."""
    X, y, X_test, y_test = bench_embedding.load_part("test", 0)
    model = MetricEmbedder(random_state=seed, **bench_embedding.COMMON)
    return _embed(model, *bench_embedding.turn(X, y), X_test, y_test, seed)


def _embed(model, X, y, X_test, y_test, seed):
    """Return what a fit takes, and how good its embedding of new images is."""
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    embedded = model.transform(X_test)
    return {
        "fit_s": round(seconds, 2),
        "recall_at_1": round(float(recall_at_k(embedded, y_test)), 4),
        "nmi": round(bench_embedding.measure(embedded, y_test, seed)["nmi"], 4),
    }


PARTS = {
    "steps": time_steps,
    "digits": fit_digits,
    "alone": fit_pairs,
    "rows": fit_pairs,
    "images": fit_pairs,
    "omniglot": fit_embedder,
    "embedder": fit_tuned_embedder,
    "banking77": fit_banking,
    "lenet": fit_lenet,
}
# Parts whose seconds count.
ALONE = ("steps", "digits", "alone")


def _list_cells():
    """Yield parts with settings, what matters most first."""
    yield "digits", {"n_init": 1}
    yield "digits", {"n_init": 5}
    yield "alone", {"data": "mnist", "n_pairs": 1000, "seed": 0, "flat": True}
    yield "alone", {"data": "mnist", "n_pairs": 60_000, "seed": 0, "flat": True}
    yield "alone", {"data": "mnist", "n_pairs": 1000, "seed": 0, "flat": False}
    for network in ("mlp", "lenet"):
        for batch_size in (256, 512, 2048, 8192):
            yield "steps", {"network": network, "batch_size": batch_size}

    def cell(data, n_pairs, seed, *, flat):
        settings = {"data": data, "n_pairs": n_pairs, "seed": seed, "flat": flat}
        return "rows" if flat else "images", settings

    for seed in (301, 302, 303):
        yield cell("mnist", 1000, seed, flat=False)
        yield cell("fashion_mnist", 1000, seed, flat=False)
    for seed in range(40, 50):
        yield cell("mnist", 1000, seed, flat=True)
    yield cell("fashion_mnist", 10_000, 301, flat=False)
    yield cell("cifar10", 50_000, 301, flat=False)
    for seed in range(40, 45):
        yield cell("fashion_mnist", 1000, seed, flat=True)
    for known, centered in (("labels", False), ("labels", True), ("pairs", False)):
        for seed in range(40, 45):
            settings = {"seed": seed, "known": known, "centered": centered}
            yield "omniglot", settings
    for n_pairs in (5000, 10_000):
        for seed in (40, 41, 42):
            for data in ("mnist", "fashion_mnist"):
                yield cell(data, n_pairs, seed, flat=True)
    for pairs in bench_many_clusters.DRAWS:
        for seed in (40, 41, 42):
            yield "banking77", {"pairs": pairs, "seed": seed}
    for loss in ("mcl", "kcl"):
        yield "lenet", {"loss": loss, "n_pairs": 400_000, "max_iter": 10}
    for seed in (40, 41, 42):
        yield "embedder", {"seed": seed}
    for data, n_pairs in (("fashion_mnist", 10_000), ("cifar10", 10_000)):
        for seed in (302, 303):
            yield cell(data, n_pairs, seed, flat=False)


CELLS = list(_list_cells())

if __name__ == "__main__":
    main()
