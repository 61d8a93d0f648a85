"""Estimators as files without code: round trips, and files that were harmed."""

import json
import pickle
import pickletools
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris
from torch import nn

import skpairclust
from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.baselines import COPKMeans
from skpairclust.model_selection import ConstraintKFold
from skpairclust.neural._persistence import pack, write_state
from skpairclust.neural._plain_data import from_json, to_json

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


def test_a_folder_that_is_not_there_is_named(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder '.*nowhere' to write 'a'"):
        fitted.save(tmp_path / "nowhere" / "a")


def test_values_that_are_not_finite(fitted, tmp_path):
    broken = pickle.loads(pickle.dumps(fitted))
    first = next(iter(broken.weights_))
    broken.weights_[first] = np.full_like(broken.weights_[first], np.nan)
    with pytest.raises(ValueError, match="does not write.*NaN"):
        broken.save(tmp_path / "nan")
    content, arrays = pack(fitted)
    arrays[f"weights_/{first}"] = broken.weights_[first]
    write_state(tmp_path / "nan", content, arrays)
    with pytest.raises(ValueError, match="not finite"):
        load(tmp_path / "nan")


BUFFERS = {
    "bool": torch.tensor([True, False, True]),
    "int8": torch.tensor([3, -2, 1], dtype=torch.int8),
    "uint8": torch.tensor([3, 2, 255], dtype=torch.uint8),
    "int32": torch.tensor([3, 2, 1], dtype=torch.int32),
    "int64": torch.tensor(2**40),
    "float16": torch.tensor([0.5, -2.0], dtype=torch.float16),
    "bfloat16": torch.tensor([0.5, -3e38], dtype=torch.bfloat16),
    "float64": torch.tensor([0.1, 1e300], dtype=torch.float64),
    "-inf": torch.tensor([0.0, -torch.inf, torch.inf]),
    "empty": torch.empty(0, 3),
}


@pytest.mark.parametrize("kind", BUFFERS)
def test_buffers_of_any_kind_come_back(kind, iris, tmp_path):
    def network(shape, n):
        module = nn.Sequential(nn.Linear(*shape, 4), nn.ReLU(), nn.Linear(4, n))
        module.register_buffer("fixed", BUFFERS[kind].clone())
        return module

    fitted = ConstrainedNeuralClusterer(3, network=network, max_iter=1).fit(iris[0])
    fitted.save(tmp_path / "model")
    found = load(tmp_path / "model", network=network).network_.fixed
    assert found.dtype == BUFFERS[kind].dtype and torch.equal(found, BUFFERS[kind])


def test_what_cannot_be_read_again_is_not_written(iris, tmp_path):
    def network(shape, n):
        module = nn.Sequential(nn.Linear(*shape, n))
        module.register_buffer("fixed", torch.zeros(2, dtype=torch.complex64))
        return module

    fitted = ConstrainedNeuralClusterer(3, network=network, max_iter=1).fit(iris[0])
    with pytest.raises(ValueError, match="cannot write 'weights_/fixed'"):
        fitted.save(tmp_path / "model")
    fitted = ConstrainedNeuralClusterer(3, max_iter=1).fit(iris[0])
    fitted.notes = object()
    with pytest.raises(ValueError, match="cannot write 'notes': a object is no plain"):
        fitted.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 3, 2.5, "text", [1, [2, 3]], (1, (2, [3])), {"a": (1, None)}),
        *(np.array([1.5, 2]), np.array(["a", "b"], dtype=object), np.float32(0.1)),
    ],
)
def test_plain_data_comes_back_as_it_was(value):
    found = from_json(json.loads(json.dumps(to_json("it", value))))
    if isinstance(value, np.ndarray):
        assert found.dtype == value.dtype
        np.testing.assert_array_equal(found, value)
    elif isinstance(value, np.generic):
        assert found == value
    else:
        assert found == value and type(found) is type(value)


def test_lists_and_own_attributes_survive(iris, tmp_path):
    fitted = ConstrainedNeuralClusterer(3, hidden_layer_sizes=[8, 6], max_iter=1)
    fitted.fit(iris[0]).notes = {"by": "me", "scores": [1, 2], "shape": (3, 4)}
    fitted.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.hidden_layer_sizes == [8, 6] and loaded.notes == fitted.notes


def augment(x, generator):
    return x


def test_a_callable_augment_is_asked_for(iris, tmp_path):
    fitted = MetricEmbedder(2, augment=augment, network=make_network, max_iter=1)
    fitted.fit(*iris).save(tmp_path / "model")
    with pytest.raises(ValueError, match="pass the callable as augment= and network="):
        MetricEmbedder.load(tmp_path / "model")
    with pytest.raises(ValueError, match="pass the callable as augment="):
        MetricEmbedder.load(tmp_path / "model", network=make_network)
    loaded = MetricEmbedder.load(
        tmp_path / "model", network=make_network, augment=augment
    )
    assert loaded.augment is augment
    np.testing.assert_array_equal(loaded.transform(iris[0]), fitted.embedding_)


