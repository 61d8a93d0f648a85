"""Dask arrays are not computed as a whole without a word."""

import numpy as np
import pytest

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.baselines import COPKMeans, MPCKMeans, PCKMeans
from skpairclust.cluster import AffinityPropagationK

da = pytest.importorskip("dask.array")

X = np.random.RandomState(0).normal(size=(60, 4))
y = np.arange(60) % 3
X[:, 0] += 3 * y
LAZY = da.from_array(X, chunks=(25, 4))

QUICK = {"max_iter": 2, "random_state": 0}
MODELS = [
    ConstrainedNeuralClusterer(3, **QUICK),
    MetricEmbedder(3, n_clusters=3, **QUICK),
    PCKMeans(3),
    MPCKMeans(3),
    COPKMeans(3),
    AffinityPropagationK(3),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_dask_arrays_are_refused_with_the_way_out(model):
    known = () if isinstance(model, AffinityPropagationK) else (y,)
    with pytest.raises(
        TypeError, match=r"X is a dask Array.*X\.compute\(\).*map_blocks"
    ):
        model.fit(LAZY, *known)
    model.fit(X, *known)
    for method in ("predict", "transform", "predict_proba"):
        if hasattr(model, method):
            with pytest.raises(TypeError, match=r"map_blocks\(model\.predict"):
                getattr(model, method)(LAZY)


def test_blocks_are_predicted_one_by_one():
    model = MODELS[0].fit(X, y)
    seen = []

    def predict(block):
        seen.append(len(block))
        return model.predict(block)

    labels = LAZY.map_blocks(
        predict, dtype=np.int64, drop_axis=1, meta=np.empty(0, int)
    )
    np.testing.assert_array_equal(labels.compute(scheduler="sync"), model.labels_)
    assert sorted(seen) == [10, 25, 25]
