"""From a clusterer's parameters and data to the task that all restarts share."""

import math
import warnings
from dataclasses import replace

import torch

from skpairclust.clusterer._batching import (
    ConstraintBatches,
    count_steps,
)
from skpairclust.clusterer._evidence import Evidence, weigh_evidence
from skpairclust.clusterer._objective import (
    ClusteringTask,
    ObjectiveOptions,
    is_adversarial,
)
from skpairclust.clusterer._propagation import make_walk
from skpairclust.clusterer._spacing import Spacing
from skpairclust.clusterer._starts import (
    all_apart,
    propose_known_groups,
    propose_numbers,
    propose_starts,
    warn_of_too_few_clusters,
)
from skpairclust.neural._augmentation import choose_augmentation, make_augmentation
from skpairclust.neural._precision import check_precision
from skpairclust.neural._tasks import choose_architecture, read_options, read_task
from skpairclust.neural._torch_utils import default_torch_state, resolve_device
from skpairclust.utils._param_validation import check_classes

# Outputs where nothing says how many, as in scikit-learn's KMeans.
_DEFAULT_CLUSTERS = 8

# Of clusters that cannot-links could tell apart, so many are rarely all there are.
_MOST_OF_BOUND = 0.5

# From how much unevenness on fewer clusters are tried as well.
_PROBABLY_A_BOUND = 0.5

# Outputs at most of n_clusters="auto".
_MOST_CLUSTERS = 100

# Units in hidden layers by the number of samples from which on they are used. Small
# tables lose nothing with few, and MNIST gained .003 to .004 with many. With more
# features, the wide layers would take most of the time.
_UNITS = {0: (128, 128), 4_000: (256, 256), 10_000: (512, 512)}
_MOST_FEATURES = 10_000


def make_task(params, X, constraints, y, rng):
    """Return what the restarts share, or raise if something is impossible.

    Parameters
    ----------
    params : object
        Parameters of `ConstrainedNeuralClusterer`, as attributes.
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
        If parameters do not fit together or do not fit the data.
    """
    n_clusters = choose_n_clusters(params.n_clusters, X.shape[0], constraints)
    _check_compatible(params, constraints)
    check_precision(params.precision, params.device)
    evidence = _weigh(params, constraints, n_clusters)
    named = params.classification_weight > 0
    architecture = choose_architecture(
        params, X.shape[1:], n_clusters, _choose_sizes(params, X.shape)
    )
    augment = _choose_augmentation(params, architecture.input_shape)
    task = read_task(
        ClusteringTask,
        params,
        X,
        architecture,
        _choose_weights(params, evidence, n_clusters, augment),
        classes=check_classes(y, n_clusters) if named else None,
        evidence=evidence,
        precision=params.precision,
    )
    # Last, because it takes the longest: wrong arguments have failed before.
    walk = _choose_walk(params, X, constraints, n_clusters, evidence, rng)
    if not params.noise_rate and params.n_clusters != "auto":
        warn_of_too_few_clusters(constraints, n_clusters)
    starts = _find_starts(params, walk, constraints, n_clusters, evidence, rng)
    task = replace(task, walk=walk, starts=starts)
    return replace(task, spacing=_find_spacing(task, X, constraints, rng))


def _find_spacing(task, X, constraints, rng):
    """Return each sample's distance to a near one, for all restarts, or None.

    None if fewer samples are drawn than there are: they are looked at when they are
    drawn. On a GPU all of them take no time, and a step that is recorded needs them.
    """
    options = task.objective
    if not is_adversarial(options):
        return None
    device = resolve_device(task.device)
    batches = ConstraintBatches(constraints, options.batch_size, rng)
    n_steps = count_steps(
        batches.n_steps, X.shape[0], options.batch_size, unlabeled=True
    )
    n_drawn = n_steps * task.training.max_iter * options.batch_size
    if device.type == "cpu" and n_drawn < X.shape[0]:
        return None
    with default_torch_state(), torch.no_grad():
        rows = task.architecture.make_rows(X, device)
        return Spacing(rows, rng.randint(2**31)).of_all().cpu().numpy()


def choose_n_clusters(n_clusters, n_samples, constraints):
    """Return the number of outputs of the network."""
    if n_clusters is None:
        n_classes = _count_classes(constraints)
        return n_classes if n_classes > 1 else min(_DEFAULT_CLUSTERS, n_samples)
    if n_clusters == "auto":
        if not constraints.n_cannot_link:
            raise ValueError(
                "n_clusters='auto' needs cannot-links: nothing else says that there is "
                "more than one cluster. Pass some, or a number."
            )
        # So many that there could be a cannot-link between each two of them.
        bound = math.ceil(math.sqrt(2 * constraints.n_cannot_link)) + 1
        return int(min(bound, _MOST_CLUSTERS, n_samples))
    if n_clusters > n_samples:
        raise ValueError(
            f"n_clusters={n_clusters} must be at most the number of samples "
            f"in X, n_samples={n_samples}."
        )
    return int(n_clusters)


