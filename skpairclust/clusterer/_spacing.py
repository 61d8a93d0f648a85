"""How far a sample is from its nearest other one, among some of all samples."""

import numpy as np
import torch
from scipy import sparse

from skpairclust.neural._sparse_batch import SparseBatch

# Rows that are compared with: never n x n.
_N_REFERENCES = 6000

# Rows of a block.
_CHUNK = 512

# Of sparse rows that are made dense at a time.
_MOST_VALUES = 2**20

# Squared distances up to this share of the largest squared lengths are those of equal
# rows: matrix products leave something between these.
_NOTHING = 1e-6


class Spacing:
    """Distances of samples to near ones among some rows of X.

    The rows that are compared with are drawn, and the product of a block with them is
    written into one buffer.

    Parameters
    ----------
    rows : FeatureRows
    seed : int
        Draws the rows that samples are compared with.
    n_neighbors : int, default=1
        Which neighbor, the sample itself and its duplicates left out.
    """

    def __init__(self, rows, seed, n_neighbors=1):
        self.rows = rows
        n_drawn = min(_N_REFERENCES, len(rows))
        drawn = np.random.default_rng(seed).choice(len(rows), n_drawn, replace=False)
        drawn = np.sort(drawn)
        self.is_sparse = sparse.issparse(rows.X)
        if self.is_sparse:
            self._references = rows.X[drawn].astype(np.float32)
            squares = self._references.multiply(self._references).sum(axis=1)
            squares = torch.from_numpy(np.asarray(squares, dtype=np.float32).ravel())
        else:
            references = rows.take(drawn[: rows.bounded(n_drawn)]).flatten(1)
            # Around 0, so that little is lost where products cancel.
            self._center = references.mean(0)
            references -= self._center
            squares = references.square().sum(1)
            # With a column of ones, a product gives squares - 2 x r at once.
            self._references = torch.cat([-2 * references, squares[:, None]], 1).T
        self._squares = squares.to(rows.device)
        self._largest = self._squares.max()
        self.n_neighbors = min(n_neighbors, len(squares))
        self._buffer = torch.empty(0, len(squares), device=rows.device)

    def __call__(self, x):
        """Return the distance of each sample of a batch.

        Parameters
        ----------
        x : Tensor of shape (B, ...) or SparseBatch

        Returns
        -------
        Tensor of shape (B,)
            In the units of X, on the device of the batch; 0 where all rows that it is
            compared with are duplicates of it.
        """
        # Squared distances, less the squared length of the sample.
        squared, own = self._compare(x)
        floor = _NOTHING * (own + self._largest) - own
        if self.n_neighbors == 1:
            nearest = squared.amin(1)
            # Few rows meet themselves where there are many.
            again = (nearest <= floor).nonzero().flatten()
            nearest[again] = _beyond(squared[again], floor[again]).amin(1)
        else:
            squared = _beyond(squared, floor)
            nearest = squared.topk(self.n_neighbors, dim=1, largest=False).values[:, -1]
        return nearest.add_(own).clamp_min_(0).sqrt_().nan_to_num_(posinf=0.0)

    def of_all(self):
        """Return the distances of all rows, a tensor of shape (n_samples,)."""
        result = torch.empty(len(self.rows), device=self.rows.device)
        for block in self.rows.blocks(_CHUNK):
            result[block] = self(self.rows.take(block))
        return result

    def _compare(self, x):
        """Return squared distances less the squared lengths of x, and these lengths."""
        if len(self._buffer) < len(x):
            self._buffer = self._buffer.new_empty(len(x), self._buffer.shape[1])
        products = self._buffer[: len(x)]
        if not self.is_sparse:
            x = x.flatten(1) - self._center
            extended = torch.cat([x, x.new_ones(len(x), 1)], 1)
            return torch.mm(extended, self._references, out=products), x.square().sum(1)
        x = self._to_host(x)
        own = torch.empty(x.shape[0])
        width = max(1, _MOST_VALUES // x.shape[1])
        for begin in range(0, x.shape[0], width):
            part = slice(begin, begin + width)
            # Features first, as the product with sparse references reads them.
            columns = x[part].T
            if sparse.issparse(columns):
                columns = columns.toarray(order="C")
            columns = np.ascontiguousarray(columns)
            products[part] = torch.from_numpy((self._references @ columns).T)
            own[part] = torch.from_numpy(np.einsum("ij,ij->j", columns, columns))
        return products.mul_(-2).add_(self._squares), own.to(products.device)

    def _to_host(self, x):
        """Return a batch as a CSR matrix or an array."""
        if isinstance(x, SparseBatch):
            return x.to_csr(self._references.shape[1])
        return x.flatten(1).cpu().numpy()


def _beyond(squared, floor):
    """Return values with those of equal rows set to infinity, in place."""
    return squared.masked_fill_(squared <= floor[:, None], torch.inf)
