"""What is known of the pairs of a batch, from labels or as it is given."""

from typing import NamedTuple

import torch

_FORMS = (
    "pass one integer label per sample, with -1 for none, or a matrix of shape "
    "(B, B) of 1 for must-link, -1 for cannot-link and 0 for unknown"
)


class PairList(NamedTuple):
    """The known pairs of a batch, each in one order: arrays, or tensors of them.

    Attributes
    ----------
    i, j : (m,) int64
        Places of two different samples in the batch. Pairs of weight 0, which fill up a
        list, may be anything.
    weight : (m,) float32
        Signed weights.
    """

    i: object
    j: object
    weight: object


def as_matrix(pairs, n):
    """Return a list of pairs as the relation matrix of n samples.

    Parameters
    ----------
    pairs : PairList
        Of tensors. What fills it up are pairs of one sample with itself.
    n : int

    Returns
    -------
    Tensor of shape (n, n)
    """
    relation = pairs.weight.new_zeros(n, n)
    # No sum: each known pair is there once, so that the order does not matter.
    relation[pairs.i, pairs.j] = pairs.weight
    relation[pairs.j, pairs.i] = pairs.weight
    return relation


def as_relation(target, outputs):
    """Return the relation matrix of a batch.

    Parameters
    ----------
    target : Tensor of shape (B,), integer, or of shape (B, B)
        Labels, negative for none; or signed weights of pairs.
    outputs : Tensor of shape (B, d)
        What the network made of the batch.

    Returns
    -------
    Tensor of shape (B, B)
        Of the dtype of `outputs` and on its device, with a zero diagonal.

    Raises
    ------
    TypeError
        If `target` is no tensor, or labels are no integers.
    ValueError
        If its shape does not fit, or, on the CPU, if a matrix is not symmetric or not
        finite.
    """
    if not isinstance(target, torch.Tensor):
        raise TypeError(f"target is {type(target).__name__}, but {_FORMS}.")
    target, n = target.to(outputs.device), len(outputs)
    if target.shape == (n,):
        return _compare(target).to(outputs.dtype)
    if target.shape != (n, n):
        raise ValueError(
            f"target has shape {tuple(target.shape)} for a batch of {n}: {_FORMS}."
        )
    relation = target.to(outputs.dtype)
    # A look at the values would wait for a GPU.
    if relation.device.type == "cpu":
        _check_values(relation)
    return relation.clone().fill_diagonal_(0)


def _compare(labels):
    """Return 1 for samples of one class, -1 for others, 0 where a label is missing."""
    if labels.is_floating_point() or labels.is_complex():
        raise TypeError(f"labels in target are of {labels.dtype}: {_FORMS}.")
    labels = labels.long()
    relation = torch.where(labels[:, None] == labels, 1, -1)
    known = labels >= 0
    return (relation * (known[:, None] & known)).fill_diagonal_(0)


def _check_values(relation):
    """Raise if a matrix cannot be one of relations."""
    if not relation.isfinite().all():
        raise ValueError("the matrix in target holds NaN or infinity.")
    if not torch.equal(relation, relation.T):
        raise ValueError(
            "the matrix in target is not symmetric: set both entries of a pair, for "
            "instance by target + target.T if only one half is filled."
        )
