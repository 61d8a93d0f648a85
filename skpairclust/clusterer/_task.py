"""From an estimator's parameters and data to the task that all restarts share."""

import math

from skpairclust.clusterer._batching import constrained_rows
from skpairclust.clusterer._evidence import Evidence, weigh_evidence
from skpairclust.clusterer._objective import ClusteringTask, ObjectiveOptions
from skpairclust.clusterer._propagation import make_walk
from skpairclust.neural._torch_utils import resolve_device
from skpairclust.neural._training import TrainingOptions
from skpairclust.utils._param_validation import check_classes

# Outputs at most of n_clusters="auto".
_MOST_CLUSTERS = 100

# Units in hidden layers, and the samples from which on there are more: MNIST gained
# .003 to .004 by them, small tables have not so much to tell. Of more features they
# would make most of the work.
_NARROW, _WIDE = (256, 256), (512, 512)
_MANY_SAMPLES = _MOST_FEATURES = 10_000


def make_task(estimator, X, constraints, y, rng):
    """Return what the restarts share, or say what of it cannot be.

    Parameters
    ----------
    estimator : ConstrainedNeuralClusterer
        Its parameters are read.
    X : array or CSR matrix of shape (n_samples, ...)
    constraints : PairwiseConstraints
    y : object
        What `fit` got: labels, if they are to name the clusters.
    rng : numpy.random.RandomState

    Returns
    -------
    ClusteringTask

    Raises
    ------
    ValueError
        If parameters do not go together or with the data.
    """
    n_clusters = _choose_n_clusters(estimator.n_clusters, X.shape[0], constraints)
    _check_compatible(estimator, constraints)
    resolve_device(estimator.device)
    architecture = estimator._make_architecture(
        X.shape[1:],
        n_clusters,
        _choose_sizes(estimator.hidden_layer_sizes, X.shape),
    )
    # Built once before the restarts: a network that cannot take X fails now.
    architecture.build()
    evidence = Evidence()
    if estimator.unlabeled is not None:
        is_bound = estimator.n_clusters == "auto"
        evidence = weigh_evidence(
            constraints,
            n_clusters,
            noise_rate=estimator.noise_rate,
            is_bound=is_bound,
        )
    named = estimator.classification_weight > 0
    return ClusteringTask(
        architecture=architecture,
        objective=_choose_weights(estimator, evidence, n_clusters),
        training=estimator._options(TrainingOptions),
        device=str(estimator.device),
        verbose=int(estimator.verbose),
        classes=check_classes(y, n_clusters) if named else None,
        walk=_choose_walk(estimator, X, constraints, n_clusters, evidence, rng),
        evidence=evidence,
        initial_weights=estimator._previous_weights(architecture),
    )


def _choose_n_clusters(n_clusters, n_samples, constraints):
    """Return the number of outputs of the network."""
    if n_clusters == "auto":
        if not constraints.n_cannot_link:
            raise ValueError(
                "n_clusters='auto' needs cannot-links: nothing else says that there is "
                "more than one cluster. Pass some, or a number."
            )
        # So many that each two of them could be told apart by a cannot-link.
        bound = math.ceil(math.sqrt(2 * constraints.n_cannot_link)) + 1
        return int(min(bound, _MOST_CLUSTERS, n_samples))
    if n_clusters > n_samples:
        raise ValueError(
            f"n_clusters={n_clusters} must be at most the number of samples "
            f"in X, n_samples={n_samples}."
        )
    return int(n_clusters)


def _check_compatible(estimator, constraints):
    """Raise if parameters do not go together."""
    if estimator.unlabeled is None and not constraints.n_pairs:
        raise ValueError(
            "unlabeled=None learns from constrained samples alone, but y holds no "
            "constraint: pass constraints, or use unlabeled='imsat'."
        )
    if estimator.noise_rate and estimator.loss == "kcl":
        raise ValueError(
            f"noise_rate={estimator.noise_rate!r} needs loss='mcl': the divergence of "
            "loss='kcl' is no likelihood that could be corrected."
        )


def _choose_sizes(sizes, shape):
    """Return the units in each hidden layer for X of this shape."""
    if not (isinstance(sizes, str) and sizes == "auto"):
        return sizes
    has_many = shape[0] >= _MANY_SAMPLES and math.prod(shape[1:]) <= _MOST_FEATURES
    return _WIDE if has_many else _NARROW


def _choose_weights(estimator, evidence, n_clusters):
    """Return the options of the objective, a number for each "auto"."""
    chosen = {
        "pair_weight": evidence.pair_weight,
        "adversarial_radius": evidence.adversarial_radius,
        "information_weight": evidence.information_weight(n_clusters),
    }
    automatic = {k: v for k, v in chosen.items() if getattr(estimator, k) == "auto"}
    return estimator._options(ObjectiveOptions, **automatic)


def _choose_walk(estimator, X, constraints, n_clusters, evidence, rng):
    """Return the walk along which pairs spread, None for none."""
    if estimator.unlabeled is None or estimator.loss == "kcl":
        return None
    return make_walk(
        X,
        constrained_rows(constraints),
        n_neighbors=estimator.n_neighbors,
        length=estimator.walk_length,
        n_clusters=n_clusters,
        rng=rng,
        lasting=evidence.scarcity,
    )
