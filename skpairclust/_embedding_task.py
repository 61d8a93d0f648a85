"""From an embedder's parameters and data to the task of one training."""

from skpairclust._augmentation import make_augmentation
from skpairclust._embedding import MARGINS, EmbeddingOptions, EmbeddingTask
from skpairclust._embedding_validation import split
from skpairclust._torch_utils import resolve_device
from skpairclust._training import TrainingOptions


def make_task(estimator, X):
    """Return all that the training needs, or say what of it cannot be.

    Parameters
    ----------
    estimator : MetricEmbedder
        Its parameters are read.
    X : array, CSR matrix or LazyRows of shape (n_samples, ...)

    Returns
    -------
    EmbeddingTask

    Raises
    ------
    ValueError
        If parameters do not go together or with the data.
    """
    _check_numbers(estimator, X.shape[0])
    resolve_device(estimator.device)
    architecture = estimator._make_architecture(
        X.shape[1:], estimator._n_outputs, estimator._hidden_layer_sizes
    )
    # Made once before the training: what cannot take X fails now.
    architecture.build()
    make_augmentation(estimator.augment, architecture.input_shape)
    margin = estimator.margin
    objective = estimator._options(
        EmbeddingOptions,
        margin=MARGINS[estimator.loss] if margin is None else float(margin),
        normalize=estimator._is_normalized,
    )
    return EmbeddingTask(
        architecture=architecture,
        objective=objective,
        training=estimator._options(TrainingOptions),
        head_learning_rate_multiplier=estimator.head_learning_rate_multiplier,
        device=str(estimator.device),
        verbose=int(estimator.verbose),
        initial_weights=estimator._previous_weights(architecture),
    )


def hold_out(estimator, constraints, seed):
    """Return the part held out to choose the best epoch, None for none.

    Raises
    ------
    ValueError
        If there is none, but training is to stop when it scores no better.
    """
    if estimator.validation_fraction:
        return split(
            constraints,
            estimator.validation_fraction,
            estimator.clusters_per_class,
            seed,
        )
    if estimator.n_iter_no_change is not None:
        raise ValueError(
            f"n_iter_no_change={estimator.n_iter_no_change} needs a validation part to "
            "look at: set validation_fraction, or n_iter_no_change=None."
        )
    return None


def _check_numbers(estimator, n_samples):
    """Raise if a batch is too small for two classes, or clusters are too many."""
    batch_size, per_class = estimator.batch_size, estimator.samples_per_class
    if batch_size < 2 * per_class:
        raise ValueError(
            f"batch_size={batch_size} cannot hold two classes with "
            f"samples_per_class={per_class} each: raise batch_size to "
            f"{2 * per_class} at least, or lower samples_per_class."
        )
    n_clusters, a_class = estimator.n_clusters, estimator.clusters_per_class
    if (n_clusters or 0) * a_class > n_samples:
        raise ValueError(
            f"n_clusters={n_clusters} times clusters_per_class={a_class} must be at "
            f"most the number of samples in X, n_samples={n_samples}."
        )