@pytest.mark.parametrize("frame", ["pandas", "polars", "default"])
def test_output_containers_and_requests_survive(frame, iris, tmp_path):
    if frame != "default":
        pytest.importorskip(frame)
    with sklearn.config_context(enable_metadata_routing=True):
        fitted = ConstrainedNeuralClusterer(3, max_iter=1).set_output(transform=frame)
        fitted.set_fit_request(must_link=True, cannot_link="differ")
        fitted.fit(*iris).save(tmp_path / "model")
        loaded = load(tmp_path / "model")
        routing = clone(loaded).get_metadata_routing()
        assert routing.fit.requests == fitted.get_metadata_routing().fit.requests
    assert type(loaded.transform(iris[0])) is type(fitted.transform(iris[0]))
    loaded.save(tmp_path / "again")


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        (MetricEmbedder, {"normalize": False}),
        (MetricEmbedder, {"n_components": 5}),
        (MetricEmbedder, {"loss": "lifted"}),
        (MetricEmbedder, {"n_clusters": None}),
        (MetricEmbedder, {"network": "lenet", "input_shape": (1, 2, 2)}),
        (ConstrainedNeuralClusterer, {"hidden_layer_sizes": (3,)}),
        (ConstrainedNeuralClusterer, {"n_clusters": 7, "classification_weight": 1}),
        (ConstrainedNeuralClusterer, {"network": make_network}),
        (ConstrainedNeuralClusterer, {"network": "lenet"}),
    ],
)
def test_what_was_fitted_does_not_read_parameters_set_since(
    kind, changed, iris, tmp_path
):
    X, y = iris
    own = {"n_components": 2} if kind is MetricEmbedder else {}
    fitted = kind(**own, n_clusters=3, max_iter=2, random_state=0).fit(X, y)
    expected = fitted.transform(X), fitted.predict(X)
    fitted.set_params(**changed).__dict__.pop("_network", None)
    copy = pickle.loads(pickle.dumps(fitted))
    fitted.save(tmp_path / "model")
    code = {n: v for n, v in changed.items() if callable(v)}
    for model in (fitted, copy, kind.load(tmp_path / "model", **code)):
        np.testing.assert_array_equal(model.transform(X), expected[0])
        np.testing.assert_array_equal(model.predict(X), expected[1])


def test_attributes_of_an_earlier_fit_do_not_outlive_the_next(iris):
    pandas = pytest.importorskip("pandas")
    X, y = iris
    embedder = MetricEmbedder(2, n_clusters=3, max_iter=1).fit(X, y)
    embedder.set_params(n_clusters=None).fit(X[:30], y[:30] + np.arange(30) % 2)
    assert not hasattr(embedder, "labels_") and not hasattr(embedder, "predict")
    clusterer = ConstrainedNeuralClusterer(3, max_iter=1)
    clusterer.fit(pandas.DataFrame(X, columns=list("abcd"))).fit(X)
    assert not hasattr(clusterer, "feature_names_in_")


def test_a_fit_that_fails_leaves_the_earlier_one(iris):
    X, y = iris
    for estimator in (
        ConstrainedNeuralClusterer(3, max_iter=1),
        MetricEmbedder(2, n_clusters=3, max_iter=1),
    ):
        expected = estimator.fit(X, y).predict(X)
        with pytest.raises(ValueError, match="learning_rate=1e"):
            estimator.set_params(learning_rate=1e36, optimizer="sgd").fit(X[:, :2], y)
        np.testing.assert_array_equal(estimator.predict(X), expected)


def test_many_writers_of_one_path(fitted, tmp_path):
    failed = []

    def write():
        try:
            for _ in range(20):
                fitted.save(tmp_path / "best")
                load(tmp_path / "best")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


def test_files_are_what_the_package_safetensors_reads_and_writes(fitted, path):
    safetensors = pytest.importorskip("safetensors.numpy")
    arrays = safetensors.load_file(path)
    for name, weights in fitted.weights_.items():
        np.testing.assert_array_equal(
            arrays[f"weights_/{name}"].reshape(weights.shape), weights
        )
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + size])["__metadata__"]
    safetensors.save_file(arrays, path, metadata=metadata)
    np.testing.assert_array_equal(load(path).labels_, fitted.labels_)


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


def test_attributes_too_long_for_a_header_survive(iris, tmp_path):
    pandas = pytest.importorskip("pandas")
    names = [f"a long name of feature {number}" for number in range(2000)]
    X = pandas.DataFrame(np.random.RandomState(0).normal(size=(30, 2000)))
    X.columns = names
    fitted = ConstrainedNeuralClusterer(2, hidden_layer_sizes=4, max_iter=1).fit(X)
    fitted.notes = ["a note"] * 10_000
    fitted.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.notes == fitted.notes
    np.testing.assert_array_equal(loaded.feature_names_in_, names)
    fitted.notes = "x" * 2**24
    with pytest.raises(ValueError, match="cannot write 'notes': it takes 16777218"):
        fitted.save(tmp_path / "model")
    assert load(tmp_path / "model").notes == loaded.notes


@pytest.mark.parametrize("name", ["predict", "_mine", "transform", "a/b"])
def test_own_attributes_that_would_harm_are_not_saved(name, iris, tmp_path):
    fitted = ConstrainedNeuralClusterer(3, max_iter=1).fit(iris[0])
    setattr(fitted, name, [1, 2])
    with pytest.raises(ValueError, match=f"one's own cannot be called '{name}'"):
        fitted.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_link_is_replaced_and_not_followed(fitted, tmp_path):
    target = tmp_path / "target"
    target.write_text("untouched")
    (tmp_path / "link").symlink_to(target)
    fitted.save(tmp_path / "link")
    assert target.read_text() == "untouched"
    assert not (tmp_path / "link").is_symlink()
    load(tmp_path / "link")


_WRITE = """
import sys
import numpy as np
from skpairclust import ConstrainedNeuralClusterer
fitted = ConstrainedNeuralClusterer.load(sys.argv[1])
for _ in range(int(sys.argv[2])):
    fitted.save("best")
    again = ConstrainedNeuralClusterer.load("best")
    assert np.array_equal(again.labels_, fitted.labels_)
"""


@pytest.mark.parametrize("n_saves", [5, pytest.param(60, marks=pytest.mark.slow)])
def test_processes_that_write_one_path(n_saves, path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITE, path.name, str(n_saves)], cwd=path.parent
        )
        for _ in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert sorted(p.name for p in path.parent.iterdir()) == ["best", path.name]


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
