"""Two processes in a group of torch.distributed fit as one does, or say why not."""

import os
import signal
import threading

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from skpairclust import (
    ConstrainedNeuralClusterer,
    MetricEmbedder,
    PairwiseConstraints,
)
from skpairclust.neural._distributed import ALONE, DistributedGroup
from skpairclust.neural._spread import spread
from tests.neural.grouped import run_in_group

X = np.random.RandomState(0).randn(90, 4)
y = np.arange(90) % 3
X[:, 0] += 2 * y
PAIRS = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)

# Plain steps, so that a factor that is missing shows.
SGD = {"optimizer": "sgd", "learning_rate": 0.01, "random_state": 0, "batch_size": 33}


def clusterer(**changed):
    return ConstrainedNeuralClusterer(
        3, **{"precision": "float32", "max_iter": 2, **SGD, **changed}
    )


def embedder(**changed):
    return MetricEmbedder(4, **{"max_iter": 2, **SGD, **changed})


# So few values that they are never made dense.
WORDS = sparse.csr_array(sparse.random(90, 2000, density=0.01, random_state=0))

FITS = {
    "restarts": lambda: clusterer(n_init=3),
    "all terms": lambda: clusterer(init="random"),
    "pairs alone": lambda: clusterer(init="random", unlabeled=None, loss="kcl"),
    "trials": lambda: clusterer(max_iter=8),
    "sparse": lambda: clusterer(init="random"),
    "sparse pairs": lambda: clusterer(init="random", unlabeled=None),
    "sparse embedder": lambda: embedder(),
    "contrastive": lambda: embedder(loss="contrastive"),
    "lifted": lambda: embedder(loss="lifted"),
    "triplet": lambda: embedder(),
    "pool": lambda: embedder(mining="pool", pool_epochs=1),
    "held out": lambda: embedder(validation_fraction=0.3, n_iter_no_change=1),
}


def fit(name):
    """Return the weights and the loss of a fit, and its labels."""
    model = FITS[name]()
    is_clusterer = isinstance(model, ConstrainedNeuralClusterer)
    data = WORDS if name.startswith("sparse") else X
    model.fit(data, PAIRS if is_clusterer else y)
    return model.weights_, model.loss_curve_, getattr(model, "labels_", None)


def fit_all(rank):
    return {name: fit(name) for name in FITS}


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    return run_in_group(fit_all, folder=tmp_path_factory.mktemp("group"))


@pytest.mark.parametrize("name", FITS)
def test_two_processes_fit_as_one(name, together):
    weights, curve, labels = fit(name)
    for results in together:
        found_weights, found_curve, found_labels = results[name]
        np.testing.assert_allclose(found_curve, curve, rtol=1e-6, atol=1e-6)
        for key, value in weights.items():
            np.testing.assert_allclose(found_weights[key], value, rtol=0, atol=2e-6)
        np.testing.assert_array_equal(found_labels, labels)


def test_both_get_the_same_to_the_bit(together):
    for first, second in zip(*(r.values() for r in together), strict=True):
        for key, value in first[0].items():
            np.testing.assert_array_equal(second[0][key], value)


class Counting(nn.Module):
    """A network that counts the samples that it is trained with."""

    n_trained = 0

    def __init__(self, shape, n):
        super().__init__()
        self.layer = nn.Linear(shape[0], n)

    def forward(self, x):
        if self.training:
            Counting.n_trained += len(x)
        return self.layer(x)


def count_samples(n_init):
    """Return how many samples one process trains with."""
    Counting.n_trained = 0
    clusterer(network=Counting, n_init=n_init, init="random").fit(X, PAIRS)
    return Counting.n_trained


def count_in_group(rank):
    return [count_samples(n_init) for n_init in (1, 4)]


def test_each_process_has_its_part_of_the_work(tmp_path):
    parts = run_in_group(count_in_group, folder=tmp_path)
    for number, n_init in enumerate((1, 4)):
        alone = count_samples(n_init)
        for part in parts:
            assert 0.45 < part[number] / alone < 0.6


def differentiate(network, x, group):
    """Return outputs, and the gradients of a loss of pairs in inputs and weights."""
    network.zero_grad()
    x = x.clone().requires_grad_()
    outputs = spread(network, group)(x)
    (outputs @ outputs.T).sin().mean().backward()
    gradients = [group.sum(p.grad).clone() for p in network.parameters()]
    return [outputs.detach(), x.grad, *gradients, *map(torch.clone, network.buffers())]


def make_network(kind, n_rows):
    """Return a small network, with batch normalization if there is a batch."""
    if kind == "table":
        body, norm, tail = nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)
    else:
        body, norm, tail = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Linear(27, 3)
    parts = [body, norm, nn.Flatten(), tail]
    if n_rows == 1:
        del parts[1]
    return nn.Sequential(*parts)


