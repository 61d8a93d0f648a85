"""Fits that are killed and go on: the same numbers, and no file that is torn."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.clusterer import _restarts
from skpairclust.model_selection import ConstraintKFold
from skpairclust.neural import _checkpoint
from skpairclust.neural._dropout import Dropout

RNG = np.random.RandomState(0)
Y = np.repeat([0, 1, 2, 3], 40)
X = (RNG.normal(size=(160, 5)) + 2 * RNG.normal(size=(4, 5))[Y]).astype(np.float32)
PAIRS = PairwiseConstraints.sample_from_labels(Y, 150, random_state=0)
PARTIAL = np.where(np.arange(160) % 3 == 0, Y, -1)


class StoppedError(Exception):
    """Stands for whatever ends a process."""


class Fuse(nn.Module):
    """A network with dropout that fails in its n-th pass with gradients."""

    n_left = -1

    def __init__(self, shape, n_outputs):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(*shape, 8),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(8, n_outputs),
        )

    def forward(self, x):
        if self.training and torch.is_grad_enabled() and len(x) > 2:
            Fuse.n_left -= 1
            if Fuse.n_left == 0:
                raise StoppedError
        return self.layers(x)


@pytest.fixture(autouse=True)
def every_step(monkeypatch):
    """Let states be written after every step, however long it takes."""
    monkeypatch.setattr(_checkpoint, "_LEAST_RATIO", 0)
    yield
    Fuse.n_left = -1


def stop_after(n_passes, estimator, *data):
    """Fit until the network has made so many passes; whether it came to its end."""
    Fuse.n_left = n_passes
    try:
        estimator.fit(*data)
    except StoppedError:
        return False
    finally:
        Fuse.n_left = -1
    return True


def same(fitted, expected):
    assert fitted.loss_curve_ == expected.loss_curve_
    for name, weights in expected.weights_.items():
        np.testing.assert_array_equal(fitted.weights_[name], weights)
    for name in ("labels_", "embedding_", "start_", "validation_scores_"):
        if hasattr(expected, name):
            np.testing.assert_array_equal(
                getattr(fitted, name), getattr(expected, name)
            )


def clusterer(**options):
    return ConstrainedNeuralClusterer(
        4, network=Fuse, batch_size=32, max_iter=6, random_state=0, **options
    )


def embedder(**options):
    return MetricEmbedder(
        3, network=Fuse, batch_size=32, max_iter=6, random_state=0, **options
    )


CASES = {
    "pairs": (clusterer(), PAIRS),
    "restarts": (clusterer(n_init=3), PAIRS),
    "labels": (clusterer(classification_weight=1.0), PARTIAL),
    "both kinds": (clusterer(), PAIRS | PairwiseConstraints.from_labels(PARTIAL)),
    "nothing": (clusterer(), None),
    "published": (clusterer(loss="kcl", unlabeled=None, optimizer="sgd"), PAIRS),
    "noise": (clusterer(noise_rate="estimate", n_iter_no_change=2), PAIRS),
    "classes": (embedder(), Y),
    "contrastive": (embedder(loss="contrastive", optimizer="sgd"), PAIRS),
    "hard": (embedder(sampling="hard", pool_epochs=1), Y),
    "pool": (embedder(mining="pool", pool_epochs=2), Y),
    "random": (embedder(mining="random", validation_fraction=0.3), PAIRS),
    "clusters": (embedder(n_clusters=4, validation_fraction=0.3), Y),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fit_goes_on_where_it_was(case, tmp_path):
    estimator, y = CASES[case]
    Fuse.n_left = 10**6
    expected = clone(estimator).fit(X, y)
    n_all = 10**6 - Fuse.n_left
    keeping = clone(estimator).set_params(
        checkpoint_dir=tmp_path, checkpoint_interval=0
    )
    n_stops = 0
    # The trials of a clusterer are repeated until they are done.
    for n_passes in (1, 2, 3, 9, 5, 40, 17, 90, 31, n_all - 20, 3, 7):
        if stop_after(n_passes, keeping, X, y):
            break
        n_stops += 1
    else:
        keeping.fit(X, y)
    assert n_stops >= 4
    same(keeping, expected)
    assert list(tmp_path.iterdir()) == []


def test_built_in_dropout_goes_on_where_it_was(tmp_path, monkeypatch):
    model = MetricEmbedder(3, dropout=0.4, batch_size=32, max_iter=6, random_state=0)
    expected = clone(model).fit(X, Y)
    keeping = clone(model).set_params(checkpoint_dir=tmp_path, checkpoint_interval=0)
    forward = Dropout.forward

    def stop(layer, x):
        stop.n_left -= 1
        if stop.n_left < 0:
            raise StoppedError
        return forward(layer, x)

    monkeypatch.setattr(Dropout, "forward", stop)
    for stop.n_left in (7, 13, 10**6):
        try:
            keeping.fit(X, Y)
        except StoppedError:
            assert stop.n_left < 0
    same(keeping, expected)


def test_work_is_not_done_twice(tmp_path):
    keeping = clusterer(checkpoint_dir=tmp_path, checkpoint_interval=0)
    Fuse.n_left = 10**6
    clone(keeping).set_params(checkpoint_dir=None).fit(X, PAIRS)
    n_all = 10**6 - Fuse.n_left
    assert not stop_after(n_all - 3, keeping, X, PAIRS)
    Fuse.n_left = 10**6
    keeping.fit(X, PAIRS)
    # The step that failed, and the rest.
    assert 10**6 - Fuse.n_left <= 8


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_restarts_in_parallel(backend, tmp_path):
    import joblib

    options = {"hidden_layer_sizes": 8, "max_iter": 4, "random_state": 0}
    plain = ConstrainedNeuralClusterer(4, n_init=3, n_jobs=2, **options)
    keeping = clone(plain).set_params(checkpoint_dir=tmp_path, checkpoint_interval=0)
    with joblib.parallel_config(backend=backend):
        same(keeping.fit(X, PAIRS), plain.fit(X, PAIRS))
    assert list(tmp_path.iterdir()) == []


def test_a_search_keeps_each_fit_apart(tmp_path):
    grid, cv = {"max_iter": [2, 3]}, ConstraintKFold(2, random_state=0)
    search = GridSearchCV(clusterer(), grid, cv=cv).fit(X, PAIRS)
    keeping = clusterer(checkpoint_dir=tmp_path, checkpoint_interval=0)
    again = GridSearchCV(keeping, grid, cv=cv, error_score="raise")
    assert not stop_after(70, again, X, PAIRS)
    assert len(list(tmp_path.iterdir())) == 1
    again.fit(X, PAIRS)
    np.testing.assert_array_equal(
        again.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )
    assert list(tmp_path.iterdir()) == []


def stopped(folder, **options):
    """Return the file of a fit that was stopped."""
    keeping = clusterer(
        walk_length=0, checkpoint_dir=folder, checkpoint_interval=0, **options
    )
    assert not stop_after(60, keeping, X, PAIRS)
    (path,) = folder.iterdir()
    return keeping, path


def test_another_fit_does_not_go_on(tmp_path):
    keeping, path = stopped(tmp_path)
    before = path.read_bytes()
    changed = X.copy()
    changed[77, 3] += 1e-3
    others = [
        (clone(keeping), changed, PAIRS),
        (
            clone(keeping),
            X,
            PAIRS[np.arange(160)] | PairwiseConstraints([[0, 1]], [], n_samples=160),
        ),
        (clone(keeping).set_params(random_state=1), X, PAIRS),
        (clone(keeping).set_params(margin=3.0), X, PAIRS),
    ]
    for estimator, data, pairs in others:
        plain = clone(estimator).set_params(checkpoint_dir=None).fit(data, pairs)
        same(estimator.fit(data, pairs), plain)
    assert path.read_bytes() == before


@pytest.mark.parametrize("harm", ["cut", "flip", "grow", "foreign", "text"])
def test_harmed_files_are_named_and_refused(harm, tmp_path):
    keeping, path = stopped(tmp_path)
    data = path.read_bytes()
    if harm == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif harm == "flip":
        path.write_bytes(data[:-9] + bytes([data[-9] ^ 4]) + data[-8:])
    elif harm == "grow":
        path.write_bytes(data + b"0")
    elif harm == "text":
        path.write_text("not a checkpoint")
    else:
        _, foreign = stopped(tmp_path / "other", margin=3.0)
        path.write_bytes(foreign.read_bytes())
    match = "belongs to another fit" if harm == "foreign" else "damaged or was altered"
    with pytest.raises(ValueError, match=match) as caught:
        keeping.fit(X, PAIRS)
    assert str(path) in str(caught.value) and "Delete it" in str(caught.value)
    path.unlink()
    same(keeping.fit(X, PAIRS), clusterer(walk_length=0).fit(X, PAIRS))


def test_a_saved_estimator_is_no_checkpoint(iris, tmp_path):
    fitted = ConstrainedNeuralClusterer(3, max_iter=1, random_state=0).fit(*iris)
    keeping, path = stopped(tmp_path)
    fitted.save(path)
    with pytest.raises(ValueError, match="not written by a fit with checkpoint_dir"):
        keeping.fit(X, PAIRS)


def test_parameters_that_cannot_work_are_refused_at_once(tmp_path):
    with pytest.raises(ValueError, match="checkpoint_dir needs a random_state"):
        ConstrainedNeuralClusterer(checkpoint_dir=tmp_path).fit(X, PAIRS)
    (tmp_path / "file").write_text("")
    for estimator in (ConstrainedNeuralClusterer(random_state=0), MetricEmbedder()):
        estimator.set_params(random_state=0, checkpoint_dir=tmp_path / "file" / "x")
        with pytest.raises(ValueError, match="checkpoint_dir=.*cannot be made"):
            estimator.fit(X, Y)
    with pytest.raises(ValueError, match="checkpoint_interval"):
        MetricEmbedder(checkpoint_interval=-1).fit(X, Y)


def test_a_state_that_cannot_be_written_fails_before_the_training(tmp_path):
    def make(shape, n_outputs):
        module = Fuse(shape, n_outputs)
        module.register_buffer("fixed", torch.zeros(2, dtype=torch.complex64))
        return module

    keeping = clusterer(checkpoint_dir=tmp_path).set_params(network=make)
    with pytest.raises(ValueError, match="complex64 cannot be written"):
        keeping.fit(X, PAIRS)


def test_the_folder_is_made_and_not_saved(tmp_path):
    folder = tmp_path / "new" / "folder"
    fitted = clusterer(checkpoint_dir=folder).fit(X, PAIRS)
    assert folder.is_dir()
    fitted.save(tmp_path / "model")
    loaded = ConstrainedNeuralClusterer.load(tmp_path / "model", network=Fuse)
    assert loaded.checkpoint_dir is None


# A process that forks a fit again and again, and kills it at a random moment, in the
# writing of a file too: a state is written after every step.
_KILLS = """
import hashlib, os, random, signal, sys, time
import numpy as np, torch
sys.path.insert(0, {folder!r})
from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.neural import _checkpoint
from tests.faults.test_checkpoint import PAIRS, X, Y

