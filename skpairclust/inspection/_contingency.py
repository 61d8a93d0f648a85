"""ContingencyDisplay: clusters against classes."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix

from skpairclust.constraints._labels import encode_values
from skpairclust.constraints._typing import AnyArray, Samples
from skpairclust.inspection._style import as_text, get_axes, predict_labels
from skpairclust.metrics._checks import read_class_labels


class ContingencyDisplay:
    """How many samples of each class are in each cluster.

    Cells without samples stay blank. Make it with :meth:`from_estimator` or
    :meth:`from_predictions`.

    Parameters
    ----------
    table : ndarray of shape (n_classes, n_clusters)
        Counts, or shares of them.
    classes : ndarray of shape (n_classes,)
        Names of the rows.
    clusters : ndarray of shape (n_clusters,)
        Names of the columns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    im_ : matplotlib AxesImage
        The colored cells.
    text_ : ndarray of shape (n_classes, n_clusters), object
        The numbers in the cells, None where a cell is blank.

    Examples
    --------
    >>> from skpairclust.inspection import ContingencyDisplay
    >>> display = ContingencyDisplay.from_predictions(
    ...     ["cat", "cat", "dog", "dog"], [1, 1, 0, 1]
    ... )
    >>> display.table
    array([[2, 0],
           [1, 1]])
    >>> display.clusters
    array([1, 0])
    """

    def __init__(
        self, table: NDArray[Any], classes: NDArray[Any], clusters: NDArray[Any]
    ) -> None:
        self.table = table
        self.classes = classes
        self.clusters = clusters

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Samples,
        y: AnyArray,
        *,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Draw the clusters that an estimator predicts for X against classes.

        Parameters
        ----------
        estimator : estimator
            A fitted clusterer.
        X : array-like of shape (n_samples, n_features)
            Samples; those of `fit` if the estimator cannot predict.
        y : array-like of shape (n_samples,)
            Their classes; those without one (None, NaN) are left out.
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        **options : dict
            Other arguments of :meth:`from_predictions`.

        Returns
        -------
        ContingencyDisplay
            The display, after drawing.

        Raises
        ------
        TypeError, ValueError
            If the estimator has no clusters for X.

        Examples
        --------
        >>> from sklearn.cluster import KMeans
        >>> from sklearn.datasets import load_iris
        >>> from skpairclust.inspection import ContingencyDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> kmeans = KMeans(3, random_state=0).fit(X)
        >>> ContingencyDisplay.from_estimator(kmeans, X, y).table.shape
        (3, 3)
        """
        return cls.from_predictions(y, predict_labels(estimator, X), ax=ax, **options)

    @classmethod
    def from_predictions(
        cls,
        labels_true: AnyArray,
        labels_pred: AnyArray,
        *,
        normalize: Literal["true", "pred"] | None = None,
        order: bool = True,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw clusters against classes.

        Parameters
        ----------
        labels_true : array-like of shape (n_samples,)
            Classes. Samples whose class is missing (None, NaN, ``pandas.NA``) are
            left out.
        labels_pred : array-like of shape (n_samples,)
            Clusters, none of them missing.
        normalize : {"true", "pred"} or None, default=None
            "true" shows shares of each class, and "pred" shows shares of each
            cluster. None shows counts.
        order : bool, default=True
            Whether to sort the clusters so that each is at the position of the class
            to which it is matched, one to one. Correct samples are then on the
            diagonal.
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        **kwargs : dict
            Other arguments of :meth:`plot`.

        Returns
        -------
        ContingencyDisplay
            The display, after drawing.

        Raises
        ------
        ValueError
            If lengths differ, no sample has a class, a cluster is missing, or
            `normalize` is unknown.

        Examples
        --------
        >>> from skpairclust.inspection import ContingencyDisplay
        >>> display = ContingencyDisplay.from_predictions(
        ...     [0, 0, 1, 1], [1, 1, 0, 1], normalize="true"
        ... )
        >>> display.table
        array([[1. , 0. ],
               [0.5, 0.5]])
        """
        true, pred, _ = read_class_labels(labels_true, labels_pred)
        if normalize not in (None, "true", "pred"):
            raise ValueError(
                f"normalize must be 'true', 'pred' or None; got {normalize!r}."
            )
        classes, true = encode_values(true)
        clusters, pred = encode_values(pred)
        table = contingency_matrix(true, pred)
        if order:
            columns = _match(table)
            table, clusters = table[:, columns], clusters[columns]
        if normalize:
            axis = 1 if normalize == "true" else 0
            table = table / table.sum(axis=axis, keepdims=True)
        return cls(table, classes, clusters).plot(ax=ax, **kwargs)

    def plot(
        self, ax: Any = None, *, cmap: Any = "cividis", text: bool | None = None
    ) -> Self:
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        cmap : str or matplotlib Colormap, default="cividis"
            Colors of the cells, from few to many.
        text : bool, default=None
            Whether to write the numbers into the cells. None does so in tables of at
            most 30 columns.

        Returns
        -------
        ContingencyDisplay
            Itself.
        """
        n_classes, n_clusters = self.table.shape
        size = (1.8 + 0.5 * min(n_clusters, 30), 1.4 + 0.45 * min(n_classes, 30))
        ax = get_axes(ax, type(self).__name__, figsize=size)
        self.ax_, self.figure_ = ax, ax.figure
        shown = np.ma.masked_equal(self.table, 0)
        # the darkest colors would not stand out from a black background
        lowest = -0.15 * self.table.max()
        self.im_ = ax.imshow(shown, cmap=cmap, vmin=lowest, aspect="auto")
        self.text_ = np.full(self.table.shape, None)
        if text or (text is None and n_clusters <= 30):
            self._write_numbers()
        ax.set(
            xlabel="cluster",
            ylabel="class",
            xticks=range(n_clusters),
            yticks=range(n_classes),
            xticklabels=map(as_text, self.clusters),
            yticklabels=map(as_text, self.classes),
        )
        return self

    def _write_numbers(self):
        """Write each number in what is readable on its cell."""
        is_share = self.table.dtype.kind == "f"
        for row, column in np.argwhere(self.table):
            value = self.table[row, column]
            red, green, blue, _ = self.im_.cmap(self.im_.norm(value))
            is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
            self.text_[row, column] = self.ax_.text(
                column,
                row,
                f"{value:.2f}".lstrip("0") if is_share else f"{value}",
                ha="center",
                va="center",
                fontsize="small",
                color="black" if is_light else "white",
            )


def _match(table):
    """Return the columns in the order of the rows that they match, then the others."""
    rows, columns = linear_sum_assignment(table, maximize=True)
    rest = np.setdiff1d(np.arange(table.shape[1]), columns)
    # the others are sorted by the class that most of their samples have
    rest = rest[np.argsort(table[:, rest].argmax(axis=0), kind="stable")]
    return np.concatenate((columns[np.argsort(rows)], rest)).astype(np.int64)
