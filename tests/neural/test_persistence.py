"""Estimators as files without code: round trips, and files that were harmed."""

import json
import pickle
import pickletools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from torch import nn

import skpairclust
from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.baselines import COPKMeans
from skpairclust.model_selection import ConstraintKFold

pytest.importorskip("safetensors")

OLD = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def fitted(iris):
    X, y = iris
    return ConstrainedNeuralClusterer(
        3, hidden_layer_sizes=(8, 6), max_iter=2, random_state=0
    ).fit(X, y)


@pytest.fixture
def path(fitted, tmp_path):
    fitted.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def load(path, **options):
    return ConstrainedNeuralClusterer.load(path, **options)


def edited(path, edit):
    """Return a copy of the file whose header's table went through `edit`."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    edit(header)
    text = json.dumps(header).encode()
    copy = path.with_name("edited.safetensors")
    copy.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
    return copy


def test_round_trip(iris, fitted, path):
    loaded = load(path)
    X = iris[0]
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(loaded.transform(X), fitted.transform(X))
    np.testing.assert_array_equal(loaded.labels_, fitted.labels_)
    assert loaded.get_params() == fitted.get_params()
    assert sorted(vars(loaded)) == sorted(vars(fitted))
    assert loaded.loss_curve_ == pytest.approx(fitted.loss_curve_)
    assert not list(path.parent.glob("*.tmp"))


def test_feature_names_survive(iris, tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(iris[0], columns=list("abcd"))
    fitted = ConstrainedNeuralClusterer(3, max_iter=1).fit(frame)
    fitted.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.feature_names_in_, list("abcd"))
    loaded.predict(frame)
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(frame[list("dcba")])


def make_network(input_shape, n_outputs):
    return nn.Linear(*input_shape, n_outputs)


def test_own_network_is_asked_for(iris, tmp_path, path):
    fitted = ConstrainedNeuralClusterer(3, network=make_network, max_iter=1)
    fitted.fit(*iris).save(tmp_path / "own")
    loaded = load(tmp_path / "own", network=make_network)
    np.testing.assert_array_equal(loaded.predict(iris[0]), fitted.labels_)
    with pytest.raises(ValueError, match="pass the callable"):
        load(tmp_path / "own")
    with pytest.raises(ValueError, match="leave out network"):
        load(path, network=make_network)
    with pytest.raises(ValueError, match="do not fit its network"):
        load(
            tmp_path / "own", network=lambda shape, n: nn.Linear(*shape, n, bias=False)
        )


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.9, 0.999])
def test_cut_short(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match="damaged or was altered"):
        load(path)


@pytest.mark.parametrize("position", [0.2, 0.5, 0.7, 0.9, 0.99])
def test_a_flipped_bit(path, position):
    data = bytearray(path.read_bytes())
    data[int(position * len(data))] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="damaged or was altered"):
        load(path)


def test_newer_format(path):
    def edit(header):
        header["__metadata__"]["format"] = "skpairclust 99"

    with pytest.raises(ValueError, match=r"format 99.*install a newer skpairclust"):
        load(edited(path, edit))


def test_a_file_of_others(path):
    with pytest.raises(ValueError, match="not written by the method save"):
        load(edited(path, lambda header: header.pop("__metadata__")))


def test_altered_parameters(path):
    def edit(header):
        content = header["__metadata__"]["content"]
        header["__metadata__"]["content"] = content.replace(
            '"margin": 2.0', '"margin": 3'
        )

    with pytest.raises(ValueError, match="digest"):
        load(edited(path, edit))


def test_a_key_that_stands_twice(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    text = data[8 : 8 + size].decode().rstrip()
    entry = json.dumps(json.loads(text)["labels_"])
    text = f'{text[:-1]}, "labels_": {entry}}}'.encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
    with pytest.raises(ValueError, match="stands twice"):
        load(path)


def test_values_that_are_not_finite(fitted, tmp_path):
    broken = pickle.loads(pickle.dumps(fitted))
    first = next(iter(broken.weights_))
    broken.weights_[first] = np.full_like(broken.weights_[first], np.nan)
    broken.save(tmp_path / "nan")
    with pytest.raises(ValueError, match="not finite"):
        load(tmp_path / "nan")


def test_without_safetensors_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['safetensors'] = None; "
        "from skpairclust import ConstrainedNeuralClusterer as C; C.load('x')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert "pip install safetensors" in result.stderr


def test_a_pickle_of_version_0_1_keeps_loading(iris):
    """Written with scikit-learn 1.6.1 and numpy 1.26."""
    with open(OLD / "v0.1.pkl", "rb") as file:
        old = pickle.load(file)
    clusterer, constraints = old["clusterer"], old["constraints"]
    np.testing.assert_allclose(
        clusterer.predict_proba(iris_raw()), old["proba"], atol=1e-4
    )
    expected = PairwiseConstraints.sample_from_labels(iris[1], 100, random_state=0)
    assert constraints == expected
    assert clusterer.score(iris_raw(), constraints) > 0.5
    clusterer.fit(iris_raw(), constraints)


def test_a_saved_file_of_version_0_1_keeps_loading():
    with open(OLD / "v0.1.pkl", "rb") as file:
        expected = pickle.load(file)["proba"]
    proba = load(OLD / "v0.1.safetensors").predict_proba(iris_raw())
    np.testing.assert_allclose(proba, expected, atol=1e-4)


def iris_raw():
    return load_iris().data


def test_an_unfitted_estimator_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        ConstrainedNeuralClusterer().save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_pickles_know_public_modules_only(iris, fitted):
    X, y = iris
    constraints = PairwiseConstraints.from_labels(y)
    embedder = MetricEmbedder(2, max_iter=1).fit(X, y)
    kmeans = COPKMeans(3, random_state=0).fit(X, constraints)
    for known in (fitted, embedder, kmeans, constraints, ConstraintKFold()):
        code = pickletools.genops(pickle.dumps(known))
        texts = {text for _, text, _ in code if isinstance(text, str)}
        modules = {t for t in texts if t.split(".")[0] == "skpairclust"}
        assert modules and not any("._" in module for module in modules)
        assert {m.partition(".")[2] for m in modules} <= {"", *skpairclust._SUBMODULES}
