"""What is stated about the pairs of a batch, and how likely it is by the outputs.

"Same cluster" has the probability P.Q, and "different" P.(1 - Q), where 1 - Q is taken
without cancellation. Nothing here is part of a graph: `pull` carries slopes back.
"""

import torch

from skpairclust.losses._relations import PairList


def state_pairs(p, relation):
    """Return how likely a relation is.

    Parameters
    ----------
    p : Tensor of shape (B, k)
        Cluster probabilities.
    relation : Tensor of shape (B, B) or PairList
        Signed pair weights, symmetric, zero where nothing is known.

    Returns
    -------
    StatedMatrix or StatedList
    """
    kind = StatedList if isinstance(relation, PairList) else StatedMatrix
    return kind(p, relation)


class _StatedPairs:
    """What both forms have.

    Attributes
    ----------
    likelihood : Tensor
        Of what is stated about each pair, 0 to 1 up to rounding.
    weight : Tensor of the same shape
        Not negative; that of each pair counts once.
    mass : Tensor
        Sum of the weights.
    """

    def __init__(self, likelihood, weight):
        self.likelihood, self.weight = likelihood, weight
        self.mass = weight.sum()

    def pull(self, slope):
        """Return the slope in `p` of what has this slope in `likelihood`, once."""
        p_slope, rest_slope = self._pull_apart(slope)
        # The complement of the largest is the sum of the others, and that of another is
        # 1 minus itself.
        rest_slope -= rest_slope.gather(1, self._largest)
        return p_slope.sub_(rest_slope)

    def _complement(self, p, rest):
        """Write 1 - p to `rest`; the largest of a row gets the sum of the others."""
        self._largest = p.argmax(1, keepdim=True)
        others = p.scatter(1, self._largest, 0).sum(1, keepdim=True)
        torch.sub(p.new_ones(()), p, out=rest).scatter_(1, self._largest, others)


class StatedMatrix(_StatedPairs):
    """Of a relation matrix, in which each pair stands in both orders."""

    def __init__(self, p, relation):
        self._p, self._rest = p, torch.empty_like(p)
        self._complement(p, self._rest)
        self._is_other = relation < 0
        likelihood = torch.where(self._is_other, p @ self._rest.T, p @ p.T)
        super().__init__(likelihood, relation.abs() / 2)

    def _pull_apart(self, slope):
        """Return the slopes in `p` and in its complement."""
        other = slope * self._is_other
        same = slope - other
        p_slope = torch.addmm(other @ self._rest, same, self._p, alpha=2)
        return p_slope, other.T @ self._p


class StatedList(_StatedPairs):
    """Of listed pairs; the second sample of a cannot-link stands as its complement."""

    def __init__(self, p, pairs):
        i, j, weight = pairs
        self._both = p.new_empty(2 * len(p), p.shape[1])
        self._both[: len(p)] = p
        self._complement(p, self._both[len(p) :])
        self._i, self._j = i, torch.where(weight < 0, j + len(p), j)
        self._first, self._second = p[i], self._both[self._j]
        likelihood = torch.linalg.vecdot(self._first, self._second)
        super().__init__(likelihood, weight.abs())

    def _pull_apart(self, slope):
        """Return the slopes in `p` and in its complement."""
        slopes, slope = torch.zeros_like(self._both), slope[:, None]
        slopes.index_add_(0, self._i, self._second.mul_(slope))
        slopes.index_add_(0, self._j, self._first.mul_(slope))
        return slopes.chunk(2)
