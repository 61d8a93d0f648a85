"""Losses whose gradients are known in closed form."""

import torch


def with_slope(x, slope):
    """Return 0 with the gradient `slope` in `x`.

    Handing gradients over so keeps what they were computed from out of the graph. Of
    minus infinity, the logarithm of a probability of 0, there is no gradient.
    """
    return inner((x - x.detach()).nan_to_num(0.0), slope)


def inner(a, b):
    """Return the sum of the products of two arrays."""
    return torch.vdot(a.flatten(), b.flatten())