torch.set_num_threads(1)
_checkpoint._LEAST_RATIO = 0
options = dict(max_iter={max_iter}, random_state=0)
options.update(hidden_layer_sizes=16, batch_size=64)
kinds = [
    (ConstrainedNeuralClusterer(4, walk_length={walk!r}, n_init=2, **options), PAIRS),
    (MetricEmbedder(3, mining="pool", pool_epochs=2, **options), Y),
]

def fork(estimator, y):
    # The digest of what was learned goes through a pipe, if the fit gets so far.
    out, into = os.pipe()
    child = os.fork()
    if child:
        os.close(into)
        return child, out
    try:
        fitted = estimator.fit(X, y)
        digest = hashlib.sha256()
        for name in sorted(fitted.weights_):
            digest.update(fitted.weights_[name].tobytes())
        answer = fitted.labels_ if hasattr(fitted, "labels_") else fitted.embedding_
        digest.update(answer.tobytes())
        os.write(into, digest.digest())
    except BaseException as error:
        os.write(into, repr(error).encode()[:4000])
    os._exit(0)

def result(child, out):
    os.waitpid(child, 0)
    with os.fdopen(out, "rb") as file:
        return file.read()

random.seed({seed})
n_kills = n_fits = 0
for estimator, y in kinds:
    expected = result(*fork(estimator, y))
    assert len(expected) == 32, expected
    keeping = estimator.set_params(checkpoint_dir="kept", checkpoint_interval=0)
    began = time.monotonic()
    assert result(*fork(keeping, y)) == expected
    took = time.monotonic() - began
    done = 0
    while done < {n_kills} // 2:
        child, out = fork(keeping, y)
        time.sleep(random.uniform(0, took))
        os.kill(child, signal.SIGKILL)
        found = result(child, out)
        done += not found
        if found:
            assert found == expected, found
            n_fits += 1
    assert result(*fork(keeping, y)) == expected
    assert os.listdir("kept") == []
    n_kills += done
