"""Networks: shapes, seeds, and what a user's own network must be."""

import numpy as np
import pytest
import torch
from torch import nn

from skpairclust.neural._dropout import Dropout
from skpairclust.neural._heads import find_head, forward_features
from skpairclust.neural._networks import INITIAL_WEIGHTS, Architecture, build_network
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._training import settle

IMAGE = (1, 28, 28)
CPU = torch.device("cpu")


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


@pytest.mark.parametrize(
    ("kind", "shape"), [("mlp", (5,)), ("lenet", IMAGE), ("conv", IMAGE)]
)
def test_hooks_see_every_layer_unless_a_network_is_trained(kind, shape):
    architecture = Architecture(kind, shape, 3, hidden_layer_sizes=(8, 6))
    x = torch.randn(4, *shape, requires_grad=True)
    results = []
    for network, is_trained in (
        (architecture.build(0), False),
        (architecture.start(0, CPU), True),
    ):
        outputs = note_outputs(network, nn.BatchNorm1d, nn.BatchNorm2d)
        results.append(network(x))
        # In training, those below 0 are written over.
        assert [bool((output < 0).any()) for output in outputs] == (
            [not is_trained] * len(outputs)
        )
    torch.testing.assert_close(*results)
    network = architecture.build(0)
    for part in network.modules():
        part.register_full_backward_hook(lambda *_: None)
    network(x).sum().backward()


def note_outputs(network, *kinds):
    """Return a list of what layers of these kinds will have returned."""
    outputs = []
    for part in network.modules():
        if isinstance(part, kinds):
            part.register_forward_hook(lambda *args: outputs.append(args[-1]))
    return outputs


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


class TestDropout:
    def test_names_of_weights_and_values_of_features_stay(self):
        for network, shape in (("mlp", (5,)), ("lenet", IMAGE), ("conv", IMAGE)):
            options = {"hidden_layer_sizes": (8, 6), "seed": 0}
            plain = build_network(network, shape, 3, **options)
            module = build_network(network, shape, 3, dropout=0.5, **options)
            module.load_state_dict(plain.state_dict())
            x = torch.randn(7, *shape)
            plain.eval(), module.eval()
            torch.testing.assert_close(module(x), plain(x))
            features = forward_features(module, x)
            torch.testing.assert_close(features, forward_features(plain, x))

    @pytest.mark.parametrize(
        ("network", "shape", "n_layers"),
        [("mlp", (5,), 2), ("lenet", IMAGE, 2), ("conv", IMAGE, 1)],
    )
    def test_leaves_out_a_share_of_hidden_units_alone(self, network, shape, n_layers):
        module = build_network(
            network, shape, 3, hidden_layer_sizes=(400, 400), seed=0, dropout=0.25
        )
        layers = [m for m in module.modules() if isinstance(m, Dropout)]
        assert len(layers) == n_layers
        seen = []
        for layer in layers:
            layer.register_forward_hook(lambda _, x, y: seen.append((x[0], y)))
        module(torch.randn(64, *shape))
        for x, y in seen:
            assert x.ndim == 2 and x.shape[1] > 5
            live = x != 0
            share = (y[live] == 0).double().mean()
            assert 0.2 < share < 0.3
            kept = live & (y != 0)
            torch.testing.assert_close(y[kept], x[kept] / 0.75)

    def test_rests_while_statistics_are_settled(self):
        options = {"hidden_layer_sizes": (30, 30), "seed": 0}
        plain = build_network("mlp", (5,), 3, **options)
        module = build_network("mlp", (5,), 3, dropout=0.5, **options)
        rows = FeatureRows(
            np.random.RandomState(0).randn(40, 5).astype("float32"), (5,), CPU
        )
        for network in (plain, module):
            settle(network, rows, None, 20, seed=0)
        assert states_equal(plain, module)
        x = torch.randn(4, 5)
        module.train()
        assert not torch.equal(module(x), module(x))


@pytest.mark.parametrize(
    ("network", "shape"), [("mlp", (5,)), ("lenet", IMAGE), ("conv", IMAGE)]
)
def test_every_built_in_network_has_both_kinds_of_weights(network, shape):
    networks = [
        build_network(
            network,
            shape,
            3,
            hidden_layer_sizes=(8,),
            seed=0,
            dropout=0.5,
            initial_weights=kind,
        )
        for kind in INITIAL_WEIGHTS
    ]
    shapes = [[p.shape for p in module.parameters()] for module in networks]
    assert shapes[0] == shapes[1] and not states_equal(*networks)
    assert all(p.isfinite().all() for m in networks for p in m.parameters())


def test_weights_as_in_torch7():
    module = build_network(
        "lenet", IMAGE, 10, hidden_layer_sizes=(), seed=0, initial_weights="torch7"
    )
    fan_in = {(20, 1, 5, 5): 25, (50, 20, 5, 5): 500, (500, 800): 800, (10, 500): 500}
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            bound = fan_in[tuple(layer.weight.shape)] ** -0.5
            for values in (layer.weight, layer.bias):
                assert values.abs().max() <= bound
            # Uniform: the variance is a third of the squared bound.
            assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.1)
            assert layer.bias.abs().max() > 0
        elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            assert 0 <= layer.weight.min() < layer.weight.max() < 1
            assert not layer.bias.any()
