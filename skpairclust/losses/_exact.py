"""The type in which long sums are taken."""

import torch

# Devices that are sure to have float64. Apple's have none, and not all of Intel's do.
_EXACT = ("cpu", "cuda")


def exact_dtype(device):
    """Return float64 where `device` is sure to have it, float32 elsewhere."""
    return torch.float64 if device.type in _EXACT else torch.float32
