"""Products in bfloat16: where they are taken, and what they change."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.neural._precision import (
    has_bfloat16,
    in_bfloat16,
    lowers_precision,
)

CPU = torch.device("cpu")


def test_float32_goes_in_and_out_and_bfloat16_is_between():
    layer = torch.nn.Linear(8, 4)
    x = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
    exact, low = layer(x), in_bfloat16(layer, CPU)(x)
    assert low.dtype == torch.float32
    assert torch.equal(low, low.bfloat16().float())
    error = (exact - low).abs().max()
    assert 0 < error < 0.02


def test_weights_that_changed_are_seen_under_autocast_of_the_caller():
    layer = torch.nn.Linear(8, 4, bias=False)
    x = torch.ones(2, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        in_bfloat16(layer, CPU)(x)
        with torch.no_grad():
            layer.weight.fill_(1.0)
        assert torch.equal(in_bfloat16(layer, CPU)(x), torch.full((2, 4), 8.0))


def test_auto_leaves_networks_of_the_user_alone():
    assert not lowers_precision("auto", CPU, built_in=False)
    assert lowers_precision("auto", CPU, built_in=True) == has_bfloat16(CPU)
    assert not lowers_precision("float32", CPU, built_in=True)
    assert lowers_precision("bfloat16", CPU, built_in=False)


def test_precision_that_the_device_lacks_is_refused(monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False, raising=False)
    X = np.random.RandomState(0).normal(size=(20, 2))
    clusterer = ConstrainedNeuralClusterer(2, precision="bfloat16", device="cpu")
    with pytest.raises(ValueError, match="precision='bfloat16' needs a processor"):
        clusterer.fit(X, must_link=[(0, 1)], cannot_link=[(0, 2)])


@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_both_cluster_alike(precision):
    X, y = make_blobs(300, n_features=4, centers=3, random_state=0)
    pairs = PairwiseConstraints.sample_from_labels(y, 60, random_state=0)
    clusterer = ConstrainedNeuralClusterer(3, precision=precision, random_state=0)
    clusterer.fit(X / 10, pairs)
    assert adjusted_rand_score(y, clusterer.labels_) > 0.95
    assert {v.dtype for v in clusterer.weights_.values()} <= {
        np.dtype(np.float32),
        np.dtype(np.int64),
    }
