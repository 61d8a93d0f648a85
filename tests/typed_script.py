"""What users write, with types: `make lint` checks it with mypy and pyright.

`tests/test_types.py` runs it, so that what the checkers accept works as well.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import sparse
from sklearn.model_selection import GridSearchCV

from skpairclust import (
    ConstrainedNeuralClusterer,
    MetricEmbedder,
    PairwiseConstraints,
)
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans
from skpairclust.cluster import AffinityPropagationK
from skpairclust.images import ImageFolder, cache_features
from skpairclust.losses import KCLLoss, TripletLoss
from skpairclust.metrics import (
    clustering_accuracy_score,
    constraint_accuracy_score,
    constraint_log_loss,
    get_scorer,
    precision_at_k,
    recall_at_k,
)
from skpairclust.model_selection import (
    ConstraintKFold,
    PairClassifier,
    cross_validate_constraints,
)

rng = np.random.default_rng(0)
LABELS = np.repeat([0, 1], 10)
X: NDArray[np.float64] = rng.normal(size=(20, 3)) + 9 * LABELS[:, None]
NAMES = [f"sample {row}" for row in range(20)]


def make_constraints() -> list[PairwiseConstraints]:
    """Every constructor, with lists, arrays and tables."""
    table = pd.DataFrame(
        {"left": NAMES[:2], "right": NAMES[10:12], "same": [False, None]}
    )
    columns = {"a": NAMES[:2], "b": NAMES[2:4], "answer": ["same", "different"]}
    ids = pd.Index(NAMES)
    known: list[str | None] = ["a", "b", None] + [None] * 17
    return [
        PairwiseConstraints([(0, 1), (2, 3)], n_samples=20),
        PairwiseConstraints(np.array([[0, 1]]), [[0, 11]], n_samples=20),
        PairwiseConstraints([(0, 1)], n_samples=20, must_link_weight=[0.5]),
        PairwiseConstraints.from_labels(known),
        PairwiseConstraints([(4, 5)], n_samples=20).with_labels(known),
        PairwiseConstraints.from_labels(pd.Series(LABELS)),
        PairwiseConstraints.sample_from_labels(LABELS, 30, random_state=0),
        PairwiseConstraints.from_tuples([(0, 1, 1), (1, 12, -1)], n_samples=20),
        PairwiseConstraints.from_matrix(sparse.csr_array((20, 20))),
        PairwiseConstraints.from_neighbors(X, n_neighbors=2),
        PairwiseConstraints.from_sequences(NAMES, times=np.arange(20)),
        PairwiseConstraints.from_frame(table, index=NAMES),
        PairwiseConstraints.from_frame(columns, "a", "b", "answer", index=ids),
        PairwiseConstraints.from_ids([(NAMES[0], NAMES[1])], index=NAMES),
    ]


def read_constraints(pairs: PairwiseConstraints) -> int:
    """What the container says."""
    first: NDArray[np.int64] = pairs.must_link[:, 0]
    half = pairs[:10] | pairs[np.arange(10)].closure()
    violated = pairs.violated(LABELS.tolist()).to_frame(NAMES)
    chain = pairs.explain(0, 1).must_link_chain
    matrix = pairs.to_matrix().toarray()
    conflicts = len(pairs.conflicts().direct) + len(violated) + len(chain or ())
    return len(first) + half.n_pairs + conflicts + int(matrix.sum())


def read_images() -> int:
    """A folder of images, and features of it."""
    with TemporaryDirectory() as folder:
        for number, kind in enumerate("aabb"):
            Path(folder, kind).mkdir(exist_ok=True)
            picture = Image.new("L", (20, 20), 50 * number)
            picture.save(Path(folder, kind, f"{number}.png"))
        images = ImageFolder(folder, (12, 16), mode="gray", on_error="skip")
        names: list[str] = images[:2].names + images.classes
        trunk = torch.nn.Flatten()
        features: NDArray[np.float32] = cache_features(trunk, images, f"{folder}/f.npy")
        MetricEmbedder(2, max_iter=1).fit(images, images.labels)
        return len(features) + len(names) + len(images.skipped)


def fit_baselines(pairs: PairwiseConstraints) -> float:
    """Supervision of every kind, and scores."""
    partial: list[int | None] = [0, 1] + [None] * 18
    frame = pd.DataFrame(X)
    labels = COPKMeans(2, random_state=0).fit(X, pairs).predict(X)
    PCKMeans(n_clusters=2).fit(frame, must_link=[(0, 1)], cannot_link=[(0, 11)])
    MPCKMeans(2, metric="full").fit(X.tolist(), partial).score(X, pairs)
    AffinityPropagationK(2, random_state=np.random.RandomState(0)).fit(X)
    accuracy: float = clustering_accuracy_score(["a"] * 10 + ["b"] * 10, labels)
    recall: float = recall_at_k(X, LABELS)
    recalls: NDArray[np.float64] = recall_at_k(X, LABELS, [1, 2], metric="cosine")
    precision: float = precision_at_k(X, LABELS, 3)
    recalls += precision_at_k(X, LABELS, [1, 2])
    loss = constraint_log_loss(pairs, np.eye(2)[labels] * 0.9 + 0.05)
    return accuracy + recall + precision + float(recalls[0]) + loss


def compare_outputs(outputs: torch.Tensor, relation: torch.Tensor) -> torch.Tensor:
    """Losses in a loop of one's own."""
    criterion: torch.nn.Module = TripletLoss(cost="soft", mining="hardest")
    loss: torch.Tensor = KCLLoss(1.0, reduction="sum")(outputs, relation)
    total: torch.Tensor = loss + criterion(outputs, torch.tensor(LABELS))
    return total


