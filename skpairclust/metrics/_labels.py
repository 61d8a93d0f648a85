"""Scores of cluster labels against constraints."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._labels import encode_values
from skpairclust.constraints._typing import AnyArray
from skpairclust.metrics._checks import read_clusters


def constraint_accuracy_score(
    constraints: PairwiseConstraints, labels_pred: AnyArray
) -> float:
    """Mean of the share of must-links and the share of cannot-links that labels keep.

    Both kinds count equally, no matter how many pairs there are of each. If there
    are pairs of one kind only, the score is the share of that kind. Weights of pairs
    are not used.

    Parameters
    ----------
    constraints : PairwiseConstraints
        What is known of the samples.
    labels_pred : array-like of shape (n_samples,)
        Clusters, none of them missing.

    Returns
    -------
    float
        In [0, 1]; 1 if every pair is respected.

    Raises
    ------
    TypeError
        If `constraints` is not a `PairwiseConstraints`.
    ValueError
        If there are no pairs, or the numbers of samples differ.

    Examples
    --------
    >>> from skpairclust import PairwiseConstraints
    >>> from skpairclust.metrics import constraint_accuracy_score
    >>> constraints = PairwiseConstraints([[0, 1]], [[0, 2], [1, 2]], n_samples=3)
    >>> constraint_accuracy_score(constraints, [0, 0, 0])
    0.5
    """
    check_constraints(constraints)
    kept, total = count_respected(constraints, labels_pred)
    if not total.any():
        raise ValueError(
            "constraints holds no pair, so no share of pairs can be respected: score "
            "on samples that have constraints among them."
        )
    return float(np.mean(kept[total > 0] / total[total > 0]))


def count_respected(
    constraints: PairwiseConstraints, labels_pred: AnyArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count the pairs that labels respect, and all pairs, of each kind.

    Parameters
    ----------
    constraints : PairwiseConstraints
    labels_pred : array-like of shape (n_samples,)

    Returns
    -------
    kept, total : ndarray of shape (2,), float64
        Must-links first, cannot-links second.

    Examples
    --------
    >>> import numpy as np
    >>> from skpairclust import PairwiseConstraints
    >>> from skpairclust.metrics import count_respected
    >>> constraints = PairwiseConstraints([[0, 1]], [[0, 2], [1, 3]], n_samples=4)
    >>> kept, total = count_respected(constraints, np.array([0, 0, 1, 0]))
    >>> kept.tolist(), total.tolist()
    ([1.0, 1.0], [1.0, 2.0])
    """
    labels_pred = _check_labels(constraints, labels_pred)
    must, cannot = constraints._must_link, constraints._cannot_link
    kept = np.array(
        [
            np.count_nonzero(labels_pred[must[:, 0]] == labels_pred[must[:, 1]]),
            np.count_nonzero(labels_pred[cannot[:, 0]] != labels_pred[cannot[:, 1]]),
        ],
        dtype=float,
    )
    total = np.array([len(must), len(cannot)], dtype=float)
    for relation in constraints._relations:
        kept_here, total_here = _count_in_groups(relation, labels_pred)
        kept += kept_here
        total += total_here
    return kept, total


def _count_in_groups(relation, labels_pred):
    """Count as `count_respected` does, from group sizes alone: no pair is listed."""
    member = relation.groups >= 0
    groups, labels = relation.groups[member], labels_pred[member]
    n_groups = relation.groups.max(initial=-1) + 1
    labels = np.unique(labels, return_inverse=True)[1]
    shape = (n_groups, labels.max(initial=-1) + 1)
    ones = np.ones(len(groups))
    table = sparse.coo_array((ones, (groups, labels)), shape=shape).tocsr()
    sizes = np.bincount(groups, minlength=n_groups).astype(float)
    same_kept, same = _pairs_within(table.data), _pairs_within(sizes)
    if relation.cannot is None:
        cannot = _pairs_within(np.array([sizes.sum()])) - same
        broken = _pairs_within(table.sum(axis=0)) - same_kept
    else:
        first, second = relation.cannot.T
        cannot = (sizes[first] * sizes[second]).sum()
        broken = table[first].multiply(table[second]).sum()
    return np.array([same_kept, cannot - broken]), np.array([same, cannot])


def _pairs_within(sizes):
    """Return the number of pairs inside sets of these sizes."""
    return float((sizes * (sizes - 1)).sum() / 2)


def check_constraints(constraints):
    """Raise unless `constraints` is the container."""
    if not isinstance(constraints, PairwiseConstraints):
        raise TypeError(
            f"constraints must be a PairwiseConstraints, got {type(constraints)}: make "
            "one from labels with PairwiseConstraints.from_labels."
        )


def _check_labels(constraints, labels_pred):
    """Return `labels_pred` as codes, one per constrained sample."""
    labels_pred = read_clusters(labels_pred)
    if labels_pred.shape != (constraints.n_samples,):
        raise ValueError(
            f"labels_pred has shape {labels_pred.shape}, but constraints are about "
            f"{constraints.n_samples} samples: give one label per sample."
        )
    return encode_values(labels_pred)[1]
