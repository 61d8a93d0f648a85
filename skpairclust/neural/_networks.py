"""Networks that end in one output per cluster, each built from a generator.

The global random state of torch is never used: layers are allocated without
initialization and filled from the generator that comes in.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import nn

from skpairclust.neural._centering import CenterLayer
from skpairclust.neural._dropout import add_dropout
from skpairclust.neural._heads import adopt, mark_head
from skpairclust.neural._rows import FeatureRows
from skpairclust.neural._sparse_batch import TableNetwork
from skpairclust.neural._torch_utils import global_rng, load_numpy_state, make_generator

# The first outputs should be near uniform, so that no cluster starts as winner.
_OUTPUT_SCALE = 0.1

# Channels of the blocks of "conv", and the sides of images from which on it has so many
# blocks. 1 to 3 pixels a side are left, or more of images above 256.
_CONV_CHANNELS = (16, 32, 64, 128, 128, 128)
_CONV_SIDES = (2, 4, 8, 16, 64, 128)

# What the parameter `network` names, over all estimators.
BUILT_IN = ("mlp", "lenet", "conv", "centered_conv")

# What the parameter `initial_weights` names.
INITIAL_WEIGHTS = ("he", "torch7")


@dataclass(frozen=True)
class Architecture:
    """All that rebuilds the network; kept with a fitted estimator."""

    network: object
    input_shape: tuple
    n_outputs: int
    hidden_layer_sizes: tuple
    # Whether images come with their channels last; `input_shape` has them first.
    channels_last: bool = False
    # How a training goes, not what is trained: weights fit any of these.
    dropout: float = field(default=0.0, compare=False)
    initial_weights: str = field(default="he", compare=False)

    @property
    def draws_globally(self):
        """Whether the network draws from torch's global generators in training."""
        return callable(self.network) or self.dropout > 0

    def build(self, seed=0):
        """Return the network with initial weights drawn from `seed`."""
        return build_network(
            self.network,
            self.input_shape,
            self.n_outputs,
            hidden_layer_sizes=self.hidden_layer_sizes,
            seed=seed,
            dropout=self.dropout,
            initial_weights=self.initial_weights,
        )

    def outline(self):
        """Return the tensors of the network's state, by name, without their values.

        Nothing is allocated, unless a network of the user's insists on it.
        """
        with torch.device("meta"):
            return self.build().state_dict()

    def make_rows(self, X, device, *, dense=False):
        """Return X as rows that the network takes, sparse ones too unless `dense`."""
        return FeatureRows(
            X,
            self.input_shape,
            device,
            channels_last=self.channels_last,
            keeps_sparse=self.network == "mlp" and not dense,
        )

    def start(self, seed, device, weights=None):
        """Return a network to train on a device: with these weights, or new ones."""
        network = self.build(seed).to(device)
        if weights is not None:
            load_numpy_state(network, weights)
        if isinstance(self.network, str):
            _work_in_place(network)
        return network

    def lay_out(self, network, rows):
        """Prepare a network for training on these rows; no value changes."""
        if rows.is_sparse:
            network.lay_out()


def build_network(
    network,
    input_shape,
    n_outputs,
    *,
    hidden_layer_sizes,
    seed,
    dropout=0.0,
    initial_weights="he",
):
    """Build the network that the parameter `network` of an estimator names.

    Parameters
    ----------
    network : {"mlp", "lenet", "conv", "centered_conv"} or callable
        A callable gets ``(input_shape, n_outputs)`` and returns a module. It may
        draw from torch's global generator, which is seeded for the call and put
        back after it.
    input_shape : tuple of int
        Shape of one sample.
    n_outputs : int
    hidden_layer_sizes : sequence of int
        Used by ``"mlp"`` alone.
    seed : int
    dropout : float, default=0.0
        Share of the inputs of linear layers, but not of the first layer, that are left
        out in training. Not for callables.
    initial_weights : {"he", "torch7"}, default="he"
        Not for callables.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    TypeError
        If a callable returns something other than a module.
    ValueError
        If the network cannot take samples of this shape.
    """
    if not callable(network):
        generator = make_generator(seed)
        if network == "mlp":
            module = build_mlp(input_shape, n_outputs, hidden_layer_sizes, generator)
        elif network == "lenet":
            module = build_lenet(input_shape, n_outputs, generator)
        else:
            is_centered = network == "centered_conv"
            module = build_conv(
                input_shape, n_outputs, generator, is_centered=is_centered
            )
        if initial_weights == "torch7":
            draw_as_torch7(module, generator)
        return add_dropout(module, dropout) if dropout else module
    with global_rng(seed):
        module = network(tuple(input_shape), n_outputs)
        if not isinstance(module, nn.Module):
            raise TypeError(
                "network must return a torch.nn.Module when called with (input_shape, "
                f"n_outputs); got {type(module).__name__}."
            )
        return adopt(module, input_shape, n_outputs)


