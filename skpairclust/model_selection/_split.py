"""ConstraintKFold: a splitter that looks at the pairs."""

from numbers import Integral

from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._pairs import count_samples
from skpairclust.constraints._supervision import check_supervision
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
    This splitter looks at the constraints in `y` instead. No pair is ever trained
    and tested on in one split.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, 2 at least.

    method : {"auto", "component", "cover", "row"}, default="auto"
        - "component" keeps samples together that pairs of either kind connect. It
          loses no pair, but cannot divide the giant component that forms once
          there are more than about half as many random pairs as samples.
        - "cover" deals out pairs. It tests on all samples that a fold's pairs name
          and trains on everything but a vertex cover of the pairs among these: of
          each tested pair one sample at least is unseen. Pairs that are implied
          by labels or closures are listed.
        - "row" deals out samples, evenly from each class, as stratified k-fold
          cross-validation does; labels of few samples are dealt out two by two.
          Samples without pairs are always trained on. For class labels, which
          imply so many pairs that those across folds can be spared.
        - "auto" takes "component" if no component has more than 1/k of the pairs;
          else "cover" if all pairs are explicit and each fold keeps more than half
          of them for training; else "row".

    random_state : int, RandomState instance or None, default=None
        Decides what goes into which fold. Pass an int for the same folds in every
        call of `split`.

    Attributes
    ----------
    method_ : {"component", "cover", "row"}
        The method used in the last call of `split`.

    report_ : dict of str to ndarray of shape (n_splits,)
        Of the last call of `split`: the shares of all pairs that are trained on
        ("train_share"), tested on ("test_share") or neither ("dropped_share");
        the share of tested pairs that follow from training pairs
        ("entailed_share", always 0); the share of samples trained on
        ("row_share"). ``pandas.DataFrame(cv.report_)`` is a table of them.

    See Also
    --------
    cross_validate_constraints : Cross-validation that reports these shares.
    PairClassifier : Splits pairs, with all samples in every fit.

    Notes
    -----
    With "cover", samples can be in both the training and the test set: their
    features are seen in training, the tested pairs are not. Scores against labels
    should then be computed with another splitter.

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

    def __init__(self, n_splits=5, *, method="auto", random_state=None):
        self.n_splits = n_splits
        self.method = method
        self.random_state = random_state

    def split(self, X, y=None, groups=None):
        """Divide the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples; only their number matters.

        y : PairwiseConstraints or array-like
            Any supervision that `fit` takes.

        groups : object
            Ignored, exists for compatibility.

        Returns
        -------
        iterator of (train, test)
            Row numbers, sorted int64 arrays.

        Raises
        ------
        ValueError
            If `y` is None, a parameter is wrong, or a fold would have no pair to
            train or to test on.
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

    def get_n_splits(self, X=None, y=None, groups=None):
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
