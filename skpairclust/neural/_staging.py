"""The inputs of steps on their way to a device: one block of memory, one copy."""

import numpy as np
import torch

# Bytes: what an array of any type may begin at.
_ALIGNMENT = 16


class StagedInputs:
    """A place on a device for the inputs of a step, which each step writes over.

    Parameters
    ----------
    inputs : NamedTuple of ndarray, float or None
        Those of a step; all others have their shapes and types.
    device : torch.device

    Attributes
    ----------
    places : NamedTuple
        As `inputs`, of tensors on the device; None stays.
    """

    def __init__(self, inputs, device):
        self._fields = []
        end = 0
        for value in inputs:
            value = None if value is None else _as_array(value)
            begin = -(-end // _ALIGNMENT) * _ALIGNMENT
            end = begin if value is None else begin + value.nbytes
            self._fields.append((slice(begin, end), value))
        self._n_bytes = end
        self._block = torch.empty(end, dtype=torch.uint8, device=device)
        self.places = type(inputs)(
            *(
                None if like is None else _look_at(self._block, part, like)
                for part, like in self._fields
            )
        )
        self.write(inputs)

    def write(self, inputs):
        """Write inputs over those of the step before, without waiting."""
        # Pinned: a copy from elsewhere would wait for the device.
        is_pinned = self._block.is_cuda
        packed = torch.empty(self._n_bytes, dtype=torch.uint8, pin_memory=is_pinned)
        block = packed.numpy()
        for (part, like), value in zip(self._fields, inputs, strict=True):
            if like is not None:
                block[part].view(like.dtype).reshape(like.shape)[...] = value
        self._block.copy_(packed, non_blocking=True)


def _look_at(block, part, like):
    """Return a part of a block as a tensor like an array."""
    dtype = torch.from_numpy(np.empty(0, like.dtype)).dtype
    return block[part].view(dtype).reshape(like.shape)


def _as_array(value):
    """Return an array, of float32 without axes for a number."""
    return np.float32(value).reshape(()) if isinstance(value, float) else value
