"""From an embedder's parameters and data to the task of one training."""

from dataclasses import replace

import torch

from skpairclust.embedder._known_groups import KnownGroups
from skpairclust.embedder._objective import (
    MARGINS,
    TRIPLET_LOSSES,
    EmbeddingOptions,
    EmbeddingTask,
    can_compare,
)
from skpairclust.embedder._place_evidence import gains_by_centering
from skpairclust.embedder._queries import check_both_kinds, is_normalized
from skpairclust.embedder._validation import split
from skpairclust.neural._augmentation import choose_augmentation, make_augmentation
from skpairclust.neural._images import count_channels, is_image
from skpairclust.neural._tasks import choose_architecture, read_options, read_task
from skpairclust.utils._param_validation import has_channels_last

# Known classes from which on embeddings are mostly for others. Ten classes of digits
# were told apart worse when images were turned, 136 characters made place for new ones.
_MANY_CLASSES = 50


def make_task(params, X, constraints=None):
    """Return all that the training needs, or raise if something is impossible.

    Parameters
    ----------
    params : object
        Parameters of `MetricEmbedder`, as attributes.
    X : array, CSR matrix or LazyRows of shape (n_samples, ...)
    constraints : PairwiseConstraints, optional
        Say whether ``network="auto"`` centers images.

    Returns
    -------
    EmbeddingTask

    Raises
    ------
    ValueError
        If parameters do not fit together or do not fit the data.
    """
    _check_numbers(params, X.shape[0])
    architecture = choose_architecture(
        params, X.shape[1:], params.n_components, params.hidden_layer_sizes
    )
    augment = choose_augmentation(params.augment, architecture.input_shape)
    # Made once before the training, so that a name that is none fails now.
    make_augmentation(augment, architecture.input_shape)
    margin = params.margin
    known = None
    # It takes a while, and tables have no use for it.
    if constraints is not None and (augment or is_image(architecture.input_shape)):
        known = KnownGroups(constraints)
    if _should_center(params, architecture, X, known):
        architecture = replace(architecture, network="centered_conv")
    is_for_others = known is not None and _has_many_classes(known)
    knows_pairs = is_for_others and not known.is_complete
    objective = read_options(
        EmbeddingOptions,
        params,
        margin=MARGINS[params.loss] if margin is None else float(margin),
        normalize=is_normalized(params),
        augment=augment,
        unlabeled=_choose_unlabeled(params, augment, knows_pairs),
        augment_classes=_augments_classes(
            params, architecture.input_shape, is_for_others
        ),
    )
    return read_task(EmbeddingTask, params, X, architecture, objective)


def check_learnable(constraints, params, *, is_given):
    """Raise unless a metric can be learned from the constraints.

    Parameters
    ----------
    constraints : PairwiseConstraints
    params : object
        Parameters of `MetricEmbedder`, as attributes.
    is_given : bool
        Whether there was any supervision at all.

    Raises
    ------
    ValueError
        Without must-links, without cannot-links, or if no sample has both but the
        loss compares them.
    """
    if not is_given:
        raise ValueError(
            "MetricEmbedder requires y to be passed, but the target y is None: pass "
            "labels or PairwiseConstraints as y, or must_link= and cannot_link=."
        )
    check_both_kinds(constraints, "fit")
    if not can_compare(params, KnownGroups(constraints)):
        raise ValueError(
            "y holds must-links and cannot-links, but no sample that has both: "
            f"loss={params.loss!r} with sampling={params.sampling!r} has nothing "
            "to compare. Pass cannot-links of must-linked samples; or pairs as they "
            "are, not closed, with loss='contrastive' and sampling='classes'."
        )


