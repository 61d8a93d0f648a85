"""Batches of sparse rows, and the layer that takes them without making them dense."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import nn
from torch.nn import functional

from skpairclust.neural._torch_utils import to_device

# Share of values that are not 0 up to which products with sparse rows are faster.
_SPARSE = 0.05

# Values of a dense batch from which on it is worth while.
_MANY = 2**18


@dataclass(frozen=True)
class SparseBatch:
    """Rows of a sparse matrix on a device.

    Attributes
    ----------
    columns : Tensor of shape (nnz,), int64
    starts : Tensor of shape (n_rows,), int64
        Where each row begins among `columns` and `values`.
    values : Tensor of shape (nnz,), float32
    """

    columns: torch.Tensor
    starts: torch.Tensor
    values: torch.Tensor

    @classmethod
    def of(cls, rows, device):
        """Return rows of a CSR matrix as a batch."""
        return cls(
            to_device(rows.indices.astype(np.int64), device),
            to_device(rows.indptr[:-1].astype(np.int64), device),
            to_device(rows.data.astype(np.float32), device),
        )

    def __len__(self):
        return len(self.starts)

    def to_csr(self, n_features):
        """Return the rows as a CSR matrix on the host."""
        ends = [len(self.columns)]
        parts = (self.values, self.columns, self.starts)
        data, columns, starts = (part.cpu().numpy() for part in parts)
        return sparse.csr_matrix(
            (data, columns, np.append(starts, ends)), (len(self), n_features)
        )

    def padded(self, n_rows):
        """Return the batch with rows of zeros after it."""
        ends = self.starts.new_full((n_rows - len(self),), len(self.columns))
        return SparseBatch(self.columns, torch.cat([self.starts, ends]), self.values)


def join(first, second):
    """Return two batches, both dense or both sparse, as one."""
    if isinstance(first, torch.Tensor):
        return torch.cat([first, second])
    return SparseBatch(
        torch.cat([first.columns, second.columns]),
        torch.cat([first.starts, second.starts + len(first.columns)]),
        torch.cat([first.values, second.values]),
    )


def is_sparse_enough(X):
    """Whether products with rows of this CSR matrix pay as sparse ones."""
    size = X.shape[0] * X.shape[1]
    return X.nnz <= _SPARSE * size and 256 * X.shape[1] >= _MANY


class TableNetwork(nn.Sequential):
    """Layers for tables: flatten, linear, and what follows; for sparse batches too."""

    def forward(self, x):
        """Return the outputs for a dense tensor or a `SparseBatch`."""
        if isinstance(x, SparseBatch):
            return self.rest(self.first(x))
        return super().forward(x)

    @property
    def weight(self):
        """Weights of the first linear layer, (n_units, n_features)."""
        return self[1].weight

    def first(self, x):
        """Return the outputs of the first linear layer for a `SparseBatch`."""
        # Contiguous already where `lay_out` was called.
        weights = self.weight.t().contiguous()
        products = functional.embedding_bag(
            x.columns, weights, x.starts, per_sample_weights=x.values, mode="sum"
        )
        return products + self[1].bias

    def rest(self, x):
        """Return the outputs, given those of the first linear layer."""
        for layer in self[2:]:
            x = layer(x)
        return x

    def lay_out(self):
        """Keep the weights of a feature side by side, as sparse products need them."""
        self.weight.data = self.weight.data.t().contiguous().t()
