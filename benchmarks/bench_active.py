"""Questions that are chosen, against pairs at random: quality by number of answers.

Labels answer. Rows that are scored are never fitted, and nothing is chosen by labels.
Every strategy ends with the same clusterer, fitted anew to what its answers say.

- "digits": half of scikit-learn's digits are fitted, the other half is scored;
- "mnist" and "fashion": 5,000 training images, drawn at random, and the test images;
- "satimage": the even and the odd rows of a table of satellite pixels;
- "banking": Banking77, 10,003 questions to a bank and the test questions.

    python -m benchmarks.bench_active --data digits --seeds 3
    python -m benchmarks.bench_active --data digits --noise 0.1 --questions 400
    python -m benchmarks.bench_active --data banking --model groups \
        --questions 500 1000 2000 --refit-every 50

``--model groups`` merges the groups that the answers name by Ward's criterion and
teaches them to a logistic regression, which takes seconds; "default" is the package's
clusterer. With ``--final default`` this one is fitted to the questions that the other
model chose; ``--final images`` lets it see rows of pixels as images. Raw rows are
appended to ``benchmarks/results/active.jsonl`` or to ``--output``.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split

from benchmarks._report import append_result, environment
from benchmarks.bench_quality import load as load_table
from benchmarks.datasets import load_banking77, load_fashion_mnist, load_mnist
from skpairclust import ConstrainedNeuralClusterer
from skpairclust.active import ActivePairLearner
from skpairclust.active._refit import with_implied
from skpairclust.clusterer._starts import list_groups, merge_groups
from skpairclust.constraints._groups import mark_constrained
from skpairclust.metrics import clustering_accuracy_score

RESULTS = Path(__file__).parent / "results" / "active.jsonl"
STRATEGIES = ("cover", "explore", "uncertainty", "random", "groups")


class GroupClassifier(ClusterMixin, BaseEstimator):
    """Merge must-link groups, and teach them to a logistic regression."""

    def __init__(self, n_clusters=8, C=10.0):
        self.n_clusters = n_clusters
        self.C = C

    def fit(self, X, y=None):
        nodes = np.flatnonzero(mark_constrained(y))
        labels = merge_groups(
            X[nodes], nodes, list_groups(nodes, y), y, self.n_clusters
        )
        if len(np.unique(labels[labels >= 0])) < 2:
            labels = KMeans(self.n_clusters, n_init=1, random_state=0).fit_predict(X)
        known = np.flatnonzero(labels >= 0)
        self.classifier_ = LogisticRegression(C=self.C, max_iter=200)
        self.classifier_.fit(X[known], labels[known])
        self.labels_ = self.predict(X)
        return self

    def predict(self, X):
        return self.classifier_.predict(X)

    def predict_proba(self, X):
        return self.classifier_.predict_proba(X)


def load(name, seed):
    """Return X_train, X_test, y_train, y_test."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        X = (X / 16).astype(np.float32)
        return train_test_split(X, y, test_size=0.5, random_state=seed)
    if name == "satimage":
        X, y, X_test, y_test = load_table(name)
        return X, X_test, y, y_test
    loaders = {"mnist": load_mnist, "fashion": load_fashion_mnist}
    data = loaders.get(name, load_banking77)()
    X_train, X_test = (X.reshape(len(X), -1) for X in (data.X_train, data.X_test))
    y_train = data.y_train
    if name == "banking":
        return (
            *(X.astype(np.float32) for X in (X_train, X_test)),
            y_train,
            data.y_test,
        )
    rows = np.random.RandomState(seed).choice(len(X_train), 5000, replace=False)
    X_train, X_test = ((X / 255).astype(np.float32) for X in (X_train[rows], X_test))
    return X_train, X_test, y_train[rows], data.y_test


def make_model(name, n_clusters):
    """Return the clusterer."""
    if name == "groups":
        return GroupClassifier(n_clusters)
    return ConstrainedNeuralClusterer(n_clusters)


def make_oracle(y, noise, seed):
    """Return an oracle that is wrong at random, each time anew."""
    rng = np.random.RandomState(seed)

    def oracle(pairs):
        same = y[pairs[:, 0]] == y[pairs[:, 1]]
        return np.where(same ^ (rng.random_sample(len(pairs)) < noise), 1, -1)

    return oracle


def choose(question, y):
    """Return which candidate is the same as the sample of a question, -1 for none."""
    same = np.flatnonzero(y[question.candidates] == y[question.sample])
    return int(same[0]) if len(same) else -1


