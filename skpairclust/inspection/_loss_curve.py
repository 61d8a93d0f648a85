"""LossCurveDisplay: the loss of a training by epoch."""

from typing import Any, Self

import numpy as np

from skpairclust.constraints._typing import AnyArray
from skpairclust.inspection._style import COLORS, get_axes


class LossCurveDisplay:
    """Training loss by epoch.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Mean loss of each epoch.
    name : str, default=None
        What the legend says.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn last.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    line_ : matplotlib Line2D
        The curve.

    Examples
    --------
    >>> from skpairclust.inspection import LossCurveDisplay
    >>> display = LossCurveDisplay([1.0, 0.6, 0.4], name="a fit").plot()
    >>> display.line_.get_ydata().tolist()
    [1.0, 0.6, 0.4]
    """

    def __init__(self, loss_curve: AnyArray, *, name: str | None = None) -> None:
        self.loss_curve = loss_curve
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, name: str | None = None, ax: Any = None, **kwargs: Any
    ) -> Self:
        """Draw the loss of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `loss_curve_`; or a pipeline or a search that holds one.
        name : str, default=None
            What the legend says.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Arguments of ``ax.plot``.

        Returns
        -------
        LossCurveDisplay
            With its axes.

        Raises
        ------
        TypeError
            If there is no loss curve in it.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skpairclust import ConstrainedNeuralClusterer
        >>> from skpairclust.inspection import LossCurveDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> model = ConstrainedNeuralClusterer(3, max_iter=5, random_state=0).fit(X, y)
        >>> len(LossCurveDisplay.from_estimator(model).loss_curve)
        5
        """
        return cls(_find_loss_curve(estimator), name=name).plot(ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        loss_curve: AnyArray,
        *,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw losses that were kept elsewhere.

        Parameters
        ----------
        loss_curve : array-like of shape (n_epochs,)
            Mean loss of each epoch.
        name : str, default=None
            What the legend says.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Arguments of ``ax.plot``.

        Returns
        -------
        LossCurveDisplay
            With its axes.

        Examples
        --------
        >>> from skpairclust.inspection import LossCurveDisplay
        >>> LossCurveDisplay.from_predictions([2, 1]).ax_.get_ylabel()
        'training loss'
        """
        return cls(loss_curve, name=name).plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw, beside other curves for instance; None makes a figure.
        name : str, default=None
            What the legend says, instead of that of the constructor.
        **kwargs : dict
            Arguments of ``ax.plot``.

        Returns
        -------
        LossCurveDisplay
            Itself.
        """
        ax = get_axes(ax, type(self).__name__)
        self.ax_, self.figure_ = ax, ax.figure
        name = name or self.name
        style = {"color": COLORS[len(ax.lines) % len(COLORS)], "label": name} | kwargs
        epochs = np.arange(1, len(self.loss_curve) + 1)
        (self.line_,) = ax.plot(epochs, self.loss_curve, **style)
        ax.set(xlabel="epoch", ylabel="training loss")
        ax.xaxis.get_major_locator().set_params(integer=True)
        if name:
            ax.legend()
        return self


def _find_loss_curve(estimator):
    """Return the loss curve of an estimator, or of what it holds."""
    seen = estimator
    while not hasattr(seen, "loss_curve_"):
        if hasattr(seen, "best_estimator_"):
            seen = seen.best_estimator_
        elif hasattr(seen, "steps"):
            seen = seen.steps[-1][1]
        elif hasattr(seen, "estimator_"):
            seen = seen.estimator_
        else:
            raise TypeError(
                f"{type(estimator).__name__} has no loss_curve_: fit an estimator that "
                "trains a network, or use from_predictions."
            )
    return seen.loss_curve_
