"""Pairs for the soft methods: listed if there are few, drawn if there are many."""

from typing import NamedTuple

import numpy as np

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._groups import count_pairs, is_cannot
from skpairclust.constraints._pairs import canonicalize
from skpairclust.constraints._views import list_pairs

# Pairs of groups are listed up to this number, or up to so many per sample.
_MOST_LISTED, _DRAWN_PER_SAMPLE = 200_000, 4


class SoftPairs(NamedTuple):
    """Pairs of samples and what it costs to violate them."""

    must: np.ndarray
    must_weight: np.ndarray
    cannot: np.ndarray
    cannot_weight: np.ndarray


def list_soft_pairs(constraints, rng):
    """Return all pairs, or a random part of those from groups.

    If class labels, sequences and closures imply too many pairs, some are drawn, with
    weights that keep the sum of all weights.
    """
    n_samples = constraints.n_samples
    must = [(constraints._must_link, constraints._must_link_weight)]
    cannot = [(constraints._cannot_link, constraints._cannot_link_weight)]
    for relation in constraints._relations:
        n_known = int(np.count_nonzero(relation.groups >= 0))
        most = max(_MOST_LISTED, _DRAWN_PER_SAMPLE * n_known)
        n_must, n_cannot = count_pairs(relation)
        alone = PairwiseConstraints._from_parts(n_samples, relations=(relation,))
        if n_must <= most:
            must.append(list_pairs(alone, "must_link"))
        else:
            must.append(_weighted(_draw_must_links(relation, most, rng), n_must))
        if n_cannot <= most:
            cannot.append(list_pairs(alone, "cannot_link"))
        else:
            cannot.append(_weighted(_draw_cannot_links(relation, most, rng), n_cannot))
    return SoftPairs(*_unite(must, n_samples), *_unite(cannot, n_samples))


def _unite(parts, n_samples):
    """Merge lists of pairs; the weights of repeated ones are added."""
    pairs, weights = (np.concatenate(array) for array in zip(*parts, strict=True))
    return canonicalize(pairs, weights, n_samples)


def _weighted(pairs, total):
    """Return the pairs with equal weights of the given sum."""
    return pairs, np.full(len(pairs), total / max(len(pairs), 1))


def _draw_must_links(relation, n_pairs, rng):
    """Draw pairs of different samples of one group, all pairs equally likely."""
    members = np.argsort(relation.groups, kind="stable")
    members = members[len(members) - relation.sizes.sum() :]
    sizes = relation.sizes.astype(np.float64)
    stops = np.cumsum(relation.sizes)
    share = sizes * (sizes - 1)
    groups = rng.choice(len(sizes), size=n_pairs, p=share / share.sum())
    size = relation.sizes[groups]
    left = (rng.random_sample(n_pairs) * size).astype(np.int64)
    step = 1 + (rng.random_sample(n_pairs) * (size - 1)).astype(np.int64)
    right = (left + step) % size
    start = stops[groups] - size
    return np.column_stack((members[start + left], members[start + right]))


def _draw_cannot_links(relation, n_pairs, rng):
    """Draw pairs of samples of cannot-linked groups, all equally likely."""
    if relation.cannot is None:
        known = np.flatnonzero(relation.groups >= 0)
        pairs = known[rng.randint(len(known), size=(n_pairs, 2), dtype=np.int64)]
        return pairs[is_cannot(relation, *pairs.T)]
    members = np.argsort(relation.groups, kind="stable")
    members = members[len(members) - relation.sizes.sum() :]
    starts = np.cumsum(relation.sizes) - relation.sizes
    share = relation.sizes[relation.cannot].prod(axis=1).astype(np.float64)
    chosen = relation.cannot[
        rng.choice(len(share), size=n_pairs, p=share / share.sum())
    ]
    places = rng.random_sample((n_pairs, 2)) * relation.sizes[chosen]
    return members[starts[chosen] + places.astype(np.int64)]
