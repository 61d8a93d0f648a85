"""Networks: shapes, seeds, and what a user's own network must be."""

import pytest
import torch
from torch import nn

from skpairclust.neural._heads import find_head, forward_features
from skpairclust.neural._networks import build_network

IMAGE = (1, 28, 28)


def build(network="mlp", input_shape=(5,), n_outputs=3, seed=0, hidden=(8, 6)):
    return build_network(
        network, input_shape, n_outputs, hidden_layer_sizes=hidden, seed=seed
    )


def states_equal(a, b):
    return all(
        torch.equal(x, y)
        for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize(
    ("network", "input_shape"),
    [
        ("mlp", (5,)),
        ("mlp", (2, 3, 4)),
        ("lenet", IMAGE),
        ("lenet", (16, 16)),
        ("lenet", (3, 32, 20)),
        ("conv", IMAGE),
        ("conv", (16, 16)),
        ("conv", (3, 32, 20)),
        ("conv", (8, 9)),
        ("conv", (7, 64, 100)),
        ("conv", (3, 128, 130)),
        ("centered_conv", (3, 16, 20)),
    ],
)
def test_output_and_feature_shapes(network, input_shape):
    module = build(network, input_shape).eval()
    x = torch.randn(7, *input_shape)
    assert module(x).shape == (7, 3)
    features = forward_features(module, x)
    assert features.shape == (7, find_head(module).in_features)
    torch.testing.assert_close(find_head(module)(features), module(x))


@pytest.mark.parametrize(
    ("network", "input_shape"), [("mlp", (5,)), ("lenet", IMAGE), ("conv", IMAGE)]
)
def test_seed_decides_the_weights_and_nothing_global_does(network, input_shape):
    before = torch.get_rng_state()
    first = build(network, input_shape, seed=1)
    torch.manual_seed(123)
    second = build(network, input_shape, seed=1)
    assert states_equal(first, second)
    assert not states_equal(first, build(network, input_shape, seed=2))
    torch.set_rng_state(before)
    build(network, input_shape)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("network", ["lenet", "conv"])
def test_the_fast_order_of_weights_changes_no_value(network):
    module = build(network, IMAGE).eval()
    kernels = [m.weight for m in module.modules() if isinstance(m, nn.Conv2d)]
    assert kernels[1].is_contiguous(memory_format=torch.channels_last)
    plain = build(network, IMAGE).to(memory_format=torch.contiguous_format).eval()
    x = torch.randn(7, *IMAGE)
    torch.testing.assert_close(module(x), plain(x))


def test_lenet_is_the_published_one():
    kinds = [type(m).__name__ for m in build("lenet", IMAGE).modules()]
    assert kinds.count("Conv2d") == kinds.count("MaxPool2d") == 2
    assert kinds.count("BatchNorm2d") == 2
    assert kinds.count("BatchNorm1d") == 1
    sizes = [tuple(p.shape) for p in build("lenet", IMAGE).parameters() if p.ndim > 1]
    assert sizes == [(20, 1, 5, 5), (50, 20, 5, 5), (500, 800), (3, 500)]


@pytest.mark.parametrize(
    ("side", "n_blocks", "n_features"),
    [
        (8, 3, 64),
        (15, 3, 64),
        (16, 4, 128),
        (63, 4, 1152),
        (64, 5, 512),
        (200, 6, 1152),
    ],
)
def test_larger_images_have_more_blocks(side, n_blocks, n_features):
    module = build("conv", (side, side))
    kinds = [type(m).__name__ for m in module.modules()]
    assert kinds.count("Conv2d") == kinds.count("MaxPool2d") == n_blocks
    assert find_head(module).in_features == n_features


def test_a_centered_network_sees_what_is_shown():
    module = build("centered_conv", (20, 20)).eval()
    x = torch.zeros(1, 20, 20)
    x[:, 3:9, 4:8] = 1
    torch.testing.assert_close(module(x.roll((5, 6), (1, 2))), module(x))
    assert not torch.allclose(module(x.mT), module(x))


def test_first_outputs_are_near_uniform():
    p = build(n_outputs=10, input_shape=(50,), hidden=(256,))(
        torch.randn(200, 50)
    ).softmax(1)
    assert p.max() < 0.3


@pytest.mark.parametrize("input_shape", [(8, 8), (784,), (1, 28, 15), (1, 1, 28, 28)])
def test_lenet_refuses_what_is_no_image(input_shape):
    with pytest.raises(ValueError, match="at least 16 x 16"):
        build("lenet", input_shape)


class TestCallable:
    def test_weights_follow_the_seed_and_the_global_state_is_put_back(self):
        def network(input_shape, n_outputs):
            return nn.Linear(input_shape[0], n_outputs)

        before = torch.get_rng_state()
        assert states_equal(build(network, seed=4), build(network, seed=4))
        assert not states_equal(build(network, seed=4), build(network, seed=5))
        assert torch.equal(torch.get_rng_state(), before)

    def test_wrong_outputs(self):
        with pytest.raises(ValueError, match=r"must give \(2, 3\)"):
            build(lambda shape, n: nn.Linear(5, 4))

    def test_no_module(self):
        with pytest.raises(TypeError, match=r"torch\.nn\.Module"):
            build(lambda shape, n: lambda x: x)

    def test_no_linear_layer(self):
        with pytest.raises(ValueError, match="end it in a torch.nn.Linear"):
            build(lambda shape, n: nn.Sequential(nn.Flatten()))
