"""Devices, random state and the way between numpy and torch."""

from contextlib import contextmanager
from threading import RLock

import torch

_GLOBAL_RNG_LOCK = RLock()


def resolve_device(device, *, fallback=False):
    """Turn the `device` parameter of an estimator into a `torch.device`.

    Parameters
    ----------
    device : str or torch.device
        ``"auto"`` takes the GPU when there is one.
    fallback : bool, default=False
        Use the CPU when the device asked for does not exist here, as an
        estimator must that was fitted on a GPU and unpickled without one.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If the device is unknown, or does not exist and `fallback` is false.
    """
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device={device!r} is not a torch device: use 'auto', 'cpu', 'cuda' "
            "or 'cuda:N'."
        ) from error
    if _is_available(resolved):
        return resolved
    if fallback:
        return torch.device("cpu")
    raise ValueError(
        f"device={str(device)!r} is not available on this machine "
        f"({torch.cuda.device_count()} CUDA devices found): use device='auto' or "
        "device='cpu'."
    )


def _is_available(device):
    """Whether tensors can be put on `device` here."""
    if device.type == "cpu":
        return True
    if device.type == "cuda":
        return (device.index or 0) < torch.cuda.device_count()
    backend = getattr(torch, device.type, None) or getattr(
        torch.backends, device.type, None
    )
    return backend is not None and backend.is_available()


def make_generator(seed, device="cpu"):
    """Return a `torch.Generator` on `device`, seeded with `seed`."""
    generator = torch.Generator(device=device)
    generator.manual_seed(int(seed))
    return generator


@contextmanager
def global_rng(seed):
    """Seed torch's global generators for a block and put their state back after.

    Networks of users draw from the global generators; ours take a generator. The
    lock keeps restarts in threads from seeding each other's networks.
    """
    with _GLOBAL_RNG_LOCK, torch.random.fork_rng():
        torch.manual_seed(int(seed))
        yield


def to_device(array, device):
    """Return `array` as a tensor on `device` without waiting for the copy."""
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def to_numpy_state(module):
    """Return the parameters and buffers of `module` as CPU numpy arrays."""
    return {
        # A copy: on the CPU `numpy()` would be a window on the live weights.
        name: tensor.detach().cpu().numpy().copy()
        for name, tensor in module.state_dict().items()
    }


def load_numpy_state(module, state):
    """Write a state from `to_numpy_state` into `module`, in place."""
    module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    return module
