"""A part of the samples held out of the training of an embedding, and its score."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score, roc_auc_score

from skpairclust.embedder._known_groups import KnownGroups
from skpairclust.metrics import clustering_accuracy_score, purity_score

# Rows that are clustered after each epoch, at most.
_MOST_ROWS = 5000


@dataclass(frozen=True)
class Validation:
    """Rows to train on and rows to score.

    Attributes
    ----------
    train, held_out : ndarray of int64
        Row numbers.
    groups : ndarray of int64 or None
        Class of each row held out, to be found again by k-means.
    constraints : PairwiseConstraints or None
        Constraints of the rows held out, whose kinds distances must separate, if
        `groups` is None.
    n_clusters : int
        For k-means.
    seed : int
    measure : {"nmi", "accuracy"}
    """

    train: np.ndarray
    held_out: np.ndarray
    groups: np.ndarray | None = None
    constraints: object = None
    n_clusters: int = 0
    seed: int = 0
    measure: str = "nmi"

    @classmethod
    def nothing(cls, constraints):
        """Return the split that holds nothing out."""
        return cls(np.arange(len(constraints)), np.empty(0, dtype=np.int64))

    def score(self, embedding):
        """Return how good the embedding of the rows held out is; higher is better."""
        if self.groups is None:
            return pair_auc(self.constraints, embedding)
        kmeans = KMeans(self.n_clusters, n_init=1, random_state=self.seed)
        clusters = kmeans.fit_predict(embedding)
        if self.measure == "nmi":
            return normalized_mutual_info_score(self.groups, clusters)
        # Several clusters of a class have one name.
        has_several = self.n_clusters > len(np.unique(self.groups))
        compare = purity_score if has_several else clustering_accuracy_score
        return compare(self.groups, clusters)


def split(constraints, fraction, clusters_per_class, seed, *, measure="nmi"):
    """Hold out a part of the samples.

    If there are enough groups, whole groups are held out, so that the score is for new
    classes; otherwise samples of each group. If most groups have no cannot-link,
    samples that are connected by pairs are held out together.

    Parameters
    ----------
    constraints : PairwiseConstraints
    fraction : float
        In (0, 1).
    clusters_per_class : int
    seed : int
    measure : {"nmi", "accuracy"}, default="nmi"
        How clusters are compared with groups.

    Returns
    -------
    Validation

    Raises
    ------
    ValueError
        If either part lacks must-links or cannot-links.
    """
    known = KnownGroups(constraints)
    rng = np.random.RandomState(seed)
    is_out = _choose(known, fraction, rng)
    held_out = np.flatnonzero(is_out)
    if len(held_out) > _MOST_ROWS:
        held_out = np.sort(rng.choice(held_out, _MOST_ROWS, replace=False))
    train = np.flatnonzero(~is_out)
    for rows, name in ((train, "to train on"), (held_out, "held out")):
        part = constraints[rows]
        if not (part.n_must_link and part.n_cannot_link):
            raise ValueError(
                f"validation_fraction={fraction} leaves {part.n_must_link} must-links "
                f"and {part.n_cannot_link} cannot-links among the {len(rows)} samples "
                f"{name}, which need both: pass more constraints, or set "
                "validation_fraction=0."
            )
    if not known.is_complete:
        pairs = constraints[held_out]
        return Validation(train, held_out, constraints=pairs)
    groups = known.groups[held_out]
    n_clusters = min(len(np.unique(groups)) * clusters_per_class, len(held_out))
    return Validation(
        train, held_out, groups, n_clusters=n_clusters, seed=seed, measure=measure
    )


def _choose(known, fraction, rng):
    """Mark rows to hold out."""
    if not known.are_most_rich:
        return _choose_components(known.constraints, fraction, rng)
    chosen = _choose_groups(known, fraction, rng)
    if chosen is None:
        return _choose_rows(known, fraction, rng)
    return np.isin(known.groups, chosen)


def _choose_components(constraints, fraction, rng):
    """Mark rows to hold out, with all that pairs of either kind join to them."""
    _, component = connected_components(abs(constraints.to_matrix()), directed=False)
    joined = np.flatnonzero(np.bincount(component) > 1)
    chosen = rng.permutation(joined)[: round(fraction * len(joined))]
    return np.isin(component, chosen)


def _choose_groups(known, fraction, rng):
    """Return groups to hold out, None if there are too few of them."""
    n_rich = len(known.rich)
    n_out = round(fraction * n_rich)
    if n_out < 2 or n_rich - n_out < 2:
        return None
    rich = rng.permutation(known.rich)[:n_out]
    others = np.setdiff1d(np.arange(len(known.members)), known.rich)
    others = rng.permutation(others)[: round(fraction * len(others))]
    return np.concatenate([rich, others])


def _choose_rows(known, fraction, rng):
    """Mark rows to hold out, the same share of each group."""
    is_out = np.zeros(len(known.groups), dtype=bool)
    for rows in known.members:
        is_out[rng.permutation(rows)[: round(fraction * len(rows))]] = True
    return is_out


def pair_auc(constraints, embedding):
    """Return how well distances tell must-links from cannot-links: the area under ROC.

    Parameters
    ----------
    constraints : PairwiseConstraints
        With both kinds.
    embedding : ndarray of shape (n_samples, d)

    Returns
    -------
    float
    """
    pairs = np.concatenate([constraints.must_link, constraints.cannot_link])
    weights = np.concatenate(
        [constraints.must_link_weight, constraints.cannot_link_weight]
    )
    distance = np.linalg.norm(embedding[pairs[:, 0]] - embedding[pairs[:, 1]], axis=1)
    is_must = np.arange(len(pairs)) < constraints.n_must_link
    return float(roc_auc_score(is_must, -distance, sample_weight=weights))


def make_criterion(validation, embed):
    """Return the criterion of the training loop: the lower the better the epoch.

    Parameters
    ----------
    validation : Validation
    embed : callable
        Takes the network and rows and returns their embedding.
    """
    if not len(validation.held_out):
        # The loss is no measure: mining makes the batches harder as it falls.
        return lambda run, network: -len(run.loss_curve)
    return lambda run, network: -validation.score(embed(network, validation.held_out))
