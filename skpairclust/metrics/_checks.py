"""Labels that scores are given: classes, some of them missing, and clusters."""

import numpy as np

from skpairclust.constraints._labels import encode_values, split_missing
from skpairclust.constraints._pairs import first_few


def check_class_labels(labels_true, labels_pred):
    """Return classes and clusters as codes, of samples that have a class.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n_samples,)

    Returns
    -------
    true, pred : ndarray of shape (n_known,), int64
        Places among the sorted classes and clusters.

    Raises
    ------
    ValueError
        If lengths differ, no sample has a class, or a cluster is missing.
    """
    true, pred = read_class_labels(labels_true, labels_pred)[:2]
    return encode_values(true)[1], encode_values(pred)[1]


def check_matching(labels_true, labels_pred, fitted_on):
    """Return codes of classes and clusters, and those of `fitted_on`, in common."""
    scored = read_class_labels(labels_true, labels_pred)[:2]
    if not isinstance(fitted_on, (tuple, list)) or len(fitted_on) != 2:
        raise ValueError(
            "fitted_on must be a tuple (classes, clusters) of other samples; got "
            f"{type(fitted_on).__name__}."
        )
    fitted = read_class_labels(*fitted_on, where=" in fitted_on")[:2]
    both = [encode_together(*pair) for pair in zip(scored, fitted, strict=True)]
    return tuple(zip(*both, strict=True))


def read_class_labels(labels_true, labels_pred, where=""):
    """Return classes, clusters, and which samples have a class.

    Returns
    -------
    true, pred : ndarray of shape (n_known,)
    known : ndarray of shape (n_samples,), bool
    """
    true, missing = split_missing(labels_true, f"labels_true{where}", column=True)
    pred = read_clusters(labels_pred, f"labels_pred{where}")
    if len(missing) != len(pred):
        raise ValueError(
            f"labels_true and labels_pred{where} have {len(missing)} and {len(pred)} "
            "entries: Found input variables with inconsistent numbers of samples."
        )
    if not len(true):
        state = "is empty" if not len(missing) else "holds missing labels alone"
        raise ValueError(
            f"labels_true {state}{where}: a score needs one sample at least."
        )
    return true, pred[~missing], ~missing


def read_clusters(labels, name="labels_pred"):
    """Return predicted labels as an array, or raise if some are missing."""
    known, missing = split_missing(labels, name, column=True)
    if missing.any():
        raise ValueError(
            f"{name} must hold a cluster for each sample; got none for the samples "
            f"{first_few(np.flatnonzero(missing))}. Score the others alone, or give "
            "samples outside of all clusters a number of their own, such as -1."
        )
    return known


def encode_together(first, second):
    """Return codes of two arrays of labels, equal where the labels are."""
    kinds = {
        "S" if array.dtype.kind in "UST" else array.dtype.kind
        for array in (first, second)
    }
    if "S" in kinds and len(kinds) > 1:
        raise TypeError(
            f"labels of dtype {first.dtype} are compared with others of dtype "
            f"{second.dtype}, so that none of them can match: give both alike."
        )
    codes = encode_values(np.concatenate((first, second)))[1]
    return codes[: len(first)], codes[len(first) :]
