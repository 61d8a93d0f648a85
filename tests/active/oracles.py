"""Naive counterparts of what the package computes, and data that are easy to see."""

import numpy as np


def make_blobs(n_per_class, n_classes=3, *, spread=0.3, seed=0):
    """Return well separated samples and their classes."""
    rng = np.random.RandomState(seed)
    y = np.repeat(np.arange(n_classes), n_per_class)
    angles = 2 * np.pi * y / n_classes
    centers = 5 * np.column_stack((np.cos(angles), np.sin(angles)))
    return centers + spread * rng.standard_normal((len(y), 2)), y


def answer(y):
    """Return an oracle that knows the classes."""
    return lambda pairs: np.where(y[pairs[:, 0]] == y[pairs[:, 1]], 1, -1)


def closure(must, cannot, n):
    """Return what is known of each pair as a dense matrix: 1, -1 and 0, by repetition.

    Pairs that are both are 2.
    """
    same = np.eye(n, dtype=bool)
    for i, j in must:
        same[i, j] = same[j, i] = True
    for k in range(n):
        same |= same[:, [k]] & same[[k]]
    apart = np.zeros((n, n), dtype=bool)
    for i, j in cannot:
        apart |= same[:, [i]] & same[[j]]
        apart |= same[:, [j]] & same[[i]]
    known = same.astype(int) - apart
    known[same & apart] = 2
    return known
