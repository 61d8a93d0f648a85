"""Devices, random state and the way between numpy and torch."""

import math
from contextlib import contextmanager
from threading import RLock

import numpy as np
import torch
from scipy import sparse

# Share of the free GPU memory that the rows of X may occupy; the rest is for
# activations, gradients and optimizer state.
_RESIDENT_SHARE = 0.5

# Values of dense rows made at once outside of training: 64 MiB of float32.
_DENSE_VALUES = 2**24

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


class FeatureRows:
    """Rows of X as float32 tensors of the network's input shape, batch by batch.

    On a GPU all of X is moved there once when it fits. Otherwise only the rows of
    a batch are converted, so that neither a memory map, nor float64 data, nor a
    sparse matrix is ever copied whole.

    Parameters
    ----------
    X : array or CSR matrix of shape (n_samples, ...)
    input_shape : tuple of int
        Shape of one sample as the network takes it.
    device : torch.device
    """

    def __init__(self, X, input_shape, device):
        self.X = X
        self.input_shape = tuple(input_shape)
        self.device = device
        self._resident = None
        if device.type != "cpu" and _fits(X, device):
            self._resident = torch.tensor(X, dtype=torch.float32, device=device)

    def __len__(self):
        return self.X.shape[0]

    def blocks(self, n_rows):
        """Yield slices of at most `n_rows` rows, fewer where rows are wide."""
        n_rows = self.bounded(n_rows)
        for start in range(0, len(self), n_rows):
            yield slice(start, start + n_rows)

    def bounded(self, n_rows):
        """Return how many of `n_rows` dense rows may be in memory at once."""
        return max(1, min(n_rows, _DENSE_VALUES // math.prod(self.input_shape)))

    def take(self, rows):
        """Return the samples `rows` (integer array or slice) as a tensor."""
        if self._resident is not None:
            if not isinstance(rows, slice):
                rows = to_device(rows, self.device)
            batch = self._resident[rows]
        else:
            batch = to_device(_dense_float32(self.X[rows]), self.device)
        return batch.reshape(-1, *self.input_shape)


def _fits(X, device):
    """Whether a float32 copy of X may live on the GPU."""
    if sparse.issparse(X) or device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return 4 * X.size <= _RESIDENT_SHARE * free


def _dense_float32(rows):
    """Return `rows` as a writeable C-contiguous float32 array."""
    if sparse.issparse(rows):
        return np.asarray(rows.astype(np.float32).toarray())
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    # A slice of a read-only memory map is still read-only.
    return rows if rows.flags.writeable else rows.copy()
