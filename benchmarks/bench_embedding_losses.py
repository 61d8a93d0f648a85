"""What the losses of an embedding cost, beside pytorch-metric-learning in one run.

Forward and backward of the loss alone, 64 components; each round runs both. Memory is
what a subprocess needs beyond its start, at its peak::

    python -m benchmarks.bench_embedding_losses [--rounds 7] [--per-class 8 32]

Needs pytorch-metric-learning (``pip install pytorch-metric-learning==2.9.0``) for the
comparison; without it only the ratios to the matrix of distances are printed. Rows go
to ``benchmarks/results/embedding_losses.jsonl``.
"""

import argparse
import multiprocessing
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch.nn import functional

from benchmarks._report import append_result, environment, median_ratio
from skpairclust.losses._distances import hinge_embedding_loss, lifted_loss
from skpairclust.losses._triplets import triplet_loss

RESULTS = Path(__file__).parent / "results" / "embedding_losses.jsonl"
DIM = 64
PEER = "pytorch-metric-learning"


def main():
    """Print every ratio, and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, nargs="*", default=[128, 256, 512])
    parser.add_argument("--per-class", type=int, nargs="*", default=[8, 32])
    parser.add_argument("--losses", nargs="*", default=list(OURS), choices=OURS)
    args = parser.parse_args()
    peer = peer_version()
    print(f"{PEER} {peer}" if peer else f"{PEER} is not installed: no comparison")
    for batch in args.batch:
        for per_class in args.per_class:
            for name in args.losses:
                row = compare(name, batch, per_class, args.rounds, has_peer=bool(peer))
                common = {"environment": environment(), "peer_version": peer}
                append_result(RESULTS, common | row)


def peer_version():
    """Return the version of the peer, None if it is not installed."""
    try:
        return version(PEER)
    except PackageNotFoundError:
        return None


def compare(name, batch, per_class, n_rounds, *, has_peer):
    """Return what a loss costs beside the matrix of distances, and beside the peer."""
    x, labels = make_batch(batch, per_class)
    relation = relate(labels)
    tag = f"{name}, B={batch}, {per_class} a class"
    ours = repeated(lambda: OURS[name](x, relation), 5)
    floor = repeated(lambda: torch.cdist(x, x).sum(), 5)
    ratio = median_ratio(
        f"{tag}: ours / distance matrix", ours, floor, n_rounds=n_rounds
    )
    row = {
        "loss": name,
        "batch": batch,
        "per_class": per_class,
        "distance_matrices": ratio.median,
        "milliseconds": 200 * ratio.a_seconds,
        "mib": peak(False, name, batch, per_class),
    }
    # The peer's lifted loss asks for more memory than machines have.
    if not has_peer or (name == "lifted" and batch > 256):
        return row
    return row | compare_to_peer(tag, name, batch, per_class, n_rounds)


def compare_to_peer(tag, name, batch, per_class, n_rounds):
    """Return how many times as long and as much memory the peer takes."""
    x, labels = make_batch(batch, per_class)
    relation = relate(labels)
    loss = make_peer(name)
    check_same(name, loss, x, labels, relation)
    is_slow = name == "lifted"
    n_times = 1 if is_slow else 5
    ratio = median_ratio(
        f"{tag}: {PEER} / ours",
        repeated(lambda: loss(x, labels), n_times),
        repeated(lambda: OURS[name](x, relation), n_times),
        n_rounds=1 if is_slow else n_rounds,
        n_warmup=0 if is_slow else 1,
    )
    return {
        "times_as_fast": ratio.median,
        "times_as_fast_range": [ratio.low, ratio.high],
        "n_rounds": 1 if is_slow else n_rounds,
        "peer_milliseconds": 1000 * ratio.a_seconds / n_times,
        "peer_mib": peak(True, name, batch, per_class),
    }


def relate(labels):
    """Return the relation of all pairs of a batch."""
    return ((labels[:, None] == labels).float() * 2 - 1).fill_diagonal_(0)


def make_batch(batch, per_class):
    """Return normalized embeddings that have begun to cluster, and labels."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(batch) // per_class
    centers = torch.randn(batch // per_class, DIM, generator=generator)
    x = centers[labels] + 1.5 * torch.randn(batch, DIM, generator=generator)
    return functional.normalize(x).requires_grad_(), labels


OURS = {
    "all triplets": lambda x, r: triplet_loss(x, r, margin=0.2),
    "hardest triplets": lambda x, r: triplet_loss(x, r, margin=0.2, mining="hardest"),
    "semi-hard triplets": lambda x, r: triplet_loss(
        x, r, margin=0.2, mining="semihard"
    ),
    # The peer's contrastive loss is that of plain distances.
    "contrastive": lambda x, r: hinge_embedding_loss(x, r),
    "lifted": lambda x, r: lifted_loss(x, r),
}


def make_peer(name):
    """Return the peer's loss of embeddings and labels with the same settings."""
    from pytorch_metric_learning import distances, losses, miners

    plain = distances.LpDistance(normalize_embeddings=False)
    triplets = losses.TripletMarginLoss(margin=0.2, distance=plain)
    if name == "all triplets":
        return triplets
    if name == "hardest triplets":
        hardest = miners.BatchHardMiner(distance=plain)
        return lambda x, labels: triplets(x, labels, hardest(x, labels))
    if name == "semi-hard triplets":
        semihard = miners.TripletMarginMiner(
            margin=0.2, distance=plain, type_of_triplets="semihard"
        )
        return lambda x, labels: triplets(x, labels, semihard(x, labels))
    if name == "contrastive":
        return losses.ContrastiveLoss(pos_margin=0, neg_margin=1, distance=plain)
    return losses.LiftedStructureLoss(neg_margin=1, pos_margin=0, distance=plain)


def check_same(name, loss, x, labels, relation):
    """Print both values and how far the gradients are apart."""
    ours, theirs = OURS[name](x, relation), loss(x, labels)
    gradients = [torch.autograd.grad(value, x)[0] for value in (ours, theirs)]
    gap = (gradients[0] - gradients[1]).norm() / gradients[1].norm()
    print(
        f"{name}: value {ours.item():.6f} of ours, {theirs.item():.6f} of {PEER}; "
        f"gradients differ by {gap.item():.1e}"
    )


def repeated(compute_loss, n_times):
    """Return a function that goes forward and backward `n_times`."""

    def run():
        for _ in range(n_times):
            compute_loss().backward()

    return run


def peak(is_peer, name, batch, per_class):
    """Return the MiB that one forward and backward pass adds to a new process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measure, (is_peer, name, batch, per_class))


def _measure(is_peer, name, batch, per_class):
    torch.set_num_threads(1)
    loss = make_peer(name) if is_peer else None
    small, labels = make_batch(16, 4)
    x, all_labels = make_batch(batch, per_class)
    relation = relate(all_labels)
    run = (
        (lambda x, labels, _: loss(x, labels))
        if is_peer
        else (lambda x, _, relation: OURS[name](x, relation))
    )
    # A first pass loads what every pass needs.
    run(small, labels, relate(labels)).backward()
    # Linux forgets the peak so far.
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_now()
    run(x, all_labels, relation).backward()
    return _peak_now() - before


def _peak_now():
    """Return the peak of this process's memory in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


if __name__ == "__main__":
    main()