def fit_networks(pairs: PairwiseConstraints) -> NDArray[np.int64]:
    """Both neural estimators."""
    model = ConstrainedNeuralClusterer(2, max_iter=2, unlabeled=None, random_state=0)
    names: list[str | None] = ["a"] * 9 + [None] + ["b"] * 10
    model.fit(X, names).fit(pd.DataFrame(X), must_link=[(0, 1)])
    model.fit(X, pairs).calibrate(X, pairs).score(X, pairs)
    sure: NDArray[np.float32] = model.predict_proba(X).max(axis=1)
    embedder = MetricEmbedder(
        n_components=4, n_clusters=2, max_iter=2, hidden_layer_sizes=8, random_state=0
    )
    embedder.fit(sparse.csr_array(X), LABELS)
    distances, neighbors = embedder.fit(X, LABELS).kneighbors(X[:3], n_neighbors=2)
    points = embedder.transform(X)[:, 0]
    labels, _ = model.to_module()(torch.from_numpy(X))
    print(labels.shape)
    print(sure.mean(), distances.shape, neighbors.shape, points.shape)
    clusters: NDArray[np.int64] = embedder.predict(X)
    again: NDArray[np.int64] = embedder.fit_predict(X, pairs)
    return clusters + again + model.fit_predict(X, pairs)


def select_models(pairs: PairwiseConstraints) -> dict[str, Any]:
    """Searches over held-out pairs."""
    cv = ConstraintKFold(n_splits=3, random_state=0)
    grid = {"n_clusters": [2, 3]}
    scorer = get_scorer("constraint_accuracy")
    search = GridSearchCV(PCKMeans(random_state=0), grid, cv=cv, scoring=scorer)
    best = search.fit(X, pairs).best_estimator_
    print(constraint_accuracy_score(pairs, best.predict(X)))
    every = np.concatenate((pairs.must_link, pairs.cannot_link))
    answers = np.repeat([1, -1], [pairs.n_must_link, pairs.n_cannot_link])
    PairClassifier(PCKMeans(2), X).fit(every, answers).predict(every[:3])
    return cross_validate_constraints(COPKMeans(2), X, pairs, cv=cv, hold_out="rows")


def what_is_wrong() -> None:
    """Calls that checkers must refuse; nobody runs them."""
    PairwiseConstraints([(0, 1)])  # type: ignore[call-arg]
    PairwiseConstraints([(0, 1)], n_samples="20")  # type: ignore[arg-type]
    PairwiseConstraints.from_frame({}, index=3)  # type: ignore[arg-type]
    MPCKMeans(metric="euclidean")  # type: ignore[arg-type]
    ConstrainedNeuralClusterer(loss="kl")  # type: ignore[arg-type]
    ConstrainedNeuralClusterer(2).fit(X, constraints=[])  # type: ignore[call-arg]
    MetricEmbedder(n_clusters="auto")  # type: ignore[arg-type]
    MetricEmbedder(n_clusters=2).fit_predict(X, LABELS, 3)  # type: ignore[call-arg]
    COPKMeans(2).fit(X, constraints=[(0, 1)])  # type: ignore[call-arg]
    constraint_accuracy_score([(0, 1)], LABELS)  # type: ignore[arg-type]


def main() -> None:
    """Run everything that is right."""
    made = make_constraints()
    sampled = made[6]
    print(read_constraints(sampled), fit_baselines(sampled), fit_networks(sampled))
    print(read_images())
    print(select_models(sampled)["test_score"])
    relation = torch.tensor(sampled.relation_block(np.arange(20)))
    print(compare_outputs(torch.tensor(X), relation))


if __name__ == "__main__":
    main()
