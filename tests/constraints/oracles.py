"""Slow, obvious implementations and random constraints to compare with."""

from itertools import combinations, product

import numpy as np
from hypothesis import strategies as st

from skpairclust.constraints import PairwiseConstraints

# Dictionaries from pairs to weights, and loops over all pairs.


def as_dicts(constraints):
    """Return {pair: weight} of must-links and of cannot-links."""
    return tuple(
        dict(zip(map(tuple, pairs.tolist()), weights.tolist(), strict=True))
        for pairs, weights in (
            (constraints.must_link, constraints.must_link_weight),
            (constraints.cannot_link, constraints.cannot_link_weight),
        )
    )


def merge(pairs, weights):
    merged = {}
    for (a, b), weight in zip(pairs, weights, strict=True):
        key = (min(a, b), max(a, b))
        merged[key] = merged.get(key, 0) + weight
    return merged


def naive_components(must, n_samples):
    label = list(range(n_samples))
    for a, b in must:
        old, new = label[b], label[a]
        label = [new if entry == old else entry for entry in label]
    numbers = {}
    return [numbers.setdefault(entry, len(numbers)) for entry in label]


def naive_closure(must, cannot, n_samples):
    label = naive_components(must, n_samples)
    apart = {(label[a], label[b]) for a, b in cannot}
    apart |= {(b, a) for a, b in apart}
    all_pairs = list(combinations(range(n_samples), 2))
    return (
        {(a, b) for a, b in all_pairs if label[a] == label[b]},
        {(a, b) for a, b in all_pairs if (label[a], label[b]) in apart},
    )


def naive_slice(pairs, rows):
    place = {row: position for position, row in enumerate(rows)}
    return merge(
        [(place[a], place[b]) for a, b in pairs if a in place and b in place],
        [weight for (a, b), weight in pairs.items() if a in place and b in place],
    )


def naive_block(must, cannot, rows):
    block = np.zeros((len(rows), len(rows)))
    for i, j in product(range(len(rows)), repeat=2):
        key = (min(rows[i], rows[j]), max(rows[i], rows[j]))
        block[i, j] = must.get(key, 0) - cannot.get(key, 0)
    return block


@st.composite
def explicit(draw, n_samples=None, max_pairs=12):
    n_samples = n_samples or draw(st.integers(2, 10))
    index = st.integers(0, n_samples - 1)
    pair = st.tuples(index, index).filter(lambda p: p[0] != p[1])
    must, cannot = (draw(st.lists(pair, max_size=max_pairs)) for _ in range(2))
    weight = st.sampled_from([0.25, 1.0, 1.0, 3.0])
    must_weight, cannot_weight = (
        draw(st.lists(weight, min_size=len(pairs), max_size=len(pairs)))
        for pairs in (must, cannot)
    )
    return must, cannot, must_weight, cannot_weight, n_samples


def build(must, cannot, must_weight, cannot_weight, n_samples):
    return PairwiseConstraints(
        must,
        cannot,
        n_samples=n_samples,
        must_link_weight=must_weight,
        cannot_link_weight=cannot_weight,
    )


@st.composite
def constraints(draw, n_relations=2, consistent=False):
    """Explicit pairs, labels and closures, united."""
    n_samples = draw(st.integers(2, 9))
    parts = [build(*draw(explicit(n_samples)))]
    for _ in range(draw(st.integers(0, n_relations))):
        labels = st.lists(st.integers(-1, 4), min_size=n_samples, max_size=n_samples)
        part = PairwiseConstraints.from_labels(draw(labels))
        if draw(st.booleans()):
            # sequences give groups with a list of cannot-linked ones
            part = PairwiseConstraints.from_sequences(draw(labels), times=draw(labels))
        parts.append(part)
    united = parts[0]
    for part in parts[1:]:
        united |= part
    return united


@st.composite
def with_rows(draw):
    known = draw(constraints())
    rows = draw(st.lists(st.integers(0, known.n_samples - 1), unique=True))
    return known, rows
