"""Whether an embedding comes out as good as with pytorch-metric-learning's losses.

One loop trains the same network on the same batches of Omniglot, once with each
package's loss at the same settings; then characters that neither has seen are searched.
Rows go to ``benchmarks/results/embedding_peer.jsonl``::

    python -m benchmarks.bench_embedding_peer [--seeds 0 1 2]

Needs pytorch-metric-learning (``pip install pytorch-metric-learning==2.9.0``).
"""

import argparse
import time
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from benchmarks._report import append_result, environment
from benchmarks.bench_embedding import load_part, measure, turn
from benchmarks.bench_embedding_losses import OURS, make_peer, peer_version, relate
from skpairclust import PairwiseConstraints
from skpairclust.embedder._batching import GroupBatches
from skpairclust.embedder._known_groups import KnownGroups
from skpairclust.neural._augmentation import elastic
from skpairclust.neural._networks import build_network

RESULTS = Path(__file__).parent / "results" / "embedding_peer.jsonl"
# Lifted takes the peer minutes a step.
LOSSES = [name for name in OURS if name != "lifted"]
BATCH_SIZE, SAMPLES_PER_CLASS, LEARNING_RATE = 256, 4, 5e-3


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--losses", nargs="*", default=LOSSES, choices=LOSSES)
    parser.add_argument("--steps", type=int, default=300)
    args = parser.parse_args()
    if peer_version() is None:
        print("pytorch-metric-learning is not installed: nothing to compare with")
        return
    for seed in args.seeds:
        data = load_part("test", seed)
        for name in args.losses:
            for package in ("skpairclust", "peer"):
                row = run(data, name, package, seed, args.steps)
                append_result(RESULTS, row)
                print(package, name, seed, row["recall_1"], row["nmi"], flush=True)


def run(data, name, package, seed, n_steps):
    """Train with the loss of one package, and return the row of its scores."""
    X, y, X_new, y_new = data
    compute = make_loss(name, package)
    start = time.process_time()
    network = train(*turn(X, y), compute, seed, n_steps)
    seconds = time.process_time() - start
    with torch.inference_mode():
        Z = functional.normalize(network.eval()(torch.from_numpy(X_new)))
    return {
        "environment": environment(),
        "peer_version": peer_version(),
        "loss": name,
        "package": package,
        "seed": seed,
        "n_steps": n_steps,
        "cpu_seconds": round(seconds, 1),
        **measure(Z.numpy(), y_new, seed),
    }


def make_loss(name, package):
    """Return a function of embeddings and labels."""
    if package == "peer":
        return make_peer(name)
    return lambda x, labels: OURS[name](x, relate(labels))


def train(X, y, compute_loss, seed, n_steps):
    """Return a network trained on batches that the seed alone decides."""
    network = build_network("conv", X.shape[1:], 64, hidden_layer_sizes=(), seed=seed)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    known = KnownGroups(PairwiseConstraints.from_labels(y))
    rng = np.random.RandomState(seed)
    batches = GroupBatches(known, BATCH_SIZE, SAMPLES_PER_CLASS, rng)
    generator = torch.Generator().manual_seed(seed)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    for batch in islice(batches, n_steps):
        x = functional.normalize(network(elastic(X[batch.rows], generator)))
        optimizer.zero_grad()
        compute_loss(x, y[batch.rows]).backward()
        optimizer.step()
        schedule.step()
    return network


if __name__ == "__main__":
    main()
