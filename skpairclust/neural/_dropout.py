"""Dropout in the built-in networks."""

from contextlib import contextmanager

from torch import nn


class Dropout(nn.Dropout):
    """Dropout that can rest, also in training mode."""

    rests = False

    def forward(self, x):
        """Return `x`, in training with some values at 0 and the others raised."""
        return x if self.rests else super().forward(x)


def add_dropout(layers, rate):
    """Leave out inputs of linear layers in training, but none of the samples.

    Parameters
    ----------
    layers : torch.nn.Sequential
        Changed in place. The names of its weights stay.
    rate : float
        In (0, 1).

    Returns
    -------
    torch.nn.Sequential
        `layers`.
    """
    has_weights = False
    for place, layer in enumerate(layers):
        if isinstance(layer, nn.Linear) and has_weights:
            layers[place - 1] = nn.Sequential(layers[place - 1], Dropout(rate))
        has_weights = has_weights or any(True for _ in layer.parameters())
    return layers


@contextmanager
def without_dropout(network):
    """Let the dropout of a built-in network rest for a block."""
    parts = [part for part in network.modules() if isinstance(part, Dropout)]
    for part in parts:
        part.rests = True
    try:
        yield
    finally:
        for part in parts:
            part.rests = False
