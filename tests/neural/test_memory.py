"""Tables larger than memory: read in blocks, and trained under a hard limit."""

import subprocess
import sys

import numpy as np
import pytest

from skpairclust import ConstrainedNeuralClusterer
from skpairclust.utils._param_validation import Scales


@pytest.mark.parametrize("far", [0, 1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scales_of_blocks_are_those_of_the_table(far, dtype):
    X = np.random.RandomState(0).randn(1000, 6) * [1, 10, 100, 1e-3, 0, 1e5] + far
    X = X.astype(dtype)
    scales = Scales()
    for start in range(0, 1000, 130):
        scales(X[start : start + 130])
    np.testing.assert_allclose(
        scales.deviations(), X.std(axis=0, dtype=np.float64), rtol=1e-3, atol=1e-9
    )


def test_scales_of_what_is_no_table_are_none():
    scales = Scales()
    scales(np.ones((5, 4, 4)))
    assert len(scales.deviations()) == 0


@pytest.mark.parametrize("n_clusters", [3, 2500])
def test_clusters_are_the_most_likely_ones_in_blocks_of_any_size(n_clusters, iris):
    X = np.repeat(iris[0], 20, axis=0)
    clusterer = ConstrainedNeuralClusterer(
        n_clusters, hidden_layer_sizes=8, max_iter=1, random_state=0
    ).fit(X)
    labels = clusterer.predict(X)
    np.testing.assert_array_equal(labels, clusterer.predict_proba(X).argmax(axis=1))
    np.testing.assert_array_equal(labels, clusterer.labels_)
    assert labels.dtype == np.int64


def test_values_that_are_not_finite_in_a_memory_map_are_named(tmp_path):
    X = np.memmap(tmp_path / "X", np.float32, "w+", shape=(500, 3))
    X[:] = np.random.RandomState(0).randn(500, 3)
    X[321, 1] = np.nan
    with pytest.raises(ValueError, match=r"contains .*X\[321\]"):
        ConstrainedNeuralClusterer(3).fit(X)


_FIT = """
import resource, sys
import numpy as np
from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust import PairwiseConstraints

n, d = 100_000, 1000
y = np.random.default_rng(0).integers(0, 4, n)
with open("X", "wb") as file:
    for part in np.array_split(y, 50):
        rows = np.random.default_rng(1).standard_normal((len(part), d), dtype="f4")
        rows[:, :4] += 4 * np.eye(4, dtype="f4")[part]
        file.write(rows.tobytes())
X = np.memmap("X", np.float32, "r", shape=(n, d))
pairs = PairwiseConstraints.sample_from_labels(y, 400, random_state=0)
options = dict(hidden_layer_sizes=32, max_iter=1, random_state=0)
some = np.where(np.arange(n) % 500, -1, y)
fits = [
    (ConstrainedNeuralClusterer(4, **options), pairs),
    (MetricEmbedder(2, **options), some),
]
for estimator, _ in fits:
    # What is allocated once is not counted.
    estimator.fit(np.array(X[:200]), y[:200])
with open("/proc/self/status") as file:
    held = next(int(line.split()[1]) for line in file if line.startswith("VmData"))
limit = held * 1024 + 300 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    np.ones(X.size, dtype=np.float32)
except MemoryError:
    print("limited")
for estimator, known in fits:
    estimator.fit(X, known)
    print("fitted")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of private memory")
def test_a_table_larger_than_the_memory(tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", _FIT], capture_output=True, text=True, cwd=tmp_path
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == ["limited", "fitted", "fitted"]
