"""Features that are computed once."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.images import ImageFolder, cache_features
from skpairclust.images._cache_state import CacheState
from skpairclust.utils._lock import try_lock


class Counted:
    """A function that knows how many rows it saw, and may fail at one call."""

    def __init__(self, fails_at=None, scale=1.0):
        self.n_rows, self.n_calls = 0, 0
        self.fails_at = fails_at
        self.scale = scale

    def __call__(self, x):
        self.n_calls += 1
        if self.n_calls == self.fails_at:
            raise KeyboardInterrupt
        self.n_rows += len(x)
        return self.scale * expected_of(x)


def expected_of(x):
    return np.stack([x.mean(axis=(1, 2)), x.max(axis=(1, 2)), x[:, 0, 0]], axis=1)


@pytest.fixture
def X():
    return np.random.RandomState(0).rand(100, 4, 5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "features.npy"


def test_the_file_holds_what_the_function_makes(X, path):
    features = cache_features(Counted(), X, path, batch_size=7)
    assert isinstance(features, np.memmap) and features.dtype == np.float32
    assert_allclose(features, expected_of(X), rtol=1e-6)
    assert_array_equal(np.load(path), features)
    assert sorted(p.name for p in path.parent.iterdir()) == [
        *("features.npy", "features.npy.state"),
    ]
    with pytest.raises(ValueError, match="read-only"):
        features[0] = 0


def test_a_second_call_computes_a_few_rows_only(X, path):
    first = np.array(cache_features(Counted(), X, path))
    again = Counted()
    assert_array_equal(cache_features(again, X, path), first)
    # eight at each end
    assert again.n_rows == 16


def test_it_goes_on_after_an_interruption(X, path):
    with pytest.raises(KeyboardInterrupt):
        cache_features(Counted(fails_at=6), X, path, batch_size=10)
    assert not path.exists()
    again = Counted()
    # in other batches too
    features = cache_features(again, X, path, batch_size=9)
    assert_allclose(features, expected_of(X), rtol=1e-6)
    assert again.n_rows == 50 + 2 * 8


def test_an_interruption_before_any_feature_leaves_nothing(X, path):
    with pytest.raises(KeyboardInterrupt):
        cache_features(Counted(fails_at=1), X, path)
    assert list(path.parent.iterdir()) == []
    assert len(cache_features(Counted(), X, path)) == 100


@pytest.mark.parametrize("n_lost", [0, 1, 3, 400])
def test_a_state_that_was_cut_short(X, path, n_lost):
    with pytest.raises(KeyboardInterrupt):
        cache_features(Counted(fails_at=6), X, path, batch_size=10)
    state = path.with_name("features.npy.state")
    text = state.read_bytes()
    state.write_bytes(text[: max(0, len(text) - n_lost)])
    assert_allclose(cache_features(Counted(), X, path), expected_of(X), rtol=1e-6)


PROGRAM = """
import sys, time
import numpy as np
from skpairclust.images import _cache, cache_features

_cache._INTERVAL = 0.0

n_seen = 0

def function(x):
    global n_seen
    n_seen += len(x)
    time.sleep(0.02)
    return x.sum(axis=(1, 2))[:, None] * [1, 2]

