"""ActiveCurveDisplay: how far questions have come, by number of answers."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from skpairclust.constraints._typing import AnyArray
from skpairclust.inspection._style import COLORS, get_axes


class ActiveCurveDisplay:
    """Curves against the number of answers.

    :meth:`from_estimator` draws two signs that need no labels: the share of first
    guesses that were right, and the agreement of each fit with the next. Both rise
    until more answers hardly help. :meth:`from_predictions` draws scores, for instance
    of chosen and of random pairs side by side.

    Parameters
    ----------
    n_answers : list of array-like of shape (n_points,)
        Numbers of answers, one array per curve.
    values : list of array-like of shape (n_points,)
        What is drawn against them.
    names : list of str
        A name per curve, for the legend.
    value_name : str, default="share"
        Name of the vertical axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last drawing.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    lines_ : list of matplotlib Line2D
        The curves.

    See Also
    --------
    skpairclust.active.ActivePairLearner : Asks the questions.

    Examples
    --------
    >>> from skpairclust.inspection import ActiveCurveDisplay
    >>> display = ActiveCurveDisplay([[50, 100]], [[0.6, 0.9]], ["chosen"]).plot()
    >>> display.lines_[0].get_ydata().tolist()
    [0.6, 0.9]
    """

    def __init__(
        self,
        n_answers: Sequence[AnyArray],
        values: Sequence[AnyArray],
        names: Sequence[str],
        *,
        value_name: str = "share",
    ) -> None:
        self.n_answers = n_answers
        self.values = values
        self.names = names
        self.value_name = value_name

    @classmethod
    def from_estimator(
        cls, learner: Any, *, window: int = 20, ax: Any = None, **kwargs: Any
    ) -> Self:
        """Draw how far a learner has come.

        Parameters
        ----------
        learner : ActivePairLearner
            With some answers.
        window : int, default=20
            First guesses over which the share of right ones is taken.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Arguments of ``ax.plot``.

        Returns
        -------
        ActiveCurveDisplay
            The display, after drawing.

        Raises
        ------
        TypeError
            If it has no answers to draw.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skpairclust.active import ActivePairLearner
        >>> from skpairclust.baselines import PCKMeans
        >>> from skpairclust.inspection import ActiveCurveDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> learner = ActivePairLearner(PCKMeans(3), n_queries=30, random_state=0)
        >>> learner = learner.fit(
        ...     X, oracle=lambda pairs: np.where(np.ptp(y[pairs], axis=1) == 0, 1, -1)
        ... )
        >>> ActiveCurveDisplay.from_estimator(learner).names
        ['first guesses that were right', 'agreement with the fit before']
        """
        if not getattr(learner, "history_", None):
            raise TypeError(
                f"{type(learner).__name__} has no answers to draw: call fit(X, "
                "oracle=...) or tell(pairs, answers) first, or use from_predictions."
            )
        guesses = _guesses(learner.history_, window)
        agreements = learner.agreements_
        curves = [("first guesses that were right", *guesses)]
        if len(agreements):
            n_answers, shares = np.transpose(agreements)
            curves.append(("agreement with the fit before", n_answers, shares))
        names, n_answers, values = (list(part) for part in zip(*curves, strict=True))
        return cls(n_answers, values, names).plot(ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        n_answers: AnyArray,
        values: Mapping[str, AnyArray],
        *,
        ax: Any = None,
        value_name: str = "score",
    ) -> Self:
        """Draw scores that were computed elsewhere.

        Parameters
        ----------
        n_answers : array-like of shape (n_points,)
            Numbers of answers.
        values : dict of str to array-like of shape (n_points,)
            Scores by the name of what they are of.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        value_name : str, default="score"
            Name of the vertical axis.

        Returns
        -------
        ActiveCurveDisplay
            The display, after drawing.

        Examples
        --------
        >>> from skpairclust.inspection import ActiveCurveDisplay
        >>> display = ActiveCurveDisplay.from_predictions(
        ...     [100, 200], {"chosen": [0.8, 0.9], "random": [0.6, 0.7]}
        ... )
        >>> display.ax_.get_xlabel()
        'answers'
        """
        display = cls(
            [n_answers] * len(values),
            list(values.values()),
            list(values),
            value_name=value_name,
        )
        return display.plot(ax=ax)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Arguments of ``ax.plot``.

        Returns
        -------
        ActiveCurveDisplay
            Itself.
        """
        ax = get_axes(ax, type(self).__name__)
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, []
        for curve in zip(self.n_answers, self.values, self.names, strict=True):
            n_answers, values, name = curve
            color = COLORS[len(ax.lines) % len(COLORS)]
            style = {"color": color, "marker": "o", "markersize": 3, "label": name}
            self.lines_ += ax.plot(n_answers, values, **(style | kwargs))
        ax.set(xlabel="answers", ylabel=self.value_name)
        ax.legend()
        return self


def _guesses(history, window):
    """Return the numbers of answers, and the running share of right first guesses."""
    told = [
        (number, row["answer"] > 0)
        for number, row in enumerate(history, start=1)
        if row["is_first"] and row["answer"]
    ]
    numbers, right = np.array(told, dtype=np.float64).reshape(-1, 2).T
    total = np.concatenate(([0], np.cumsum(right)))
    first = np.maximum(np.arange(1, len(right) + 1) - window, 0)
    last = np.arange(1, len(right) + 1)
    return numbers.astype(np.int64), (total[last] - total[first]) / (last - first)
