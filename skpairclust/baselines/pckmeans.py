"""PCKMeans: k-means in which violated constraints have a cost."""

from numbers import Real
from typing import Literal, NamedTuple, Self

import numpy as np
from sklearn.utils import check_random_state

from skpairclust.baselines._base import BaseConstrainedKMeans
from skpairclust.baselines._lloyd import (
    fill_empty,
    inertia,
    mean_variance,
    means_by_label,
    nearest_centers,
    seed_centers,
    squared_distances,
)
from skpairclust.baselines._soft_assignment import SoftAssigner, seed_neighborhoods
from skpairclust.baselines._soft_pairs import list_soft_pairs
from skpairclust.constraints._mistakes import explains_names
from skpairclust.constraints._typing import AnyArray, RandomState
from skpairclust.utils._param_validation import Interval, StrOptions
from skpairclust.utils._state import new_fit

# Of the total variance. From 0.1 to 1 on digits, iris, wine and breast cancer: 0.25 is
# about as good as 1 with right pairs, and far better with a tenth of them wrong.
_AUTOMATIC_SHARE = 0.25


class PCKMeans(BaseConstrainedKMeans):
    r"""k-means in which violated constraints have a cost.

    Pairwise constrained k-means [1]_ minimizes

    .. math::

        J = \tfrac{1}{2} \sum_i \lVert x_i - \mu_{l_i} \rVert^2
        + w \sum_{(i, j) \in M} w_{ij} \, [l_i \ne l_j]
        + w \sum_{(i, j) \in C} w_{ij} \, [l_i = l_j],

    where M are the must-links, C the cannot-links and :math:`w_{ij}` the weights of
    pairs, 1 by default. Contradictory or wrong constraints can only do as much harm as
    their weights allow.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.

    w : "auto" or float, default="auto"
        Cost of a violated constraint of weight 1. A number is in units of squared
        distance, as in [1]_. "auto" is a quarter of the mean squared distance of
        samples to their mean. With a higher cost, a few wrong constraints have too
        much influence; with a lower one, right constraints are ignored.

    init : {"neighborhoods", "k-means++"}, default="neighborhoods"
        How the first centers are chosen. "neighborhoods" uses the means of must-link
        components of two or more samples. If there are more than `n_clusters`, a
        farthest-first traversal weighted by size chooses among them [1]_; if there are
        fewer, the missing centers are drawn as by k-means++. "k-means++" draws all
        centers.

    n_init : int, default=1
        Number of starts. The result with the lowest objective is kept. With
        "neighborhoods", the traversal begins at the largest component in the first
        start, and at a random one in the others.

    max_iter : int, default=300
        Maximum number of iterations per start.

    tol : float, default=1e-4
        Iterations stop when the centers move by less than this. It is a squared
        distance relative to the mean variance of the features.

    random_state : int, RandomState instance or None, default=None
        Controls the first centers.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), float64
        Means of the clusters, in lexicographic order.

    labels_ : ndarray of shape (n_samples,), int64
        Cluster of each sample of `fit`.

    objective_ : float
        The value of J.

    inertia_ : float
        The sum of squared distances of samples to their centers.

    w_ : float
        The cost of a violated constraint of weight 1.

    n_clusters_ : int
        Number of clusters in use.

    n_iter_ : int
        Number of iterations run.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`, if X had any.

    See Also
    --------
    COPKMeans : Keeps every constraint.
    MPCKMeans : Learns a metric as well.

    Notes
    -----
    Samples without constraints go to the nearest center. The labels of the other
    samples are the best of three local minima of J, each reached by moves of single
    samples. The searches start from the nearest centers, from the center nearest to
    each must-link component as a whole, and from the previous labels. Therefore J
    falls in every iteration, which the single pass in random order of [1]_ does not
    guarantee.

    Pairs from class labels, sequences and closures are listed if there are few.
    Otherwise about four pairs of each kind per sample are drawn, and their weights are
    scaled so that they count as much as all pairs.

    References
    ----------
    .. [1] Basu, Banerjee, Mooney (2004). Active semi-supervision for pairwise
       constrained clustering. SIAM International Conference on Data Mining, eq. 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skpairclust.baselines import PCKMeans
    >>> X = np.array([[0.0], [0.1], [0.9], [1.0]])
    >>> clusterer = PCKMeans(n_clusters=2, w=1.0, random_state=0)
    >>> clusterer.fit_predict(X, cannot_link=[(0, 1)])
    array([0, 1, 1, 1])
    >>> clusterer.set_params(w=0.01).fit_predict(X, cannot_link=[(0, 1)])
    array([0, 0, 1, 1])
    """

    _parameter_constraints: dict = {
        **BaseConstrainedKMeans._parameter_constraints,
        "w": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "init": [StrOptions({"neighborhoods", "k-means++"})],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        w: float | Literal["auto"] = "auto",
        init: Literal["neighborhoods", "k-means++"] = "neighborhoods",
        n_init: int = 1,
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: RandomState = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.w = w
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    @explains_names
    def fit(
        self,
        X: AnyArray,
        y: AnyArray | None = None,
        *,
        must_link: AnyArray | None = None,
        cannot_link: AnyArray | None = None,
    ) -> Self:
        """Cluster X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        y : PairwiseConstraints or array-like, default=None
            What is known about the samples: `PairwiseConstraints`; a 1-d array with one
            label per sample, a number or a name, and -1, None or NaN for none; an
            (m, 3) integer array of rows ``(i, j, r)`` with r = 1 for must-link and -1
            for cannot-link; an (n, n) array or sparse matrix of 1, -1 and 0 for
            unknown; or None. The index of a pandas object is not read: entry i is about
            row i of X.

        must_link : array-like of shape (m, 2), default=None
            Pairs of samples that belong together: positions of rows of X, from 0,
            not labels of a DataFrame's index.

        cannot_link : array-like of shape (m, 2), default=None
            Pairs of samples that do not, likewise.

        Returns
        -------
        self : PCKMeans
            Fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If an argument cannot be used.

        Warns
        -----
        UserWarning
            If must-links together contradict cannot-links.
        """
        with new_fit(self):
            X, constraints = self._check_fit(X, y, must_link, cannot_link)
            best, origin = self._run(X, constraints)
            self._store(X, constraints, best.labels, best.centers + origin)
            self.objective_, self.inertia_ = best.objective, best.inertia
            self.n_iter_ = best.n_iter
        return self

    def _run(self, X, constraints):
        """Return the best of `n_init` starts, and the mean of X. Sets `w_`."""
        rng = check_random_state(self.random_state)
        origin = X.mean(axis=0, dtype=np.float64)
        # a copy: differences from the mean keep their digits when squared
        points = X - origin.astype(X.dtype)
        variance = mean_variance(points, np.ones(len(points)))
        total = X.shape[1] * variance
        self.w_ = _AUTOMATIC_SHARE * total if self.w == "auto" else float(self.w)
        assigner = SoftAssigner(list_soft_pairs(constraints, rng), constraints)
        cost = self._price(assigner)
        runs = [
            _run_lloyd(
                points,
                self._seed(points, constraints.components(), rng, number),
                assigner,
                cost,
                self.max_iter,
                self.tol * variance,
            )
            for number in range(self.n_init)
        ]
        return min(runs, key=lambda run: run.objective), origin

    def _price(self, assigner):
        """Return the cost of each violated pair, the same for all clusters."""
        prices = self.w_ * assigner.weights
        # each end of a must-link has half of its cost
        prices[: assigner.graph.n_must] *= 0.5
        return np.broadcast_to(prices[:, None], (len(prices), self.n_clusters))

    def _seed(self, points, components, rng, number):
        """Return the first centers of a start."""
        if self.init == "k-means++":
            return seed_centers(points, np.ones(len(points)), self.n_clusters, rng)
        return seed_neighborhoods(
            points, components, self.n_clusters, rng, largest_first=number == 0
        )


class _Run(NamedTuple):
    """The outcome of one start."""

    labels: np.ndarray
    centers: np.ndarray
    objective: float
    inertia: float
    n_iter: int


def _run_lloyd(points, centers, assigner, cost, max_iter, tol):
    """Alternate between assignment and means from one start."""
    weights = np.ones(len(points))
    labels = None
    for n_iter in range(1, max_iter + 1):  # noqa: B007
        previous, labels = labels, _assign(points, centers, assigner, cost, labels)
        fill_empty(points, weights, labels, centers)
        if previous is not None and np.array_equal(labels, previous):
            break
        old, centers = centers, means_by_label(points, weights, labels, centers)[0]
        if ((centers - old) ** 2).sum() <= tol:
            labels = _assign(points, centers, assigner, cost, labels)
            break
    else:
        # labels of the last centers, as `predict` gives them
        labels = _assign(points, centers, assigner, cost, labels)
    total = inertia(points, weights, labels, centers)
    violations = assigner.violation_cost(cost, labels[assigner.nodes])
    return _Run(labels, centers, total / 2 + violations, total, n_iter)


def _assign(points, centers, assigner, cost, previous):
    """Return the label of each sample."""
    labels = nearest_centers(points, centers)
    nodes = assigner.nodes
    if len(nodes):
        unary = squared_distances(points[nodes], centers) / 2
        before = None if previous is None else previous[nodes].astype(np.int64)
        labels[nodes] = assigner.assign(unary, cost, before)
    return labels
