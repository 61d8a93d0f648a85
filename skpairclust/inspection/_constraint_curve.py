"""ConstraintCurveDisplay: scores by the number of pairs trained on."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.model_selection import StratifiedKFold, learning_curve
from sklearn.utils import check_random_state

from skpairclust.constraints._pairs import count_samples
from skpairclust.constraints._supervision import check_supervision
from skpairclust.constraints._typing import AnyArray, RandomState, Samples
from skpairclust.inspection._style import COLORS, get_axes
from skpairclust.model_selection import PairClassifier
from skpairclust.utils._state import numpy_defaults


class ConstraintCurveDisplay:
    """Score on held-out pairs against the number of training pairs.

    It shows whether more pairs would help. Make it with :meth:`from_estimator`.

    Parameters
    ----------
    n_pairs : array-like of shape (n_sizes,)
        Numbers of pairs trained on.
    test_scores : array-like of shape (n_sizes, n_splits)
        Scores on held-out pairs.
    train_scores : array-like of shape (n_sizes, n_splits), default=None
        Scores on the pairs trained on.
    score_name : str, default="score"
        Name of the vertical axis.
    score_range : tuple of two floats, "auto" or None, default="auto"
        The lowest and the highest score there can be; the bands end there. "auto" is
        (0, 1) if all scores lie in it; None lets the bands go beyond.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    lines_ : list of matplotlib Line2D
        Mean scores on held-out pairs, then on training pairs if they are shown.
    bands_ : list of matplotlib PolyCollection
        One standard deviation of the splits around them, within `score_range`.

    See Also
    --------
    skpairclust.model_selection.PairClassifier : Makes pairs the samples.

    Examples
    --------
    >>> from skpairclust.inspection import ConstraintCurveDisplay
    >>> display = ConstraintCurveDisplay([10, 100], [[0.6, 0.7], [0.9, 0.8]]).plot()
    >>> display.lines_[0].get_ydata().round(2).tolist()
    [0.65, 0.85]
    """

    def __init__(
        self,
        n_pairs: AnyArray,
        test_scores: AnyArray,
        *,
        train_scores: AnyArray | None = None,
        score_name: str = "score",
        score_range: Any = "auto",
        name: str | None = None,
    ) -> None:
        self.n_pairs = n_pairs
        self.test_scores = test_scores
        self.train_scores = train_scores
        self.score_name = score_name
        self.score_range = score_range
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Samples,
        y: AnyArray,
        *,
        train_sizes: AnyArray = (0.1, 0.25, 0.5, 1.0),
        cv: Any = 5,
        scoring: Any = "roc_auc",
        random_state: RandomState = None,
        n_jobs: int | None = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Fit with growing numbers of pairs and draw the scores.

        All rows of X are in every fit, see
        :class:`~skpairclust.model_selection.PairClassifier`.

        Parameters
        ----------
        estimator : estimator
            A clusterer that takes `PairwiseConstraints` as y. It is cloned.
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : PairwiseConstraints or array-like
            What is known of them, as for `fit`. The pairs are listed.
        train_sizes : array-like of shape (n_sizes,), default=(0.1, 0.25, 0.5, 1.0)
            Shares of the training pairs, or their numbers.
        cv : int, splitter or iterable, default=5
            How pairs are held out. Folds of an int, or None for 5, are shuffled and
            stratified by kind. Pairs come sorted by row, the must-links first: give a
            splitter that shuffles, or folds are about neighboring rows.
        scoring : str or callable, default="roc_auc"
            Any score of a binary classifier.
        random_state : int, RandomState instance or None, default=None
            Decides which pairs are held out by an integer `cv`, and which ones are
            trained on first.
        n_jobs : int, default=None
            Number of fits run in parallel.
        name : str, default=None
            Name in the legend.
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        **kwargs : dict
            Other arguments of :meth:`plot`.

        Returns
        -------
        ConstraintCurveDisplay
            The display, after drawing.

        Raises
        ------
        ValueError
            If there are not enough pairs of each kind for `cv`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skpairclust import PairwiseConstraints
        >>> from skpairclust.baselines import PCKMeans
        >>> from skpairclust.inspection import ConstraintCurveDisplay
        >>> X, labels = load_iris(return_X_y=True)
        >>> pairs = PairwiseConstraints.sample_from_labels(labels, 100, random_state=0)
        >>> display = ConstraintCurveDisplay.from_estimator(
        ...     PCKMeans(3, random_state=0), X, pairs, random_state=0
        ... )
        >>> display.n_pairs.tolist()
        [8, 20, 40, 80]
        """
        n_samples = count_samples(X)
        known = check_supervision(y, n_samples=n_samples)
        pairs = np.concatenate((known.must_link, known.cannot_link))
        same = np.repeat([1, -1], [known.n_must_link, known.n_cannot_link])
        # the container sorts pairs by row: folds of neighbors would be easy or odd
        rng = check_random_state(random_state)
        fold_seed, order_seed = rng.randint(2**31, size=2, dtype=np.int64)
        if cv is None or isinstance(cv, Integral):
            cv = StratifiedKFold(
                5 if cv is None else cv, shuffle=True, random_state=fold_seed
            )
        sizes, train_scores, test_scores = learning_curve(
            PairClassifier(estimator, X),
            pairs,
            same,
            train_sizes=np.asarray(train_sizes),
            cv=cv,
            scoring=scoring,
            n_jobs=n_jobs,
            shuffle=True,
            random_state=order_seed,
            error_score="raise",
        )
        score_name = scoring if isinstance(scoring, str) else "score"
        display = cls(
            sizes,
            test_scores,
            train_scores=train_scores,
            score_name=score_name.replace("_", " ").replace("roc auc", "ROC AUC"),
            name=name,
        )
        return display.plot(ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls, n_pairs: AnyArray, test_scores: AnyArray, *, ax: Any = None, **options: Any
    ) -> Self:
        """Draw scores that were computed elsewhere.

        Parameters
        ----------
        n_pairs : array-like of shape (n_sizes,)
            Numbers of pairs trained on.
        test_scores : array-like of shape (n_sizes, n_splits)
            Scores on other data.
        ax : matplotlib Axes, default=None
            Axes to draw in. None makes a new figure.
        **options : dict
            Other arguments of the constructor.

        Returns
        -------
        ConstraintCurveDisplay
            The display, after drawing.

        Examples
        --------
        >>> from skpairclust.inspection import ConstraintCurveDisplay
        >>> display = ConstraintCurveDisplay.from_predictions(
        ...     [50, 200], [[0.7], [0.9]], score_name="accuracy"
        ... )
        >>> display.ax_.get_ylabel()
        'accuracy'
        """
        return cls(n_pairs, test_scores, **options).plot(ax=ax)

    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        log_scale: bool = True,
        show_train: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw, beside other curves for instance; None makes a figure.
        name : str, default=None
            What the legend says, instead of that of the constructor.
        log_scale : bool, default=True
            Whether numbers of pairs are on a logarithmic axis.
        show_train : bool, default=False
            Whether to draw the scores on the training pairs as well.
        **kwargs : dict
            Arguments of ``ax.plot``.

        Returns
        -------
        ConstraintCurveDisplay
            Itself.
        """
        ax = get_axes(ax, type(self).__name__)
        self.ax_, self.figure_ = ax, ax.figure
        name = name or self.name
        curves = [(self.test_scores, name or "held-out pairs", "-")]
        if show_train and self.train_scores is not None:
            curves.append((self.train_scores, f"{name or ''} training pairs", "--"))
        color = COLORS[len(ax.collections) % len(COLORS)]
        self.lines_, self.bands_ = [], []
        limits = self._limits()
        for scores, label, dashes in curves:
            style = {"color": color, "marker": "o", "linestyle": dashes} | kwargs
            with numpy_defaults():
                mean, deviation = np.mean(scores, axis=1), np.std(scores, axis=1)
            self.lines_ += ax.plot(self.n_pairs, mean, label=label.strip(), **style)
            band = np.clip(np.stack([mean - deviation, mean + deviation]), *limits)
            color_kept = self.lines_[-1].get_color()
            self.bands_.append(
                ax.fill_between(
                    self.n_pairs, *band, color=color_kept, alpha=0.2, linewidth=0
                )
            )
        if log_scale:
            ax.set_xscale("log")
            _label_sizes(ax, self.n_pairs)
        ax.set(xlabel="pairs trained on", ylabel=self.score_name)
        if len(ax.lines) > 1 or name:
            ax.legend()
        return self

    def _limits(self):
        """Return the lowest and the highest score that bands may reach."""
        if self.score_range is None:
            return -np.inf, np.inf
        if not isinstance(self.score_range, str):
            return tuple(self.score_range)
        scores = np.concatenate(
            [
                np.ravel(s)
                for s in (self.test_scores, self.train_scores)
                if s is not None
            ]
        )
        is_share = len(scores) and scores.min() >= 0 and scores.max() <= 1
        return (0.0, 1.0) if is_share else (-np.inf, np.inf)


def _label_sizes(ax, sizes):
    """Put plain numbers at the sizes measured, instead of powers of ten."""
    ax.set_xticks(sizes, [f"{size:g}" for size in sizes], minor=False)
    ax.xaxis.set_minor_locator(_no_ticks())


def _no_ticks():
    """Return a locator without ticks."""
    from matplotlib.ticker import NullLocator

    return NullLocator()
