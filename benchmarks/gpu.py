"""What a GPU brings: steps per second, and seconds and quality of whole fits.

    python -m benchmarks.gpu [PART ...] [--out FILE]

Run by ``benchmarks/gpu.sh`` after the tests that need a GPU. A part whose rows are in
the file already is passed over, so that a run that was cut off goes on; rows name the
device.
"""

import argparse
import time

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score
from torch.nn import functional

from benchmarks import bench_embedding, bench_many_clusters
from benchmarks._report import append_result, environment, read_rows
from benchmarks.datasets import (
    load_banking77,
    load_cifar10,
    load_fashion_mnist,
    load_mnist,
)
from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.metrics import clustering_accuracy_score, recall_at_k
from skpairclust.neural._networks import build_network
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._steps import RecordedStep
from skpairclust.neural._torch_utils import resolve_device
from skpairclust.neural._training import make_optimizer

N_CLASSES, SIDE = 10, 28
RESULTS = "benchmarks/results/gpu.jsonl"


def main():
    """Run the parts that are not in the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART")
    parser.add_argument("--out", default=RESULTS)
    args = parser.parse_args()
    machine = environment()
    print(machine)
    if not torch.cuda.is_available():
        raise SystemExit("There is no GPU here.")
    done = {row["part"] for row in read_rows(args.out)}
    for part in args.parts:
        if part in done:
            print(f"{part}: done before")
            continue
        for row in PARTS[part]():
            row = {"part": part, **row}
            print(row)
            append_result(args.out, {**row, **machine})


def time_steps():
    """Yield the steps per second of networks and batches, said and recorded."""
    rng = np.random.RandomState(0)
    X = rng.rand(60_000, SIDE * SIDE).astype(np.float32)
    y = rng.randint(N_CLASSES, size=len(X))
    for network in ("mlp", "lenet"):
        for batch_size in (256, 512, 2048, 8192):
            known = PairwiseConstraints.sample_from_labels(y, 40_000, random_state=0)
            row = {"network": network, "batch_size": batch_size}
            row["bare loop"] = _rate(_bare_step(X, y, network, batch_size))
            for name, changed in _VARIANTS.items():
                step = _our_step(X, known, network, batch_size, **changed)
                row[name] = _rate(step)
            yield row


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
        input_shape=(1, SIDE, SIDE),
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


def fit_digits():
    """Yield seconds and accuracy on the small images, with one start and five."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    known = PairwiseConstraints.sample_from_labels(y[::2], 500, random_state=0)
    for n_init in (1, 5):
        yield {
            "n_init": n_init,
            **_fit(X[::2], known, X[1::2], y[1::2], N_CLASSES, n_init=n_init),
        }


def fit_mnist():
    """Yield seconds and test accuracy of MNIST: ten draws, and more pairs."""
    draws = [(1000, seed) for seed in range(10)]
    yield from _fit_images(load_mnist(), [*draws, (5000, 0), (10_000, 0), (60_000, 0)])


def fit_fashion_mnist():
    """Yield the same of Fashion-MNIST."""
    draws = [(1000, seed) for seed in range(3)]
    yield from _fit_images(load_fashion_mnist(), [*draws, (5000, 0), (10_000, 0)])


def _fit_images(data, draws):
    """Yield seconds and test accuracy for numbers of random pairs and seeds."""
    X, X_test = (_flat(images) for images in (data.X_train, data.X_test))
    y, y_test = data.y_train, data.y_test
    for n_pairs, seed in draws:
        known = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=seed)
        yield {
            "n_pairs": n_pairs,
            "seed": seed,
            **_fit(X, known, X_test, y_test, N_CLASSES, seed=seed),
        }


def fit_banking():
    """Yield seconds and test accuracy of 77 intents, by how pairs were come by."""
    data = load_banking77()
    X, X_test = (X.astype(np.float32) for X in (data.X_train, data.X_test))
    for pairs, draw in bench_many_clusters.DRAWS.items():
        for seed in (1, 2, 3):
            known = draw(X, data.y_train, seed)
            row = {"pairs": pairs, "seed": seed}
            yield row | _fit(X, known, X_test, data.y_test, 77, seed=seed)


def fit_cifar():
    """Yield seconds and test accuracy of the papers' LeNet with 400,000 pairs."""
    data = load_cifar10()
    y, y_test = data.y_train, data.y_test
    X, X_test = (x.astype(np.float32) / 255 for x in (data.X_train, data.X_test))
    known = PairwiseConstraints.sample_from_labels(y, 400_000, random_state=0)
    params = {"network": "lenet", "unlabeled": None, "max_iter": 10}
    for loss in ("mcl", "kcl"):
        yield {
            "loss": loss,
            "max_iter": 10,
            "n_train": len(X),
            **_fit(X, known, X_test, y_test, N_CLASSES, loss=loss, **params),
        }


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


def fit_embedder():
    """Yield seconds and Recall@1 on characters never seen."""
    X, y, X_test, y_test = bench_embedding.load_part("test", 0)
    X, y = bench_embedding.turn(X, y)
    embedder = MetricEmbedder(random_state=0, **bench_embedding.COMMON)
    start = time.perf_counter()
    embedder.fit(X, y)
    yield {
        "fit_s": round(time.perf_counter() - start, 2),
        "recall_at_1": round(float(recall_at_k(embedder.transform(X_test), y_test)), 4),
    }


def _flat(images):
    """Return images as rows in [0, 1]."""
    return (images.reshape(len(images), -1) / 255).astype(np.float32)


PARTS = {
    "steps": time_steps,
    "digits": fit_digits,
    "mnist": fit_mnist,
    "fashion_mnist": fit_fashion_mnist,
    "banking77": fit_banking,
    "embedder": fit_embedder,
    "cifar10": fit_cifar,
}

if __name__ == "__main__":
    main()