X = np.random.RandomState(0).rand(2000, 4, 5)
features = cache_features(function, X, sys.argv[1], batch_size=10)
assert np.allclose(features[:, 0], X.sum(axis=(1, 2)))
assert np.allclose(features[:, 1], 2 * X.sum(axis=(1, 2)))
print(n_seen)
"""


@pytest.mark.skipif(os.name == "nt", reason="processes are killed in another way")
def test_it_goes_on_after_the_process_was_killed(path, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    state, noted = path.with_name("features.npy.state"), []
    command = [sys.executable, str(program), str(path)]
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        while process.poll() is None:
            lines = state.read_bytes().splitlines() if state.exists() else []
            if len(lines) > 5 + len(noted):
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        lines = state.read_bytes().splitlines()
        noted = lines[1:]
    counts = [json.loads(line) for line in noted]
    assert counts == sorted(counts) and 0 < counts[-1] < 2000 and not path.exists()
    # the rest, and eight rows at each end of what was there
    assert int(subprocess.check_output(command)) == 2000 - counts[-1] + 16
    assert not path.with_name("features.npy.part").exists()


def test_batches_have_as_many_features_each(X, path):
    def function(x):
        return x[:, :3, 0] if len(x) == 10 else x[:, :2, 0]

    n_rows = len(X) // 10 * 10 + 5
    samples = np.resize(X, (n_rows, *X.shape[1:]))
    with pytest.raises(ValueError, match="returned 2 features for X.*but 3 for"):
        cache_features(function, samples, path, batch_size=10)


def test_what_was_begun_without_a_row_is_begun_anew(X, path):
    state = path.with_name("features.npy.state")

    def killed(x):
        if state.exists() and state.stat().st_size:
            raise KeyboardInterrupt
        return x[:, :, 0]

    with pytest.raises(KeyboardInterrupt):
        cache_features(killed, X, path, batch_size=1)
    # as if it had been killed before the first row was noted
    state.write_bytes(state.read_bytes().split(b"\n")[0] + b"\n")

    def killed(x):  # of the same name
        return x[:, :2, 1]

    assert_allclose(cache_features(killed, X, path), X[:, :2, 1])


@pytest.mark.parametrize("name", ["features.npy.part", "features.npy.state"])
@pytest.mark.parametrize(
    "text", ["precious", '{"format": "mine", "notes": "precious"}']
)
def test_files_of_others_stay(X, path, name, text):
    path.with_name(name).write_text(text)
    with pytest.raises(ValueError, match=f"{name} exists, and cache_features did not"):
        cache_features(Counted(), X, path)
    assert path.with_name(name).read_text() == text


def test_a_finished_file_is_read_by_many_and_from_a_folder_without_rights(X, path):
    first = np.array(cache_features(Counted(), X, path))
    state = path.with_name("features.npy.state")
    with open(state, "a+b") as file:
        # held by another call
        try_lock(file.fileno())
        path.chmod(0o444), state.chmod(0o444)
        assert_array_equal(cache_features(Counted(), X, path), first)


@pytest.mark.parametrize("n_kept", [0, 100, 300])
def test_a_finished_file_that_was_cut_is_refused(X, path, n_kept):
    cache_features(Counted(), X, path)
    path.write_bytes(path.read_bytes()[:n_kept])
    with pytest.raises(ValueError, match="is shorter than it was"):
        cache_features(Counted(), X, path)


def test_arguments_of_a_partial_count(X, path):
    def clipped(x, most):
        return np.minimum(x[:, :, 0], most)

    cache_features(partial(clipped, most=2), X, path)
    with pytest.raises(ValueError, match="features of another function"):
        cache_features(partial(clipped, most=5), X, path)


def test_every_column_is_compared(X, path):
    def columns(x):
        return np.column_stack([1000 + x[:, 0, 0], columns.scale * x[:, 1, 1]])

    columns.scale = 1.0
    cache_features(columns, X, path)
    columns.scale = -5.0
    with pytest.raises(ValueError, match="features of another function"):
        cache_features(columns, X, path)


def test_files_of_something_else_are_refused(X, path):
    cache_features(Counted(), X, path)
    changed = X.copy()
    changed[50, 2, 2] += 1
    for other in (changed, X[:99], X.astype(np.float32)):
        with pytest.raises(
            ValueError, match="features.npy' holds features of other sa"
        ):
            cache_features(Counted(), other, path)
    with pytest.raises(ValueError, match="of another function or of other weights"):
        cache_features(expected_of, X, path)
    # of one name
    with pytest.raises(ValueError, match="of another function, or of samples that"):
        cache_features(Counted(scale=1.1), X, path)
    with pytest.raises(
        ValueError, match=r"Choose another path, or remove features.npy"
    ):
        cache_features(lambda x: x[:, 0], X, path)
    # the file is as it was
    assert_allclose(cache_features(Counted(), X, path), expected_of(X), rtol=1e-6)


def test_files_of_others_are_never_overwritten(X, path):
    np.save(path, np.arange(3))
    for _ in range(2):
        with pytest.raises(ValueError, match="features.npy exists, and cache_feat"):
            cache_features(Counted(), X, path)
        # nor if the state lies beside it, empty
        path.with_name("features.npy.state").touch()
    assert_array_equal(np.load(path), np.arange(3))


@pytest.mark.parametrize("text", ["notes", "line\nline", '["a"]\n', '{"a": 1}\n'])
def test_states_of_others_are_never_overwritten(X, path, text):
    state = path.with_name("features.npy.state")
    state.write_text(text)
    with pytest.raises(ValueError, match="features.npy.state exists, and cache_feat"):
        cache_features(Counted(), X, path)
    assert state.read_text() == text and not path.exists()


def test_a_file_that_has_lost_features(X, path):
    with pytest.raises(KeyboardInterrupt):
        cache_features(Counted(fails_at=6), X, path, batch_size=10)
    part = path.with_name("features.npy.part")
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(ValueError, match="npy.part' is shorter than it was. Remove"):
        cache_features(Counted(), X, path)
    part.unlink()
    assert_allclose(cache_features(Counted(), X, path), expected_of(X), rtol=1e-6)


def test_it_goes_on_where_nothing_but_the_header_was_written(X, path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(CacheState, "write", lambda self, values: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            cache_features(Counted(), X, path)
    assert path.with_name("features.npy.part").exists()
    assert_allclose(cache_features(Counted(), X, path), expected_of(X), rtol=1e-6)


def test_two_processes_do_not_write_one_file(X, path):
    with open(path.with_name("features.npy.state"), "a+b") as file:
        assert try_lock(file.fileno())
        with pytest.raises(ValueError, match="Another process is computing"):
            cache_features(Counted(), X, path)
    assert len(cache_features(Counted(), X, path)) == 100


# -- modules ---------------------------------------------------------------------------


class Trunk(nn.Module):
    """Layers that compute otherwise in training, and count what they see."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.modes = []

    def forward(self, x):
        assert not torch.is_grad_enabled() and x.dtype == torch.float32
        self.modes.append(self.training)
        return self.drop(self.norm(self.conv(x)))


