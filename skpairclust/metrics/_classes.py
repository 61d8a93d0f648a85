"""Scores of cluster labels against classes."""

import numpy as np
from sklearn.metrics.cluster import contingency_matrix, pair_confusion_matrix

from skpairclust.constraints._typing import AnyArray
from skpairclust.metrics._checks import check_class_labels, check_matching
from skpairclust.metrics._matching import match_groups


def clustering_accuracy_score(
    labels_true: AnyArray,
    labels_pred: AnyArray,
    *,
    fitted_on: tuple[AnyArray, AnyArray] | None = None,
) -> float:
    """Share of samples whose cluster is the one assigned to their class.

    Clusters and classes are matched one to one so that the share is largest
    (Hungarian assignment). Clusters beyond the number of classes count as wrong.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Classes: integers or names. Samples whose class is missing (None, NaN,
        ``pandas.NA``) are left out; -1 is a class like any other.
    labels_pred : array-like of shape (n_samples,)
        Clusters, none of them missing.
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
        If there are no samples with a class, the lengths differ, or a cluster is
        missing.

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
    if fitted_on is None:
        true, pred = check_class_labels(labels_true, labels_pred)
        fitted = true, pred
    else:
        (true, pred), fitted = check_matching(labels_true, labels_pred, fitted_on)
    classes, clusters = map(np.unique, fitted)
    matched = match_groups(*fitted)
    cluster_of = np.full(len(classes) + 1, -2)
    cluster_of[matched[0]] = matched[1]
    is_right = cluster_of[_find(true, classes)] == _find(pred, clusters)
    return float(is_right.mean())


def purity_score(labels_true: AnyArray, labels_pred: AnyArray) -> float:
    """Share of samples that belong to the most frequent class of their cluster.

    Purity never falls when clusters are split, and clusters of a single sample are
    pure. Therefore compare it only at equal numbers of clusters.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Classes: integers or names. Samples whose class is missing (None, NaN,
        ``pandas.NA``) are left out; -1 is a class like any other.
    labels_pred : array-like of shape (n_samples,)
        Clusters, none of them missing.

    Returns
    -------
    float
        In (0, 1]; 1 if no cluster holds samples of two classes.

    Raises
    ------
    ValueError
        If there are no samples with a class, the lengths differ, or a cluster is
        missing.

    References
    ----------
    Manning, Raghavan, Schuetze (2008). Introduction to information retrieval,
    section 16.3.

    Examples
    --------
    >>> from skpairclust.metrics import purity_score
    >>> purity_score([0, 0, 1, 1], [5, 5, 5, 2])
    0.75
    >>> purity_score(["a", "a", "b", None], [5, 5, 2, 5])
    1.0
    """
    labels_true, labels_pred = check_class_labels(labels_true, labels_pred)
    table = contingency_matrix(labels_true, labels_pred, sparse=True)
    return float(table.max(axis=0).sum() / len(labels_true))


def pairwise_f1_score(labels_true: AnyArray, labels_pred: AnyArray) -> float:
    r"""F1 score of the pairs of samples that are in the same cluster.

    TP pairs have the same cluster and the same class, FP pairs only the same
    cluster, and FN pairs only the same class:

    .. math:: F_1 = \frac{2 TP}{2 TP + FP + FN}.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Classes: integers or names. Samples whose class is missing (None, NaN,
        ``pandas.NA``) are left out; -1 is a class like any other.
    labels_pred : array-like of shape (n_samples,)
        Clusters, none of them missing.

    Returns
    -------
    float
        In [0, 1]; 1 is perfect. 1 as well if all classes and all clusters have a
        single sample, so that there are no such pairs.

    Raises
    ------
    ValueError
        If there are no samples with a class, the lengths differ, or a cluster is
        missing.

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
    labels_true, labels_pred = check_class_labels(labels_true, labels_pred)
    (_, wrong), (missed, found) = pair_confusion_matrix(labels_true, labels_pred)
    total = 2 * found + wrong + missed
    return float(2 * found / total) if total else 1.0


def _find(labels, names):
    """Return the position of each label among sorted names, -1 if it is missing."""
    at = np.searchsorted(names, labels).clip(max=len(names) - 1)
    return np.where(names[at] == labels, at, -1)
