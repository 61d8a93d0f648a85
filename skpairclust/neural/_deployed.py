"""What stands before the network when a fitted estimator becomes one module."""

import torch
from torch import nn


class InputLayer(nn.Module):
    """Rows as an estimator takes them, made what its network takes.

    Parameters
    ----------
    architecture : Architecture
    offset : ndarray or None
        What is subtracted from each sample, see `find_offset`.
    """

    def __init__(self, architecture, offset):
        super().__init__()
        shape = tuple(architecture.input_shape)
        self.channels_last = architecture.channels_last
        self.row_shape = (*shape[1:], shape[0]) if self.channels_last else shape
        offset = None if offset is None else torch.tensor(offset)
        self.register_buffer("offset", offset)

    def forward(self, X):
        """Return a float32 tensor of shape (n_samples, *input_shape)."""
        if self.offset is not None:
            # in float64, before float32 rounds away what tells rows apart
            X = X - self.offset
        X = X.float().reshape(-1, *self.row_shape)
        return X.permute(0, 3, 1, 2) if self.channels_last else X
