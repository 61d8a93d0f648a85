"""The state of a training as JSON and arrays, and back."""

import numpy as np
import torch

from skpairclust.neural._tensor_file import DTYPES


def split_state(value, arrays):
    """Return nested `value` as JSON can say it; its arrays and tensors go elsewhere.

    Parameters
    ----------
    value : object
        Numbers, strings, None, arrays and tensors in dicts, lists and tuples; the
        latter come back as lists.
    arrays : dict of str to ndarray
        Gets what is an array, or a tensor, by a new name. Tensors on the CPU are
        windows, so that nothing is copied.

    Raises
    ------
    ValueError
        If something is no data, or of a dtype that cannot be written.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [split_state(item, arrays) for item in value]
    if isinstance(value, dict):
        # Keys may be integers, as in the state of an optimizer.
        keys = [split_state(key, arrays) for key in value]
        return {
            "kind": "dict",
            "keys": keys,
            "items": split_state([*value.values()], arrays),
        }
    name = str(len(arrays))
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        array = _to_array(value.detach().cpu())
        kept = {"kind": "tensor", "name": name, "dtype": dtype}
    else:
        array, kept = np.asarray(value), {"kind": "array", "name": name}
    if array.dtype not in DTYPES.values():
        raise ValueError(
            f"checkpoint_dir cannot be used: a {type(value).__name__} of dtype "
            f"{getattr(value, 'dtype', None)} cannot be written to a file."
        )
    # A file has no arrays without a dimension.
    arrays[name] = array
    return {**kept, "shape": list(array.shape)}


def join_state(value, arrays):
    """Return what `split_state` was given; tensors are on the CPU."""
    if isinstance(value, list):
        return [join_state(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if value["kind"] == "dict":
        items = join_state(value["items"], arrays)
        return dict(zip(value["keys"], items, strict=True))
    array = arrays[value["name"]].reshape(value["shape"])
    if value["kind"] == "array":
        return array
    tensor = torch.from_numpy(array)
    return tensor.view(torch.bfloat16) if value["dtype"] == "bfloat16" else tensor


def _to_array(tensor):
    """Return the values of a tensor; those of a type that numpy lacks as bits."""
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    try:
        return tensor.numpy()
    except TypeError:
        # Of another dtype still: named by the caller.
        return np.empty(0, dtype=object)
