"""Draw pairs uniformly without listing the pairs to draw from."""

import numbers

import numpy as np

from skpairclust.constraints._pairs import unique_keys


def draw_distinct(n_items, n_draws, rng):
    """Draw a set of different integers below n_items, uniformly; order is arbitrary."""
    if n_draws > n_items // 2:
        # redrawing would take long, and the list is at most twice the result
        return rng.permutation(n_items)[:n_draws].astype(np.int64, copy=False)
    drawn = np.empty(0, dtype=np.int64)
    while len(drawn) < n_draws:
        n_more = int(1.05 * (n_draws - len(drawn))) + 16
        more = rng.randint(n_items, size=n_more, dtype=np.int64)
        drawn = unique_keys(np.concatenate((drawn, more)))
    # sorting has lost the order of drawing, so surplus draws are removed at random
    n_excess = len(drawn) - n_draws
    if n_excess == 0:
        return drawn
    return np.delete(drawn, draw_distinct(len(drawn), n_excess, rng))


def pair_of_index(index, n_items):
    """Map 0..n(n-1)/2-1 one to one to the pairs of n items on a ring.

    Pairs are numbered by their distance on the ring, so that integers suffice;
    for even n the greatest distance has only n/2 pairs, which come last.
    """
    distance, first = np.divmod(index, n_items)
    return first, (first + distance + 1) % n_items


def sample_pairs(labels, n_pairs, *, noise, balanced, rng):
    """Draw pairs of labeled samples; return pairs and which are must-links."""
    known = np.flatnonzero(labels >= 0)
    _check_share(noise)
    if balanced:
        n_must = n_pairs // 2
        by_class = known[np.argsort(labels[known], kind="stable")]
        sizes = np.bincount(labels[known])
        pairs = np.concatenate(
            (
                by_class[_sample_within(sizes, n_must, rng)],
                by_class[_sample_between(sizes, n_pairs - n_must, rng)],
            )
        )
    else:
        n_known = len(known)
        index = _draw_available(n_known * (n_known - 1) // 2, n_pairs, "pairs", rng)
        pairs = known[np.column_stack(pair_of_index(index, max(n_known, 1)))]
    is_must = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    is_must[draw_distinct(n_pairs, round(noise * n_pairs), rng)] ^= True
    return pairs, is_must


def check_count(n_pairs):
    """Return n_pairs as a non-negative int."""
    if isinstance(n_pairs, (bool, np.bool_)) or not isinstance(
        n_pairs, numbers.Integral
    ):
        raise TypeError(f"n_pairs must be an integer; got {n_pairs!r}.")
    if n_pairs < 0:
        raise ValueError(f"n_pairs must not be negative; got {n_pairs}.")
    return int(n_pairs)


def _check_share(noise):
    """Raise unless noise is a number in [0, 1]."""
    if isinstance(noise, bool) or not isinstance(noise, numbers.Real):
        raise TypeError(f"noise must be a number in [0, 1]; got {noise!r}.")
    if not 0 <= noise <= 1:
        raise ValueError(
            f"noise must be in [0, 1], the share of pairs to flip; got {noise}."
        )


def _draw_available(n_available, n_draws, what, rng):
    """Draw from 0..n_available-1, or say that there are too few."""
    if n_draws > n_available:
        raise ValueError(
            f"n_pairs asks for {n_draws} {what}, but the labeled samples have only "
            f"{n_available}. Ask for fewer, or label more samples."
        )
    return draw_distinct(n_available, n_draws, rng)


def _sample_within(sizes, n_draws, rng):
    """Draw pairs of positions in the same class; classes are consecutive."""
    counts = sizes * (sizes - 1) // 2
    ends = np.cumsum(counts)
    index = _draw_available(int(counts.sum()), n_draws, "must-links", rng)
    label = np.searchsorted(ends, index, side="right")
    index = index - (ends - counts)[label]
    starts = (np.cumsum(sizes) - sizes)[label]
    first, second = pair_of_index(index, sizes[label])
    return np.column_stack((starts + first, starts + second))


def _sample_between(sizes, n_draws, rng):
    """Draw pairs of positions in different classes; classes are consecutive."""
    # a position can be paired with every position before its class
    n_before = np.cumsum(sizes) - sizes
    counts = sizes * n_before
    ends = np.cumsum(counts)
    index = _draw_available(int(counts.sum()), n_draws, "cannot-links", rng)
    label = np.searchsorted(ends, index, side="right")
    index = index - (ends - counts)[label]
    second, first = np.divmod(index, n_before[label])
    return np.column_stack((first, n_before[label] + second))
