"""Endless shuffled passes over numbers, from which batches are drawn."""

import math

import numpy as np


def shuffled_stream(n, size, rng):
    """Yield arrays of at most `size` of the numbers below n, reshuffled each pass.

    A batch never spans two passes, so its numbers are distinct; a short rest at
    the end of a pass is spread over the pass.
    """
    n_batches = max(1, math.ceil(n / size))
    while True:
        yield from np.array_split(rng.permutation(n), n_batches)


def largest_part(n, size):
    """Return how many numbers `shuffled_stream` yields at most."""
    return math.ceil(n / max(1, math.ceil(n / size)))
