"""Devices, random state and the way between numpy and torch."""

from contextlib import ExitStack, contextmanager
from threading import RLock

import torch

from skpairclust.utils._state import numpy_defaults

_CPU = torch.device("cpu")

# Around what all threads of the process share.
_GLOBAL_LOCK = RLock()


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
def global_rng(seed, device=_CPU):
    """Seed torch's global generators for a block and put their state back after.

    Networks of users draw from the global generators; ours take a generator. Only the
    CPU and `device` are touched: another GPU may not even be initialized. The lock
    keeps restarts in threads from seeding each other's networks.
    """
    with _GLOBAL_LOCK:
        before = rng_states(device)
        kinds = [_CPU] if device.type == "cpu" else [_CPU, device]
        set_rng_states(
            [make_generator(seed, kind).get_state() for kind in kinds], device
        )
        try:
            yield
        finally:
            set_rng_states(before, device)


def rng_states(device):
    """Return the states of the global generators of the CPU and of `device`."""
    states = [torch.get_rng_state()]
    if device.type != "cpu":
        backend, number = _backend(device)
        states.append(backend.get_rng_state(*number))
    return states


def set_rng_states(states, device):
    """Put back what `rng_states` returned for this device."""
    torch.set_rng_state(states[0])
    if len(states) > 1:
        backend, number = _backend(device)
        backend.set_rng_state(states[1], *number)


def _backend(device):
    """Return torch's module for a kind of GPU, and what names one among them."""
    # Of Apple's there is one at most.
    number = () if device.type == "mps" else (device,)
    return getattr(torch, device.type), number


@contextmanager
def default_torch_state():
    """Compute as if nobody had set anything in torch, and leave it as it was.

    Gradients turned off, inference mode, autocast, a default device, a default dtype
    and NumPy's error state are the caller's: they neither change a fit or a prediction
    nor are changed by it.
    """
    # Entering takes longer than asking, and mostly there is nothing to undo.
    with ExitStack() as stack, _FLOAT32_DEFAULT, numpy_defaults():
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        # A mode that slows every call. `get_default_device` takes four times as long.
        if torch.empty(0).device != _CPU:
            stack.enter_context(_CPU)
        yield


class _Float32Default:
    """Make float32 torch's default dtype while at least one thread is inside."""

    def __init__(self):
        self.n_inside = 0
        self.given = torch.float32

    def __enter__(self):
        with _GLOBAL_LOCK:
            if not self.n_inside:
                self.given = torch.get_default_dtype()
                self._set(torch.float32)
            self.n_inside += 1

    def __exit__(self, *_):
        with _GLOBAL_LOCK:
            self.n_inside -= 1
            if not self.n_inside:
                self._set(self.given)

    @staticmethod
    def _set(dtype):
        """Set the default where it is another."""
        if torch.get_default_dtype() != dtype:
            torch.set_default_dtype(dtype)


_FLOAT32_DEFAULT = _Float32Default()


def to_device(array, device):
    """Return `array` as a tensor on `device` without waiting for the copy.

    A tensor is there already.
    """
    if isinstance(array, torch.Tensor):
        return array
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def to_numpy_state(module):
    """Return the parameters and buffers of `module` as CPU numpy arrays."""
    return {name: to_numpy(tensor) for name, tensor in module.state_dict().items()}


def to_numpy(tensor):
    """Return a copy of a tensor; float32 holds what numpy has no type for."""
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
    # A copy: on the CPU `numpy()` would be a window on the live weights.
    return tensor.detach().cpu().numpy().copy()


def to_array(X):
    """Return a tensor as an array, anything else as it is."""
    if not isinstance(X, torch.Tensor):
        return X
    X = X.detach().cpu()
    return (X.float() if X.dtype == torch.bfloat16 else X).numpy()


def load_numpy_state(module, state):
    """Write a state from `to_numpy_state` into `module`, in place."""
    module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    return module
