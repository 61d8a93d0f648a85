"""What `fit` and `predict` cost beside a bare torch loop, in ratios from one run.

The bare loop has the same network, optimizer, schedule and number of samples a
step, and a cross-entropy loss on labels.

    python -m benchmarks.bench_training [--device cpu] [--rounds 7]
"""

import argparse
import time

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from torch.nn import functional

from benchmarks._report import environment, median_ratio
from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.constraints._supervision import check_supervision
from skpairclust.neural._networks import build_network
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._torch_utils import resolve_device
from skpairclust.neural._training import train

N_CLASSES, SIDE = 10, 28
HIDDEN = (512, 512)
CASES = [
    ("mlp", 128, 8192),
    ("mlp", 512, 16384),
    ("lenet", 128, 1024),
    ("lenet", 512, 4096),
]


def main():
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    device = resolve_device(args.device)
    print(environment())
    for network, batch_size, n_samples in CASES:
        X, y = make_images(n_samples)
        compare_epoch(X, y, network, batch_size, device, args.rounds)
    compare_predict("mlp", device, args.rounds)
    compare_predict("lenet", device, args.rounds)
    compare_single_row(device, args.rounds)
    time_small_fit(device, args.rounds)


def make_images(n_samples):
    """Return random float32 images as rows, and random classes."""
    rng = np.random.RandomState(0)
    X = rng.rand(n_samples, SIDE * SIDE).astype(np.float32)
    return X, rng.randint(N_CLASSES, size=n_samples)


def compare_epoch(X, y, network, batch_size, device, n_rounds):
    """Time two epochs of `fit` against two of the bare loop."""
    for kind, supervision in (
        ("labels", y),
        (
            "pairs",
            PairwiseConstraints.sample_from_labels(y, len(y) // 2, random_state=0),
        ),
    ):
        name = f"epoch, {network}, batch {batch_size}, {kind}: fit / bare loop"
        ours = EpochTimer(X, supervision, network, batch_size, device)
        bare = BareLoop(X, y, network, batch_size, device)
        median_ratio(name, ours.run, bare.run, n_rounds=n_rounds)


class EpochTimer:
    """Two epochs of the estimator's training, set up outside of the clock."""

    def __init__(self, X, supervision, network, batch_size, device):
        self.clusterer = ConstrainedNeuralClusterer(
            N_CLASSES,
            unlabeled=None,
            network=network,
            hidden_layer_sizes=HIDDEN,
            input_shape=(1, SIDE, SIDE),
            batch_size=batch_size,
            device=str(device),
            max_iter=2,
            random_state=0,
        )
        constraints = check_supervision(supervision, n_samples=len(X))
        self.task = make_task(self.clusterer, X, constraints, None, np.random)
        rows = FeatureRows(X, self.task.architecture.input_shape, device)
        self.network = self.task.architecture.build(0).to(device)
        self.objective = PairObjective(rows, constraints, self.task, 0)

    def run(self):
        """Train for two epochs: the very loop that `fit` runs."""
        train(self.network, self.objective, self.objective.n_steps, self.task.training)


class BareLoop:
    """Two epochs of the loop that everybody writes."""

    def __init__(self, X, y, network, batch_size, device):
        self.X = torch.tensor(X, device=device).reshape(-1, 1, SIDE, SIDE)
        self.y = torch.tensor(y, device=device)
        self.batch_size = batch_size
        self.network = build_network(
            network, (1, SIDE, SIDE), N_CLASSES, hidden_layer_sizes=HIDDEN, seed=0
        ).to(device)

    def run(self):
        """Train for two epochs."""
        n_epochs, n_samples = 2, len(self.X)
        n_steps = n_samples // self.batch_size
        optimizer = torch.optim.Adam(self.network.parameters(), lr=2e-3, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            optimizer, n_epochs * n_steps
        )
        self.network.train()
        for _ in range(n_epochs):
            order = torch.randperm(n_samples).to(self.X.device)
            total = torch.zeros((), device=self.X.device)
            for rows in order.split(self.batch_size):
                optimizer.zero_grad(set_to_none=True)
                loss = functional.cross_entropy(
                    self.network(self.X[rows]), self.y[rows]
                )
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.detach()
            total.item()


def compare_predict(network, device, n_rounds):
    """Compare the throughput of `predict` with the network's own."""
    X, y = make_images(20_000 if network == "mlp" else 4_000)
    clusterer = EpochTimer(X, y, network, 512, device).clusterer
    clusterer.set_params(max_iter=1).fit(X[:512], y[:512])
    module = clusterer.network_
    images = torch.tensor(X, device=device).reshape(-1, 1, SIDE, SIDE)

    def bare():
        with torch.inference_mode():
            torch.cat([module(block).argmax(1) for block in images.split(2048)]).cpu()

    median_ratio(
        f"throughput, {network}: predict / bare network",
        bare,
        lambda: clusterer.predict(X),
        n_rounds=n_rounds,
    )


def compare_single_row(device, n_rounds, n_calls=500):
    """Compare `predict` of one row of digits with k-means and the bare network."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    clusterer = ConstrainedNeuralClusterer(10, device=str(device), max_iter=2).fit(X, y)
    kmeans = KMeans(10, n_init=1).fit(X)
    module, row = clusterer.network_, X[:1]
    tensor = torch.tensor(row, dtype=torch.float32, device=device)

    def bare():
        with torch.inference_mode():
            module(tensor).argmax(1).cpu()

    def repeat(function):
        return lambda: [function() for _ in range(n_calls)]

    for name, other in (
        ("bare network", bare),
        ("KMeans", lambda: kmeans.predict(row)),
    ):
        median_ratio(
            f"one row: predict / {name}, {n_calls} calls",
            repeat(lambda: clusterer.predict(row)),
            repeat(other),
            n_rounds=n_rounds,
        )


def time_small_fit(device, n_rounds):
    """Print the seconds of a fit of 500 x 20 with 100 pairs, default settings."""
    rng = np.random.RandomState(0)
    y = rng.randint(4, size=500)
    X = rng.randn(500, 20) + 3 * rng.randn(4, 20)[y]
    constraints = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    clusterer = ConstrainedNeuralClusterer(4, device=str(device), random_state=0)
    seconds = []
    for _ in range(n_rounds):
        start = time.perf_counter()
        clusterer.fit(X, constraints)
        seconds.append(time.perf_counter() - start)
    print(
        f"fit, 500 x 20, 100 pairs: {np.median(seconds):.2f} s "
        f"({min(seconds):.2f}-{max(seconds):.2f})"
    )


if __name__ == "__main__":
    main()
