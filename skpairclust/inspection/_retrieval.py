"""RetrievalDisplay: queries and their nearest neighbors."""

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from skpairclust.constraints._labels import (
    encode_values,
    find_missing,
    is_missing,
    split_missing,
)
from skpairclust.constraints._typing import AnyArray, RandomState, Samples
from skpairclust.inspection._style import NEUTRAL, RIGHT, WRONG, as_text, get_axes


class RetrievalDisplay:
    """Query images and their nearest neighbors.

    Each row begins with the query. Neighbors of the same class have a green frame,
    others a dashed red one, and images without a class a gray one. Make it with
    :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    query_images : ndarray of shape (n_queries, height, width[, 3])
        The queries.
    query_labels : ndarray of shape (n_queries,)
        Their classes.
    neighbor_images : ndarray of shape (n_queries, n_neighbors, height, width[, 3])
        The neighbors of each query, nearest first.
    neighbor_labels : ndarray of shape (n_queries, n_neighbors)
        Their classes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the whole picture, without frame or ticks.
    axes_ : ndarray of shape (n_queries, 1 + n_neighbors), object
        The axes of each image.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skpairclust.inspection import RetrievalDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> display = RetrievalDisplay.from_predictions(
    ...     X, y, images=X, n_queries=3, n_neighbors=4, random_state=0
    ... )
    >>> display.axes_.shape
    (3, 5)
    """

    def __init__(
        self,
        query_images: NDArray[Any],
        query_labels: NDArray[Any],
        neighbor_images: NDArray[Any],
        neighbor_labels: NDArray[Any],
    ) -> None:
        self.query_images = query_images
        self.query_labels = query_labels
        self.neighbor_images = neighbor_images
        self.neighbor_labels = neighbor_labels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Samples,
        y: AnyArray,
        *,
        images: AnyArray | None = None,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Search neighbors of samples of X in the space learned by an estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `transform`.
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples.
        y : array-like of shape (n_samples,)
            Their classes.
        images : array-like of shape (n_samples, ...), default=None
            The image of each sample, see :meth:`from_predictions`. None shows X.
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        **options : dict
            Other arguments of :meth:`from_predictions`.

        Returns
        -------
        RetrievalDisplay
            The display, after drawing.

        Raises
        ------
        TypeError
            If the estimator has no `transform`.
        ValueError
            If shapes do not fit.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.decomposition import PCA
        >>> from skpairclust.inspection import RetrievalDisplay
        >>> X, y = load_digits(return_X_y=True)
        >>> pca = PCA(8, random_state=0).fit(X)
        >>> display = RetrievalDisplay.from_estimator(pca, X, y, random_state=0)
        >>> display.neighbor_labels.shape
        (5, 8)
        """
        if not hasattr(estimator, "transform"):
            raise TypeError(
                f"{type(estimator).__name__} has no transform, so there is no space to "
                "search in: use from_predictions."
            )
        images = X if images is None else images
        return cls.from_predictions(
            estimator.transform(X), y, images=images, ax=ax, **options
        )

    @classmethod
    def from_predictions(
        cls,
        embedding: AnyArray,
        labels: AnyArray,
        *,
        images: AnyArray,
        image_shape: Sequence[int] | None = None,
        queries: AnyArray | None = None,
        n_queries: int = 5,
        n_neighbors: int = 8,
        random_state: RandomState = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Search neighbors of samples by the distance of their embeddings.

        Parameters
        ----------
        embedding : array-like of shape (n_samples, n_components)
            Positions of the samples.
        labels : array-like of shape (n_samples,)
            Their classes. Samples whose class is missing (None, NaN, ``pandas.NA``)
            are found, and neither right nor wrong; they are not drawn as queries.
        images : array-like of shape (n_samples, ...)
            The image of each sample, of shape (height, width), (height, width, 3) or
            (3, height, width); or the pixels of a gray image in one row.
        image_shape : tuple of int, default=None
            Shape of one image. None assumes that rows of pixels are square images.
        queries : array-like of int, default=None
            Row numbers of the queries. None draws `n_queries` of them, of different
            classes if there are enough classes.
        n_queries : int, default=5
            Number of queries to draw.
        n_neighbors : int, default=8
            Number of samples to show for each.
        random_state : int, RandomState instance or None, default=None
            Decides which queries are drawn.
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        **kwargs : dict
            Other arguments of :meth:`plot`.

        Returns
        -------
        RetrievalDisplay
            The display, after drawing.

        Raises
        ------
        ValueError
            If lengths or shapes do not fit, or there are too few samples.

        Examples
        --------
        >>> import numpy as np
        >>> from skpairclust.inspection import RetrievalDisplay
        >>> display = RetrievalDisplay.from_predictions(
        ...     [[0.0], [0.1], [3.0]],
        ...     ["a", "a", "b"],
        ...     images=np.zeros((3, 4, 4)),
        ...     queries=[0],
        ...     n_neighbors=2,
        ... )
        >>> display.neighbor_labels
        array([['a', 'b']], dtype='<U1')
        """
        embedding = check_array(embedding, input_name="embedding")
        labels = _read_labels(labels)
        images = _as_images(images, image_shape)
        check_consistent_length(embedding, labels, images)
        if n_neighbors >= len(embedding):
            raise ValueError(
                f"n_neighbors={n_neighbors} must be less than the number of samples, "
                f"{len(embedding)}."
            )
        if queries is None:
            queries = _draw_queries(labels, n_queries, random_state)
        queries = column_or_1d(queries)
        found = _search(embedding, queries, n_neighbors)
        display = cls(images[queries], labels[queries], images[found], labels[found])
        return display.plot(ax=ax, **kwargs)

    def plot(
        self, ax: Any = None, *, cmap: Any = "gray", show_labels: bool = True
    ) -> Self:
        """Draw the queries and their neighbors.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        cmap : str or matplotlib Colormap, default="gray"
            Colors of gray images.
        show_labels : bool, default=True
            Whether to write the class above each image.

        Returns
        -------
        RetrievalDisplay
            Itself.
        """
        n_rows, n_columns = self.neighbor_labels.shape[0], self._n_columns
        size = (0.9 * n_columns, (1.1 if show_labels else 0.9) * n_rows)
        ax = get_axes(ax, type(self).__name__, figsize=size)
        self.ax_, self.figure_ = ax, ax.figure
        ax.set_axis_off()
        self.axes_ = np.empty((n_rows, n_columns), dtype=object)
        for row, column in np.ndindex(self.axes_.shape):
            # leave a gap after the query
            left = (column + (0.25 if column else 0)) / (n_columns + 0.25)
            bottom = 1 - (row + (0.98 if show_labels else 1)) / n_rows
            height = (0.74 if show_labels else 0.92) / n_rows
            box = [left, bottom, 0.92 / (n_columns + 0.25), height]
            self.axes_[row, column] = ax.inset_axes(box)
            self._draw_image(row, column, cmap, show_labels)
        return self

    @property
    def _n_columns(self):
        return 1 + self.neighbor_labels.shape[1]

    @staticmethod
    def _judge(label, query_label):
        """Return the color and the dashes of the frame of what was found."""
        if is_missing(label) or is_missing(query_label):
            return NEUTRAL, "solid"
        is_right = label == query_label
        return (RIGHT, "solid") if is_right else (WRONG, (0, (2, 1)))

    def _draw_image(self, row, column, cmap, show_labels):
        """Draw one image in its frame."""
        cell = self.axes_[row, column]
        cell.set(xticks=[], yticks=[])
        if column == 0:
            image, label = self.query_images[row], self.query_labels[row]
            color, dashes, width = NEUTRAL, "solid", 1.0
        else:
            image = self.neighbor_images[row, column - 1]
            label = self.neighbor_labels[row, column - 1]
            color, dashes = self._judge(label, self.query_labels[row])
            width = 3.0
        cell.imshow(image, cmap=cmap, aspect="equal")
        for spine in cell.spines.values():
            # projecting caps, the default, would fill the gaps between dashes
            spine.set(color=color, linestyle=dashes, linewidth=width, capstyle="butt")
        if show_labels and not is_missing(label):
            cell.set_title(as_text(label), fontsize="small", pad=3)


