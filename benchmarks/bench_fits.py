"""Whole fits with all default settings: CPU seconds, and the quality beside them.

    python -m benchmarks.bench_fits [case ...] [--seed 0]

Accuracy is of rows that no fit has seen, where the data has such rows. The last two
cases are steps of the pair loss on random rows, in milliseconds. What a processor does
decides half of it, so its products of matrices are timed first and after each case:
write down these figures with those of the fits.
"""

import argparse
import time

import numpy as np
import torch
from scipy import sparse
from torch.nn import functional

from benchmarks._report import environment
from benchmarks.bench_many_clusters import ask
from benchmarks.bench_quality import load
from benchmarks.datasets import load_banking77
from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.constraints._supervision import check_supervision
from skpairclust.metrics import clustering_accuracy_score
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._torch_utils import resolve_device
from skpairclust.neural._training import train

N_STEPS = 20


def time_products(dtype, size=256, most_seconds=0.3):
    """Return how many billions of operations a second square products reach."""
    a, seconds = torch.randn(size, size).to(dtype), []
    while sum(seconds) < most_seconds:
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / np.median(seconds) / 1e9


def describe_processor():
    """Return what products of matrices reach, in two precisions."""
    single, low = (time_products(dtype) for dtype in (torch.float32, torch.bfloat16))
    return f"{single:.0f} GFLOP/s in float32, {low:.0f} in bfloat16"


def fit(rows, test, pairs, seed, **options):
    """Return what a fit takes and how right it is on the test rows."""
    (X, y), (X_test, y_test) = rows, test
    clusterer = ConstrainedNeuralClusterer(
        len(np.unique(y)), random_state=seed, **options
    )
    start = time.process_time()
    clusterer.fit(X, pairs)
    seconds = time.process_time() - start
    accuracy = clustering_accuracy_score(y_test, clusterer.predict(X_test))
    return f"{seconds:.1f} CPU s, accuracy {accuracy:.4f}"


def fit_random(rows, test, n_pairs, seed, **options):
    """Return what a fit with random pairs takes."""
    pairs = PairwiseConstraints.sample_from_labels(rows[1], n_pairs, random_state=seed)
    return fit(rows, test, pairs, seed, **options)


def digits(seed, **options):
    """Half of scikit-learn's digits, 500 pairs."""
    X, y, _, _ = load("digits")
    return fit_random((X[::2], y[::2]), (X[1::2], y[1::2]), 500, seed, **options)


def digits_restarts(seed):
    """The same, the best of five trainings."""
    return digits(seed, n_init=5)


def satimage(seed):
    """3,218 rows of 36 features, 100 pairs."""
    X, y, X_test, y_test = load("satimage")
    return fit_random((X, y), (X_test, y_test), 100, seed)


def banking(seed):
    """10,003 questions of 77 intents, answers to chosen pairs."""
    data = load_banking77()
    X = data.X_train.astype(np.float32)
    test = data.X_test.astype(np.float32), data.y_test
    return fit((X, data.y_train), test, ask(X, data.y_train, seed), seed)


def mnist(seed, n_pairs=1000):
    """60,000 images as rows of pixels, 1,000 pairs."""
    X, y, X_test, y_test = load("mnist")
    return fit_random((X, y), (X_test, y_test), n_pairs, seed)


def mnist_many(seed):
    """The same, 60,000 pairs."""
    return mnist(seed, 60_000)


def texts(seed, n_samples=20_000, n_words=84):
    """20,000 sparse rows of 20,000 features, 300 pairs."""
    rng = np.random.RandomState(seed)
    y = rng.randint(10, size=2 * n_samples)
    # A quarter of the words are of 200 that the class has, the others of any.
    words = rng.randint(n_samples, size=(len(y), n_words))
    own = 200 * y[:, None] + rng.randint(200, size=(len(y), n_words // 4))
    words[:, : n_words // 4] = own
    ends = np.arange(0, words.size + 1, n_words)
    values = np.ones(words.size, dtype=np.float32)
    X = sparse.csr_matrix((values, words.ravel(), ends), (len(y), n_samples))
    X.sum_duplicates()
    rows, test = (X[:n_samples], y[:n_samples]), (X[n_samples:], y[n_samples:])
    return fit_random(rows, test, 300, seed)


def make_table(n_samples, n_features, n_classes, seed):
    """Return rows around the centers of classes, and the classes."""
    rng = np.random.RandomState(seed)
    y = rng.randint(n_classes, size=n_samples)
    centers = 2 * rng.standard_normal((n_classes, n_features))
    X = centers[y] + rng.standard_normal((n_samples, n_features))
    return X.astype(np.float32), y


def million(seed):
    """1,000,000 rows of 20 features, 300 pairs."""
    X, y = make_table(1_010_000, 20, 10, seed)
    rows, test = (X[10_000:], y[10_000:]), (X[:10_000], y[:10_000])
    return fit_random(rows, test, 300, seed)


def embedder_million(seed):
    """An epoch of the embedder, 1,000,000 rows of 20 features and 1,000 classes."""
    X, y = make_table(1_000_000, 20, 1000, seed)
    embedder = MetricEmbedder(max_iter=1, random_state=seed)
    start = time.process_time()
    embedder.fit(X, y)
    return f"{time.process_time() - start:.1f} CPU s"


def steps(n_clusters, seed):
    """Return the milliseconds of a step of the pair loss."""
    X, y = make_table(20_000, 256, n_clusters, seed)
    pairs = PairwiseConstraints.sample_from_labels(y, 20_000, random_state=seed)
    clusterer = ConstrainedNeuralClusterer(
        n_clusters, unlabeled=None, init="random", max_iter=1, random_state=seed
    )
    constraints = check_supervision(pairs, n_samples=len(X))
    task = make_task(clusterer, X, constraints, None, np.random.RandomState(seed))
    rows = FeatureRows(X, task.architecture.input_shape, resolve_device("cpu"))
    network = task.architecture.build(0)
    objective = PairObjective(rows, constraints, task, 0)
    x = rows.take(objective.draw().rows)
    classes = torch.arange(len(x)) % n_clusters

    def bare(network):
        return functional.cross_entropy(network(x), classes)

    ours, theirs = (
        time_steps(network, loss, task.training) for loss in (objective, bare)
    )
    return f"{ours:.1f} ms a step, {ours / theirs:.2f} times one with a cross-entropy"


def time_steps(network, compute_loss, options):
    """Return the milliseconds of a step of the training."""
    train(network, compute_loss, N_STEPS, options)
    start = time.process_time()
    train(network, compute_loss, N_STEPS, options)
    return 1000 * (time.process_time() - start) / N_STEPS


def steps_1000(seed):
    """Steps with 1,000 clusters."""
    return steps(1000, seed)


def steps_10000(seed):
    """Steps with 10,000 clusters."""
    return steps(10_000, seed)


CASES = {
    case.__name__: case
    for case in (digits, digits_restarts, satimage, banking, mnist, mnist_many)
    + (texts, million, embedder_million, steps_1000, steps_10000)
}


def main():
    """Run the cases that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=", ".join(CASES))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    unknown = set(arguments.cases) - set(CASES)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    print(environment())
    print(describe_processor(), flush=True)
    for name in arguments.cases or CASES:
        result = CASES[name](arguments.seed)
        print(f"{name:16} {result} ({describe_processor()})", flush=True)


if __name__ == "__main__":
    main()
