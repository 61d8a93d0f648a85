"""Files from strangers: named and refused, without memory, or good for use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.neural._persistence import pack
from skpairclust.neural._tensor_file import digest

safetensors = pytest.importorskip("safetensors.numpy")


@pytest.fixture(scope="module")
def models(iris):
    X, y = iris
    small = {"hidden_layer_sizes": (6, 5), "max_iter": 2, "random_state": 0}
    return [
        ConstrainedNeuralClusterer(3, **small).fit(X, y),
        MetricEmbedder(2, n_clusters=3, **small).fit(X + 1e5, y),
    ]


def sign(path, content, arrays, **metadata):
    """Write a file that `read_state` trusts, whatever it holds."""
    text = content if isinstance(content, str) else json.dumps(content)
    metadata = {
        "format": "skpairclust 2",
        "content": text,
        "digest": digest(text, arrays),
        **metadata,
    }
    path.write_bytes(safetensors.save(arrays, metadata=metadata))
    return path


def refuse(path, cls=ConstrainedNeuralClusterer, match="damaged or was altered"):
    with pytest.raises(ValueError, match=match) as caught:
        cls.load(path)
    assert repr(str(path)) in str(caught.value)


def use(model, X):
    """Call what a user would; errors are values that the network cannot take."""
    try:
        model.transform(X)
        model.predict(X)
        if hasattr(model, "predict_proba"):
            model.predict_proba(X)
    except ValueError as error:
        assert "not finite" in str(error)


STRANGE = [
    *(None, True, -1, 0, 1, 3, 2**31, 2**63, 10**30, -2.5, 1e300, float("nan")),
    *("", "mlp", "O", "<U9999999", "\ud800", [], [1], [[]], {}, {"kind": "dict"}),
    {"kind": "tuple", "value": [10**9, 10**9]},
    {"kind": "tuple", "value": [4] * 500},
    {"kind": "array", "dtype": "<U9999", "value": ["a"] * 50},
    {"kind": "array", "dtype": "O", "value": [1, 2, 3]},
    {"kind": "array", "dtype": "<f8", "value": [1, 2]},
    {"kind": "dict", "value": {"transform": "pandas"}},
]


def places(table, path=()):
    """Return where in nested tables and lists there are values."""
    items = table.items() if isinstance(table, dict) else enumerate(table)
    found = []
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


def change_a_value(rng, content):
    """Replace, remove or add one value somewhere in the content."""
    where = places(content)
    *above, key = where[rng.randint(len(where))]
    table = content
    for step in above:
        table = table[step]
    value = STRANGE[rng.randint(len(STRANGE))]
    kind = rng.randint(4)
    if kind == 0:
        del table[key]
    elif kind == 1 and isinstance(table, dict):
        table[["predict", "weights_", "x", "a/b", "_mine"][rng.randint(5)]] = value
    else:
        table[key] = value


def change_an_array(rng, arrays):
    """Change dtype, shape, values or name of an array, or remove it."""
    name = sorted(arrays)[rng.randint(len(arrays))]
    array = arrays.pop(name)
    changed = [
        lambda: array.astype(np.float32),
        lambda: array.astype(np.int64),
        lambda: array.astype(np.uint8),
        lambda: np.repeat(array, 2),
        lambda: array.ravel()[:-1],
        lambda: array[None],
        lambda: -array - 1,
        lambda: array * 1e30 if array.dtype.kind == "f" else array + 10**6,
        lambda: np.where(array == array.max(), np.inf, array).astype(array.dtype),
    ]
    kind = rng.randint(len(changed) + 2)
    with np.errstate(all="ignore"):
        if kind < len(changed):
            arrays[name] = np.ascontiguousarray(changed[kind]())
        elif kind == len(changed):
            other = sorted(arrays)[rng.randint(len(arrays))]
            arrays[other] = array


def change_bytes(rng, data):
    """Cut a file, flip a bit, or write an entry of its header anew."""
    kind = rng.randint(3)
    if kind == 0:
        return data[: rng.randint(len(data))]
    if kind == 1:
        data = bytearray(data)
        # Half of them in the header.
        end = len(data) if rng.randint(2) else 300
        data[rng.randint(end)] ^= 1 << rng.randint(8)
        return bytes(data)
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    change_a_value(rng, header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("n_files", [250, pytest.param(2500, marks=pytest.mark.slow)])
def test_changed_files_are_named_and_refused_or_work(n_files, models, iris, tmp_path):
    rng, n_refused = np.random.RandomState(0), 0
    for number in range(n_files):
        model = models[rng.randint(2)]
        content, arrays = pack(model)
        path = tmp_path / f"{number}.safetensors"
        kind = rng.randint(3)
        if kind == 0:
            change_a_value(rng, content)
        elif kind == 1:
            change_an_array(rng, arrays)
        sign(path, content, arrays)
        if kind == 2:
            path.write_bytes(change_bytes(rng, path.read_bytes()))
        # One in eight is read as another class.
        cls = type(models[rng.randint(2)] if rng.randint(4) == 0 else model)
        try:
            loaded = cls.load(path)
        except ValueError as error:
            assert str(path) in str(error)
            n_refused += 1
        else:
            use(loaded, iris[0])
        path.unlink()
    assert n_refused > 0.7 * n_files


def test_the_files_that_are_changed_are_good_ones(models, iris, tmp_path):
    for model in models:
        path = sign(tmp_path / "model", *pack(model))
        np.testing.assert_array_equal(
            type(model).load(path).transform(iris[0]), model.transform(iris[0])
        )


def test_what_is_no_regular_file(tmp_path):
    refuse(tmp_path, match="no regular file")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        # Nobody writes to it: a file that is waited for would hang here.
        refuse(tmp_path / "pipe", match="no regular file")
        refuse(Path("/dev/zero"), match="no regular file")
    with pytest.raises(FileNotFoundError):
        ConstrainedNeuralClusterer.load(tmp_path / "missing")


def test_a_file_or_a_header_that_is_too_large(models, tmp_path):
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.truncate(2**33 + 1)
    refuse(path, match="at most 8589934592 are read")
    with open(path, "wb") as file:
        file.write((2**30).to_bytes(8, "little"))
        file.truncate(2**31)
    refuse(path, match="its header has 1073741824 bytes, at most 1000000")


def test_another_class_is_named(models, tmp_path):
    path = sign(tmp_path / "model", *pack(models[1]))
    refuse(path, match="holds a MetricEmbedder, not a ConstrainedNeuralClusterer")


# Each claims much more than its file has; `claim` gets the content and the arrays.
CLAIMS = {
    "input_shape": """
        content["architecture"]["input_shape"]["value"] = [2**27]
        content["attributes"]["_sample_shape"]["value"] = [2**27]
        content["attributes"]["n_features_in_"] = 2**27
    """,
    "n_outputs": 'content["architecture"]["n_outputs"] = 2**40',
    "hidden_layer_sizes": """
        sizes = content["architecture"]["hidden_layer_sizes"]
        sizes["value"] = [2**20, 2**20]
    """,
    "many layers": """
        sizes = content["architecture"]["hidden_layer_sizes"]
        sizes["value"] = [1] * 100_000
    """,
    "images": """
        content["architecture"]["network"] = "lenet"
        content["architecture"]["input_shape"]["value"] = [10**4, 10**4]
        content["attributes"]["_sample_shape"]["value"] = [10**4, 10**4]
    """,
    "string dtype": """
        value = {"kind": "array", "dtype": "<U99999", "value": ["a"] * 99999}
        content["attributes"]["notes"] = value
    """,
    "any dtype": """
        value = {"kind": "array", "dtype": "V999999999", "value": [0]}
        content["attributes"]["notes"] = value
    """,
    "deep content": 'content = "[" * 400_000',
    "deep text": 'arrays["json_/notes"] = np.full(2**22, ord("["), dtype=np.uint8)',
}

_LOAD = """
import resource, sys
from textwrap import dedent
import numpy as np
from pathlib import Path
from skpairclust import ConstrainedNeuralClusterer
sys.path.insert(0, {folder!r})
from tests.faults.test_hostile_files import CLAIMS, pack, sign

good = ConstrainedNeuralClusterer.load("good")
for name, claim in CLAIMS.items():
    content, arrays = pack(good)
    scope = {{"content": content, "arrays": arrays, "np": np}}
    exec(dedent(claim), scope)
    path = sign(Path("bad"), scope["content"], arrays)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        ConstrainedNeuralClusterer.load(path)
    except ValueError as error:
        assert "'bad' is damaged or was altered" in str(error), (name, error)
        print(name, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in kilobytes")
def test_a_small_file_takes_no_memory(models, tmp_path):
    sign(tmp_path / "good", *pack(models[0]))
    code = _LOAD.format(folder=str(Path(__file__).parents[2]))
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    # Nothing is printed of a file that was loaded.
    grown = [line.rsplit(maxsplit=1) for line in result.stdout.splitlines()]
    assert [name for name, _ in grown] == list(CLAIMS)
    assert max(int(kilobytes) for _, kilobytes in grown) < 100_000
