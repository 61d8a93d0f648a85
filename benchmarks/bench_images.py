"""Default settings on images as they come.

``omniglot`` trains `MetricEmbedder(64)` on labels, or on ten random pairs for each
image, and measures on characters that it has never seen, as `bench_embedding` does:
images as they are, or centered by the documented line. ``mnist`` and ``fashion_mnist``
train `ConstrainedNeuralClusterer(10)` on random pairs of some training images and
measure on test images. Rows go to ``benchmarks/results/images.jsonl``::

    python -m benchmarks.bench_images omniglot --seeds 0 1 2 3 4
    python -m benchmarks.bench_images mnist --rows 5000 --pairs 500 --seeds 101
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

from benchmarks._report import append_result, environment
from benchmarks.bench_embedding import PAIRS_A_SAMPLE, measure
from benchmarks.datasets import load_fashion_mnist, load_mnist, load_omniglot
from skpairclust import (
    ConstrainedNeuralClusterer,
    MetricEmbedder,
    PairwiseConstraints,
)
from skpairclust.images import CenterImages
from skpairclust.metrics import clustering_accuracy_score

RESULTS = Path(__file__).parent / "results" / "images.jsonl"
LOADERS = {
    "omniglot": load_omniglot,
    "mnist": load_mnist,
    "fashion_mnist": load_fashion_mnist,
}


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", choices=LOADERS)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--flat", action="store_true", help="rows of pixels instead")
    parser.add_argument("--centered", action="store_true")
    parser.add_argument("--known", choices=["labels", "pairs"], default="labels")
    parser.add_argument("--options", type=json.loads, default={})
    args = parser.parse_args()
    data = LOADERS[args.dataset]()
    run = run_embedder if args.dataset == "omniglot" else run_clusterer
    for seed in args.seeds:
        row = {"environment": environment(), **vars(args), **run(data, seed, args)}
        append_result(RESULTS, {**row, "seeds": [seed]})
        print({name: row[name] for name in row if name != "environment"}, flush=True)


def run_embedder(data, seed, args):
    """Return the scores of an embedding of characters that were not seen."""
    model = make_embedder(seed, args.centered, **args.options)
    known = tell(data.y_train, args.known, seed)
    start = time.process_time()
    model.fit(data.X_train, known)
    seconds = time.process_time() - start
    embedding = model.transform(data.X_test)
    return {**measure(embedding, data.y_test, seed), "fit_seconds": round(seconds)}


def make_embedder(seed, centered, **options):
    """Return an embedder, of images as they are or centered before."""
    model = MetricEmbedder(64, random_state=seed, **options)
    return make_pipeline(CenterImages(), model) if centered else model


def tell(y, known, seed):
    """Return labels, or random pairs, as `fit` takes them."""
    if known == "labels":
        return y
    n_pairs = PAIRS_A_SAMPLE * len(y)
    return PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=seed)


def run_clusterer(data, seed, args):
    """Return the accuracy of a clustering of test images."""
    rows = np.random.RandomState(seed).permutation(len(data.X_train))[: args.rows]
    X, y, X_test = data.X_train[rows] / 255, data.y_train[rows], data.X_test / 255
    X, X_test = X.astype(np.float32), X_test.astype(np.float32)
    if args.flat:
        X, X_test = X.reshape(len(X), -1), X_test.reshape(len(X_test), -1)
    pairs = PairwiseConstraints.sample_from_labels(y, args.pairs, random_state=seed)
    model = ConstrainedNeuralClusterer(10, random_state=seed, **args.options)
    start = time.process_time()
    model.fit(X, pairs)
    seconds = time.process_time() - start
    accuracy = clustering_accuracy_score(data.y_test, model.predict(X_test))
    return {"accuracy": float(accuracy), "fit_seconds": round(seconds)}


if __name__ == "__main__":
    main()