def test_a_module_is_used_in_evaluation_mode_and_left_as_it_was(path):
    torch.manual_seed(0)
    trunk = Trunk()
    X = np.random.RandomState(0).randint(256, size=(30, 3, 6, 6)).astype(np.uint8)
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    features = cache_features(trunk, X, path, batch_size=8, device="cpu")
    assert trunk.training and trunk.modes == []
    for name, value in trunk.state_dict().items():
        assert torch.equal(value, before[name])
    trunk.eval()
    with torch.no_grad():
        expected = trunk(torch.tensor(X).float()).flatten(1)
    assert features.shape == (30, 4 * 4 * 4)
    assert_allclose(features, expected, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        trunk.conv.weight[0, 0, 0, 0] += 1e-3
    with pytest.raises(ValueError, match="of other weights"):
        cache_features(trunk, X, path, device="cpu")


def test_what_the_caller_set_in_torch_does_not_matter(path):
    X = np.random.RandomState(0).rand(20, 3, 6, 6)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        features = cache_features(Trunk(), X, path, device="cpu")
    assert features.shape == (20, 64)
    with pytest.raises(ValueError, match="device='nowhere' is not a torch device"):
        cache_features(nn.Flatten(), X, path.with_name("b.npy"), device="nowhere")


def test_a_folder_of_images_a_trunk_and_a_clusterer(tmp_path, path):
    rng = np.random.RandomState(0)
    for number in range(60):
        file = tmp_path / "images" / "abc"[number % 3] / f"{number:02d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        values = rng.randint(60, size=(20, 20 + number % 3)) + 80 * (number % 3)
        Image.fromarray(values.astype(np.uint8)).save(file)
    X = ImageFolder(tmp_path / "images", 16, mode="gray")
    embedder = MetricEmbedder(8, max_iter=2, random_state=0).fit(X, X.labels)
    trunk = embedder.network_[:-1]
    features = cache_features(trunk, X, path, batch_size=16)
    assert_allclose(
        features, cache_features(trunk, np.asarray(X), f"{path}2"), atol=1e-4
    )
    # the last layer gives the embedding
    head = embedder.network_[-1]
    outputs = torch.tensor(features) @ head.weight.detach().cpu().T + head.bias.cpu()
    outputs = nn.functional.normalize(outputs).detach().numpy()
    assert_allclose(outputs, embedder.transform(X), atol=1e-4)
    clusterer = ConstrainedNeuralClusterer(3, max_iter=20, random_state=0)
    assert clusterer.fit(features, X.labels).score(features, X.labels) > 0.9
    by_method = cache_features(embedder.transform, X, f"{path}3", batch_size=16)
    assert_allclose(by_method, embedder.transform(X), atol=1e-5)
    # other files, although all that are read are the same
    for name in X.names[1:3]:
        with open(tmp_path / "images" / name, "ab") as file:
            file.write(b"more")
    with pytest.raises(ValueError, match="of other samples"):
        cache_features(trunk, ImageFolder(tmp_path / "images", 16, mode="gray"), path)
    with pytest.raises(ValueError, match="of other samples"):
        cache_features(trunk, ImageFolder(tmp_path / "images", 17, mode="gray"), path)


def test_progress_is_said_if_asked(X, path, capsys):
    cache_features(Counted(), X, path, verbose=1)
    assert capsys.readouterr().out.startswith("features 100/100 ")
    cache_features(Counted(), X, path)
    assert capsys.readouterr().out == ""


# -- wrong input -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[:-1],
        lambda x: 3.0,
        lambda x: x.astype(str),
        lambda x: [x, x],
        lambda x: None,
    ],
)
def test_results_that_are_no_features(X, path, function):
    with pytest.raises(ValueError, match="for 100 samples: it must return an array or"):
        cache_features(function, X, path)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_results_that_are_not_finite_are_named(X, path, value):
    X[57] = -1

    def function(x):
        return np.where(x[:, :2, 0] < 0, value, x[:, :2, 0])

    with pytest.raises(ValueError, match=r"values for X\[57\] that are not finite"):
        cache_features(function, X, path, batch_size=10)


def test_wrong_arguments(X, path, tmp_path):
    with pytest.raises(TypeError, match="function must be a torch.nn.Module or a fun"):
        cache_features("resnet18", X, path)
    for batch_size in (0, -1):
        with pytest.raises(ValueError, match="batch_size=.* at least 1"):
            cache_features(Counted(), X, path, batch_size=batch_size)
    for batch_size in (1.5, True):
        with pytest.raises(TypeError, match="batch_size=.* an integer"):
            cache_features(Counted(), X, path, batch_size=batch_size)
    for wrong in (tmp_path, tmp_path / "missing" / "a.npy"):
        with pytest.raises(ValueError, match="a file in a folder that exists"):
            cache_features(Counted(), X, wrong)
    for wrong in (np.zeros(3), np.empty((0, 3)), np.zeros((2, 2), dtype=complex)):
        with pytest.raises(ValueError, match="X must hold numbers"):
            cache_features(Counted(), wrong, path)
    with pytest.raises(ValueError, match=r"X\[1\] has shape \(9, 8\).*ImageFolder"):
        cache_features(Counted(), [np.zeros((9, 9)), np.zeros((9, 8))], path)