def build_mlp(input_shape, n_outputs, hidden_layer_sizes, generator):
    """Build a multi-layer perceptron with batch normalization.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample; it is flattened.
    n_outputs : int
    hidden_layer_sizes : sequence of int
        Units in each hidden layer.
    generator : torch.Generator
        Source of the initial weights, on the CPU.

    Returns
    -------
    TableNetwork
    """
    sizes = [math.prod(input_shape), *hidden_layer_sizes]
    layers = [nn.Flatten()]
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [
            make_linear(n_in, n_out, generator),
            nn.BatchNorm1d(n_out),
            nn.ReLU(),
        ]
    layers.append(make_linear(sizes[-1], n_outputs, generator, _OUTPUT_SCALE))
    return _with_head(TableNetwork(*layers))


def build_lenet(input_shape, n_outputs, generator):
    """Build the LeNet of Hsu & Kira (2016) for images of at least 16 x 16.

    Two blocks of 5 x 5 convolution (20, then 50 channels), batch normalization,
    ReLU and 2 x 2 max-pooling, then a hidden layer of 500 units.

    Parameters
    ----------
    input_shape : tuple of int
        ``(height, width)`` or ``(channels, height, width)``.
    n_outputs : int
    generator : torch.Generator
        Source of the initial weights, on the CPU.

    Returns
    -------
    torch.nn.Sequential

    Raises
    ------
    ValueError
        If `input_shape` is not that of an image of at least 16 x 16.
    """
    channels, height, width = image_shape(input_shape)
    blocks = [
        *_conv_block(channels, 20, generator),
        *_conv_block(20, 50, generator),
    ]
    n_flat = 50 * _pooled(_pooled(height)) * _pooled(_pooled(width))
    head = [
        make_linear(n_flat, 500, generator),
        nn.BatchNorm1d(500),
        nn.ReLU(),
        make_linear(500, n_outputs, generator, _OUTPUT_SCALE),
    ]
    return _of_images(input_shape, blocks, head)


