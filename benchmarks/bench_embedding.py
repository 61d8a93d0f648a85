"""How well an embedding tells apart characters that it has never seen.

On Omniglot: trained on the 136 characters of five alphabets, measured on the 106 of
three others. k-means is told the number of characters. All methods have the same
network, batches, epochs and images: each is moved and scaled so that the ink has its
mean in the middle and the same spread; turned by 0, 90, 180 and 270 degrees, which
makes four classes of one character; and bent at random in training::

    python -m benchmarks.bench_embedding --seeds 0 1 2 3 4

``--part validation`` trains on three of the training alphabets and measures on the
other two: this is how the settings were chosen. Rows go to
``benchmarks/results/embedding.jsonl``; ``--table`` prints what is there and runs
nothing.
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from torch.nn import functional

from benchmarks._report import append_result, environment, read_rows
from benchmarks.datasets import load_omniglot
from skpairclust import MetricEmbedder, PairwiseConstraints
from skpairclust.metrics import pairwise_f1_score, recall_at_k

RESULTS = Path(__file__).parent / "results" / "embedding.jsonl"
N_TURNS = 4
# Root mean square distance of the ink from its mean, in half sides.
SPREAD = 0.5
PAIRS_A_SAMPLE = 10
KS = (1, 2, 4, 8)
# Characters of each alphabet of the training part, in their order.
ALPHABETS = (24, 22, 24, 40, 26)

COMMON = {
    "n_components": 64,
    "network": "conv",
    "augment": "elastic",
    # `turn` does more of it.
    "augment_classes": False,
    "unlabeled": None,
    "learning_rate": 5e-3,
    "max_iter": 12,
    "batch_size": 256,
    "samples_per_class": 4,
}
# What there is without training.
PIXELS = "pixels, centered"
METHODS = {
    PIXELS: {},
    "contrastive": {"loss": "contrastive"},
    "hinge embedding": {"loss": "hinge_embedding"},
    "conventional triplets": {"mining": "pool", "pool": "semihard", "pool_epochs": 4},
    "conventional triplets, nearer negatives": {
        "mining": "pool",
        "pool": "violating",
        "pool_epochs": 4,
    },
    "conventional triplets, by k-means": {
        "mining": "pool",
        "pool": "kmeans",
        "pool_epochs": 4,
    },
    "nearer negatives": {"mining": "violating"},
    "default": {},
    "all triplets": {"mining": "all"},
    "all triplets, squared": {"loss": "squared_triplet", "mining": "all"},
    "all triplets, soft": {"loss": "soft_triplet", "mining": "all"},
    "all triplets, ratio": {"loss": "ratio_triplet", "mining": "all"},
    "hardest triplets": {"mining": "hardest"},
    "semi-hard triplets": {"mining": "semihard"},
    "semi-hard triplets, soft": {"loss": "soft_triplet", "mining": "semihard"},
    "semi-hard triplets, ratio": {"loss": "ratio_triplet", "mining": "semihard"},
    "lifted": {"loss": "lifted"},
    "lifted, all terms": {"loss": "lifted", "reduction": "mean"},
    "lifted, nested max": {"loss": "lifted_max"},
    "lifted, hard negatives": {"loss": "lifted", "sampling": "hard", "pool_epochs": 4},
}
FROM_LABELS = [
    "contrastive",
    "conventional triplets",
    "all triplets",
    "hardest triplets",
    "semi-hard triplets",
    "lifted",
]
# How `y` is made of the labels.
KNOWN = ("labels", "balanced pairs", "random pairs")


def main():
    """Run what is asked for, then print the table of all results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    parser.add_argument("--methods", nargs="*", default=FROM_LABELS, choices=METHODS)
    parser.add_argument("--known", nargs="*", default=["labels"], choices=KNOWN)
    parser.add_argument("--part", default="test", choices=["test", "validation"])
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if not args.table:
        for seed in args.seeds:
            data = load_part(args.part, seed)
            for known in args.known:
                for method in args.methods:
                    run(data, method, known, seed, args)
    print_table()


def load_part(part, seed):
    """Return images and characters to train on, and to measure on."""
    data = load_omniglot()
    X, y = center(data.X_train), data.y_train
    if part == "test":
        return X, y, center(data.X_test), data.y_test
    # Two of the five alphabets, as the first character of each begins it.
    drawn = np.random.RandomState(seed).permutation(len(ALPHABETS))[:2]
    bounds = np.cumsum([0, *ALPHABETS])
    is_out = np.isin(np.searchsorted(bounds, y, side="right") - 1, drawn)
    return X[~is_out], y[~is_out], X[is_out], y[is_out]


