"""What a GPU must not change; skipped where there is none."""

import pickle
import time

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.clusterer._objective import PairObjective
from skpairclust.clusterer._task import make_task
from skpairclust.embedder import _objective as embedding
from skpairclust.embedder._task import make_task as make_embedding_task
from skpairclust.losses._distances import REDUCTIONS
from skpairclust.losses._mining import MINERS
from skpairclust.neural import _checkpoint, _rows
from skpairclust.neural._optimizers import make_optimizer
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._steps import RecordedStep, make_step
from skpairclust.neural._torch_utils import resolve_device
from tests.neural.grouped import run_in_group

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no CUDA device on this machine"
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def gpu():
    return resolve_device("cuda")


@pytest.fixture(scope="module")
def pairs(iris):
    return PairwiseConstraints.sample_from_labels(iris[1], 200, random_state=0)


@pytest.fixture(scope="module")
def images():
    """600 images of 16 x 16 pixels of 3 classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=600)
    X = rng.normal(size=(3, 16, 16))[y] + rng.normal(size=(600, 16, 16))
    return X.astype(np.float32), y


def clusterer(device, **changed):
    # "auto" would take another one on some processors.
    changed = {"precision": "float32", **changed}
    return ConstrainedNeuralClusterer(3, device=device, random_state=0, **changed)


class ClusteringStep:
    """One problem of the clusterer on a device."""

    def __init__(self, X, y, known, device, **params):
        X = X.astype(np.float32)
        estimator = clusterer(str(device), **params)
        rng = np.random.RandomState(0)
        self.task = make_task(estimator, X, known, y, rng)
        architecture = self.task.architecture
        self.network = architecture.build(0).to(device)
        self.rows = FeatureRows(X, architecture.input_shape, device)
        self.objective = PairObjective(self.rows, known, self.task, seed=0)

    def make_step(self):
        """Return what takes a step."""
        self.network.train()
        parameters, options = self.network.parameters(), self.task.training
        optimizer = make_optimizer(parameters, options, on_gpu=True)
        return make_step(self.network, self.objective, optimizer)

    def slope(self):
        """Return the loss of a step and its gradient in all weights."""
        loss = self.objective(self.network)
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in self.network.parameters()])
        return loss.item(), gradient.cpu().numpy()


CLUSTERERS = [
    {"unlabeled": None},
    {"unlabeled": None, "loss": "kcl"},
    {"adversarial_weight": 0.0},
    {"adversarial_weight": 0.0, "noise_rate": "estimate"},
    {"adversarial_weight": 0.0, "pair_balance": 0.5},
    {"adversarial_weight": 0.0, "loss": "kcl", "reduction": "sum"},
    {"adversarial_weight": 0.0, "classification_weight": 1.0},
]


def known_for(params, y, pairs):
    """Return labels where they are to name the clusters, else pairs."""
    if "classification_weight" in params:
        return PairwiseConstraints.from_labels(y)
    return pairs


def assert_close(found, expected, tolerance):
    """Compare losses, and gradients by the length of their difference."""
    assert found[0] == pytest.approx(expected[0], rel=tolerance)
    error = np.linalg.norm(found[1] - expected[1])
    assert error <= tolerance * np.linalg.norm(expected[1])


@pytest.mark.parametrize("params", CLUSTERERS, ids=str)
def test_a_step_of_the_clusterer_is_that_of_the_cpu(iris, pairs, gpu, params):
    X, y = iris
    known = known_for(params, y, pairs)
    on_cpu, on_gpu = (
        ClusteringStep(X, y, known, device, **params).slope() for device in (CPU, gpu)
    )
    assert_close(on_gpu, on_cpu, 1e-3)


@pytest.mark.parametrize("network", ["lenet", "conv"])
def test_convolutions_are_those_of_the_cpu(images, gpu, network):
    X, y = images
    known = PairwiseConstraints.sample_from_labels(y, 200, random_state=0)
    # Changes are drawn by the device.
    params = {"network": network, "adversarial_weight": 0.0, "augment": None}
    on_cpu, on_gpu = (
        ClusteringStep(X, y, known, device, **params).slope() for device in (CPU, gpu)
    )
    # cuDNN rounds to 10 bits.
    assert_close(on_gpu, on_cpu, 2e-2)


RECORDED = [{}, *CLUSTERERS, {"unlabeled": "vat"}]


@pytest.mark.parametrize("params", RECORDED, ids=str)
def test_a_recorded_step_is_the_step(iris, pairs, gpu, params):
    X, y = iris
    known = known_for(params, y, pairs)
    problems = [ClusteringStep(X, y, known, gpu, **params) for _ in range(2)]
    recorded, plain = (problem.make_step() for problem in problems)
    assert isinstance(recorded, RecordedStep)
    # A step that never stops to warm up is taken by Python each time.
    plain._n_to_warm_up = np.inf
    losses = [[float(step(1e-3)) for _ in range(30)] for step in (recorded, plain)]
    assert recorded.graph is not None
    assert plain.graph is None
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-2, atol=1e-3)
    assert len(set(losses[0])) > 25


def test_steps_are_recorded_anew_where_batches_know_more_pairs(iris, pairs, gpu):
    problems = [ClusteringStep(*iris, pairs, gpu) for _ in range(2)]
    recorded, plain = (problem.make_step() for problem in problems)
    plain._n_to_warm_up = np.inf
    problems[0].objective._shapes.n_listed = 1
    losses = []
    for step in (recorded, plain):
        losses.append([float(step(1e-3)) for _ in range(10)])
        graph = step.graph
        problems[0].objective._shapes.n_listed *= 2
        losses[-1] += [float(step(1e-3)) for _ in range(10)]
    assert graph is None
    assert recorded.graph is not None
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-2, atol=1e-3)


def test_steps_are_said_again_once_x_has_left_the_gpu(iris, pairs, gpu):
    problem = ClusteringStep(*iris, pairs, gpu)
    step = problem.make_step()
    losses = [float(step(1e-3)) for _ in range(10)]
    assert step.graph is not None
    problem.rows.leave_device()
    losses += [float(step(1e-3)) for _ in range(10)]
    assert step.graph is None
    assert np.isfinite(losses).all() and len(set(losses)) > 15


def test_recorded_steps_take_a_third_of_the_time(iris, pairs, gpu):
    problems = [ClusteringStep(*iris, pairs, gpu) for _ in range(2)]
    recorded, said = (problem.make_step() for problem in problems)
    said._n_to_warm_up = np.inf
    ratios = []
    for _ in range(5):
        seconds = []
        for step in (recorded, said):
            for _ in range(5):
                step(1e-3)
            torch.cuda.synchronize()
            start = time.perf_counter()
            for _ in range(50):
                step(1e-3)
            torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
        ratios.append(seconds[1] / seconds[0])
    # About 10 on an idle machine.
    assert np.median(ratios) > 3


@pytest.mark.parametrize(
    "params", [{}, {"augment": None}, {"network": "lenet"}], ids=str
)
def test_a_recorded_step_of_images_is_the_step(images, gpu, params):
    X, y = images
    known = PairwiseConstraints.sample_from_labels(y, 200, random_state=0)
    problems = [ClusteringStep(X, y, known, gpu, **params) for _ in range(2)]
    recorded, plain = (problem.make_step() for problem in problems)
    plain._n_to_warm_up = np.inf
    losses = [[float(step(1e-3)) for _ in range(30)] for step in (recorded, plain)]
    assert recorded.graph is not None
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.1, atol=2e-2)
    assert len(set(losses[0])) > 25


@pytest.mark.parametrize("params", RECORDED, ids=str)
def test_no_step_of_the_clusterer_waits(iris, pairs, gpu, params):
    X, y = iris
    known = known_for(params, y, pairs)
    problem = ClusteringStep(X, y, known, gpu, **params)
    take_step = problem.make_step()
    for _ in range(5):
        take_step(1e-3)
    problem.objective(problem.network)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            take_step(1e-3)
            problem.objective(problem.network).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def _embedding_cases():
    for loss in embedding.PAIR_LOSSES:
        for reduction in REDUCTIONS:
            yield {"loss": loss, "reduction": reduction}
    for loss in embedding.TRIPLET_LOSSES:
        for mining in ("all", "violating", *MINERS):
            yield {"loss": loss, "mining": mining}
        yield {"loss": loss, "mining": "all", "swap": True}
    yield {"positive_percentile": 50}


def embedding_step(data, device, params):
    """Return a network and the loss of its next step, on a device."""
    X, y = data
    X = X.astype(np.float32)
    task = make_embedding_task(MetricEmbedder(8, device=str(device), **params), X)
    rows = FeatureRows(X, task.architecture.input_shape, device)
    known = PairwiseConstraints.from_labels(y)
    objective = embedding.EmbeddingObjective(
        rows, known, task.objective, 0, np.arange(len(X))
    )
    return task.architecture.build(0).to(device), objective


@pytest.mark.parametrize("params", list(_embedding_cases()), ids=str)
def test_a_step_of_the_embedder_is_that_of_the_cpu(iris, gpu, params):
    if params.get("mining") == "random":
        pytest.skip("the devices draw other numbers")
    found = []
    for device in (CPU, gpu):
        network, objective = embedding_step(iris, device, params)
        loss = objective(network)
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in network.parameters()])
        found.append((loss.item(), gradient.cpu().numpy()))
    # A triplet on the edge may count on one device only.
    assert_close(found[1], found[0], 1e-2)


@pytest.mark.parametrize("params", list(_embedding_cases()), ids=str)
def test_no_step_of_the_embedder_waits(iris, gpu, params):
    network, objective = embedding_step(iris, gpu, params)
    objective(network).backward()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(3):
            objective(network).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_auto_takes_the_gpu(iris, pairs):
    fitted = clusterer("auto", max_iter=1).fit(iris[0], pairs)
    assert next(fitted.network_.parameters()).is_cuda


def test_quality_is_that_of_the_cpu(iris, pairs):
    for device in ("cpu", "cuda"):
        labels = clusterer(device).fit_predict(iris[0], pairs)
        assert adjusted_rand_score(iris[1], labels) > 0.8


@pytest.mark.parametrize("kind", ["resident", "streamed", "sparse", "images"])
def test_x_in_any_form_is_learned_from(images, monkeypatch, kind):
    X, y = images
    params = {"max_iter": 10}
    if kind == "streamed":
        monkeypatch.setattr(_rows, "_fits", lambda X, device: False)
    if kind == "sparse":
        X = sparse.csr_array(
            X.reshape(len(X), -1) * (np.abs(X) > 1).reshape(len(X), -1)
        )
    if kind == "images":
        params["network"] = "lenet"
    known = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
    labels = clusterer("cuda", **params).fit_predict(X, known)
    assert adjusted_rand_score(y, labels) > 0.8


def make_words():
    """600 sparse rows of 5000 columns of 3 classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=600)
    columns = 20 * rng.integers(250, size=(600, 40)) + 5 * y[:, None]
    rows = np.repeat(np.arange(600), 40)
    entries = (np.ones(rows.size, np.float32), (rows, columns.ravel()))
    return sparse.csr_array(entries, shape=(600, 5000)), y


