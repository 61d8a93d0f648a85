"""State that belongs to the caller: NumPy's error handling, filters of warnings."""

import threading
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from skpairclust import PairwiseConstraints
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans
from skpairclust.cluster import AffinityPropagationK
from skpairclust.inspection import (
    ClusterEmbeddingDisplay,
    ConstraintCurveDisplay,
    ContingencyDisplay,
    LossCurveDisplay,
    RetrievalDisplay,
)
from skpairclust.metrics import (
    clustering_accuracy_score,
    constraint_accuracy_score,
    constraint_log_loss,
    constraint_roc_auc_score,
    pairwise_f1_score,
    purity_score,
    recall_at_k,
)
from skpairclust.model_selection import (
    ConstraintKFold,
    PairClassifier,
    cross_validate_constraints,
)

Y = np.arange(60) % 3
# of very different sizes, so that products underflow
X = np.random.RandomState(0).randn(60, 4) * [1, 1, 1e-200, 0] + 4 * np.eye(4)[Y]
TINY = X * 1e-160
PAIRS = PairwiseConstraints.sample_from_labels(Y, 60, random_state=0)
LABELS = PairwiseConstraints.from_labels(Y)
SURE = np.abs(np.eye(3)[Y] - 1e-300)
MODELS = [COPKMeans(3), PCKMeans(3), MPCKMeans(3), MPCKMeans(3, metric="full")]
CALLS = {
    "from_matrix": lambda: PairwiseConstraints.from_matrix(PAIRS.to_matrix()),
    "closure": lambda: PAIRS.closure().conflicts(),
    "from_neighbors": lambda: PairwiseConstraints.from_neighbors(
        X, cannot_radius=3.0, random_state=0
    ),
    "from_sequences": lambda: PairwiseConstraints.from_sequences(
        Y, times=np.arange(60) * 1e-310, max_gap=1e300, tolerance=1e-320
    ),
    "accuracy": lambda: clustering_accuracy_score(Y, Y),
    "purity": lambda: purity_score(Y, Y),
    "f1": lambda: pairwise_f1_score(Y, Y),
    "constraint accuracy": lambda: constraint_accuracy_score(LABELS, Y),
    "roc auc": lambda: constraint_roc_auc_score(PAIRS, SURE),
    "log loss": lambda: constraint_log_loss(LABELS, SURE),
    "recall": lambda: recall_at_k(X, Y, k=[1, 5]),
    "recall of tiny": lambda: recall_at_k(TINY, Y, k=[1, 5]),
    "recall of ties": lambda: recall_at_k(
        np.zeros((3000, 2)), np.arange(3000) % 2, 900
    ),
    "cosine": lambda: recall_at_k(X, Y, metric="cosine"),
    "folds": lambda: list(ConstraintKFold(2, random_state=0).split(X, PAIRS)),
    "cross-validation": lambda: cross_validate_constraints(
        PCKMeans(3, random_state=0), X, PAIRS, cv=2, hold_out="pairs"
    )["test_score"],
    "pair classifier": lambda: (
        PairClassifier(PCKMeans(3, random_state=0), X)
        .fit(PAIRS.must_link, np.ones(PAIRS.n_must_link))
        .predict_proba(PAIRS.must_link)
    ),
    "embedding": lambda: ClusterEmbeddingDisplay.from_predictions(X, Y, PAIRS).labels,
    "contingency": lambda: ContingencyDisplay.from_predictions(Y, Y).table,
    "loss": lambda: LossCurveDisplay.from_predictions([1.0, 1e-310]).loss_curve,
    "retrieval": lambda: (
        RetrievalDisplay.from_predictions(
            X, Y, images=np.zeros((60, 2, 2)), random_state=0
        ).neighbor_labels
    ),
    "curve": lambda: (
        ConstraintCurveDisplay.from_predictions([1, 2], [[1e-310, 0.0]] * 2).n_pairs
    ),
}


def same(one, other):
    if isinstance(one, PairwiseConstraints):
        return one == other
    return str(one) == str(other)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_functions_with_errors_raised(call):
    expected = call()
    with np.errstate(all="raise"):
        before = np.geterr()
        assert same(call(), expected)
        assert np.geterr() == before


@pytest.mark.parametrize("data", [X, TINY, X * 1e150], ids=["X", "tiny", "huge"])
@pytest.mark.parametrize("y", [None, PAIRS, Y], ids=["alone", "pairs", "labels"])
@pytest.mark.parametrize(
    "model", [*MODELS, AffinityPropagationK(3)], ids=lambda m: type(m).__name__
)
@pytest.mark.filterwarnings("ignore")
def test_estimators_with_errors_raised(model, y, data):
    def run():
        fitted = clone(model).set_params(random_state=0).fit(data, y)
        made = [fitted.labels_, fitted.predict(data)]
        if hasattr(fitted, "transform"):
            made.append(fitted.transform(data))
        if hasattr(fitted, "score"):
            made.append(fitted.score(data, PAIRS))
        return made

    try:
        expected = run()
    except ValueError as error:
        # what cannot be computed is refused either way
        with np.errstate(all="raise"), pytest.raises(ValueError, match=str(error)[:20]):
            run()
        return
    with np.errstate(all="raise"):
        before = np.geterr()
        for one, other in zip(run(), expected, strict=True):
            np.testing.assert_array_equal(one, other)
        assert np.geterr() == before


def test_threads_leave_the_filters_as_they_were():
    before = list(warnings.filters)
    start = threading.Barrier(4)

    def fit(seed):
        start.wait()
        for k in (2, 3, 4):
            AffinityPropagationK(k, max_iter=15, random_state=seed).fit(X[:, :2])

    threads = [threading.Thread(target=fit, args=(seed,)) for seed in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inside = list(warnings.filters)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert list(warnings.filters) == inside
    assert list(warnings.filters) == before
