"""How a split uses the pairs: shares of pairs, and pairs that leak."""

import numpy as np

from skpairclust.constraints._pairs import contains, encode, unique_keys


def describe_row_splits(constraints, splits):
    """Report how splits of rows use the pairs.

    Parameters
    ----------
    constraints : PairwiseConstraints
    splits : iterable of (train, test)
        Row numbers or masks.

    Returns
    -------
    dict of str to ndarray of shape (n_splits,), float64
        "train_share", "test_share" and "dropped_share" of all pairs;
        "entailed_share" of the tested pairs; "row_share" of rows to train on.
        NaN where there is nothing to take a share of.
    """
    return _as_columns([_describe_rows(constraints, *split) for split in splits])


def _describe_rows(constraints, train, test):
    """Describe one split of rows."""
    train, test = (_as_mask(rows, constraints.n_samples) for rows in (train, test))
    n_pairs, n_train, n_test = (
        part.n_pairs for part in (constraints, constraints[train], constraints[test])
    )
    # A tested pair with an end outside the training rows is in no chain of training
    # pairs, and one with both ends inside is a training pair itself.
    n_entailed = constraints[train & test].n_pairs if (train & test).any() else 0
    return _shares(n_pairs, n_train, n_test, n_entailed, n_entailed, train.mean())


def describe_pair_splits(constraints, is_must, pairs, splits):
    """Report how splits of pairs use the pairs, where all rows are in every fit.

    Parameters
    ----------
    constraints : callable
        Makes constraints of positions in `pairs`.
    is_must : ndarray of shape (m,), bool
    pairs : ndarray of shape (m, 2)
    splits : iterable of (train, test)
        Positions in `pairs`.

    Returns
    -------
    report : dict
        As from `describe_row_splits`.
    entailed : list of ndarray of bool
        Which tested pairs follow from the training pairs, for each split.
    """
    entailed, rows = [], []
    for train, test in splits:
        known = constraints(train)
        entailed.append(mark_entailed(known, pairs[test], is_must[test]))
        n_common = len(np.intersect1d(train, test))
        n_entailed = np.count_nonzero(entailed[-1])
        rows.append(
            _shares(len(pairs), len(train), len(test), n_common, n_entailed, 1.0)
        )
    return _as_columns(rows), entailed


def mark_entailed(known, pairs, is_must):
    """Mark the pairs that the closure of known constraints holds already.

    Unlike `closure()`, it needs no constraints that agree.

    Parameters
    ----------
    known : PairwiseConstraints
    pairs : ndarray of shape (m, 2)
    is_must : ndarray of shape (m,), bool

    Returns
    -------
    ndarray of shape (m,), bool
    """
    labels = known.components()
    n_components = int(labels.max(initial=-1)) + 1
    apart = unique_keys(encode(labels[known.cannot_link], n_components))
    ends = labels[pairs]
    return np.where(
        is_must,
        ends[:, 0] == ends[:, 1],
        contains(apart, encode(ends, n_components)),
    )


def _shares(n_pairs, n_train, n_test, n_common, n_entailed, row_share):
    """Return the report on one split."""
    n_dropped = n_pairs - (n_train + n_test - n_common)
    return {
        "train_share": _share(n_train, n_pairs),
        "test_share": _share(n_test, n_pairs),
        "dropped_share": _share(n_dropped, n_pairs),
        "entailed_share": _share(n_entailed, n_test),
        "row_share": float(row_share),
    }


def _share(part, whole):
    """Return part / whole, NaN if the whole is 0."""
    return part / whole if whole else np.nan


def _as_columns(rows):
    """Turn a list of dicts into a dict of arrays."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _as_mask(rows, n_samples):
    """Return row numbers, or a mask, as a mask."""
    mask = np.zeros(n_samples, dtype=bool)
    mask[rows] = True
    return mask


def raise_if_empty(report, what, way_out):
    """Raise if a split trains or tests on no pair.

    Parameters
    ----------
    report : dict
    what : str
        Whose splits they are; begins the message.
    way_out : str
        What to use instead; ends it.
    """
    for part in ("train", "test"):
        empty = np.flatnonzero(~(report[f"{part}_share"] > 0))
        if len(empty):
            raise ValueError(
                f"{what} leaves no pair to {part} on in split {empty[0]} of "
                f"{len(report['row_share'])}, which would be scored NaN: use {way_out}."
            )
