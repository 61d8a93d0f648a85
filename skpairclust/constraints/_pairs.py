"""Stateless functions on arrays of pairs: check, canonicalize, merge, slice.

A canonical pair array is an (m, 2) int64 array with ``i < j`` in each row, the
rows unique and in lexicographic order. It goes with an (m,) float64 array of
weights. Internally a pair is one integer key, ``i * n_samples + j``.
"""

import numbers

import numpy as np

# keys i * n_samples + j have to fit into int64
MAX_SAMPLES = 2**31 - 1
# 50 million listed pairs are 1.2 GB with their weights
MAX_LISTED_PAIRS = 50_000_000


def first_few(values, n_shown=5):
    """Write the first few of many values, for error messages."""
    values = np.asarray(values)
    shown = ", ".join(_plain(value) for value in values[:n_shown])
    n_left = len(values) - n_shown
    return f"{shown} and {n_left} more" if n_left > 0 else shown


def _plain(value):
    """Write one value or one pair without numpy's type names."""
    value = np.asarray(value).tolist()
    return str(tuple(value)) if isinstance(value, list) else repr(value)


def check_n_samples(n_samples):
    """Return n_samples as an int, or say why it cannot be one."""
    if isinstance(n_samples, (bool, np.bool_)) or not isinstance(
        n_samples, numbers.Integral
    ):
        raise TypeError(
            "n_samples must be an integer, the number of rows of X; "
            f"got {n_samples!r} of type {type(n_samples).__name__}."
        )
    if not 0 <= n_samples <= MAX_SAMPLES:
        raise ValueError(
            f"n_samples must be between 0 and {MAX_SAMPLES}; got {n_samples}."
        )
    return int(n_samples)


