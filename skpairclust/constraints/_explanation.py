"""Why two samples belong together or apart: the pairs that say so."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csgraph

from skpairclust.constraints._graph import must_link_graph

# csgraph's mark of a node that has no predecessor.
_NONE = -9999


@dataclass(frozen=True, repr=False)
class PairExplanation:
    """What the constraints say about two samples, and which pairs say it.

    `PairwiseConstraints.explain` returns it. Its repr is a sentence, in which "="
    joins must-linked samples and "!=" cannot-linked ones.

    Attributes
    ----------
    verdict : {"same", "different", "contradiction", "unknown"}
        What follows from the pairs. It is a contradiction if both follow.
    must_link_chain : tuple or None
        Samples from the first to the second, neighbors of which are must-linked: a
        shortest chain. None if there is no chain.
    cannot_link_chain : tuple or None
        Samples from the first to the second, of which all neighbors but those of
        `cannot_link` are must-linked. None if nothing parts the samples.
    cannot_link : tuple of two samples or None
        The neighbors in `cannot_link_chain` that are cannot-linked.

    Examples
    --------
    >>> from skpairclust import PairwiseConstraints
    >>> c = PairwiseConstraints([(0, 1), (1, 2)], [(2, 3)], n_samples=5)
    >>> c.explain(0, 2)
    0 and 2 belong together: 0 = 1 = 2
    >>> c.explain(0, 3)
    0 and 3 do not belong together: 0 = 1 = 2 != 3
    >>> c.explain(0, 4).verdict
    'unknown'
    """

    pair: tuple[Hashable, Hashable]
    must_link_chain: tuple[Any, ...] | None = None
    cannot_link_chain: tuple[Any, ...] | None = None
    cannot_link: tuple[Any, Any] | None = None

    @property
    def verdict(self) -> str:
        """What follows from the pairs."""
        together = self.must_link_chain is not None
        apart = self.cannot_link_chain is not None
        if together and apart:
            return "contradiction"
        return "same" if together else "different" if apart else "unknown"

    def __repr__(self):
        what = self.verdict
        names = "{!r} and {!r}".format(*self.pair)
        together = _join(self.must_link_chain)
        apart = _join(self.cannot_link_chain, self.cannot_link)
        if what == "same":
            return f"{names} belong together: {together}"
        if what == "different":
            return f"{names} do not belong together: {apart}"
        if what == "contradiction":
            return f"{names}: pairs contradict each other: {together}, but {apart}"
        return f"{names}: no chain of pairs tells"


def _join(chain, cannot_link=None):
    """Write a chain of samples."""
    if chain is None:
        return ""
    words = [repr(chain[0])]
    for step in zip(chain, chain[1:], strict=False):
        words += ["!=" if step == cannot_link else "=", repr(step[1])]
    return " ".join(words)


def find_chains(constraints, i, j):
    """Return the shortest chain of must-links, and the shortest with a cannot-link.

    Returns
    -------
    together : list of int or None
        Samples from i to j.
    apart : tuple of two lists of int, or None
        Samples from i to the cannot-link, and from there to j.
    """
    graph = must_link_graph(
        constraints._must_link, constraints._relations, constraints.n_samples
    )
    trees = csgraph.dijkstra(
        graph, directed=False, indices=[i, j], return_predecessors=True
    )
    distances, predecessors = trees
    n_samples = constraints.n_samples
    together = None
    if np.isfinite(distances[0, j]):
        together = _walk(predecessors[0], j, n_samples)
    ends = _find_cannot_link(constraints, distances)
    if ends is None:
        return together, None
    # a node of a group stands for its member that is nearest
    before, after = (
        _walk(tree, end, n_samples)
        for tree, end in zip(predecessors, ends, strict=True)
    )
    return together, (before, after[::-1])


def _walk(predecessors, node, n_samples):
    """Return the samples on the way to a node; nodes of groups are left out."""
    way = []
    while node != _NONE:
        if node < n_samples:
            way.append(int(node))
        node = predecessors[node]
    return way[::-1]


def _find_cannot_link(constraints, distances):
    """Return the two cannot-linked nodes that are nearest to the two samples."""
    candidates = [_nearest(constraints._cannot_link, distances)]
    first = constraints.n_samples
    for relation in constraints._relations:
        nodes = slice(first, first + relation.n_groups)
        if relation.cannot is None:
            found = _nearest_different(distances[:, nodes])
        else:
            found = _nearest(relation.cannot, distances[:, nodes])
        # from the nodes of groups it is half a must-link to their nearest members
        candidates.append((found[0] - 1, found[1] + first))
        first += relation.n_groups
    length, ends = min(candidates, key=lambda candidate: candidate[0])
    return ends if np.isfinite(length) else None


def _nearest(pairs, distances):
    """Return the length of the shortest way over one of the pairs, and its ends."""
    if not len(pairs):
        return np.inf, np.zeros(2, dtype=np.int64)
    both = np.concatenate((pairs, pairs[:, ::-1]))
    lengths = distances[0, both[:, 0]] + distances[1, both[:, 1]]
    best = int(lengths.argmin())
    return lengths[best], both[best]


def _nearest_different(distances):
    """Do `_nearest` for all pairs of different columns, without listing them."""
    # the two nearest of each side suffice: at most one of them is the same
    near = [np.argsort(row, kind="stable")[:2] for row in distances]
    pairs = [(a, b) for a in near[0] for b in near[1] if a != b]
    return _nearest(np.array(pairs, dtype=np.int64).reshape(-1, 2), distances)