@pytest.mark.parametrize("adversarial_weight", [0.0, 1.0])
def test_sparse_rows_stay_sparse(adversarial_weight):
    X, y = make_words()
    known = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
    params = {"max_iter": 10, "adversarial_weight": adversarial_weight}
    on_gpu, on_cpu = (
        clusterer(device, **params).fit(X, known) for device in ("cuda", "cpu")
    )
    for fitted in (on_gpu, on_cpu):
        assert adjusted_rand_score(y, fitted.predict(X)) > 0.8
    copy = pickle.loads(pickle.dumps(on_gpu)).set_params(device="cpu")
    np.testing.assert_allclose(
        copy.predict_proba(X), on_gpu.predict_proba(X), atol=1e-4
    )


def test_an_embedder_of_sparse_rows_learns_on_the_gpu():
    X, y = make_words()
    embedder = MetricEmbedder(8, n_clusters=3, device="cuda", max_iter=5)
    assert adjusted_rand_score(y, embedder.fit(X, y).predict(X)) > 0.8


def fit_in_group(rank, X, known):
    """Return the probabilities of a fit that several processes make together."""
    params = {"max_iter": 3, "init": "random", "optimizer": "sgd"}
    return clusterer("cuda", **params).fit(X, known).predict_proba(X)


def test_two_processes_on_one_gpu_fit_as_one(iris, pairs, tmp_path):
    X = iris[0].astype(np.float32)
    alone = fit_in_group(0, X, pairs)
    for together in run_in_group(fit_in_group, X, pairs, folder=tmp_path):
        np.testing.assert_allclose(together, alone, atol=1e-3)


