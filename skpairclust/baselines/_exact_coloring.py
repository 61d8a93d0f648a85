"""Exact search of a graph coloring by DSATUR, and of cliques."""

import time
from heapq import heapify, heappop, heappush

# Number of candidates whose links are counted, which takes quadratic time.
_MOST_COUNTED = 200


def find_clique(others, size, max_steps, deadline):
    """Return `size` nodes that are all linked, None if none were found.

    The search is complete unless it takes more than `max_steps` steps, or until the
    `deadline`, a `time.monotonic`.
    """
    linked = [set(neighbors) for neighbors in others]
    rank = _degeneracy_rank(others)
    n_steps = 0
    # the first of a clique in this order has the others among few followers
    for root in sorted(range(len(others)), key=lambda i: -rank[i]):
        stack = [([root], {j for j in others[root] if rank[j] > rank[root]})]
        while stack:
            clique, candidates = stack.pop()
            if len(clique) == size:
                return clique
            if len(clique) + len(candidates) < size:
                continue
            n_steps += 1
            if n_steps > max_steps or time.monotonic() > deadline:
                return None
            node = _most_linked(candidates, linked)
            # without the node, tried after all cliques with it
            stack.append((clique, candidates - {node}))
            stack.append(([*clique, node], candidates & linked[node]))
    return None


def _most_linked(candidates, linked):
    """Return the candidate with most links, to other candidates if these are few."""
    if len(candidates) > _MOST_COUNTED:
        return max(candidates, key=lambda j: len(linked[j]))
    return max(candidates, key=lambda j: len(linked[j] & candidates))


def _degeneracy_rank(others):
    """Rank nodes in the order in which the least linked one is removed."""
    degree = [len(neighbors) for neighbors in others]
    heap = [(d, node) for node, d in enumerate(degree)]
    heapify(heap)
    rank = [-1] * len(others)
    n_ranked = 0
    while heap:
        _, node = heappop(heap)
        if rank[node] >= 0:
            continue
        rank[node] = n_ranked
        n_ranked += 1
        for other in others[node]:
            if rank[other] < 0:
                degree[other] -= 1
                heappush(heap, (degree[other], other))
    return rank


class Saturation:
    """Colors given so far, and which uncolored node has fewest colors left."""

    def __init__(self, others, n_colors, rng):
        self.others = others
        self.n_colors = n_colors
        self.colors = [-1] * len(others)
        # how many neighbors of a node have a color, and how many colors they have
        self.counts = [[0] * n_colors for _ in others]
        self.saturation = [0] * len(others)
        self.tie = rng.permutation(len(others)).tolist()
        self.heap = []
        for node in range(len(others)):
            self.offer(node)

    def offer(self, node):
        key = -self.saturation[node], -len(self.others[node]), self.tie[node], node
        heappush(self.heap, key)

    def pop(self):
        """Return the uncolored node with fewest colors left, None at the end."""
        while self.heap:
            saturation, _, _, node = heappop(self.heap)
            if self.colors[node] < 0 and self.saturation[node] == -saturation:
                return node
        return None

    def choices(self, node, n_used):
        """List the colors that a node may have, with only one of the unused colors."""
        counts = self.counts[node]
        return [c for c in range(min(n_used + 1, self.n_colors)) if not counts[c]]

    def give(self, node, color):
        """Color a node; return whether its neighbors still can be."""
        self.colors[node] = color
        possible = True
        for other in self.others[node]:
            counts = self.counts[other]
            if not counts[color]:
                self.saturation[other] += 1
                if self.colors[other] < 0:
                    self.offer(other)
                    possible &= self.saturation[other] < self.n_colors
            counts[color] += 1
        return possible

    def take(self, node):
        """Undo `give`."""
        color = self.colors[node]
        self.colors[node] = -1
        for other in self.others[node]:
            counts = self.counts[other]
            counts[color] -= 1
            if not counts[color]:
                self.saturation[other] -= 1
                if self.colors[other] < 0:
                    self.offer(other)


def dsatur(others, n_colors, max_steps, deadline, rng):
    """Color a graph by DSATUR with backtracking, after Brélaz (1979).

    Parameters
    ----------
    others : list of list of int
        Neighbors of each node.
    n_colors, max_steps : int
    deadline : float
        `time.monotonic` after which the search ends.
    rng : RandomState

    Returns
    -------
    colors : list of int or None
        None if none were found.
    is_proof : bool
        Whether there are none.
    """
    state = Saturation(others, n_colors, rng)
    node = state.pop()
    # node, the colors not tried yet, and the number of colors used before
    stack = [(node, state.choices(node, 0), 0)]
    for step in range(max_steps):
        if not stack:
            return None, True
        if step % 256 == 0 and time.monotonic() > deadline:
            return None, False
        node, choices, n_used = stack[-1]
        if state.colors[node] >= 0:
            state.take(node)
        if not choices:
            stack.pop()
            state.offer(node)
            continue
        color = choices.pop(0)
        if not state.give(node, color):
            continue
        node = state.pop()
        if node is None:
            return state.colors, False
        n_used = max(n_used, color + 1)
        stack.append((node, state.choices(node, n_used), n_used))
    return None, False
