"""Which samples and which pairs make a batch.

Plain numpy: a batch is an array of distinct row numbers and the relation among them.
The training loop moves both to the device.
"""

import math
from typing import NamedTuple

import numpy as np

from skpairclust.constraints._groups import mark_constrained
from skpairclust.losses._relations import PairList
from skpairclust.neural._streams import largest_part, shuffled_stream

# Bounds: epochs of tiny data would have one step, those of large data or of a million
# pairs far too many.
_MIN_STEPS, _MAX_UNLABELED_STEPS, _MAX_STEPS = 4, 64, 112

# Looking up the pairs of many batches at once costs little more than of one.
_PLANNED_BATCHES = 64

# Places of the relation matrix for each pair, from which on a list of pairs is faster,
# whatever the number of clusters.
_FEW = 256


class Batch(NamedTuple):
    """Distinct rows (B,) int64 and the signed weights (B, B) float32 among them.

    Or, in place of the matrix, a list of the known pairs.
    """

    rows: np.ndarray
    relation: np.ndarray | PairList


class ConstraintBatches:
    """Endless batches of constrained samples with all that is known among them.

    Of explicit pairs, pairs are drawn, and a batch holds their distinct endpoints. Of
    groups (partial labels, closures), samples are drawn. With both, each makes up half
    a batch. In any case, every constraint among the samples of a batch counts, and not
    only the pairs that were drawn.

    Parameters
    ----------
    constraints : PairwiseConstraints
    batch_size : int
        Maximum number of samples in a batch.
    rng : numpy.random.RandomState
    listed : {"few", "all", None}, default=None
        Which explicit pairs are a list: those of batches that know few, of all
        batches, or of none.
    """

    def __init__(self, constraints, batch_size, rng, *, listed=None):
        self.constraints = constraints
        self.listed = listed
        self.batch_size = batch_size
        self.rng = rng
        self.pairs = np.concatenate([constraints._must_link, constraints._cannot_link])
        self.grouped = _grouped_rows(constraints)

    @property
    def n_steps(self):
        """Batches in one pass over the pairs and the grouped samples."""
        n_endpoints = 2 * len(self.pairs) + len(self.grouped)
        return math.ceil(n_endpoints / self.batch_size)

    @property
    def largest(self):
        """Samples in a batch at most."""
        n_pairs, n_rows = self.share_out()
        return 2 * largest_part(len(self.pairs), n_pairs) + largest_part(
            len(self.grouped), n_rows
        )

    def __iter__(self):
        return PlannedBatches(self)

    def share_out(self):
        """Return how many pairs and how many grouped samples a batch has at most."""
        share = 2 if len(self.pairs) and len(self.grouped) else 1
        size = max(2, self.batch_size // share)
        return size // 2, size

    def relate(self, drawn):
        """Yield a batch for each array of rows; pairs are looked up all at once."""
        offsets = np.cumsum([0, *map(len, drawn)])
        known = self.constraints.induced_pairs(np.concatenate(drawn), offsets)
        bounds = np.searchsorted(known.batch, np.arange(len(drawn) + 1))
        for number, rows in enumerate(drawn):
            own = slice(bounds[number], bounds[number + 1])
            i, j, weight = known.i[own], known.j[own], known.weight[own]
            pairs = PairList(i, j, weight.astype(np.float32))
            if self._is_listed(rows, pairs):
                yield Batch(rows, pairs)
                continue
            relation = np.zeros((len(rows), len(rows)), dtype=np.float32)
            if self.constraints._relations:
                relation = self.constraints._group_block(rows)
            relation[i, j] += pairs.weight
            relation[j, i] += pairs.weight
            yield Batch(rows, relation)

    def _is_listed(self, rows, pairs):
        """Whether the relation among rows is a list of these pairs."""
        if self.listed is None or self.constraints._relations:
            return False
        return self.listed == "all" or _FEW * len(pairs.weight) <= len(rows) ** 2


class PlannedBatches:
    """The batches of `ConstraintBatches`, of which some are always planned.

    Parameters
    ----------
    batches : ConstraintBatches
    """

    def __init__(self, batches):
        self.batches = batches
        n_pairs, n_rows = batches.share_out()
        self._pairs = shuffled_stream(len(batches.pairs), n_pairs, batches.rng)
        self._rows = shuffled_stream(len(batches.grouped), n_rows, batches.rng)
        self._planned, self._related = [], iter(())

    def __iter__(self):
        return self

    def __next__(self):
        if not self._planned:
            self._plan([self._draw_rows() for _ in range(_PLANNED_BATCHES)])
        self._planned.pop()
        return next(self._related)

    def _plan(self, drawn):
        """Look up the pairs of batches of these rows; the next one is kept last."""
        self._planned, self._related = drawn[::-1], self.batches.relate(drawn)

    def _draw_rows(self):
        """Return the distinct rows of the next batch."""
        rows = self.batches.grouped
        if len(rows):
            rows = rows[next(self._rows)]
        if len(self.batches.pairs):
            endpoints = self.batches.pairs[next(self._pairs)].ravel()
            rows = np.unique(np.concatenate([endpoints, rows]))
        return rows

    def state(self):
        """Return what is planned and where the streams are, as plain data."""
        return {
            "planned": self._planned[::-1],
            "pairs": self._pairs.state(),
            "rows": self._rows.state(),
        }

    def restore(self, state):
        """Go to where batches like these were; the generator is left anywhere."""
        self._plan(state["planned"])
        self._pairs.restore(state["pairs"])
        self._rows.restore(state["rows"])


def constrained_rows(constraints):
    """Return the rows that some pair or group names, in order, int64."""
    return np.flatnonzero(mark_constrained(constraints))


def _grouped_rows(constraints):
    """Return the rows that are in some group of more than a label's own sample."""
    grouped = np.zeros(constraints.n_samples, dtype=bool)
    for relation in constraints._relations:
        grouped |= relation.groups >= 0
    return np.flatnonzero(grouped)


def count_steps(n_constraint_steps, n_samples, batch_size, *, unlabeled):
    """Return the steps of an epoch.

    An epoch is a pass over the constraints. With unlabeled data it is also a pass over
    all samples, or 64 steps if that is less, and has 112 steps at most: pairs beyond
    those wait for the next epoch. It has at least 4 steps, so that its loss is
    meaningful for small tables.
    """
    if not unlabeled:
        return max(_MIN_STEPS, n_constraint_steps)
    n_steps = min(math.ceil(n_samples / batch_size), _MAX_UNLABELED_STEPS)
    return max(_MIN_STEPS, n_steps, min(n_constraint_steps, _MAX_STEPS))