class StoppedError(Exception):
    """Stands for whatever ends a process."""


def test_recorded_steps_go_on_from_a_checkpoint(iris, pairs, tmp_path, monkeypatch):
    model = clusterer("cuda", init="random", max_iter=6)
    expected = clone(model).fit(iris[0], pairs).predict_proba(iris[0])
    keeping = clone(model).set_params(checkpoint_dir=tmp_path, checkpoint_interval=0)
    monkeypatch.setattr(_checkpoint, "_LEAST_RATIO", 0)
    take_step = RecordedStep.__call__

    def stop(step, rate):
        stop.n_left -= 1
        if stop.n_left < 0:
            raise StoppedError
        return take_step(step, rate)

    monkeypatch.setattr(RecordedStep, "__call__", stop)
    for stop.n_left in (5, 9, 10**6):
        try:
            keeping.fit(iris[0], pairs)
        except StoppedError:
            assert stop.n_left < 0
    found = keeping.predict_proba(iris[0])
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_equal_seeds_give_equal_fits(iris, pairs):
    first, second = (
        clusterer("cuda", max_iter=5).fit(iris[0], pairs).predict_proba(iris[0])
        for _ in range(2)
    )
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_restarts_in_two_processes_are_those_in_one(iris, pairs):
    params = {"max_iter": 5, "n_init": 2}
    one = clusterer("cuda", **params).fit(iris[0], pairs)
    two = clusterer("cuda", n_jobs=2, **params).fit(iris[0], pairs)
    assert two.loss_ == pytest.approx(one.loss_, rel=0.05)


