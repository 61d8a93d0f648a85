"""What the caller set in torch changes nothing of ours, and is not changed by us."""

import contextlib
import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder
from skpairclust.neural._torch_utils import default_torch_state, global_rng

rng = np.random.RandomState(0)
X, y = rng.randn(60, 3), np.arange(60) % 3


@contextlib.contextmanager
def float64_default():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


STATES = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "float64": float64_default,
    "default device": lambda: torch.device("meta"),
    "numpy raises": lambda: np.errstate(all="raise"),
}


def own_network(shape, n):
    return nn.Sequential(nn.Linear(*shape, 8), nn.Dropout(0.1), nn.Linear(8, n))


def make(kind, network="mlp"):
    sizes = {"hidden_layer_sizes": (8,)} if network == "mlp" else {}
    return kind(3, network=network, max_iter=2, device="cpu", random_state=0, **sizes)


def describe_state():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_num_threads(),
        np.geterr(),
        torch.get_rng_state().tolist(),
    )


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("network", ["mlp", own_network])
@pytest.mark.parametrize("kind", [ConstrainedNeuralClusterer, MetricEmbedder])
def test_state_of_the_caller(kind, network, state):
    plain = make(kind, network).fit(X, y)
    expected = plain.transform(X)
    with STATES[state]():
        before = describe_state()
        fitted = make(kind, network).fit(X, y)
        found, again = fitted.transform(X), plain.transform(X)
        assert describe_state() == before
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(again, expected)


def test_the_default_dtype_comes_back_after_the_last_thread():
    inside, leave = threading.Barrier(3), threading.Event()

    def work():
        with default_torch_state():
            inside.wait(timeout=20)
            assert torch.get_default_dtype() == torch.float32
            leave.wait(timeout=20)

    with float64_default():
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        inside.wait(timeout=20)
        leave.set()
        for thread in threads:
            thread.join()
        assert torch.get_default_dtype() == torch.float64


def test_no_gpu_is_touched_for_the_cpu(monkeypatch):
    """Two GPUs are pretended; saving their state would initialize each."""
    touched = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for name in ("get_rng_state", "set_rng_state", "manual_seed", "manual_seed_all"):
        monkeypatch.setattr(torch.cuda, name, lambda *a, n=name, **k: touched.append(n))
    for kind in (ConstrainedNeuralClusterer, MetricEmbedder):
        make(kind, own_network).fit(X, y)
    assert touched == []


def test_seeds_hold_inside_and_the_state_comes_back_after():
    before = torch.get_rng_state()
    drawn = []
    for _ in range(2):
        with global_rng(3):
            drawn.append(torch.rand(4))
        assert torch.equal(torch.get_rng_state(), before)
    torch.testing.assert_close(*drawn)
    torch.manual_seed(3)
    torch.testing.assert_close(drawn[0], torch.rand(4))
    torch.set_rng_state(before)


def test_the_state_comes_back_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(KeyError), global_rng(3):
        torch.rand(4)
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)


class NoDevice(TorchFunctionMode):
    """Note what makes a tensor without saying where: it would follow the default."""

    def __init__(self):
        super().__init__()
        self.loose = set()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        # Weights that are loaded are copied to where the network is.
        loads = func in (torch.tensor,)
        if (
            func in _device_constructors()
            and kwargs.get("device") is None
            and not loads
        ):
            self.loose.add(func.__name__)
        return func(*args, **kwargs)


@pytest.mark.parametrize("loss", ["triplet", "soft_triplet", "lifted", "contrastive"])
@pytest.mark.parametrize("mining", ["all", "random", "semihard", "hardest"])
def test_the_embedder_says_where_its_tensors_are(loss, mining):
    options = {"loss": loss, "mining": mining, "network": own_network}
    watch = NoDevice()
    with watch:
        MetricEmbedder(2, max_iter=1, random_state=0, **options).fit(X, y)
    # The layers of the user's network are made by the user.
    assert watch.loose <= {"empty"}


def test_the_clusterer_says_where_its_tensors_are():
    watch = NoDevice()
    with watch:
        for unlabeled in ("imsat", "vat", None):
            ConstrainedNeuralClusterer(
                3, network=own_network, max_iter=1, unlabeled=unlabeled, random_state=0
            ).fit(X, must_link=[(0, 3)], cannot_link=[(0, 1)])
    assert watch.loose <= {"empty"}