def as_integers(values, name, hint):
    """Return an array of integers, or a TypeError naming the argument."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array; {hint}") from error
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype == object:
        # pandas' nullable integers arrive as objects: let numpy look again
        array = np.array(array.tolist())
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"{name} must hold integers; got "
            f"{first_few(array.reshape(-1)[:5], 3)} of dtype {array.dtype}. {hint}"
        )
    if array.dtype.kind == "u" and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name} holds {array.max()}, too large for int64.")
    return array.astype(np.int64, copy=False)


def check_pairs(pairs, n_samples, name):
    """Return pairs as an (m, 2) int64 array of two different, valid samples."""
    if pairs is None:
        return np.empty((0, 2), dtype=np.int64)
    hint = (
        "Give row indices of X as an (m, 2) integer array; convert whole "
        "numbers with `.astype(np.int64)` and a mask with `np.argwhere`. If samples "
        "have ids, use `PairwiseConstraints.from_ids` or `from_frame`."
    )
    pairs = as_integers(pairs, name, hint)
    if pairs.size == 0 and pairs.ndim <= 2:
        return np.empty((0, 2), dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"{name} must have shape (m, 2); got {pairs.shape}. {hint}")
    _check_range(pairs, n_samples, name)
    is_self = pairs[:, 0] == pairs[:, 1]
    if is_self.any():
        raise ValueError(
            f"{name} pairs samples with themselves: {first_few(pairs[is_self])}. "
            "Remove these rows."
        )
    return pairs


def _check_range(pairs, n_samples, name):
    """Raise if an index is negative or beyond the last sample."""
    # the extremes decide: a mask of all pairs is only made for the message
    if pairs.min() >= 0 and pairs.max() < n_samples:
        return
    outside = pairs[(pairs < 0) | (pairs >= n_samples)]
    raise ValueError(
        f"{name} holds indices out of range for n_samples={n_samples}: "
        f"{first_few(outside)}. Indices count rows of X from 0 to n_samples - 1. "
        "Plain index arrays cannot be sliced by cross-validation or "
        "train_test_split: put the pairs of all samples into "
        "PairwiseConstraints, which is sliced together with X."
    )


def check_weights(weights, n_pairs, name):
    """Return one float64 weight in (0, inf) per pair; None means all ones."""
    if weights is None:
        return np.ones(n_pairs)
    try:
        # a copy: the container makes its arrays read-only
        weights = np.array(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be numbers, one per pair; got {weights!r:.80}."
        ) from error
    if weights.ndim == 0:
        weights = np.full(n_pairs, weights)
    if weights.shape != (n_pairs,):
        raise ValueError(
            f"{name} must have one entry a pair, shape ({n_pairs},); "
            f"got {weights.shape}."
        )
    is_bad = ~((weights > 0) & np.isfinite(weights))
    if is_bad.any():
        raise ValueError(
            f"{name} must be positive and finite; got {first_few(weights[is_bad])} "
            f"at {first_few(np.flatnonzero(is_bad))}. Leave out pairs of weight 0."
        )
    return weights


def encode(pairs, n_samples):
    """Turn pairs in any orientation into keys."""
    first, second = pairs[:, 0], pairs[:, 1]
    # of shorter integers the product would overflow
    keys = np.minimum(first, second, dtype=np.int64)
    keys *= n_samples
    keys += np.maximum(first, second)
    return keys


def decode(keys, n_samples):
    """Turn keys back into an (m, 2) array of pairs."""
    pairs = np.empty((len(keys), 2), dtype=np.int64)
    np.floor_divide(keys, max(n_samples, 1), out=pairs[:, 0])
    np.subtract(keys, pairs[:, 0] * n_samples, out=pairs[:, 1])
    return pairs


def canonicalize(pairs, weights, n_samples):
    """Return the canonical pairs and weights; duplicates add their weights."""
    keys, weights = merge_keys(encode(pairs, n_samples), weights)
    return freeze(decode(keys, n_samples)), freeze(weights)


def merge_keys(keys, weights):
    """Sort keys, merge equal ones and add their weights.

    May sort `keys` in place.
    """
    if is_increasing(keys):
        return keys, weights
    if (weights == 1).all():
        # sorting bare keys is several times faster than sorting an order
        keys.sort()
        starts = np.flatnonzero(_starts_run(keys))
        counts = np.diff(starts, append=len(keys))
        return (keys if len(starts) == len(keys) else keys[starts]), counts.astype(
            np.float64
        )
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    starts = np.flatnonzero(_starts_run(sorted_keys))
    if len(starts) < len(keys):
        # order equal keys by weight: sums then do not depend on the input order
        order = np.lexsort((weights, keys))
        return sorted_keys[starts], np.add.reduceat(weights[order], starts)
    return sorted_keys, weights[order]


def unique_keys(keys):
    """Sort keys, in place if need be, and drop repetitions."""
    if is_increasing(keys):
        return keys
    keys.sort()
    return keys[_starts_run(keys)]


def is_increasing(keys):
    """Whether the keys are sorted and unique."""
    return bool((keys[1:] > keys[:-1]).all())


def _starts_run(sorted_keys):
    """Mark the first of each run of equal keys."""
    marks = np.ones(len(sorted_keys), dtype=bool)
    np.not_equal(sorted_keys[1:], sorted_keys[:-1], out=marks[1:])
    return marks


def common_keys(keys, other_keys):
    """Return the common keys of two sorted, unique key arrays."""
    both = np.concatenate((keys, other_keys))
    # numpy's stable sort finds the two runs and merges them in linear time
    both.sort(kind="stable")
    return both[1:][both[1:] == both[:-1]]


def contains(sorted_keys, keys):
    """Mark which keys occur in a sorted key array."""
    if len(sorted_keys) == 0:
        return np.zeros(np.shape(keys), dtype=bool)
    places = np.searchsorted(sorted_keys, keys)
    places[places == len(sorted_keys)] = 0
    return sorted_keys[places] == keys


def induce(pairs, weights, positions, n_rows):
    """Keep pairs whose samples are both in the slice, under their new numbers.

    `positions` holds each sample's place in the slice, -1 for samples left out.
    """
    first, second = positions[pairs[:, 0]], positions[pairs[:, 1]]
    kept = np.flatnonzero((first >= 0) & (second >= 0))
    moved = np.empty((len(kept), 2), dtype=np.int64)
    moved[:, 0], moved[:, 1] = first[kept], second[kept]
    return canonicalize(moved, weights[kept], n_rows)


def check_rows(rows, n_samples):
    """Turn any numpy-like row selection into unique, non-negative indices."""
    if isinstance(rows, tuple):
        rows = _drop_ellipsis(rows)
    if isinstance(rows, slice):
        return np.arange(n_samples, dtype=np.int64)[rows]
    rows = np.asarray(rows)
    if rows.ndim == 0:
        raise TypeError(
            f"cannot index constraints with the single row {rows!s}: one sample has "
            "no pairs. Use a list, mask or slice of rows, or the arrays "
            "`must_link` and `cannot_link`."
        )
    if rows.ndim != 1:
        raise IndexError(f"rows must be one-dimensional; got shape {rows.shape}.")
    if rows.dtype == bool:
        if len(rows) != n_samples:
            raise IndexError(
                f"the row mask has {len(rows)} entries for {n_samples} samples."
            )
        return np.flatnonzero(rows)
    rows = as_integers(rows, "rows", "Index with integers, a boolean mask or a slice.")
    return _check_row_numbers(rows, n_samples)


def _drop_ellipsis(rows):
    """Take `(rows, Ellipsis)` apart, as scikit-learn indexes arrays."""
    if len(rows) == 2 and rows[1] is Ellipsis:
        return rows[0]
    raise TypeError(
        "constraints have one axis, the samples: index with `constraints[rows]`; "
        f"got the tuple {rows!r:.80}."
    )


def _check_row_numbers(rows, n_samples):
    """Wrap negative row numbers; refuse those out of range or repeated."""
    outside = (rows < -n_samples) | (rows >= n_samples)
    if outside.any():
        raise IndexError(
            f"rows out of range for {n_samples} samples: {first_few(rows[outside])}."
        )
    rows = np.where(rows < 0, rows + n_samples, rows)
    if not is_increasing(rows):
        in_order = np.sort(rows)
        repeated = np.unique(in_order[1:][in_order[1:] == in_order[:-1]])
        if len(repeated):
            raise ValueError(
                f"rows are repeated: {first_few(repeated)}. A bootstrap would pair "
                "a sample with its own copies; draw rows without replacement."
            )
    return rows


def check_listable(n_pairs, what):
    """Raise if there are too many pairs to list in memory."""
    if n_pairs > MAX_LISTED_PAIRS:
        raise ValueError(
            f"{n_pairs} {what} are too many to list (the limit is "
            f"{MAX_LISTED_PAIRS}): class labels and closures imply pairs "
            "without listing them. Count with `n_must_link` and `n_cannot_link`, "
            "use `relation_block(rows)` or a slice `constraints[rows]`, or draw "
            "pairs with `PairwiseConstraints.sample_from_labels`."
        )


def freeze(array):
    """Make an array read-only."""
    array.setflags(write=False)
    return array


def restore(array):
    """Restore the form that an array had before it was pickled.

    Memory maps of joblib's workers become arrays; empty arrays lose the strides
    that pickles give them, which joblib.hash would see.
    """
    return np.asarray(array) if array.size else array.copy()


def ragged_arange(counts):
    """Return 0..counts[0]-1, 0..counts[1]-1, ... as one array."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int64) - np.repeat(ends - counts, counts)


def count_samples(X):
    """Return the number of samples of an array, sparse matrix, data frame or list."""
    return X.shape[0] if hasattr(X, "shape") else len(X)
