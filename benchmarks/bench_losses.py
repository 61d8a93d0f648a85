"""What the pair losses cost, in ratios from one run.

python -m benchmarks.bench_losses [--device cpu] [--rounds 15]
"""

import argparse

import torch

from benchmarks._report import environment, median_ratio
from skpairclust.losses._pairs import PAIR_LOSSES
from skpairclust.neural._networks import build_network
from skpairclust.neural._torch_utils import resolve_device

BATCH, N_CLUSTERS, N_FEATURES, HIDDEN = 512, 10, 784, (512, 512)


def main():
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    device = resolve_device(args.device)
    print(environment())
    relation = dense_relation(device)
    for name, loss in PAIR_LOSSES.items():
        compare_with_distances(name, loss, relation, args.rounds)
    for name, loss in PAIR_LOSSES.items():
        compare_with_siamese(name, loss, relation, max(3, args.rounds // 5))


def dense_relation(device):
    """Return the relation of a batch of which all labels are known."""
    labels = torch.randint(N_CLUSTERS, (BATCH,), device=device)
    relation = (labels[:, None] == labels).float() * 2 - 1
    return relation.fill_diagonal_(0)


def compare_with_distances(name, loss, relation, n_rounds):
    """Time the loss against a matrix of distances, forward and backward."""
    device = relation.device
    for width in (N_CLUSTERS, 64):
        embedding = torch.randn(BATCH, width, device=device, requires_grad=True)
        logits = torch.randn(BATCH, N_CLUSTERS, device=device, requires_grad=True)

        def pair_loss(logits=logits):
            return loss(logits.log_softmax(1), relation)

        def distances(embedding=embedding):
            return torch.cdist(embedding, embedding).sum()

        median_ratio(
            f"{name}, batch {BATCH}, k {N_CLUSTERS} / distances of {width}-d outputs",
            repeated(pair_loss, 20),
            repeated(distances, 20),
            n_rounds=n_rounds,
        )


def compare_with_siamese(name, loss, relation, n_rounds):
    """Time a step against a network that takes every pair of the batch as input.

    The Siamese network goes through the same pairs in slices of 8,192, as it would
    have to.
    """
    device = relation.device
    network = build_network(
        "mlp", (N_FEATURES,), N_CLUSTERS, hidden_layer_sizes=HIDDEN, seed=0
    ).to(device)
    x = torch.randn(BATCH, N_FEATURES, device=device)
    first, second = torch.triu_indices(BATCH, BATCH, offset=1, device=device)
    weights = relation[first, second]

    def ours():
        return loss(network(x).log_softmax(1), relation)

    def siamese():
        for part in torch.arange(len(first), device=device).split(8192):
            p, q = (network(x[side[part]]).softmax(1) for side in (first, second))
            same = (p * q).sum(1)
            right = torch.where(weights[part] > 0, same, 1 - same)
            (-(right + 1e-6).log().sum()).backward()
        return x.new_zeros((), requires_grad=True)

    median_ratio(
        f"{name}, step of {len(first)} pairs: Siamese network / ours",
        repeated(siamese, 1),
        repeated(ours, 1),
        n_rounds=n_rounds,
        n_warmup=0,
    )


def repeated(compute_loss, n_times):
    """Return a function that goes forward and backward `n_times`, and waits."""

    def run():
        for _ in range(n_times):
            compute_loss().backward()
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    return run


if __name__ == "__main__":
    main()