def hold_out(params, constraints, seed):
    """Return the part held out to choose the best epoch, None for none.

    Raises
    ------
    ValueError
        If there is none, but training should stop when its score no longer improves;
        or if the remaining samples are not enough to train on.
    """
    fraction = params.validation_fraction
    if fraction:
        validation = split(
            constraints,
            fraction,
            params.clusters_per_class,
            seed,
            measure=params.validation_score,
        )
        if not can_compare(params, KnownGroups(constraints[validation.train])):
            raise ValueError(
                f"validation_fraction={fraction} leaves no sample to train on that has "
                "both a must-link and a cannot-link: pass more constraints, or set "
                "validation_fraction=0."
            )
        return validation
    if params.n_iter_no_change is not None:
        raise ValueError(
            f"n_iter_no_change={params.n_iter_no_change} needs a validation part to "
            "look at: set validation_fraction, or n_iter_no_change=None."
        )
    return None


def _should_center(params, architecture, X, known):
    """Return whether the network is chosen here, and what is known asks to center."""
    is_chosen = params.network == "auto" and architecture.network == "conv"
    if not is_chosen or known is None:
        return False
    rows = architecture.make_rows(X, torch.device("cpu"))
    return gains_by_centering(rows, known)


def _choose_unlabeled(params, augment, knows_pairs):
    """Return what samples without a partner teach, or raise if they cannot.

    Random pairs of many classes hold few must-links, so that nearly all samples are
    without a partner. Where labels are known, other samples of the labeled classes
    would be pushed away from them.
    """
    has_classes = params.mining != "pool" and params.sampling == "classes"
    if params.unlabeled == "auto":
        is_usual = params.loss in TRIPLET_LOSSES and params.mining == "auto"
        learns = augment is not None and is_usual and has_classes and knows_pairs
        return "instances" if learns else None
    if params.unlabeled is None:
        return None
    if augment is None:
        raise ValueError(
            f"unlabeled={params.unlabeled!r} compares samples with changed copies, but "
            f"augment={params.augment!r} changes nothing: pass images and a name, or a "
            "callable as augment, or unlabeled=None."
        )
    if not has_classes:
        raise ValueError(
            f"unlabeled={params.unlabeled!r} needs the batches of mining='auto' and "
            f"sampling='classes', but mining={params.mining!r} and sampling="
            f"{params.sampling!r}: change these, or pass unlabeled=None."
        )
    return params.unlabeled


def _augments_classes(params, input_shape, is_for_others):
    """Return whether images make further classes, or raise if samples are none."""
    can_turn = is_image(input_shape) and not has_channels_last(input_shape)
    if params.augment_classes == "auto":
        return can_turn and count_channels(input_shape) == 1 and is_for_others
    if params.augment_classes and not can_turn:
        raise ValueError(
            "augment_classes=True needs images of at least 8 x 8 with their channels "
            f"first, but one sample has shape {input_shape}: pass input_shape=(height, "
            "width) or (channels, height, width), or augment_classes=False."
        )
    return bool(params.augment_classes)


def _has_many_classes(known):
    """Return whether there seem to be so many classes that others will be met."""
    n_must_links, n_pairs = known.constraints.n_must_link, known.constraints.n_pairs
    # Of pairs drawn at random, one in as many as there are classes is a must-link.
    n_classes = n_pairs / max(1, n_must_links)
    if known.is_complete:
        n_classes = len(known.rich)
    return min(n_classes, len(known.rich)) >= _MANY_CLASSES


def _check_numbers(params, n_samples):
    """Raise if a batch is too small for two classes, or clusters are too many."""
    batch_size, per_class = params.batch_size, params.samples_per_class
    if batch_size < 2 * per_class:
        raise ValueError(
            f"batch_size={batch_size} cannot hold two classes with "
            f"samples_per_class={per_class} each: raise batch_size to "
            f"{2 * per_class} at least, or lower samples_per_class."
        )
    n_clusters, a_class = params.n_clusters, params.clusters_per_class
    if (n_clusters or 0) * a_class > n_samples:
        raise ValueError(
            f"n_clusters={n_clusters} times clusters_per_class={a_class} must be at "
            f"most the number of samples in X, n_samples={n_samples}."
        )
