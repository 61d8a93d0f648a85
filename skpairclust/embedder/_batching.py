"""Which samples make a batch for an embedding: of pairs, or some of several groups.

Plain numpy. Groups are classes, or the must-link components of pairs; only groups
that are known to differ are brought together on purpose.
"""

import math
from itertools import islice
from typing import NamedTuple

import numpy as np

from skpairclust.neural._streams import shuffled_items, shuffled_stream

# Bounds: epochs of tiny data would have one step, those of ten million pairs 156,250.
_MIN_STEPS, _MAX_STEPS = 4, 1000

# Rounds in which hard pairs are drawn for a batch.
_MOST_ROUNDS = 8

# Groups drawn beside each group with positives, where few groups are known to differ.
_N_NEIGHBORS = 4


class EmbeddingBatch(NamedTuple):
    """Distinct rows (B,) int64, and triplets as positions among them, if listed."""

    rows: np.ndarray
    # three (t,) int64 arrays, None if triplets are mined from the batch
    triplets: tuple | None = None


class EndlessBatches:
    """Batches that follow from streams, and say where these are.

    Attributes
    ----------
    _streams : list of ShuffledPasses
    """

    _streams: list = []

    def __iter__(self):
        return self

    def state(self):
        """Return where the streams are, as plain data."""
        return [stream.state() for stream in self._streams]

    def restore(self, state):
        """Go to where batches like these were; the generator is left anywhere."""
        for stream, own in zip(self._streams, state, strict=True):
            stream.restore(own)


class GroupBatches(EndlessBatches):
    """Endless batches of C groups with B / C samples each.

    Parameters
    ----------
    known : KnownGroups
    batch_size : int
        Samples in a batch: B.
    samples_per_class : int
        Samples of a group: more where there are too few groups to fill a batch.
    rng : numpy.random.RandomState
    """

    def __init__(self, known, batch_size, samples_per_class, rng):
        self.known = known
        self.batch_size = batch_size
        # Half a batch is left for negatives where one group alone has positives.
        enough = batch_size // max(2, len(known.rich))
        self.samples_per_class = max(samples_per_class, enough)
        self.rng = rng
        self._singles = np.setdiff1d(np.arange(len(known.members)), known.rich)
        # Groups with positives.
        self._streams = [shuffled_items(known.rich, rng)]

    def __next__(self):
        groups = self._draw_groups()
        rows = _draw_rows(self.known, groups, self.samples_per_class, self.rng)
        return EmbeddingBatch(rows[: self.batch_size])

    def _draw_groups(self):
        """Return different groups whose samples fill a batch, if there are enough."""
        taken, n_rows = {}, 0
        # At the end of a pass groups come again that the batch has already.
        for group in islice(self._streams[0], len(self.known.rich)):
            for member in self._with_neighbors(group):
                if member not in taken:
                    taken[member] = True
                    n_rows += min(self.known.sizes[member], self.samples_per_class)
            if n_rows >= self.batch_size:
                break
        return [*taken]

    def _with_neighbors(self, group):
        """Return the group and some that are known to differ from it."""
        if self.known.is_complete:
            # The groups drawn next differ too; those of one sample are never drawn.
            others = self._singles
            n_drawn = math.ceil(len(others) / len(self.known.rich))
        else:
            others, n_drawn = self.known.differing(group), _N_NEIGHBORS
        n_drawn = min(n_drawn, _N_NEIGHBORS, len(others))
        if not n_drawn:
            return [group]
        return [group, *_draw(others, n_drawn, self.rng).tolist()]