def build_conv(input_shape, n_outputs, generator, *, is_centered=False):
    """Build a network of small convolutions for images of at least 8 x 8.

    Four blocks of 3 x 3 convolution (16, 32, 64 and 128 channels), 2 x 2 max-pooling,
    batch normalization and ReLU, then the output. As the network of Vinyals et al.
    (2016), "Matching networks for one shot learning", section 4.1.1, but narrow where
    images are large, and pooled before they are normalized: half the time. Images of
    less than 16 pixels a side have three blocks; those of 64 and more have five, those
    of 128 and more six, with 128 channels each.

    Parameters
    ----------
    input_shape : tuple of int
        ``(height, width)`` or ``(channels, height, width)``.
    n_outputs : int
    generator : torch.Generator
        Source of the initial weights, on the CPU.
    is_centered : bool, default=False
        Whether what an image shows is first moved to its middle and scaled.

    Returns
    -------
    torch.nn.Sequential

    Raises
    ------
    ValueError
        If `input_shape` is not that of an image of at least 8 x 8.
    """
    channels, height, width = image_shape(input_shape, "conv", least_side=8)
    n_blocks = sum(min(height, width) >= side for side in _CONV_SIDES)
    sizes = [channels, *_CONV_CHANNELS[:n_blocks]]
    blocks = [CenterLayer()] if is_centered else []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        conv, norm, relu, pool = _conv_block(
            n_in, n_out, generator, kernel_size=3, padding=1
        )
        blocks += [conv, pool, norm, relu]
    shrunk = 2**n_blocks
    n_flat = sizes[-1] * (height // shrunk) * (width // shrunk)
    head = [make_linear(n_flat, n_outputs, generator, _OUTPUT_SCALE)]
    return _of_images(input_shape, blocks, head)


def draw_as_torch7(network, generator):
    """Draw the initial weights that the layers of Torch 7 have.

    Weights and biases are uniform within one over the root of a unit's number of
    inputs; factors of batch normalization are uniform in [0, 1). The networks of the
    first papers on clustering from pairs started so.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place.
    generator : torch.Generator
        On the CPU.
    """
    for layer in network.modules():
        norms = isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d))
        if not (norms or isinstance(layer, (nn.Linear, nn.Conv2d))):
            continue
        if layer.weight.is_meta:
            continue
        if norms:
            nn.init.uniform_(layer.weight, generator=generator)
            continue
        bound = 1 / math.sqrt(layer.weight[0].numel())
        for values in (layer.weight, layer.bias):
            nn.init.uniform_(values, -bound, bound, generator=generator)


def _of_images(input_shape, blocks, head):
    """Return layers for images, without channels too, and then for flat features."""
    is_gray = len(input_shape) == 2
    first = nn.Unflatten(1, (1, input_shape[0])) if is_gray else nn.Identity()
    network = _with_head(nn.Sequential(first, *blocks, nn.Flatten(), *head))
    # Convolutions forward and backward take half the time; no value changes.
    return network.to(memory_format=torch.channels_last)


def _with_head(layers):
    """Return a sequence of layers, the last of which is known as its head."""
    mark_head(layers[-1])
    return layers


def image_shape(input_shape, network="lenet", least_side=16):
    """Return ``(channels, height, width)``, or say why `network` cannot take it."""
    shape = (1, *input_shape) if len(input_shape) == 2 else tuple(input_shape)
    if len(shape) != 3 or min(shape[1:]) < least_side:
        raise ValueError(
            f"network={network!r} needs images of at least {least_side} x {least_side}"
            f", but one sample has shape {tuple(input_shape)}: pass input_shape="
            "(height, width) or (channels, height, width), or use network='mlp'."
        )
    return shape


def _work_in_place(network):
    """Let activations write over their inputs, which saves a tenth of a step.

    Only while a network is trained: hooks on the layers of a fitted one would see what
    was written over.
    """
    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = True


def make_linear(n_in, n_out, generator, scale=1.0):
    """Return a linear layer with He-normal weights times `scale`, zero bias."""
    return _initialize(_allocate(nn.Linear, n_in, n_out), generator, scale=scale)


def _conv_block(n_in, n_out, generator, *, kernel_size=5, padding=0):
    """Return convolution, batch normalization, ReLU, max-pooling 2 x 2."""
    conv = _allocate(nn.Conv2d, n_in, n_out, kernel_size=kernel_size, padding=padding)
    return (
        _initialize(conv, generator),
        nn.BatchNorm2d(n_out),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


def _pooled(size):
    """Return the side of an image after one convolution block."""
    return (size - 4) // 2


def _allocate(kind, *args, **options):
    """Return a layer without values, where torch makes tensors now.

    As `torch.nn.utils.skip_init`, which imports a part of the compiler: a second.
    """
    layer = kind(*args, device="meta", **options)
    for name, place in [*layer.named_parameters()]:
        setattr(layer, name, nn.Parameter(torch.empty(place.shape)))
    return layer


def _initialize(layer, generator, scale=1.0):
    """Fill a layer from `generator` and return it, as it is if it has no memory."""
    if layer.weight.is_meta:
        return layer
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    with torch.no_grad():
        layer.weight.mul_(scale)
    nn.init.zeros_(layer.bias)
    return layer
