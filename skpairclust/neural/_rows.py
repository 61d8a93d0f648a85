"""Rows of X on their way to the network, batch by batch."""

import math

import numpy as np
import torch
from scipy import sparse

from skpairclust.neural._sparse_batch import SparseBatch, is_sparse_enough
from skpairclust.neural._torch_utils import to_device

# Share of the free GPU memory that the rows of X may occupy; the rest is for
# activations, gradients and optimizer state.
_RESIDENT_SHARE = 0.5

# Values of dense rows made at once outside of training: 64 MiB of float32.
_DENSE_VALUES = 2**24


class FeatureRows:
    """Rows of X as float32 tensors of the network's input shape, batch by batch.

    On a GPU all of X is moved there once when it fits. Otherwise only the rows of
    a batch are converted, so that neither a memory map, nor float64 data, nor a
    sparse matrix is ever copied whole. A batch is never a window on X: networks of
    users may work in place.

    Parameters
    ----------
    X : array, CSR matrix, LazyRows or OffsetRows of shape (n_samples, ...)
    input_shape : tuple of int
        Shape of one sample as the network takes it.
    device : torch.device
    channels_last : bool, default=False
        Whether rows are images whose channels come last, and the network takes them
        first.
    keeps_sparse : bool, default=False
        Whether the network takes batches of sparse rows as they are.
    """

    def __init__(
        self, X, input_shape, device, *, channels_last=False, keeps_sparse=False
    ):
        self.X = X
        self.is_sparse = keeps_sparse and sparse.issparse(X) and is_sparse_enough(X)
        self.input_shape = tuple(input_shape)
        self.device = device
        self._row_shape = self.input_shape
        if channels_last:
            self._row_shape = (*self.input_shape[1:], self.input_shape[0])
        self._resident = None
        if device.type != "cpu" and _fits(X, device):
            self._resident = self._upload()

    def __len__(self):
        return self.X.shape[0]

    def blocks(self, n_rows):
        """Yield slices of at most `n_rows` rows, fewer where rows are wide."""
        n_rows = self.bounded(n_rows)
        for start in range(0, len(self), n_rows):
            yield slice(start, start + n_rows)

    def bounded(self, n_rows):
        """Return how many of `n_rows` rows may be in memory at once."""
        if self.is_sparse:
            return n_rows
        return max(1, min(n_rows, _DENSE_VALUES // math.prod(self.input_shape)))

    @property
    def is_resident(self):
        """Whether all of X is on the device."""
        return self._resident is not None

    def leave_device(self):
        """Keep rows on the host from now on."""
        self._resident = None

    def take(self, rows, *, dense=False):
        """Return the samples `rows` (integer array or slice) as a tensor.

        As a `SparseBatch` where X is sparse and the network takes these, unless the
        caller needs dense rows.
        Where all of X is on the device, the numbers may be there too.
        """
        if self.is_sparse and not dense:
            return SparseBatch.of(self.X[rows], self.device)
        if self._resident is not None:
            # As in `_dense_float32`.
            if isinstance(rows, slice):
                batch = self._resident[rows].clone()
            else:
                batch = self._resident[to_device(rows, self.device)]
        else:
            batch = to_device(_dense_float32(self.X[rows]), self.device)
        batch = batch.reshape(-1, *self._row_shape)
        if self._row_shape != self.input_shape:
            batch = batch.movedim(-1, 1).contiguous()
        return batch

    def _upload(self):
        """Return all rows as a float32 tensor on the device, by the block."""
        is_pinned = self.device.type == "cuda"
        uploaded = torch.empty(self.X.shape, dtype=torch.float32, device=self.device)
        for block in self.blocks(len(self)):
            place = uploaded[block]
            rows = torch.empty(place.shape, dtype=place.dtype, pin_memory=is_pinned)
            rows.numpy()[...] = self.X[block]
            place.copy_(rows, non_blocking=True)
        return uploaded


def _fits(X, device):
    """Whether a float32 copy of X may live on the GPU."""
    if sparse.issparse(X) or device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return 4 * X.size <= _RESIDENT_SHARE * free


def _dense_float32(rows):
    """Return `rows` as a C-contiguous float32 array of its own."""
    if sparse.issparse(rows):
        return np.asarray(rows.astype(np.float32).toarray())
    own = np.ascontiguousarray(rows, dtype=np.float32)
    # A slice is a window on X; what an index array picks is not.
    return own if own.base is None else own.copy()