def center(images):
    """Return images, in [0, 1], whose ink has its mean in the middle and one spread."""
    x = torch.from_numpy(images).float() / 255
    n, side, _ = x.shape
    place = (torch.arange(side) + 0.5) / (side / 2) - 1
    places = torch.stack([place.expand(side, side), place[:, None].expand(side, side)])
    ink = (x / x.sum((1, 2), keepdim=True))[:, None]
    mean = (ink * places).sum((2, 3))
    square = (places - mean[:, :, None, None]).square()
    spread = (ink * square).sum((1, 2, 3)).sqrt()
    scale = torch.eye(2) * (spread / SPREAD)[:, None, None]
    to_source = torch.cat([scale, mean[:, :, None]], dim=2)
    grid = functional.affine_grid(to_source, (n, 1, side, side), align_corners=False)
    return functional.grid_sample(x[:, None], grid, align_corners=False)[:, 0].numpy()


def turn(X, y, n_turns=N_TURNS):
    """Return the images turned by right angles; a turned class is another one."""
    turned = np.concatenate([np.rot90(X, k, (1, 2)) for k in range(n_turns)])
    return turned, np.concatenate([y + k * (y.max() + 1) for k in range(n_turns)])


def run(data, method, known, seed, args):
    """Train, measure, and append a row to the results."""
    X, y, X_new, y_new = data
    settings = COMMON | METHODS[method] | args.options
    if method == PIXELS:
        Z, seconds, known, settings = X_new.reshape(len(X_new), -1), 0.0, "nothing", {}
    else:
        Z, seconds = train_and_embed(X, y, X_new, known, seed, settings)
    row = {
        "environment": environment(),
        "part": args.part,
        "method": method,
        "known": known,
        "seed": seed,
        **measure(Z, y_new, seed),
        "fit_seconds": round(seconds, 1),
        "settings": settings,
    }
    append_result(RESULTS, row)
    scores = {name: round(row[name], 3) for name in ("nmi", "f1", "recall_1")}
    print(f"{args.part}, {method}, {known}, seed {seed}: {scores}", flush=True)


def train_and_embed(X, y, X_new, known, seed, settings):
    """Return the embedding of new images, and the seconds that its training took."""
    turned, classes = turn(X, y)
    supervision = classes if known == "labels" else sample_pairs(y, known, seed)
    embedder = MetricEmbedder(**settings, random_state=seed)
    # Of the processor: machines were busy with other work.
    start = time.process_time()
    embedder.fit(turned, supervision)
    seconds = time.process_time() - start
    return embedder.transform(X_new), seconds


def sample_pairs(y, known, seed):
    """Return pairs of images that are turned alike."""
    pairs = PairwiseConstraints.sample_from_labels(
        y,
        PAIRS_A_SAMPLE * len(y),
        balanced=known == "balanced pairs",
        random_state=seed,
    )
    first = len(y) * np.arange(N_TURNS)[:, None, None]
    return PairwiseConstraints(
        (pairs.must_link + first).reshape(-1, 2),
        (pairs.cannot_link + first).reshape(-1, 2),
        n_samples=N_TURNS * len(y),
    )


def measure(Z, y, seed):
    """Return the scores of an embedding."""
    n_classes = len(np.unique(y))
    labels = KMeans(n_classes, n_init=10, random_state=seed).fit_predict(Z)
    recalls = recall_at_k(Z, y, list(KS))
    return {
        "nmi": normalized_mutual_info_score(y, labels),
        "f1": pairwise_f1_score(y, labels),
        **{f"recall_{k}": float(r) for k, r in zip(KS, recalls, strict=True)},
    }


def print_table():
    """Print mean and standard deviation over the seeds of all rows in the file."""
    groups = defaultdict(dict)
    for row in read_rows(RESULTS):
        changed = {
            k: v
            for k, v in row["settings"].items()
            if (COMMON | METHODS[row["method"]]).get(k) != v
        }
        key = row["part"], row["known"], row["method"], json.dumps(changed)
        # A later run of a seed takes the place of an earlier one.
        groups[key][row["seed"]] = row
    names = ["nmi", "f1", *(f"recall_{k}" for k in KS), "fit_seconds"]
    print("| part | known | method | seeds |", " | ".join(names), "|")
    print("|---" * (4 + len(names)) + "|")
    for (part, known, method, changed), runs in sorted(groups.items()):
        cells = []
        for name in names:
            values = [row[name] for row in runs.values()]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            digits = 0 if name == "fit_seconds" else 3
            cells.append(f"{statistics.mean(values):.{digits}f} ± {spread:.{digits}f}")
        extra = "" if changed == "{}" else f" {changed}"
        print(
            f"| {part} | {known} | {method}{extra} | {len(runs)} |",
            " | ".join(cells),
            "|",
        )


if __name__ == "__main__":
    main()