class PairBatches(EndlessBatches):
    """Endless batches of the ends of pairs, as many of each kind as there are.

    For losses of pairs: where few samples have both kinds, as with pairs drawn at
    random, groups would bring in few of the cannot-links.

    Parameters
    ----------
    constraints : PairwiseConstraints
        With pairs of both kinds that are listed.
    batch_size : int
    rng : numpy.random.RandomState
    """

    def __init__(self, constraints, batch_size, rng):
        self.kinds = constraints._must_link, constraints._cannot_link
        self.n_pairs = max(1, batch_size // 4)
        self._streams = [
            shuffled_stream(len(pairs), self.n_pairs, rng) for pairs in self.kinds
        ]

    @property
    def n_steps(self):
        """Batches in a pass over the more frequent kind, 4 to 1,000."""
        n_pairs = max(map(len, self.kinds))
        return _bounded(math.ceil(n_pairs / self.n_pairs))

    def __next__(self):
        drawn = [
            pairs[next(stream)]
            for pairs, stream in zip(self.kinds, self._streams, strict=True)
        ]
        return EmbeddingBatch(np.unique(np.concatenate(drawn)))


class HardBatches(EndlessBatches):
    """Endless batches of random positive pairs and hard negatives of both ends.

    The importance sampling that Oh Song et al. (2016), section 4.2, describe. A
    quarter of a batch are pairs; the other half are their nearest negatives.

    Parameters
    ----------
    known : KnownGroups
    batch_size : int
    rng : numpy.random.RandomState
    find_negatives : callable
        Takes rows and returns for each a hard negative, -1 for none.
    """

    def __init__(self, known, batch_size, rng, find_negatives):
        self.known = known
        self.batch_size = batch_size
        self.rng = rng
        self.find_negatives = find_negatives
        # Groups with positives.
        self._streams = [shuffled_items(known.rich, rng)]

    def __next__(self):
        rows = np.empty(0, dtype=np.int64)
        # Pairs may share rows and negatives: a few rounds fill the batch.
        for _ in range(_MOST_ROUNDS):
            n_pairs = (self.batch_size - len(rows)) // 4
            if not n_pairs:
                break
            groups = [*islice(self._streams[0], n_pairs)]
            ends = _draw_rows(self.known, groups, 2, self.rng)
            negatives = self.find_negatives(ends)
            rows = np.unique([*rows, *ends, *negatives[negatives >= 0]])
        return EmbeddingBatch(rows)


class TripletBatches(EndlessBatches):
    """Endless batches of listed triplets.

    Parameters
    ----------
    batch_size : int
        Maximum number of samples in a batch, three per triplet.
    rng : numpy.random.RandomState
    get_triplets : callable
        Returns the current list, an int64 array of shape (t, 3).
    """

    def __init__(self, batch_size, rng, get_triplets):
        self.n_triplets = max(1, batch_size // 3)
        self.rng = rng
        self.get_triplets = get_triplets
        self._listed = None

    def __next__(self):
        self._follow_list()
        part = self._listed[next(self._streams[0])]
        rows, positions = np.unique(part, return_inverse=True)
        return EmbeddingBatch(rows, tuple(positions.reshape(-1, 3).T))

    def _follow_list(self):
        """Begin a pass over the current list, if it is a new one."""
        listed = self.get_triplets()
        if listed is not self._listed:
            self._listed = listed
            stream = shuffled_stream(len(listed), self.n_triplets, self.rng)
            self._streams = [stream]

    def restore(self, state):
        """Go to where batches like these were; the current list is theirs."""
        self._follow_list()
        super().restore(state)


def count_steps(known, batch_size, n_instances=0):
    """Return the steps of an epoch: a pass over rows of groups, 4 to 1,000.

    Of the rows of groups alone; with instances, over those that are in either.
    """
    n_rows = known.sizes.sum()
    if n_instances:
        n_rows = known.sizes[known.sizes > 1].sum() + n_instances
    return _bounded(math.ceil(n_rows / batch_size))


def _bounded(n_steps):
    """Return a number of steps that an epoch may have."""
    return min(max(_MIN_STEPS, n_steps), _MAX_STEPS)


def _draw_rows(known, groups, n_drawn, rng):
    """Return different rows of each of some groups, one group after another."""
    # From all at once: a batch may have hundreds of groups.
    drawn = draw_from_each(known.sizes[groups], n_drawn, rng)
    members = (known.members[group] for group in groups)
    rows = [rows[own] for rows, own in zip(members, drawn, strict=True)]
    return np.concatenate(rows)


def draw_from_each(sizes, n_drawn, rng):
    """Return different numbers below each size, in any order.

    Parameters
    ----------
    sizes : ndarray of int64
        1 or more.
    n_drawn : int
        Numbers below a size, or all where these are fewer.
    rng : numpy.random.RandomState

    Returns
    -------
    list of ndarray of int64
    """
    drawn = [None] * len(sizes)
    left = np.flatnonzero(sizes >= n_drawn**2)
    # Mostly different at once.
    while len(left):
        numbers = rng.randint(sizes[left, None], size=(len(left), n_drawn))
        ordered = np.sort(numbers, axis=1)
        is_done = (ordered[:, 1:] != ordered[:, :-1]).all(axis=1)
        for number in np.flatnonzero(is_done):
            drawn[left[number]] = numbers[number]
        left = left[~is_done]
    for number in np.flatnonzero(sizes < n_drawn**2):
        drawn[number] = rng.permutation(sizes[number])[:n_drawn]
    return drawn


def _draw(values, n_drawn, rng):
    """Return distinct values in any order, of many without shuffling all of them."""
    return values[draw_from_each(np.array([len(values)]), n_drawn, rng)[0]]
