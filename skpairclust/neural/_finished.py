"""What is said of trainings that are over."""

import warnings

from sklearn.exceptions import ConvergenceWarning


def check_finished(runs, estimator):
    """Return the runs that left weights; warn if one ended before its time.

    Parameters
    ----------
    runs : list of TrainingRun
    estimator : BaseNeuralEstimator

    Returns
    -------
    list of TrainingRun
        One at least.

    Raises
    ------
    ValueError
        If no run ever had finite weights.

    Warns
    -----
    ConvergenceWarning
        If the training of one of them did not stay finite.
    UserWarning
        If the user stopped one.
    """
    usable = [run for run in runs if run.weights is not None]
    advice = (
        f"lower learning_rate={estimator.learning_rate}, or scale X, for instance with "
        "a StandardScaler."
    )
    if not usable:
        raise ValueError(
            "The loss turned non-finite in the first epoch, with all starts "
            f"({len(runs)}): {advice}"
        )
    epochs = [str(run.n_iter) for run in usable if run.diverged]
    if epochs:
        warnings.warn(
            f"The loss or the weights turned non-finite in epoch {', '.join(epochs)} "
            f"of at most {estimator.max_iter}, and the training of {len(epochs)} of "
            f"{len(runs)} starts ended there: the best weights until then are kept; "
            f"{advice}",
            ConvergenceWarning,
            # From here to fit, its two decorators, and the caller.
            stacklevel=5,
        )
    if any(run.interrupted for run in runs):
        n_epochs = [len(run.loss_curve) for run in usable]
        warnings.warn(
            f"fit was interrupted after {', '.join(map(str, n_epochs))} of at most "
            f"{estimator.max_iter} epochs, so the {type(estimator).__name__} with "
            f"max_iter={estimator.max_iter} is half trained: it keeps the best weights "
            "until then.",
            stacklevel=5,
        )
    return usable
