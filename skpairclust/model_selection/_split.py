"""ConstraintKFold: a splitter that takes the pairs into account."""

from collections.abc import Iterator
from numbers import Integral
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._pairs import count_samples
from skpairclust.constraints._supervision import check_supervision
from skpairclust.constraints._typing import AnyArray, RandomState
from skpairclust.model_selection._folds import (
    component_folds,
    count_by_component,
    cover_folds,
    row_folds,
)
from skpairclust.model_selection._report import describe_row_splits, raise_if_empty

_MAKERS = {"component": component_folds, "cover": cover_folds, "row": row_folds}

# "auto" leaves the cover when it keeps fewer pairs than this for training.
_LEAST_TRAIN_SHARE = 0.5


class ConstraintKFold(BaseCrossValidator):
    """K folds of samples that keep pairs for training and whole pairs for testing.

    Plain k-fold cross-validation keeps a pair for training with probability
    ``(1 - 1/k)**2`` and for testing with ``1/k**2``: with five folds .64 and .04.
    This splitter uses the constraints in `y` to keep more pairs. No pair is used for
    both training and testing in one split.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.

    method : {"auto", "component", "cover", "row"}, default="auto"
        - "component" keeps samples together that are connected by pairs of either
          kind. It loses no pair. However, it cannot divide the giant component that
          forms if there are more than about half as many random pairs as samples.
        - "cover" divides the pairs into folds. It tests on all samples in the pairs
          of a fold. It trains on all samples except a vertex cover of the pairs among
          the tested samples, so that at least one sample of each tested pair is new.
          Pairs that are implied by labels or closures are listed.
        - "row" divides the samples into folds, evenly from each class, as stratified
          k-fold cross-validation does. Two samples of a class go to a fold at a time,
          so that small classes keep must-links. Samples without pairs are always used
          for training. It suits class labels, which imply so many pairs that those
          across folds are not needed.
        - "auto" uses "component" if no component has more than 1/k of the pairs;
          otherwise "cover" if all pairs are explicit and each fold keeps more than
          half of them for training; otherwise "row".

    random_state : int, RandomState instance or None, default=None
        Controls which samples go to which fold. Pass an int to get the same folds in
        every call of `split`.

    Attributes
    ----------
    method_ : {"component", "cover", "row"}
        The method used in the last call of `split`.

    report_ : dict of str to ndarray of shape (n_splits,)
        Describes the last call of `split`. "train_share", "test_share" and
        "dropped_share" are the shares of all pairs that are used for training, for
        testing, and not at all. "entailed_share" is the share of tested pairs that
        follow from training pairs, which is always 0. "row_share" is the share of
        samples used for training. ``pandas.DataFrame(cv.report_)`` makes a table.

    See Also
    --------
    cross_validate_constraints : Cross-validation that reports these shares.
    PairClassifier : Splits pairs, with all samples in every fit.

    Notes
    -----
    With "cover", a sample can be in both the training and the test set. Its features
    are then seen in training, but the tested pairs are not. Use another splitter to
    compute scores against labels.

    Examples
    --------
    >>> import numpy as np
    >>> from skpairclust import PairwiseConstraints
    >>> from skpairclust.model_selection import ConstraintKFold
    >>> labels = np.arange(2000) % 10
    >>> pairs = PairwiseConstraints.sample_from_labels(labels, 2000, random_state=0)
    >>> cv = ConstraintKFold(5, random_state=0)
    >>> for train, test in cv.split(np.zeros((2000, 3)), pairs):
    ...     assert pairs[train].n_pairs > 1000 and pairs[test].n_pairs > 500
    >>> cv.method_
    'cover'
    >>> cv.report_["dropped_share"].round(1)
    array([0.1, 0.1, 0.1, 0.1, 0.1])
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        method: Literal["auto", "cover", "component", "row"] = "auto",
        random_state: RandomState = None,
    ) -> None:
        self.n_splits = n_splits
        self.method = method
        self.random_state = random_state

    def split(
        self, X: AnyArray, y: AnyArray | None = None, groups: AnyArray | None = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Divide the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples; only their number matters.

        y : PairwiseConstraints or array-like
            Any supervision that `fit` accepts.

        groups : object
            Ignored, exists for compatibility.

        Returns
        -------
        iterator of (train, test)
            Row numbers, sorted int64 arrays.

        Raises
        ------
        ValueError
            If `y` is None, a parameter is invalid, or a fold would have no pair for
            training or for testing.
        """
        self._check_params()
        constraints = _read_constraints(X, y)
        if self.method == "auto":
            self.method_, folds = self._choose(constraints)
        else:
            self.method_ = self.method
            folds = self._make_folds(constraints, self.method)
        self.report_ = describe_row_splits(constraints, folds)
        what = f"ConstraintKFold(n_splits={self.n_splits}, method={self.method_!r})"
        raise_if_empty(self.report_, what, "another method, fewer splits or more pairs")
        return iter(folds)

    def get_n_splits(
        self,
        X: AnyArray | None = None,
        y: AnyArray | None = None,
        groups: AnyArray | None = None,
    ) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored, exist for compatibility.

        Returns
        -------
        int
        """
        return self.n_splits

    def _check_params(self):
        """Raise unless the parameters can be used."""
        n_splits = self.n_splits
        if not isinstance(n_splits, Integral) or isinstance(n_splits, bool):
            raise TypeError(f"n_splits must be an integer; got {n_splits!r}.")
        if n_splits < 2:
            raise ValueError(f"n_splits must be 2 at least; got {n_splits}.")
        if self.method != "auto" and self.method not in _MAKERS:
            raise ValueError(
                f"method must be 'auto' or one of {sorted(_MAKERS)}; got "
                f"{self.method!r}."
            )

    def _make_folds(self, constraints, method, **options):
        """Return the folds that a method makes."""
        rng = check_random_state(self.random_state)
        return _MAKERS[method](constraints, self.n_splits, rng, **options)

    def _choose(self, constraints):
        """Return the method that suits the constraints, and its folds."""
        counts = count_by_component(constraints)[1].sum(axis=1)
        if 0 < counts.max(initial=0) * self.n_splits <= counts.sum():
            return "component", self._make_folds(constraints, "component")
        rows = self._make_folds(constraints, "row")
        if constraints._relations or not constraints.n_pairs:
            return "row", rows
        # of few, dense pairs none may lie within a fold's rows
        is_tested = all(constraints[test].n_pairs for _, test in rows)
        least_share = _LEAST_TRAIN_SHARE if is_tested else None
        cover = self._make_folds(constraints, "cover", least_share=least_share)
        return ("row", rows) if cover is None else ("cover", cover)


def _read_constraints(X, y):
    """Return the constraints in y, or say that there are none."""
    if y is None:
        raise ValueError(
            "ConstraintKFold divides pairs, but y is None: pass PairwiseConstraints "
            "(or labels) as y, or use sklearn.model_selection.KFold."
        )
    n_samples = count_samples(X)
    if isinstance(y, PairwiseConstraints) and y.n_samples == n_samples:
        return y
    return check_supervision(y, n_samples=n_samples)