def advance(learner, strategy, n_more, oracle, y):
    """Ask and tell so many times; a choice among groups counts as one question."""
    if strategy == "groups":
        questions = learner.ask_groups(n_more)
        learner.tell_groups(questions, [choose(q, y) for q in questions])
        return len(questions)
    pairs = learner.ask(n_more)
    learner.tell(pairs, oracle(pairs))
    return len(pairs)


def measure(learner, X, X_test, y_test, final):
    """Return the scores of a fit to all answers."""
    fitted = learner.update()
    if final is not None:
        fitted = final.fit(X, with_implied(learner.constraints_))
    labels = fitted.predict(X_test)
    progress = learner.progress()
    return {
        "ari": adjusted_rand_score(y_test, labels),
        "accuracy": clustering_accuracy_score(y_test, labels),
        "clusters_in_use": len(np.unique(labels)),
        "n_groups": progress.n_groups,
        "confirmed": progress.confirmed,
        "changed": progress.changed,
        "noise_rate": learner.noise_rate_,
        "n_must_link": learner.constraints_.n_must_link,
    }


def run(arguments, strategy, seed):
    """Ask with one strategy, and yield a row for each number of questions."""
    X, X_test, y, y_test = load(arguments.data, seed)
    # what is chosen at random needs no model
    refit = "final" if strategy in ("random", "explore") else arguments.refit
    if arguments.epochs and refit != "final":
        refit = {"max_iter": arguments.epochs, "warm_start": arguments.refit == "warm"}
    learner = ActivePairLearner(
        make_model(arguments.model, len(np.unique(y))),
        "cover" if strategy == "groups" else strategy,
        n_queries=max(arguments.questions),
        refit_every=arguments.refit_every,
        refit=refit,
        recheck_share=arguments.recheck,
        random_state=seed,
    ).start(X)
    oracle = make_oracle(y, arguments.noise, seed)
    start, asked = time.process_time(), 0
    for goal in sorted(arguments.questions):
        while asked < goal:
            asked += advance(
                learner, strategy, min(arguments.batch, goal - asked), oracle, y
            )
        final = None
        if arguments.final:
            final = make_model(arguments.final, len(np.unique(y)))
            final.set_params(random_state=seed, noise_rate=learner.noise_rate_)
            if arguments.final == "images":
                final.set_params(input_shape=(math.isqrt(X.shape[1]),) * 2)
        scores = measure(learner, X, X_test, y_test, final)
        seconds = time.process_time() - start
        yield {"questions": asked, **scores, "cpu_seconds": seconds}


def main():
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = ("digits", "satimage", "mnist", "fashion", "banking")
    parser.add_argument("--data", choices=data, default="digits")
    parser.add_argument(
        "--strategies", nargs="+", choices=STRATEGIES, default=["cover", "random"]
    )
    parser.add_argument("--questions", nargs="+", type=int, default=[100, 200, 400])
    parser.add_argument("--model", choices=("default", "groups"), default="default")
    parser.add_argument(
        "--final",
        choices=("default", "images"),
        help="fitted to the answers instead of --model",
    )
    parser.add_argument("--batch", type=int, default=5, help="asked at once")
    parser.add_argument("--refit-every", type=int, default=20)
    parser.add_argument("--refit", choices=("warm", "cold", "final"), default="cold")
    parser.add_argument("--epochs", type=int, help="between questions; None is all")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--recheck", type=float, default=0.2)
    parser.add_argument("--seeds", type=int, default=1, help="number of draws")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    settings = {k: v for k, v in vars(arguments).items() if k != "output"}
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        for strategy in arguments.strategies:
            for scores in run(arguments, strategy, seed):
                row = {**settings, "strategy": strategy, "seed": seed, **scores}
                append_result(arguments.output, {**row, "environment": environment()})
                print(
                    f"{arguments.data} {strategy:11} seed {seed} "
                    f"{row['questions']:5} questions: ARI {row['ari']:.3f}, accuracy "
                    f"{row['accuracy']:.3f}, {row['clusters_in_use']} clusters, "
                    f"{row['n_groups']} groups, confirmed {row['confirmed']:.2f}, "
                    f"changed {row['changed']:.3f}, noise {row['noise_rate']:.3f}, "
                    f"{row['cpu_seconds']:.0f} CPU s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
