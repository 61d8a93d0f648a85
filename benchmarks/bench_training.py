"""What `fit` and `predict` cost beside a bare torch loop, in ratios from one run.

The bare loop has the same network, optimizer, schedule and number of samples a
step, and a cross-entropy loss on labels; beside the embedder also semi-hard triplets as
one writes them down.

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
from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.constraints._supervision import check_supervision
from skpairclust.embedder._objective import EmbeddingObjective
from skpairclust.embedder._task import make_task as make_embedding_task
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
    compare_small_epoch(device, args.rounds)
    compare_embedder_epoch(device, args.rounds)
    compare_predict("mlp", device, args.rounds)
    compare_predict("lenet", device, args.rounds)
    compare_single_row(device, args.rounds)
    time_small_fit(device, args.rounds)


def make_images(n_samples):
    """Return random float32 images as rows, and random classes."""
    rng = np.random.RandomState(0)
    X = rng.rand(n_samples, SIDE * SIDE).astype(np.float32)
    return X, rng.randint(N_CLASSES, size=n_samples)


def compare_small_epoch(device, n_rounds):
    """Time epochs of batches of 32 rows of 20 features, through 32 units."""
    rng = np.random.RandomState(0)
    X = rng.rand(4096, 20).astype(np.float32)
    y = rng.randint(N_CLASSES, size=len(X))
    options = {"hidden": (32,), "input_shape": (20,)}
    compare_epoch(X, y, "mlp", 32, device, n_rounds, **options)


def compare_embedder_epoch(device, n_rounds):
    """Time two epochs of the embedder against two of bare loops."""
    rng = np.random.RandomState(0)
    y = rng.randint(400, size=16_384)
    X = (rng.rand(400, 64)[y] + rng.rand(len(y), 64)).astype(np.float32)
    ours = EmbedderTimer(X, y, device)
    for name, kind, n_outputs in (
        ("cross-entropy", BareLoop, 400),
        ("semi-hard triplets", BareTriplets, 64),
    ):
        options = {"input_shape": (64,), "n_outputs": n_outputs}
        bare = kind(X, y, "mlp", 128, device, **options)
        name = f"embedder's epoch, batch 128: fit / bare loop, {name}"
        median_ratio(name, ours.run, bare.run, n_rounds=n_rounds)


def compare_epoch(X, y, network, batch_size, device, n_rounds, **options):
    """Time two epochs of `fit` against two of the bare loop."""
    for kind, supervision in (
        ("labels", y),
        (
            "pairs",
            PairwiseConstraints.sample_from_labels(y, len(y) // 2, random_state=0),
        ),
    ):
        name = f"epoch, {network}, batch {batch_size}, {kind}: fit / bare loop"
        ours = EpochTimer(X, supervision, network, batch_size, device, **options)
        bare = BareLoop(X, y, network, batch_size, device, **options)
        median_ratio(name, ours.run, bare.run, n_rounds=n_rounds)


class Timer:
    """Two epochs of an estimator's training, set up outside of the clock.

    Attributes
    ----------
    task, network, objective
        As in `fit`.
    """

    def run(self):
        """Train for two epochs: the very loop that `fit` runs."""
        train(self.network, self.objective, self.objective.n_steps, self.task.training)


class EpochTimer(Timer):
    """Those of the clusterer."""

    def __init__(
        self,
        X,
        supervision,
        network,
        batch_size,
        device,
        *,
        hidden=HIDDEN,
        input_shape=(1, SIDE, SIDE),
    ):
        self.clusterer = ConstrainedNeuralClusterer(
            N_CLASSES,
            unlabeled=None,
            network=network,
            hidden_layer_sizes=hidden,
            input_shape=input_shape,
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


class EmbedderTimer(Timer):
    """Those of the embedder."""

    def __init__(self, X, y, device):
        embedder = MetricEmbedder(
            64,
            hidden_layer_sizes=HIDDEN,
            batch_size=128,
            device=str(device),
            max_iter=2,
        )
        self.task = make_embedding_task(embedder, X)
        rows = FeatureRows(X, self.task.architecture.input_shape, device)
        self.network = self.task.architecture.build(0).to(device)
        self.objective = EmbeddingObjective(
            rows,
            PairwiseConstraints.from_labels(y),
            self.task.objective,
            0,
            np.arange(len(X)),
        )


class BareLoop:
    """Two epochs of the loop that everybody writes."""

    def __init__(
        self,
        X,
        y,
        network,
        batch_size,
        device,
        *,
        hidden=HIDDEN,
        input_shape=(1, SIDE, SIDE),
        n_outputs=N_CLASSES,
    ):
        self.X = torch.tensor(X, device=device).reshape(-1, *input_shape)
        self.y = torch.tensor(y, device=device)
        self.batch_size = batch_size
        self.network = build_network(
            network, input_shape, n_outputs, hidden_layer_sizes=hidden, seed=0
        ).to(device)

    def run(self):
        """Train for two epochs."""
        n_epochs = 2
        n_steps = len(self.X) // self.batch_size
        optimizer = torch.optim.Adam(self.network.parameters(), lr=2e-3, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            optimizer, n_epochs * n_steps
        )
        self.network.train()
        for _ in range(n_epochs):
            total = torch.zeros((), device=self.X.device)
            for rows in self.draw():
                optimizer.zero_grad(set_to_none=True)
                loss = self.compare(self.network(self.X[rows]), self.y[rows])
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.detach()
            total.item()

    def draw(self):
        """Return the batches of an epoch."""
        order = torch.randperm(len(self.X)).to(self.X.device)
        return order.split(self.batch_size)

    def compare(self, outputs, y):
        """Return the loss of a batch."""
        return functional.cross_entropy(outputs, y)


class BareTriplets(BareLoop):
    """The same with four samples of each class and the triplets of FaceNet."""

    def draw(self):
        """Return the batches of an epoch."""
        order = torch.randperm(len(self.y))
        order = order[self.y[order].argsort(stable=True)]
        fours = order[: len(order) // 4 * 4].reshape(-1, 4)
        fours = fours[torch.randperm(len(fours))]
        return fours.flatten().split(self.batch_size)

    def compare(self, outputs, y):
        """Return the loss of a batch."""
        x = functional.normalize(outputs)
        distance = torch.cdist(x, x)
        same = y[:, None] == y
        a, p = (same & ~torch.eye(len(y), dtype=bool, device=y.device)).nonzero().T
        reach = distance[a, p]
        others = distance[a].masked_fill(same[a], torch.inf)
        negative = others.masked_fill(others <= reach[:, None], torch.inf).amin(1)
        cost = (reach - negative + 0.2).clamp_min(0)
        return cost.sum() / (cost > 0).sum().clamp_min(1)


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
