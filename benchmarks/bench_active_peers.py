"""Questions chosen here and by other packages, answered by labels, one clusterer after.

Half of the rows are asked about and fitted, the other half is scored by the adjusted
Rand index. What the answers imply is fitted by the default clusterer, whoever asked.

    python -m benchmarks.bench_active_peers --data digits --seeds 3 --peers /tmp/peers

The peers are no requirement. Install them beside the environment::

    pip install --no-deps --target /tmp/peers polars==1.27.1 scikit-fuzzy==0.5.0 \\
        active-semi-supervised-clustering==0.0.1 scikit-query==0.4.2

What only other parts of these packages import is replaced by an empty module. A peer
that cannot be imported, or fails, is named. Raw rows are appended to
``benchmarks/results/active_peers.jsonl`` or to ``--output``.
"""

import argparse
import importlib
import sys
import time
import types
from functools import partial
from pathlib import Path

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from benchmarks._report import append_result, environment
from benchmarks.bench_active import GroupClassifier, load, make_oracle
from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.active import ActivePairLearner
from skpairclust.active._refit import with_implied

RESULTS = Path(__file__).parent / "results" / "active_peers.jsonl"
UNUSED = ("metric_learn", "clustbench", "genieclust", "cvxopt")
ASSC, SKQ = "active-semi-supervised-clustering", "scikit-query"


class Recorder:
    """Answers from labels in the way that both packages ask, and keeps what was said.

    Attributes
    ----------
    queries, queries_cnt : int
        Answers given so far, by the names that each package reads.
    """

    def __init__(self, y, budget, spent):
        self.y = y
        self.budget = self.max_queries_cnt = budget
        self.spent = spent
        self.pairs = []

    @property
    def queries(self):
        return len(self.pairs)

    queries_cnt = queries

    def query(self, i, j):
        """Return whether two samples are of one class."""
        if self.queries >= self.budget:
            raise self.spent
        self.pairs.append((int(i), int(j)))
        return bool(self.y[i] == self.y[j])


def find_peers(folder):
    """Return functions ``(X, y, k, budget) -> pairs`` by name, of what is there."""
    sys.path.insert(0, str(folder))
    for name in UNUSED:
        stub = types.ModuleType(name)
        stub.__getattr__ = lambda attribute: None
        sys.modules.setdefault(name, stub)
    peers = {}
    for package, module, names in (
        (
            ASSC,
            "active_semi_clustering.active.pairwise_constraints",
            ("ExploreConsolidate", "MinMax"),
        ),
        (SKQ, "skquery.pairwise", ("FFQS", "NPU", "AIPC")),
    ):
        before = np.geterr()
        try:
            found = importlib.import_module(module)
        except ImportError as error:
            print(f"skipped: {package} ({error})")
            continue
        finally:
            np.seterr(**before)
        for name in names:
            peers[f"{package} {name}"] = partial(
                ask_peer, package, getattr(found, name)
            )
    return peers


def ask_peer(package, strategy, X, y, k, budget):
    """Return the pairs that a peer asks for, in order."""
    if package == ASSC:
        module = "active_semi_clustering.active.pairwise_constraints.example_oracle"
        spent = importlib.import_module(module).MaximumQueriesExceeded
        recorder = Recorder(y, budget, spent)
        strategy(n_clusters=k).fit(X, oracle=recorder)
    else:
        spent = importlib.import_module("skquery.exceptions").EmptyBudgetError
        recorder = Recorder(y, budget, spent)
        labels = KMeans(k, n_init=1, random_state=0).fit_predict(X)
        strategy().fit(X, recorder, partition=labels, n_clusters=k)
    return np.array(recorder.pairs)


def ask_here(strategy, X, y, k, budget, seed):
    """Return the pairs that a strategy of this package asks for, in order."""
    learner = ActivePairLearner(
        GroupClassifier(k),
        strategy,
        n_queries=budget,
        refit="final" if strategy == "random" else "cold",
        n_init=1,
        random_state=seed,
    )
    learner.fit(X, oracle=make_oracle(y, 0, seed))
    return np.array([(row["i"], row["j"]) for row in learner.history_])


def score(X, X_test, y, y_test, pairs, seed):
    """Return the score of the default clusterer after these questions."""
    same = y[pairs[:, 0]] == y[pairs[:, 1]]
    answers = PairwiseConstraints(pairs[same], pairs[~same], n_samples=len(X))
    model = ConstrainedNeuralClusterer(len(np.unique(y)), random_state=seed)
    labels = model.fit(X, with_implied(answers)).predict(X_test)
    return adjusted_rand_score(y_test, labels)


def main():
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits", help="as in bench_active")
    parser.add_argument("--questions", nargs="+", type=int, default=[100, 200, 400])
    parser.add_argument("--peers", type=Path, help="where they are installed")
    parser.add_argument("--only", help="part of the names of those that are run")
    parser.add_argument("--seeds", type=int, default=1, help="number of draws")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    print(environment(), "scikit-learn", sklearn.__version__)
    peers = find_peers(arguments.peers) if arguments.peers else {}
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        here = {
            name: partial(ask_here, name, seed=seed) for name in ("cover", "random")
        }
        for name, ask in {**here, **peers}.items():
            if arguments.only is None or arguments.only in name:
                compare(arguments, name, ask, seed)


def compare(arguments, name, ask, seed):
    """Ask as often as is wanted at most, and score each number of questions."""
    X, X_test, y, y_test = load(arguments.data, seed)
    # what the peers draw from
    np.random.seed(seed)  # noqa: NPY002
    start = time.process_time()
    try:
        pairs = ask(X, y, len(np.unique(y)), max(arguments.questions))
    except Exception as error:  # noqa: BLE001
        print(f"{name}: failed, {type(error).__name__}: {error}", flush=True)
        return
    seconds = time.process_time() - start
    for n_questions in arguments.questions:
        row = {
            "data": arguments.data,
            "strategy": name,
            "seed": seed,
            "questions": min(n_questions, len(pairs)),
            "ari": score(X, X_test, y, y_test, pairs[:n_questions], seed),
            "cpu_seconds_of_all_questions": seconds,
        }
        append_result(arguments.output, {**row, "environment": environment()})
        print(
            f"{arguments.data} {name:52} seed {seed} {row['questions']:4} questions: "
            f"ARI {row['ari']:.3f}; all questions {seconds:.0f} CPU s",
            flush=True,
        )


if __name__ == "__main__":
    main()
