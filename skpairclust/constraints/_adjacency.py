"""Look-up of the pairs among the rows of many batches at once."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from skpairclust.constraints._pairs import ragged_arange

# batches are handled in blocks of as many as a 64-bit mask has bits
_N_MASK_BITS = 64


class InducedPairs(NamedTuple):
    """Pairs that lie within a batch, one entry each."""

    # which batch, (p,) int64
    batch: np.ndarray
    # positions in the batch, (p,) int64, i < j
    i: np.ndarray
    j: np.ndarray
    # (p,) float64, positive for must-links, negative for cannot-links
    weight: np.ndarray


class Adjacency(NamedTuple):
    """Neighbor lists of a graph, each edge stored at its smaller end only."""

    starts: np.ndarray
    neighbors: np.ndarray
    weights: np.ndarray

    @classmethod
    def from_pairs(cls, pairs, weights, n_nodes):
        """Build from pairs with i < j."""
        graph = sparse.csr_array((weights, tuple(pairs.T)), shape=(n_nodes, n_nodes))
        return cls(graph.indptr, graph.indices, graph.data)

    def induced(self, rows, offsets):
        """Return the edges within each batch `rows[offsets[b]:offsets[b + 1]]`."""
        n_batches = len(offsets) - 1
        parts = []
        for first in range(0, n_batches, _N_MASK_BITS):
            last = min(first + _N_MASK_BITS, n_batches)
            block = rows[offsets[first] : offsets[last]]
            part = self._induced_block(
                block, offsets[first : last + 1] - offsets[first]
            )
            parts.append(part._replace(batch=part.batch + first))
        if not parts:
            return InducedPairs(
                *(np.empty(0, dtype=t) for t in ("i8", "i8", "i8", "f8"))
            )
        return InducedPairs(*map(np.concatenate, zip(*parts, strict=True)))

    def _induced_block(self, rows, offsets):
        """Do `induced` for at most 64 batches."""
        batch = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        source, edge = self._incident_edges(rows)
        target = self.neighbors[edge]
        # one word per sample says in which batches it is: most edges leave the
        # batch, and this removes them before the slower search for positions
        bits = np.left_shift(np.uint64(1), batch.astype(np.uint64))
        masks = np.zeros(len(self.starts) - 1, dtype=np.uint64)
        np.bitwise_or.at(masks, rows, bits)
        inside = np.flatnonzero(masks[target] & bits[source])
        source, edge, target = source[inside], edge[inside], target[inside]
        position = source - offsets[batch[source]]
        other = _find_positions(rows, batch, offsets, target, batch[source])
        return InducedPairs(
            batch[source],
            np.minimum(position, other),
            np.maximum(position, other),
            self.weights[edge],
        )

    def _incident_edges(self, rows):
        """List the edges stored at the rows, and the row (its place) of each."""
        first = self.starts[rows]
        counts = self.starts[rows + 1] - first
        source = np.repeat(np.arange(len(rows)), counts)
        return source, np.repeat(first, counts) + ragged_arange(counts)


def _find_positions(rows, batch, offsets, wanted_rows, wanted_batch):
    """Return where in its batch each wanted row is."""
    span = int(rows.max(initial=0)) + 1
    keys = batch * span + rows
    order = np.argsort(keys)
    found = np.searchsorted(keys[order], wanted_batch * span + wanted_rows)
    return order[found] - offsets[wanted_batch]