def compare_spread(rank):
    """Return the largest differences between a network and one that is spread."""
    generator = torch.Generator().manual_seed(0)
    group = DistributedGroup(clusterer())
    found = {}
    for n_rows in (1, 2, 3, 8, 17):
        for kind in ("table", "images"):
            shape = (4,) if kind == "table" else (2, 5, 5)
            with torch.random.fork_rng():
                torch.manual_seed(n_rows)
                network = make_network(kind, n_rows)
            state = {k: v.clone() for k, v in network.state_dict().items()}
            x = 3 + torch.randn(n_rows, *shape, generator=generator)
            expected = differentiate(network, x, ALONE)
            network.load_state_dict(state)
            actual = differentiate(network, x, group)
            found[kind, n_rows] = max(
                float((a.double() - b.double()).abs().max())
                for a, b in zip(actual, expected, strict=True)
            )
    return found


def test_outputs_and_gradients_are_those_of_one_process(tmp_path):
    for found in run_in_group(compare_spread, folder=tmp_path):
        assert len(found) == 10
        assert max(found.values()) < 1e-5, found


def try_unlike_fits(rank):
    """Return what each process says of fits that are not the same."""
    broken = X.copy()
    broken[7, 1] = np.nan
    mine = (clusterer(), X, PAIRS)
    theirs = {
        "data": (clusterer(), X + 1e-9, PAIRS),
        "fewer rows": (clusterer(), X[:60], PAIRS[:60]),
        "pairs": (clusterer(), X, PAIRS.closure()),
        "parameter": (clusterer(learning_rate=0.02), X, PAIRS),
        "seed": (clusterer(random_state=1), X, PAIRS),
        "no seed": (clusterer(random_state=None), X, PAIRS),
        "missing value": (clusterer(), broken, PAIRS),
        "another class": (embedder(), X, PAIRS),
    }
    said = {}
    for name, other in theirs.items():
        model, *data = other if rank else mine
        with pytest.raises(ValueError) as error:
            model.fit(*data)
        said[name] = str(error.value)
        assert not hasattr(model, "weights_")
    # The group has survived all of it.
    said["labels"] = clusterer(random_state=None).fit(X, PAIRS).labels_
    return said


def test_fits_that_differ_are_refused(tmp_path):
    first, second = run_in_group(try_unlike_fits, folder=tmp_path)
    for name, expected in {
        "data": "differ in X.",
        "fewer rows": "differ in X, ",
        "pairs": "differ in constraints.",
        "parameter": "differ in learning_rate.",
        "seed": "differ in random_state.",
        "no seed": "1 of 2 have a random_state",
        "another class": "a ConstrainedNeuralClusterer, MetricEmbedder",
    }.items():
        assert expected in first[name], name
        assert first[name] == second[name]
    assert second["missing value"].startswith("Input X contains NaN")
    assert first["missing value"].startswith("The process of rank 1")
    assert second["missing value"] in first["missing value"]
    np.testing.assert_array_equal(first["labels"], second["labels"])


def fit_in_a_thread(rank):
    said = []

    def target():
        try:
            clusterer().fit(X, PAIRS)
        except ValueError as error:
            said.append(str(error))

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    return said


def test_threads_are_refused(tmp_path):
    for said in run_in_group(fit_in_a_thread, folder=tmp_path):
        assert "in the main thread" in said[0]


def test_torchrun_without_a_group_is_told(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.warns(
        UserWarning, match="started 2 processes.*init_process_group"
    ) as w:
        clusterer(max_iter=1).fit(X, PAIRS)
    assert w[0].filename == __file__
    monkeypatch.setenv("WORLD_SIZE", "1")
    clusterer(max_iter=1).fit(X, PAIRS)


class Mortal(Counting):
    """A network whose process is killed at some step."""

    last_sample = None

    def forward(self, x):
        result = super().forward(x)
        if Mortal.last_sample is not None and Counting.n_trained > Mortal.last_sample:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def fit_with_checkpoints(rank, n_init, folder, last_sample=None):
    Mortal.last_sample = last_sample if rank else None
    model = clusterer(
        network=Mortal,
        n_init=n_init,
        init="random",
        max_iter=6,
        checkpoint_dir=folder,
        checkpoint_interval=0.0,
    )
    return model.fit(X, PAIRS).weights_


@pytest.mark.parametrize("n_init", [1, 2])
def test_a_group_goes_on_after_one_of_it_was_killed(n_init, tmp_path):
    expected = clusterer(network=Mortal, n_init=n_init, init="random", max_iter=6).fit(
        X, PAIRS
    )
    folder = tmp_path / "checkpoints"
    first, second = run_in_group(
        fit_with_checkpoints, n_init, folder, 500, folder=tmp_path
    )
    assert isinstance(first, RuntimeError) and second is None
    assert list(folder.iterdir())
    for weights in run_in_group(fit_with_checkpoints, n_init, folder, folder=tmp_path):
        for key, value in expected.weights_.items():
            np.testing.assert_allclose(weights[key], value, rtol=0, atol=2e-6)
    assert not list(folder.iterdir())
