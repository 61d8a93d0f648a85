"""What one step of the clusterer differs in from others, and its shapes.

A step that is recorded needs inputs of the same shapes each time.
"""

from typing import NamedTuple

import numpy as np

from skpairclust.losses._relations import PairList


class StepInputs(NamedTuple):
    """What one step differs in from others: arrays and numbers, or tensors of them.

    Attributes
    ----------
    rows : (B,) int64 or None
        Samples of the constrained batch, or others that stand for them.
    relation : (B, B) float32, PairList or None
        Signed weights of the pairs among them.
    classes : (B,) int64 or None
        Their classes.
    drawn : (U,) int64 or None
        Samples that are drawn whether constrained or not.
    smoothness, information : float
        Shares of the gradients of the two parts of the unlabeled loss, 0 to 1.
    """

    rows: object = None
    relation: object = None
    classes: object = None
    drawn: object = None
    smoothness: object = 1.0
    information: object = 1.0


class FixedShapes:
    """Shapes of the relation of a step, which only grow.

    Parameters
    ----------
    n_samples : int
        Samples in a batch.
    n_listed : int
        Pairs in a list, until there are more.
    """

    def __init__(self, n_samples, n_listed):
        self.n_samples = n_samples
        self.n_listed = n_listed

    def fix(self, relation):
        """Return a relation, an array or a `PairList`, filled up with nothing known."""
        if not isinstance(relation, PairList):
            return _padded(relation, (self.n_samples, self.n_samples))
        while self.n_listed < len(relation.weight):
            self.n_listed *= 2
        # The first sample and itself, with no weight.
        return PairList(*(_padded(part, (self.n_listed,)) for part in relation))


def fill_up(rows, n):
    """Return `n` rows, some of them again where there are fewer."""
    return rows if len(rows) == n else np.resize(rows, n)


def _padded(values, shape):
    """Return an array with zeros behind its values."""
    if values.shape == shape:
        return values
    padded = np.zeros(shape, dtype=values.dtype)
    padded[tuple(map(slice, values.shape))] = values
    return padded