def warn_of_a_bound(n_clusters, n_found, constraints):
    """Warn if there may be more clusters than cannot-links could tell apart.

    Parameters
    ----------
    n_clusters : int
        Outputs, of `choose_n_clusters` with "auto".
    n_found : int
        Clusters that hold samples.
    constraints : PairwiseConstraints
    """
    is_by_pairs = n_clusters < min(_MOST_CLUSTERS, len(constraints))
    is_much = n_found > _MOST_OF_BOUND * n_clusters
    if is_by_pairs and is_much and not all_apart(constraints):
        warnings.warn(
            f"n_clusters='auto' found {n_found} clusters. The cannot-links could tell "
            f"{n_clusters} apart at most, so clusters that no cannot-link is about may "
            "have been merged, however many pairs are kept. Give more cannot-links, "
            "best between all clusters, or n_clusters as a number.",
            # from here over fit and its two decorators, to its caller
            stacklevel=5,
        )


def _count_classes(constraints):
    """Return how many classes there are, if all that is known are labels; else 0."""
    if len(constraints._relations) != 1 or len(constraints._must_link):
        return 0
    relation = constraints._relations[0]
    return relation.n_groups if relation.cannot is None else 0


def _check_compatible(params, constraints):
    """Raise if parameters do not go together."""
    if params.unlabeled is None and not constraints.n_pairs:
        raise ValueError(
            "unlabeled=None learns from constrained samples alone, but y holds no "
            "constraint: pass constraints, or use unlabeled='imsat'."
        )
    if params.noise_rate and params.loss == "kcl":
        raise ValueError(
            f"noise_rate={params.noise_rate!r} needs loss='mcl': the divergence of "
            "loss='kcl' is no likelihood that could be corrected."
        )


def _choose_sizes(params, shape):
    """Return the units in each hidden layer for X of this shape."""
    sizes = params.hidden_layer_sizes
    if not (isinstance(sizes, str) and sizes == "auto"):
        return sizes
    *narrow, wide = (units for least, units in _UNITS.items() if shape[0] >= least)
    if not narrow or math.prod(shape[1:]) <= _MOST_FEATURES:
        return wide
    return narrow[-1]


def _weigh(params, constraints, n_clusters):
    """Return what the numbers of constraints say."""
    if params.unlabeled is None:
        return Evidence()
    is_bound = params.n_clusters == "auto"
    return weigh_evidence(
        constraints, n_clusters, noise_rate=params.noise_rate, is_bound=is_bound
    )


def _choose_augmentation(params, input_shape):
    """Return what changes samples, or raise if these are no images."""
    is_auto = isinstance(params.augment, str) and params.augment == "auto"
    if is_auto and params.unlabeled is None:
        # As published.
        return None
    augment = choose_augmentation(params.augment, input_shape)
    make_augmentation(augment, input_shape)
    return augment


def _choose_weights(params, evidence, n_clusters, augment):
    """Return the options of the objective, a number for each "auto"."""
    chosen = {
        "pair_weight": evidence.pair_weight,
        # Changes that keep the class teach more than adversarial ones, in less time.
        "adversarial_radius": evidence.adversarial_radius if augment is None else 0.0,
        "information_weight": evidence.information_weight(n_clusters),
    }
    automatic = {k: v for k, v in chosen.items() if getattr(params, k) == "auto"}
    return read_options(ObjectiveOptions, params, augment=augment, **automatic)


def _find_starts(params, walk, constraints, n_clusters, evidence, rng):
    """Return clusterings to start from."""
    if params.init == "random":
        return {}
    if walk is None:
        return propose_known_groups(constraints, n_clusters)
    propose = propose_starts
    if evidence.unevenness > _PROBABLY_A_BOUND:
        propose = propose_numbers
    return propose(walk.points, walk.nodes, constraints, n_clusters, rng)


def _choose_walk(params, X, constraints, n_clusters, evidence, rng):
    """Return the walk along which pairs spread, None for none."""
    if params.unlabeled is None or params.loss == "kcl":
        return None
    return make_walk(
        X,
        constraints,
        n_neighbors=params.n_neighbors,
        length=params.walk_length,
        n_clusters=n_clusters,
        rng=rng,
        lasting=evidence.scarcity,
    )
