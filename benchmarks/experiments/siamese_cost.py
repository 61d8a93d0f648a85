"""What it saves to enumerate pairs in the loss layer: section 3.3 of Hsu & Kira (2016).

A step on a batch of B images of which each is in so many pairs. The package sends each
image through the network once and forms all pairs from the outputs; a Siamese network
sends both images of every pair. Forward and backward passes and the loss are timed, in
turns, without the optimizer.
"""

import numpy as np
import torch

from benchmarks._report import median_ratio
from benchmarks.experiments._data import load_rows
from benchmarks.experiments._runner import Experiment, expand
from skpairclust.losses._pairs import kcl_loss
from skpairclust.neural._networks import build_network
from skpairclust.neural._torch_utils import resolve_device

# Pairs that the Siamese network takes at a time, as many images as a batch has: with
# more of them it is slower, and all at once would not fit in memory.
_CHUNK = 64


# `partners` is the number of pairs that an image is in.
_COMMON = {"dataset": "mnist", "network": "mlp", "batch_size": 128, "seed": 0}
_PLANS = {
    "tiny": _COMMON
    | {"dataset": "digits", "batch_size": 16, "partners": 2, "rounds": 1},
    "quick": _COMMON | {"partners": (1, 8, 127), "rounds": 3},
    "full": _COMMON
    | {"network": ("lenet", "mlp"), "partners": (1, 2, 4, 8, 16, 32, 64, 127)}
    | {"rounds": 5},
}


def make_cells(scale):
    """Return the cells."""
    return expand(_PLANS[scale])


def measure(cell, device):
    """Return seconds a step of either, and how they compare."""
    device = resolve_device(device)
    rows = load_rows(cell["dataset"])
    size = cell["batch_size"]
    x = torch.tensor(rows.X[:size].reshape(size, *rows.shape), device=device)
    pairs, is_must = _draw_pairs(rows.y[:size], cell["partners"])
    relation = _relate(pairs, is_must, size).to(device)
    network = build_network(
        cell["network"],
        rows.shape,
        10,
        hidden_layer_sizes=(256, 256),
        seed=cell["seed"],
    ).to(device)
    pairs, is_must = (torch.as_tensor(a, device=device) for a in (pairs, is_must))
    ratio = median_ratio(
        f"{cell['network']}, {cell['partners']} pairs an image",
        lambda: _finish(_step_siamese(network, x, pairs, is_must), device),
        lambda: _finish(_step_enumerated(network, x, relation), device),
        n_rounds=cell["rounds"],
    )
    return {
        "pairs": len(pairs),
        "siamese_seconds": ratio.a_seconds,
        "enumerated_seconds": ratio.b_seconds,
        "times": ratio.median,
        "times_low": ratio.low,
        "times_high": ratio.high,
    }


def _draw_pairs(y, partners):
    """Pair each image with the next ones on a circle: `partners` pairs each."""
    n = len(y)
    i = np.arange(n)
    steps = [(i, (i + step) % n) for step in range(1, partners // 2 + 1)]
    if partners % 2:
        # The opposite image, so that half as many pairs give one more each.
        half = i[: n // 2]
        steps.append((half, half + n // 2))
    pairs = np.concatenate([np.column_stack(pair) for pair in steps])
    return pairs, y[pairs[:, 0]] == y[pairs[:, 1]]


def _relate(pairs, is_must, size):
    """Return the relation matrix of pairs."""
    relation = torch.zeros(size, size)
    sign = torch.as_tensor(np.where(is_must, 1.0, -1.0), dtype=torch.float32)
    i, j = pairs.T
    relation[i, j] = sign
    relation[j, i] = sign
    return relation


def _step_enumerated(network, x, relation):
    """Take a step as the package does."""
    loss = kcl_loss(network(x).log_softmax(1), relation)
    network.zero_grad(set_to_none=True)
    loss.backward()
    return loss


def _step_siamese(network, x, pairs, is_must, margin=2.0):
    """Take a step of a Siamese network, in chunks of pairs."""
    network.zero_grad(set_to_none=True)
    total = 0.0
    chunks = zip(pairs.split(_CHUNK), is_must.split(_CHUNK), strict=True)
    for chunk, must in chunks:
        log_p = network(x[chunk.flatten()]).log_softmax(1)
        p, q = log_p[0::2], log_p[1::2]
        cost = _divergence(p, q, must, margin) + _divergence(q, p, must, margin)
        loss = cost.sum() / len(pairs)
        loss.backward()
        total = total + loss.detach()
    return total


def _divergence(p, q, must, margin):
    """Return the cost of KL(P || Q), P held constant."""
    p = p.detach()
    kl = (p.exp() * (p - q)).sum(1)
    return torch.where(must, kl, (margin - kl).clamp_min(0))


def _finish(loss, device):
    """Wait until a loss is there."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return float(loss.detach())


EXPERIMENT = Experiment("siamese_cost", make_cells, measure)
