"""A network that several processes compute together, each a part of the batch.

All processes draw the same batch. Each sends every `size`-th sample through the network
and gets the outputs of all of them, so that a loss may compare any two. The gradient of
an output goes back to where it came from, and the gradients of the weights of all
processes add up to that of one.
"""

from contextlib import contextmanager
from types import MethodType

import torch
from torch.nn.modules.batchnorm import SyncBatchNorm, _BatchNorm

from skpairclust.neural._sparse_batch import SparseBatch


def spread(network, group, *, through=None):
    """Return a callable that gives the outputs of a network for whole batches.

    Parameters
    ----------
    network : torch.nn.Module
    group : Group
    through : callable, optional
        What of the network is computed, if not all: all processes have computed its
        inputs, and each counts in part for the gradients of what came before.

    Returns
    -------
    callable
        The network itself, or `through`, if there is no other process.
    """
    if group.is_alone:
        return through or network
    apply = through or network

    def call(x):
        if isinstance(x, SparseBatch):
            rest = spread(network, group, through=network.rest)
            return rest(network.first(x))
        if through is not None:
            x = _Scaled.apply(x, 1 / group.size)
        if len(x) < group.size:
            # Too few to share out. All do the same, and what each adds to the
            # gradients of the weights counts in part.
            outputs = apply(_Scaled.apply(x, group.size))
            return _Scaled.apply(outputs, 1 / group.size)
        with _common_statistics(network, group):
            outputs = apply(_Part.apply(x, group))
        return _Whole.apply(outputs.float(), len(x), group)

    return call


class _Part(torch.autograd.Function):
    """The samples of a batch that this process computes."""

    @staticmethod
    def forward(ctx, x, group):
        ctx.group, ctx.n_rows = group, len(x)
        return group.own_part(x).clone()

    @staticmethod
    def backward(ctx, gradient):
        return ctx.group.gather_rows(gradient, ctx.n_rows), None


class _Whole(torch.autograd.Function):
    """The outputs of all processes, in the order of the batch."""

    @staticmethod
    def forward(ctx, part, n_rows, group):
        ctx.group = group
        return group.gather_rows(part, n_rows)

    @staticmethod
    def backward(ctx, gradient):
        return ctx.group.own_part(gradient), None, None


class _Scaled(torch.autograd.Function):
    """What it is given, with a gradient that is scaled."""

    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return ctx.factor * gradient, None


class _Sum(torch.autograd.Function):
    """The sum over all processes."""

    @staticmethod
    def forward(ctx, part, group):
        ctx.group = group
        return group.sum(part)

    @staticmethod
    def backward(ctx, gradient):
        return ctx.group.sum(gradient), None


@contextmanager
def _common_statistics(network, group):
    """Let layers of batch normalization see the samples of all processes."""
    layers = [
        part
        for part in network.modules()
        if isinstance(part, _BatchNorm) and not isinstance(part, SyncBatchNorm)
    ]

    def forward(layer, x):
        return _normalize(layer, x, group)

    try:
        for layer in layers:
            layer.forward = MethodType(forward, layer)
        yield
    finally:
        for layer in layers:
            del layer.forward


def _normalize(layer, x, group):
    """Return what a layer of batch normalization gives for a part of a batch."""
    if not (layer.training or layer.running_mean is None):
        return type(layer).forward(layer, x)
    layer._check_input_dim(x)
    dims = [0, *range(2, x.ndim)]
    shape = [1, -1, *[1] * (x.ndim - 2)]
    values = x.float()
    n_own = values.new_tensor([values.numel() / values.shape[1]])
    sums = _Sum.apply(torch.cat([values.sum(dims), n_own]), group)
    count = sums[-1].detach()
    mean = sums[:-1] / count
    centered = values - mean.reshape(shape)
    variance = _Sum.apply(centered.square().sum(dims), group) / count
    _update_running(layer, mean.detach(), variance.detach() * count / (count - 1))
    result = centered * torch.rsqrt(variance + layer.eps).reshape(shape)
    if layer.affine:
        result = result * layer.weight.reshape(shape) + layer.bias.reshape(shape)
    return result.to(x.dtype)


def _update_running(layer, mean, variance):
    """Let a layer remember the statistics of a batch, as it would by itself."""
    if not (layer.training and layer.track_running_stats):
        return
    layer.num_batches_tracked.add_(1)
    momentum = layer.momentum
    if momentum is None:
        momentum = 1 / float(layer.num_batches_tracked)
    layer.running_mean.lerp_(mean.to(layer.running_mean.dtype), momentum)
    layer.running_var.lerp_(variance.to(layer.running_var.dtype), momentum)
