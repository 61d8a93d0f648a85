"""Fitted estimators as one module, and as a file for ONNX Runtime."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder

Y = np.arange(60) % 3
RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(60, 4)) + 3 * Y[:, None]
# Where float32 cannot tell the rows apart.
FAR = TABLE + 1e9
GRAY = RNG.random((60, 10, 10)) + Y[:, None, None]
COLORS = RNG.random((60, 16, 18, 3)) + Y[:, None, None, None]


def clusterer(**parameters):
    fast = {"max_iter": 3, "hidden_layer_sizes": 16, "random_state": 0}
    return ConstrainedNeuralClusterer(**({"n_clusters": 3} | fast | parameters))


def embedder(**parameters):
    fast = {"max_iter": 3, "hidden_layer_sizes": 16, "random_state": 0}
    return MetricEmbedder(4, **(fast | parameters))


def of_two_outputs(input_shape, n_outputs):
    class Several(nn.Linear):
        def forward(self, x):
            y = super().forward(x)
            return {"logits": y, "auxiliary": y + 1}

    return Several(*input_shape, n_outputs)


FITTED = {
    "table": (clusterer(), TABLE),
    # more outputs than clusters: their order is not that of the network
    "surplus": (clusterer(n_clusters=7, walk_length=0, max_iter=9), TABLE),
    "far": (clusterer(), FAR),
    "float32": (clusterer(), TABLE.astype(np.float32)),
    "colors": (clusterer(network="lenet", max_iter=1), COLORS),
    "several outputs": (clusterer(network=of_two_outputs), TABLE),
    "embedding": (embedder(), TABLE),
    "centered": (embedder(network="centered_conv", max_iter=1), GRAY),
    "turned images": (embedder(augment_classes=True, max_iter=1), GRAY),
    "far embedding": (embedder(normalize=False), FAR),
    "embedding with clusters": (embedder(n_clusters=3, clusters_per_class=2), TABLE),
}


@pytest.fixture(params=FITTED, scope="module")
def fitted(request):
    estimator, X = FITTED[request.param]
    return estimator.fit(X, Y), X


def expected(estimator, X):
    """Return what the module should give, as a list of arrays."""
    if hasattr(estimator, "predict_proba"):
        return [estimator.predict(X), estimator.predict_proba(X)]
    labels = [estimator.predict(X)] if hasattr(estimator, "predict") else []
    return [*labels, estimator.transform(X)]


def check_equal(outputs, estimator, X):
    for output, target in zip(outputs, expected(estimator, X), strict=True):
        if target.dtype == np.int64:
            assert output.dtype == np.int64
            np.testing.assert_array_equal(output, target)
        else:
            np.testing.assert_allclose(output, target, atol=1e-5)


def as_tuple(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


def test_module_gives_what_the_estimator_gives(fitted):
    estimator, X = fitted
    with torch.inference_mode():
        outputs = as_tuple(estimator.to_module()(torch.from_numpy(X)))
    check_equal([output.numpy() for output in outputs], estimator, X)


def test_the_order_of_clusters_is_not_trivial():
    estimator, X = FITTED["surplus"]
    order = estimator.fit(X, Y).cluster_order_
    assert (order != np.arange(len(order))).any()


def test_temperature_and_copy():
    estimator = clusterer().fit(TABLE, Y)
    estimator.calibrate(TABLE, Y)
    module = estimator.to_module()
    check_equal([o.numpy() for o in _run(module, TABLE)], estimator, TABLE)
    before = estimator.predict_proba(TABLE)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    np.testing.assert_array_equal(estimator.predict_proba(TABLE), before)


def _run(module, X):
    with torch.inference_mode():
        return module(torch.from_numpy(X))


def test_onnx_gives_what_the_estimator_gives(fitted, tmp_path):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    estimator, X = fitted
    path = str(tmp_path / "model.onnx")
    names = ["labels", "values"][-len(expected(estimator, X[:2])) :]
    with warnings.catch_warnings():
        # PyTorch announces its newer exporter, which needs onnxscript
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            estimator.to_module(),
            (torch.from_numpy(X[:2]),),
            path,
            input_names=["X"],
            output_names=names,
            dynamic_axes={name: {0: "n_samples"} for name in ("X", *names)},
            dynamo=False,
        )
    session = onnxruntime.InferenceSession(path)
    check_equal(session.run(names, {"X": X}), estimator, X)
    check_equal(session.run(names, {"X": X[:1]}), estimator, X[:1])
