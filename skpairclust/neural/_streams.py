"""Endless shuffled passes over numbers, from which batches are drawn.

A stream says where it is in a few numbers: where the generator was when its pass
began, and how much of the pass is gone. Streams may share a generator.
"""

import math

import numpy as np


class ShuffledPasses:
    """Endless passes over n numbers, reshuffled each time and cut into parts.

    Parameters
    ----------
    n : int
    cut : callable
        Makes a list of parts of an array of shuffled numbers below n.
    rng : numpy.random.RandomState
    """

    def __init__(self, n, cut, rng):
        self.n = n
        self.cut = cut
        self.rng = rng
        self._before = None
        self._parts, self._n_taken = [], 0

    def __iter__(self):
        return self

    def __next__(self):
        while self._n_taken == len(self._parts):
            self._begin_pass()
        self._n_taken += 1
        return self._parts[self._n_taken - 1]

    def _begin_pass(self):
        """Shuffle once more."""
        self._before = self.rng.get_state()
        self._parts, self._n_taken = self.cut(self.rng.permutation(self.n)), 0

    def state(self):
        """Return where the stream is, as plain data."""
        return {"before": self._before, "n_taken": self._n_taken}

    def restore(self, state):
        """Go to where a stream like this one was; the generator is left anywhere."""
        if state["before"] is not None:
            self.rng.set_state(tuple(state["before"]))
            self._begin_pass()
        self._n_taken = state["n_taken"]


def shuffled_stream(n, size, rng):
    """Return endless arrays of at most `size` of the numbers below n.

    A batch never spans two passes, so its numbers are distinct; a short rest at
    the end of a pass is spread over the pass.
    """
    n_batches = max(1, math.ceil(n / size))
    return ShuffledPasses(n, lambda order: np.array_split(order, n_batches), rng)


def shuffled_items(values, rng):
    """Return the items of an array, endlessly, each once per pass."""
    return ShuffledPasses(len(values), lambda order: values[order].tolist(), rng)


def largest_part(n, size):
    """Return how many numbers `shuffled_stream` yields at most."""
    return math.ceil(n / max(1, math.ceil(n / size)))