def _read_labels(labels):
    """Return labels as an array, with None for missing ones."""
    known, missing = split_missing(labels, "labels", column=True)
    if not missing.any():
        return known
    array = np.full(len(missing), None, dtype=object)
    array[~missing] = known
    return array


def _as_images(images, image_shape):
    """Return what can be shown, (n_samples, height, width[, channels])."""
    images = np.asarray(images)
    if image_shape is None and images.ndim == 2:
        side = math.isqrt(images.shape[1])
        if side * side != images.shape[1]:
            raise ValueError(
                f"images have {images.shape[1]} values in a row, which is no square: "
                "pass image_shape, the shape of one image."
            )
        image_shape = (side, side)
    if image_shape is not None:
        images = images.reshape(len(images), *image_shape)
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3):
        images = np.moveaxis(images, 1, -1)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim != 3 and not (images.ndim == 4 and images.shape[3] in (3, 4)):
        raise ValueError(
            f"images of shape {images.shape[1:]} cannot be shown: (height, width) or "
            "(height, width, 3) can."
        )
    return images


def _draw_queries(labels, n_queries, random_state):
    """Draw rows, of different classes as long as there are unused ones."""
    order = check_random_state(random_state).permutation(len(labels))
    order = order[~find_missing(labels[order])]
    if not len(order):
        raise ValueError(
            "labels are all missing, so that no query of a class can be drawn: pass "
            "queries, the rows to search for."
        )
    _, first = np.unique(encode_values(labels[order])[1], return_index=True)
    # one of each class in random order, then the rest
    first = np.sort(first)
    rest = np.setdiff1d(np.arange(len(order)), first)
    return order[np.concatenate((first, rest))[:n_queries]]


def _search(embedding, queries, n_neighbors):
    """Return the rows nearest to each query, without the query itself."""
    index = NearestNeighbors(n_neighbors=n_neighbors + 1).fit(embedding)
    found = index.kneighbors(embedding[queries], return_distance=False)
    is_self = found == np.asarray(queries)[:, None]
    # among equal rows it may be missing; then the last one is dropped
    is_self[~is_self.any(axis=1), -1] = True
    return found[~is_self].reshape(len(queries), n_neighbors)
