"""Turn the supervision that `fit` received into constraints."""

import warnings

import numpy as np
from scipy import sparse

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._mistakes import refuse_near_misses
from skpairclust.constraints._pairs import first_few

_FORMS = (
    "y may be None, PairwiseConstraints, labels of shape (n_samples,) with -1, None or "
    "NaN for unlabeled, rows (i, j, +1 or -1) of shape (m, 3), or a relation matrix of "
    "shape (n_samples, n_samples)"
)


def as_told(y, constraints):
    """Return what scorers compare with: labels of all samples, or else pairs.

    Parameters
    ----------
    y : object
        What `fit` got.
    constraints : PairwiseConstraints
        What `check_supervision` made of it and of pairs beside it.

    Returns
    -------
    array-like of shape (n_samples,) or PairwiseConstraints
    """
    has_pairs = len(constraints._must_link) or len(constraints._cannot_link)
    if isinstance(y, PairwiseConstraints) or has_pairs:
        return constraints
    # Only labels made a relation. Scorers would take missing ones for a class.
    is_whole = any((known.groups >= 0).all() for known in constraints._relations)
    return y if is_whole else constraints


def check_supervision(y, *, n_samples, must_link=None, cannot_link=None):
    """Make constraints of the supervision given to `fit`.

    Parameters
    ----------
    y : None, PairwiseConstraints or array-like
        Class labels of shape (n_samples,), numbers or names, with -1, None or NaN
        for unlabeled; rows (i, j, r) of shape (m, 3) with r = +1 or -1; or a dense
        or sparse relation matrix of shape (n_samples, n_samples). Entries, rows and
        columns count the rows of X by position: the index of a Series or DataFrame
        is not looked at.
    n_samples : int
        The number of rows of X.
    must_link, cannot_link : array-like of shape (m, 2) or None, default=None
        Positions of rows of X, from 0; not labels of a DataFrame's index, which go
        to `PairwiseConstraints.from_ids`. Only with a `y` that is None or labels.

    Returns
    -------
    constraints : PairwiseConstraints
        Empty if there is no supervision.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If shapes or indices do not fit, a shape is ambiguous, pairs are given in
        two ways, or a pair is both must-link and cannot-link.

    Warns
    -----
    UserWarning
        If cannot-links contradict chains of must-links.

    Examples
    --------
    >>> from skpairclust.constraints._supervision import check_supervision
    >>> check_supervision([0, 0, -1, 1], n_samples=4)
    PairwiseConstraints(n_samples=4, must_link=1, cannot_link=2)
    >>> check_supervision(None, n_samples=4, must_link=[(0, 3)])
    PairwiseConstraints(n_samples=4, must_link=1, cannot_link=0)
    """
    constraints, carries_pairs = _read_y(y, n_samples)
    if must_link is not None or cannot_link is not None:
        if carries_pairs:
            raise ValueError(
                "must_link and cannot_link cannot be given together with a y that "
                "carries pairs. Unite them first: `y | PairwiseConstraints(must_link, "
                "cannot_link, n_samples=len(X))`."
            )
        _check_is_plain(must_link, "must_link")
        _check_is_plain(cannot_link, "cannot_link")
        constraints |= PairwiseConstraints(must_link, cannot_link, n_samples=n_samples)
    _report_conflicts(constraints)
    return constraints


def _read_y(y, n_samples):
    """Return the constraints in y, and whether they are pairs (not labels)."""
    if y is None:
        return PairwiseConstraints(n_samples=n_samples), False
    if isinstance(y, PairwiseConstraints):
        _check_same_samples(y, n_samples)
        return y, True
    if sparse.issparse(y):
        _check_relation_shape(y.shape, n_samples)
        return PairwiseConstraints.from_matrix(y), True
    refuse_near_misses(y)
    array = _as_array(y)
    if array.ndim == 1:
        # of a list with names an array loses what is missing
        as_it_came = isinstance(y, (list, tuple, np.ma.MaskedArray))
        return _read_labels(y if as_it_came else array, n_samples), False
    return _read_table(array, n_samples), True


def _as_array(y):
    """Return y as a numeric array of one or two dimensions."""
    try:
        array = np.asarray(y)
    except ValueError as error:
        raise ValueError(f"y is not a rectangular array: {error}. {_FORMS}.") from error
    if array.ndim not in (1, 2):
        kind = TypeError if array.ndim == 0 else ValueError
        raise kind(
            f"y of type {type(y).__name__} and shape {array.shape} is no supervision: "
            f"{_FORMS}. Index arrays go into must_link= and cannot_link=."
        )
    return array


def _check_same_samples(constraints, n_samples):
    """Raise if constraints were made for a different number of samples."""
    if constraints.n_samples != n_samples:
        raise ValueError(
            f"y holds constraints for {constraints.n_samples} samples, but X has "
            f"{n_samples}. Slice them like X: `constraints[rows]`."
        )


def _check_relation_shape(shape, n_samples):
    """Raise unless a relation matrix fits the samples."""
    if shape != (n_samples, n_samples):
        raise ValueError(
            f"y is a sparse matrix of shape {shape}; a relation matrix for "
            f"{n_samples} samples needs ({n_samples}, {n_samples})."
        )


def _read_labels(y, n_samples):
    """Read one-dimensional y."""
    if len(y) != n_samples:
        raise ValueError(
            f"y has {len(y)} labels, but X has {n_samples} samples. "
            "Use -1 or None for samples without a label."
        )
    return PairwiseConstraints.from_labels(y)


def _read_table(y, n_samples):
    """Read two-dimensional y: triples or a relation matrix."""
    is_matrix = y.shape == (n_samples, n_samples)
    is_triples = y.shape[1] == 3
    if is_matrix and is_triples:
        raise ValueError(
            f"y of shape {y.shape} for {n_samples} samples may be rows (i, j, r) or a "
            "relation matrix. Say which: `PairwiseConstraints.from_tuples(y, 3)` or "
            "`PairwiseConstraints.from_matrix(y)`."
        )
    if is_matrix:
        return PairwiseConstraints.from_matrix(y)
    if is_triples:
        return PairwiseConstraints.from_tuples(y, n_samples)
    ways_out = {
        1: "Flatten labels with `np.ravel(y)`.",
        2: "Give pairs by name: `fit(X, must_link=..., cannot_link=...)`.",
    }
    raise ValueError(
        f"y has shape {y.shape} for {n_samples} samples, but {_FORMS}. "
        f"{ways_out.get(y.shape[1], '')}".rstrip()
    )


def _check_is_plain(pairs, name):
    """Raise if a container is passed where index arrays belong."""
    if isinstance(pairs, PairwiseConstraints):
        raise TypeError(
            f"{name} takes an (m, 2) array of row indices; pass PairwiseConstraints "
            "as y."
        )


def _report_conflicts(constraints):
    """Raise on direct conflicts, warn about entailed ones."""
    conflicts = constraints.conflicts()
    if len(conflicts.direct):
        raise ValueError(
            f"{len(conflicts.direct)} pairs are both must-link and cannot-link: "
            f"{first_few(conflicts.direct)}. Remove one of each; "
            "`PairwiseConstraints.conflicts()` lists them."
        )
    if len(conflicts.entailed):
        warnings.warn(
            f"{len(conflicts.entailed)} cannot-links contradict chains of must-links, "
            f"e.g. {first_few(conflicts.entailed, 3)}; not all constraints can be "
            "kept. `PairwiseConstraints.conflicts()` lists them.",
            UserWarning,
            # from here over fit, and a frame on each side of it, to its caller
            stacklevel=6,
        )
