"""ClusterEmbeddingDisplay: the learned space in two dimensions."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_consistent_length

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._labels import encode_values
from skpairclust.constraints._supervision import check_supervision
from skpairclust.constraints._typing import AnyArray, RandomState, Samples
from skpairclust.inspection._interactive import make_page
from skpairclust.inspection._style import (
    COLORS,
    MARKERS,
    N_ALIKE,
    NEUTRAL,
    VIOLATED,
    as_text,
    get_axes,
    predict_labels,
)
from skpairclust.metrics._checks import read_clusters
from skpairclust.metrics._probabilities import draw_pairs
from skpairclust.utils._files import whole_file
from skpairclust.utils._state import numpy_defaults

# t-SNE of more principal components is slow and hardly differs.
_MAX_COLUMNS = 50


class ClusterEmbeddingDisplay:
    """Samples in two dimensions, with their clusters and constraints.

    Must-links are solid lines and cannot-links are dotted lines. Pairs that the
    clusters violate are colored and marked by a cross. Make it with
    :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
        Places of the samples.
    labels : ndarray of shape (n_samples,)
        Clusters.
    constraints : PairwiseConstraints, default=None
        What is known of the samples.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    scatters_ : list of matplotlib PathCollection
        The samples of each cluster.
    lines_ : dict of str to matplotlib LineCollection
        "must_link", "cannot_link", "violated_must_link" and "violated_cannot_link",
        for those kinds of which there are pairs.
    crosses_ : matplotlib PathCollection or None
        The middles of the violated pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from skpairclust import PairwiseConstraints
    >>> from skpairclust.inspection import ClusterEmbeddingDisplay
    >>> points = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 0.0], [5.0, 1.0]])
    >>> pairs = PairwiseConstraints([(0, 1), (1, 2)], [(0, 3)], n_samples=4)
    >>> display = ClusterEmbeddingDisplay.from_predictions(points, [0, 0, 1, 1], pairs)
    >>> sorted(display.lines_)
    ['cannot_link', 'must_link', 'violated_must_link']
    """

    def __init__(
        self,
        points: NDArray[Any],
        labels: NDArray[Any],
        constraints: PairwiseConstraints | None = None,
    ) -> None:
        self.points = points
        self.labels = labels
        self.constraints = constraints

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Samples,
        y: AnyArray | None = None,
        *,
        method: Literal["tsne", "pca"] = "tsne",
        random_state: RandomState = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw X in the space learned by an estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted clusterer. The output of its `transform` is drawn if it has one,
            otherwise X.
        X : array-like of shape (n_samples, n_features)
            Samples; those of `fit` if the estimator cannot predict.
        y : PairwiseConstraints or array-like, default=None
            What is known of them, as for `fit`.
        method : {"tsne", "pca"}, default="tsne"
            How features become two dimensions. "tsne" shows which samples are
            neighbors, but neither distances nor densities; "pca" is linear.
        random_state : int, RandomState instance or None, default=None
            Decides the start of "tsne".
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        **kwargs : dict
            Other arguments of :meth:`plot`.

        Returns
        -------
        ClusterEmbeddingDisplay
            The display, after drawing.

        Raises
        ------
        TypeError, ValueError
            If the estimator has no clusters for X, or y cannot be used.

        Examples
        --------
        >>> from sklearn.cluster import KMeans
        >>> from sklearn.datasets import load_iris
        >>> from skpairclust.inspection import ClusterEmbeddingDisplay
        >>> X, _ = load_iris(return_X_y=True)
        >>> kmeans = KMeans(3, random_state=0).fit(X)
        >>> display = ClusterEmbeddingDisplay.from_estimator(kmeans, X, method="pca")
        >>> display.points.shape
        (150, 2)
        """
        labels = predict_labels(estimator, X)
        features = estimator.transform(X) if hasattr(estimator, "transform") else X
        return cls.from_predictions(
            features,
            labels,
            y,
            method=method,
            random_state=random_state,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        features: AnyArray,
        labels: AnyArray,
        y: AnyArray | None = None,
        *,
        method: Literal["tsne", "pca"] = "tsne",
        random_state: RandomState = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw samples from their features and clusters.

        Parameters
        ----------
        features : array-like of shape (n_samples, n_features)
            Features that determine the positions. Two columns are used directly.
        labels : array-like of shape (n_samples,)
            Clusters.
        y : PairwiseConstraints or array-like, default=None
            What is known of the samples, as for `fit`.
        method : {"tsne", "pca"}, default="tsne"
            How features become two dimensions.
        random_state : int, RandomState instance or None, default=None
            Decides the start of "tsne".
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        **kwargs : dict
            Other arguments of :meth:`plot`.

        Returns
        -------
        ClusterEmbeddingDisplay
            The display, after drawing.

        Raises
        ------
        ValueError
            If lengths differ, y cannot be used, or `method` is unknown.

        Examples
        --------
        >>> from skpairclust.inspection import ClusterEmbeddingDisplay
        >>> display = ClusterEmbeddingDisplay.from_predictions(
        ...     [[0.0, 1.0], [2.0, 3.0]], ["a", "b"]
        ... )
        >>> display.points
        array([[0., 1.],
               [2., 3.]])
        """
        features = check_array(features, input_name="features")
        labels = read_clusters(labels, "labels")
        check_consistent_length(features, labels)
        constraints = check_supervision(y, n_samples=len(labels))
        with numpy_defaults():
            points = _reduce(features, method, random_state)
            return cls(points, labels, constraints).plot(ax=ax, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        max_pairs: int = 200,
        legend: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Draw the samples and some of the pairs.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        max_pairs : int, default=200
            If there are more pairs, this number is chosen at random, and always the
            same ones. 0 draws none.
        legend : bool, default=True
            Whether to name clusters and lines.
        **kwargs : dict
            Arguments of ``ax.scatter``.

        Returns
        -------
        ClusterEmbeddingDisplay
            Itself.
        """
        ax = get_axes(ax, type(self).__name__, figsize=(7, 5.5))
        self.ax_, self.figure_ = ax, ax.figure
        self._draw_pairs(max_pairs)
        self._draw_samples({"s": 16, "linewidths": 0, "zorder": 2} | kwargs)
        ax.set(xticks=[], yticks=[])
        if legend:
            ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        return self

    def save_html(
        self,
        path: str | PathLike[str],
        *,
        names: Sequence[Any] | None = None,
        max_pairs: int = 1000,
        title: str = "Samples in the learned space",
    ) -> Self:
        """Write a page on which the samples can be moved, enlarged and asked.

        One file that needs no other one and no network. Clusters can be hidden. It
        holds the names and the places of all samples: whoever gets it can read them.

        Parameters
        ----------
        path : str or path-like
            Where to write, for instance ``"clusters.html"``.
        names : sequence of length n_samples, default=None
            What the page says of a sample, such as its id or its text.
        max_pairs : int, default=1000
            If there are more pairs, this number is chosen at random, and always the
            same ones. 0 shows none.
        title : str, default="Samples in the learned space"
            The heading of the page.

        Returns
        -------
        ClusterEmbeddingDisplay
            Itself.

        Raises
        ------
        ValueError
            If there are not as many names as samples.
        """
        if names is not None and len(names) != len(self.labels):
            raise ValueError(
                f"names has {len(names)} entries, but there are "
                f"{len(self.labels)} samples: pass one per sample."
            )
        pairs = {}
        if self.constraints is not None and max_pairs:
            pairs = _choose_pairs(self.constraints, max_pairs)
        page = make_page(self.points, self.labels, pairs, names=names, title=title)
        with whole_file(path) as file:
            file.write(page.encode())
        return self

    def _draw_samples(self, style):
        """Draw the samples cluster by cluster."""
        names, clusters = encode_values(np.asarray(self.labels))
        self.scatters_ = [
            self.ax_.scatter(
                *self.points[clusters == number].T,
                label=as_text(name),
                **{
                    "color": COLORS[number % len(COLORS)],
                    "marker": MARKERS[number // N_ALIKE % len(MARKERS)],
                }
                | style,
            )
            for number, name in enumerate(names)
        ]

    def _draw_pairs(self, max_pairs):
        """Draw the pairs, and crosses on those that the clusters violate."""
        from matplotlib.collections import LineCollection

        self.lines_, self.crosses_ = {}, None
        if self.constraints is None or not max_pairs:
            return
        middles = []
        for kind, pairs in _choose_pairs(self.constraints, max_pairs).items():
            same = self.labels[pairs[:, 0]] == self.labels[pairs[:, 1]]
            is_kept = same == (kind == "must_link")
            dashes = "solid" if kind == "must_link" else "dotted"
            for name, ends in ((kind, pairs[is_kept]), (None, pairs[~is_kept])):
                if len(ends):
                    is_wrong = name is None
                    name = name or f"violated_{kind}"
                    self.lines_[name] = LineCollection(
                        self.points[ends],
                        colors=VIOLATED if is_wrong else NEUTRAL,
                        linestyles=dashes,
                        linewidths=1.6 if is_wrong else 0.9,
                        alpha=1.0 if is_wrong else 0.6,
                        zorder=3 if is_wrong else 1,
                        label=name.replace("_", " ").replace(" link", "-link"),
                    )
                    self.ax_.add_collection(self.lines_[name])
            middles.append(self.points[pairs[~is_kept]].mean(axis=1))
        middles = np.concatenate(middles)
        if len(middles):
            self.crosses_ = self.ax_.scatter(
                *middles.T, marker="x", s=30, color=VIOLATED, zorder=4
            )


def _reduce(features, method, random_state):
    """Return two columns."""
    if method not in ("tsne", "pca"):
        raise ValueError(f"method must be 'tsne' or 'pca'; got {method!r}.")
    if features.shape[1] == 2:
        return features
    n_columns = min(_MAX_COLUMNS if method == "tsne" else 2, *features.shape)
    seed = check_random_state(random_state).randint(2**31, dtype=np.int64)
    pca = PCA(n_columns, random_state=seed)
    reduced = pca.set_output(transform="default").fit_transform(features)
    if method == "pca":
        # one feature, or one sample, has no second direction
        return np.pad(reduced, ((0, 0), (0, 2 - reduced.shape[1])))
    perplexity = min(30.0, (len(features) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="random", random_state=seed)
    if reduced.shape[1] > 1:
        tsne.set_params(init="pca")
    return tsne.set_output(transform="default").fit_transform(reduced)


def _choose_pairs(constraints, max_pairs):
    """Return some pairs of each kind, in proportion to their numbers."""
    n_pairs = constraints.n_pairs
    share = min(1.0, max_pairs / n_pairs) if n_pairs else 1.0
    rng = np.random.RandomState(0)
    chosen = {}
    for kind in ("must_link", "cannot_link"):
        n_kind = getattr(constraints, f"n_{kind}")
        # kinds of which there are few are shown, too
        n_shown = min(n_kind, max(int(np.ceil(n_kind * share)), min(n_kind, 1)))
        pairs, _ = draw_pairs(constraints, kind, max_implied=10 * max_pairs)
        chosen[kind] = rng.permutation(pairs)[:n_shown]
    return chosen