def test_a_network_of_the_user_is_trained_step_by_step(iris, pairs):
    def build(input_shape, n_outputs):
        return torch.nn.Sequential(
            torch.nn.Linear(input_shape[0], 64),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.1),
            torch.nn.Linear(64, n_outputs),
        )

    before = torch.cuda.get_rng_state()
    one, two = (clusterer("cuda", network=build).fit(iris[0], pairs) for _ in range(2))
    assert adjusted_rand_score(iris[1], one.labels_) > 0.7
    # Its dropout draws from the GPU's own generator.
    assert two.loss_ == pytest.approx(one.loss_, rel=0.05)
    assert torch.equal(torch.cuda.get_rng_state(), before)


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_dropout_learns_on_the_gpu(images, network):
    X, y = images
    known = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
    params = {"network": network, "dropout": 0.2, "max_iter": 10}
    labels = clusterer("cuda", **params).fit_predict(X, known)
    assert adjusted_rand_score(y, labels) > 0.8


def test_memory_is_given_back(iris, pairs):
    clusterer("cuda", max_iter=2).fit(iris[0], pairs)
    before = torch.cuda.memory_allocated()
    for _ in range(3):
        clusterer("cuda", max_iter=2).fit(iris[0], pairs)
    assert torch.cuda.memory_allocated() <= before + 2**20


def test_a_fit_pickles_without_the_gpu(iris, pairs):
    fitted = clusterer("cuda", max_iter=5).fit(iris[0], pairs)
    data = pickle.dumps(fitted)
    assert b"torch" not in data
    copy = pickle.loads(data).set_params(device="cpu")
    np.testing.assert_allclose(
        copy.predict_proba(iris[0]), fitted.predict_proba(iris[0]), atol=1e-4
    )


def test_the_embedder_separates_on_the_gpu(iris):
    X, y = iris
    embedder = MetricEmbedder(
        8, n_clusters=3, device="cuda", max_iter=20, random_state=0
    )
    assert adjusted_rand_score(y, embedder.fit(X, y).predict(X)) > 0.8
