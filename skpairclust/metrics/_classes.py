"""Scores of cluster labels against classes."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix, pair_confusion_matrix
from sklearn.utils.validation import check_consistent_length, column_or_1d


def clustering_accuracy_score(labels_true, labels_pred, *, fitted_on=None):
    """Share of samples whose cluster is the one assigned to their class.

    Clusters and classes are matched one to one so that the share is largest
    (Hungarian assignment). Clusters beyond the number of classes count as wrong.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Classes.
    labels_pred : array-like of shape (n_samples,)
        Clusters.
    fitted_on : tuple of two array-like of shape (n_others,), default=None
        Classes and clusters of other samples, from which the matching is made, for
        instance of the training data. The test labels then do not influence the
        matching. Clusters and classes that it leaves unmatched count as wrong. None
        matches on the samples that are scored.

    Returns
    -------
    float
        In [0, 1]; 1 is perfect.

    Raises
    ------
    ValueError
        If there are no samples or the lengths differ.

    References
    ----------
    Kuhn (1955). The Hungarian method for the assignment problem.

    Examples
    --------
    >>> from skpairclust.metrics import clustering_accuracy_score
    >>> clustering_accuracy_score([0, 0, 1, 1], [5, 5, 5, 2])
    0.75
    >>> clustering_accuracy_score([0, 1], [5, 5], fitted_on=([0, 1], [2, 5]))
    0.5
    """
    labels_true, labels_pred = _check_labels(labels_true, labels_pred)
    if fitted_on is None:
        fitted_on = labels_true, labels_pred
    else:
        fitted_on = _check_labels(*fitted_on, where=" in fitted_on")
    classes, clusters = map(np.unique, fitted_on)
    matched = linear_sum_assignment(contingency_matrix(*fitted_on), maximize=True)
    cluster_of = np.full(len(classes) + 1, -2)
    cluster_of[matched[0]] = matched[1]
    is_right = cluster_of[_find(labels_true, classes)] == _find(labels_pred, clusters)
    return float(is_right.mean())


def purity_score(labels_true, labels_pred):
    """Share of samples that belong to the most frequent class of their cluster.

    Purity never falls when clusters are split, and clusters of a single sample are
    pure. Therefore compare it only at equal numbers of clusters.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Classes.
    labels_pred : array-like of shape (n_samples,)
        Clusters.

    Returns
    -------
    float
        In (0, 1]; 1 if no cluster holds samples of two classes.

    Raises
    ------
    ValueError
        If there are no samples or the lengths differ.

    References
    ----------
    Manning, Raghavan, Schuetze (2008). Introduction to information retrieval,
    section 16.3.

    Examples
    --------
    >>> from skpairclust.metrics import purity_score
    >>> purity_score([0, 0, 1, 1], [5, 5, 5, 2])
    0.75
    """
    labels_true, labels_pred = _check_labels(labels_true, labels_pred)
    table = contingency_matrix(labels_true, labels_pred, sparse=True)
    return float(table.max(axis=0).sum() / len(labels_true))


def pairwise_f1_score(labels_true, labels_pred):
    r"""F1 score of the pairs of samples that are in the same cluster.

    TP pairs have the same cluster and the same class, FP pairs only the same
    cluster, and FN pairs only the same class:

    .. math:: F_1 = \frac{2 TP}{2 TP + FP + FN}.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Classes.
    labels_pred : array-like of shape (n_samples,)
        Clusters.

    Returns
    -------
    float
        In [0, 1]; 1 is perfect. 1 as well if all classes and all clusters have a
        single sample, so that there are no such pairs.

    Raises
    ------
    ValueError
        If there are no samples or the lengths differ.

    Notes
    -----
    The pairs are counted from the table of classes and clusters, not listed.

    References
    ----------
    Manning, Raghavan, Schuetze (2008). Introduction to information retrieval,
    section 16.3.

    Examples
    --------
    >>> from skpairclust.metrics import pairwise_f1_score
    >>> pairwise_f1_score([0, 0, 1, 1], [5, 5, 2, 3])  # 1 of 2 pairs found, none wrong
    0.6666666666666666
    """
    labels_true, labels_pred = _check_labels(labels_true, labels_pred)
    (_, wrong), (missed, found) = pair_confusion_matrix(labels_true, labels_pred)
    total = 2 * found + wrong + missed
    return float(2 * found / total) if total else 1.0


def _check_labels(labels_true, labels_pred, where=""):
    """Return two arrays of the same length, at least 1."""
    labels_true = column_or_1d(labels_true)
    labels_pred = column_or_1d(labels_pred)
    check_consistent_length(labels_true, labels_pred)
    if not len(labels_true):
        raise ValueError(
            f"labels_true is empty{where}: a score needs at least one sample."
        )
    return labels_true, labels_pred


def _find(labels, names):
    """Return the position of each label among sorted names, -1 if it is missing."""
    at = np.searchsorted(names, labels).clip(max=len(names) - 1)
    return np.where(names[at] == labels, at, -1)
