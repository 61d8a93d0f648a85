"""The inputs of steps on their way to a device: one block of memory, one copy."""

import numpy as np
import torch

# Bytes: what an array of any type may begin at.
_ALIGNMENT = 16


class StagedInputs:
    """A place on a device for the inputs of a step, which each step writes over.

    Parameters
    ----------
    inputs : NamedTuple of ndarray, float, None, or NamedTuple of these
        Those of a step.
    device : torch.device

    Attributes
    ----------
    places : NamedTuple
        As `inputs`, of tensors on the device; None stays.
    """

    def __init__(self, inputs, device):
        arrays = _list_arrays(inputs)
        self._layout = _describe(inputs)
        ends = np.cumsum([_aligned(array.nbytes) for array in arrays], dtype=np.int64)
        begins = [0, *ends.tolist()]
        self._parts = [
            slice(begin, begin + array.nbytes)
            for begin, array in zip(begins, arrays, strict=False)
        ]
        self._block = torch.empty(begins[-1], dtype=torch.uint8, device=device)
        places = (
            _look_at(self._block[part], array)
            for part, array in zip(self._parts, arrays, strict=True)
        )
        self.places = _replace_arrays(inputs, places)
        self.write(inputs)

    def fits(self, inputs):
        """Whether inputs have the shapes and types of those before."""
        return _describe(inputs) == self._layout

    def write(self, inputs):
        """Write inputs that fit over those of the step before, without waiting."""
        # Pinned: a copy from elsewhere would wait for the device.
        packed = torch.empty_like(
            self._block, device="cpu", pin_memory=self._block.is_cuda
        )
        block = packed.numpy()
        for part, array in zip(self._parts, _list_arrays(inputs), strict=True):
            block[part].view(array.dtype).reshape(array.shape)[...] = array
        self._block.copy_(packed, non_blocking=True)


def _describe(inputs):
    """Return inputs with the shape and the type of each array in its place."""
    arrays = _list_arrays(inputs)
    return _replace_arrays(inputs, ((array.shape, array.dtype) for array in arrays))


def _list_arrays(inputs):
    """Return all arrays of inputs, numbers as arrays without axes."""
    arrays = []
    for value in inputs:
        if isinstance(value, tuple):
            arrays += _list_arrays(value)
        elif value is not None:
            number = isinstance(value, float)
            arrays.append(np.array(value, np.float32) if number else value)
    return arrays


def _replace_arrays(inputs, others):
    """Return inputs with another value, the next one, for each array and number."""
    return type(inputs)(
        *(
            _replace_arrays(value, others)
            if isinstance(value, tuple)
            else (None if value is None else next(others))
            for value in inputs
        )
    )


def _look_at(part, like):
    """Return a part of a block as a tensor like an array."""
    dtype = torch.from_numpy(np.empty(0, like.dtype)).dtype
    return part.view(dtype).reshape(like.shape)


def _aligned(n_bytes):
    """Return how many bytes values take up, so that others may follow."""
    return -(-n_bytes // _ALIGNMENT) * _ALIGNMENT
