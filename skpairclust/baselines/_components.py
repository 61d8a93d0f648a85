"""Must-link components as weighted points, and cannot-links between them."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from skpairclust.baselines._lloyd import iter_blocks
from skpairclust.constraints._groups import first_samples, group_pairs
from skpairclust.constraints._pairs import decode, encode, first_few, unique_keys


class Components(NamedTuple):
    """The points that are clustered; those with cannot-links are the last.

    Attributes
    ----------
    of_sample : ndarray of shape (n_samples,), int64
        The point that stands for each sample.
    first : ndarray of shape (n_points,), int64
        A sample of each point.
    points : ndarray of shape (n_points, n_features)
        Weighted means, minus `origin`.
    weights : ndarray of shape (n_points,), float64
    origin : ndarray of shape (n_features,), float64
    n_free : int
        Number of points without cannot-links.
    pairs : ndarray of shape (n_pairs, 2), int64
        Cannot-linked points, numbered from `n_free`.
    scatter : float
        Weighted sum of squared distances of samples to their point.
    """

    of_sample: np.ndarray
    first: np.ndarray
    points: np.ndarray
    weights: np.ndarray
    origin: np.ndarray
    n_free: int
    pairs: np.ndarray
    scatter: float


def build_components(X, sample_weight, constraints, n_clusters):
    """Return the `Components` of X, or raise if constraints cannot be kept."""
    labels = constraints.components()
    n_points = int(labels.max(initial=-1)) + 1
    firsts = np.flatnonzero(np.diff(np.maximum.accumulate(labels), prepend=-1))
    pairs = cannot_linked_components(constraints, labels, firsts, n_clusters)
    linked = np.zeros(n_points, dtype=bool)
    linked[pairs] = True
    order = np.argsort(linked, kind="stable")
    number = np.empty(n_points, dtype=np.int64)
    number[order] = np.arange(n_points)
    of_sample = number[labels]
    n_free = n_points - np.count_nonzero(linked)
    points, weights, origin = _weighted_means(X, sample_weight, of_sample, n_points)
    scatter = _scatter(X, sample_weight, of_sample, points, origin)
    first = firsts[order]
    return Components(
        of_sample,
        first,
        points,
        weights,
        origin,
        n_free,
        number[pairs] - n_free,
        scatter,
    )


def cannot_linked_components(constraints, labels, firsts, n_clusters):
    """Return the cannot-linked pairs of components, (m, 2), or raise."""
    n_components = len(firsts)
    explicit = constraints._cannot_link
    found = [labels[explicit]]
    for relation in constraints._relations:
        of_group = labels[first_samples(relation)]
        if relation.cannot is None and len(np.unique(of_group)) > n_clusters:
            # groups that are all apart: no need to list their pairs
            clique = np.unique(of_group)[: n_clusters + 1]
            raise_impossible(firsts[clique], n_clusters)
        found.append(of_group[group_pairs(relation)])
    found = np.concatenate(found)
    inside = found[:, 0] == found[:, 1]
    if inside.any():
        conflicts = constraints.conflicts().entailed
        raise ValueError(
            f"{len(conflicts)} cannot-links contradict chains of must-links, e.g. "
            f"{first_few(conflicts, 3)}, so that not all constraints can be kept. "
            "Remove the wrong ones (`PairwiseConstraints.conflicts()` lists them), or "
            "use PCKMeans, which may violate constraints."
        )
    return decode(unique_keys(encode(found, n_components)), n_components)


def raise_impossible(samples, n_clusters):
    """Raise the error that names samples which must all be apart."""
    raise ValueError(
        f"No clustering into n_clusters={n_clusters} can keep all constraints: the "
        f"{len(samples)} samples {np.sort(samples).tolist()} must all be in different "
        "clusters, each two of them, or their must-link components, being "
        f"cannot-linked. Set n_clusters to {len(samples)} or more, remove some of "
        "these constraints, or use PCKMeans, which may violate them."
    )


def _weighted_means(X, sample_weight, of_sample, n_points):
    """Return the points around their mean, their weights, and that mean."""
    weights = np.bincount(of_sample, sample_weight, n_points)
    # components of samples without weight still need a mean
    inner = np.where(weights[of_sample] > 0, sample_weight, 1.0)
    share = inner / np.bincount(of_sample, inner, n_points)[of_sample]
    member = sparse.csc_array(
        (share.astype(X.dtype), of_sample, np.arange(len(X) + 1)),
        shape=(n_points, len(X)),
    )
    points = member @ X
    total = weights.sum()
    origin = (weights / total) @ points if total > 0 else points.mean(axis=0)
    points -= origin
    return points, weights, origin.astype(np.float64)


def _scatter(X, sample_weight, of_sample, points, origin):
    """Return the weighted sum of squared distances to the points."""
    shared = np.flatnonzero(np.bincount(of_sample)[of_sample] > 1)
    total = 0.0
    for block in iter_blocks(len(shared), X.shape[1]):
        rows = shared[block]
        gap = X[rows] - origin - points[of_sample[rows]]
        total += sample_weight[rows] @ np.einsum("ij,ij->i", gap, gap)
    return float(total)
