"""Shared by the displays: matplotlib on demand, axes, colors."""

from skpairclust.constraints._pairs import count_samples

# Ten colors that stay apart with color vision deficiencies and stand out from white
# and from black (M. A. Petroff, arXiv:2107.02270). Two of them are grays, so the shape
# of the marker changes every five clusters.
COLORS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
N_ALIKE = 5
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
# Neither black nor white: visible on both.
NEUTRAL = "#808080"
# Bluish green and vermilion, which also differ in lightness and line style.
RIGHT, WRONG = "#009e73", "#d55e00"
# Different from the colors of all clusters.
VIOLATED = "#f0027f"


def import_pyplot(name):
    """Return `matplotlib.pyplot`, or say how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{name} needs matplotlib, which is not installed: pip install matplotlib, "
            'or pip install "skpairclust[plot]".'
        ) from error
    return plt


def get_axes(ax, name, **options):
    """Return `ax`, or the axes of a new figure."""
    if ax is None:
        options.setdefault("layout", "constrained")
        _, ax = import_pyplot(name).subplots(**options)
    return ax


def predict_labels(estimator, X):
    """Return the clusters of X, or those of `fit` if there is no `predict`."""
    if hasattr(estimator, "predict"):
        return estimator.predict(X)
    labels = getattr(estimator, "labels_", None)
    if labels is None:
        raise TypeError(
            f"{type(estimator).__name__} has neither predict nor labels_: fit a "
            "clusterer first, or use from_predictions."
        )
    n_samples = count_samples(X)
    if len(labels) != n_samples:
        raise ValueError(
            f"{type(estimator).__name__} cannot predict and was fitted to "
            f"{len(labels)} samples, but X has {n_samples}: pass the X of fit."
        )
    return labels


def as_text(value):
    """Return a label as text for the reader."""
    return str(value.item() if hasattr(value, "item") else value)
