"""Matrix products in bfloat16, where there are instructions for them.

Weights, losses, softmax and the statistics of batch normalization stay float32.
"""

import torch

from skpairclust.neural._torch_utils import resolve_device

PRECISIONS = ("auto", "float32", "bfloat16")

# What torch calls the instructions of processors that multiply bfloat16.
_INSTRUCTIONS = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")


def has_bfloat16(device):
    """Whether a device multiplies bfloat16 faster than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        known = (getattr(torch.cpu, name, None) for name in _INSTRUCTIONS)
        return any(ask() for ask in known if ask is not None)
    return False


def check_precision(precision, device):
    """Raise ValueError if the parameter `precision` asks for what `device` lacks."""
    if precision == "bfloat16" and not has_bfloat16(resolve_device(device)):
        raise ValueError(
            f"precision='bfloat16' needs a processor with AVX512-BF16 or AMX, or a GPU "
            f"of compute capability 8.0; device={str(device)!r} here has neither. Use "
            "precision='auto' or 'float32'."
        )


def lowers_precision(precision, device, *, built_in):
    """Return whether products are to be taken in bfloat16.

    "auto" does so on processors, where it takes half the time; on GPUs small networks
    gain next to nothing. Networks of users may hold what has no bfloat16.
    """
    if precision == "auto":
        return built_in and device.type == "cpu" and has_bfloat16(device)
    return precision == "bfloat16"


def in_bfloat16(network, device):
    """Return a callable with the outputs of a network in float32."""

    def call(x):
        # Without the cache: under autocast of the caller it would outlive the step,
        # and with it weights that have changed since.
        with torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=False):
            outputs = network(x)
        return outputs.float()

    return call