print(n_kills, n_fits)
"""


@pytest.mark.skipif(not hasattr(sys, "getdlopenflags"), reason="needs fork")
@pytest.mark.parametrize(
    ("n_kills", "max_iter", "walk"),
    [(6, 3, 0), pytest.param(100, 6, "auto", marks=pytest.mark.slow)],
)
def test_killed_at_any_moment(n_kills, max_iter, walk, tmp_path):
    options = {"n_kills": n_kills, "max_iter": max_iter, "walk": walk}
    folder = str(Path(__file__).parents[2])
    code = _KILLS.format(folder=folder, seed=n_kills, **options)
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert found.returncode == 0, found.stderr
    assert int(found.stdout.split()[0]) == n_kills


def test_a_fit_that_stops_between_lessons_and_training_goes_on(tmp_path, monkeypatch):
    """Lessons are not repeated, and dropout draws what it would have drawn."""

    def stop(*args, **kwargs):
        raise StoppedError

    expected = clusterer().fit(X, PAIRS)
    keeping = clusterer(checkpoint_dir=tmp_path, checkpoint_interval=0)
    with monkeypatch.context() as patched:
        patched.setattr(_restarts, "_train", stop)
        with pytest.raises(StoppedError):
            keeping.fit(X, PAIRS)
    monkeypatch.setattr(_restarts, "teach", stop)
    same(keeping.fit(X, PAIRS), expected)
