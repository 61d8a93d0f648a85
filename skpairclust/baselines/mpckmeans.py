"""MPCKMeans: k-means that pays for violated constraints and learns metrics."""

from numbers import Real
from typing import Literal, NamedTuple, Self

import numpy as np
from sklearn.utils import check_random_state

from skpairclust.baselines._base import BaseConstrainedKMeans
from skpairclust.baselines._lloyd import (
    fill_empty,
    first_equal,
    means_by_label,
    seed_centers,
)
from skpairclust.baselines._metrics import (
    distances_to_centers,
    farthest_gaps,
    invert,
    log_determinants,
    own_squared_lengths,
    products_by_label,
    scatter_by_label,
    squared_lengths,
    unit_metrics,
)
from skpairclust.baselines._soft_assignment import SoftAssigner, seed_neighborhoods
from skpairclust.baselines._soft_pairs import list_soft_pairs
from skpairclust.constraints._mistakes import explains_names
from skpairclust.constraints._typing import AnyArray, RandomState
from skpairclust.utils._param_validation import Interval, StrOptions, positive
from skpairclust.utils._state import new_fit


class MPCKMeans(BaseConstrainedKMeans):
    r"""k-means that learns metrics in which constraints are easier to keep.

    Metric pairwise constrained k-means [1]_ minimizes

    .. math::

        J = \sum_i \left( \lVert x_i - \mu_{l_i} \rVert_{A_{l_i}}^2
        - \log \det A_{l_i} \right)
        + w \sum_{(i, j) \in M} w_{ij} \, f_M \, [l_i \ne l_j]
        + w \sum_{(i, j) \in C} w_{ij} \, f_C \, [l_i = l_j],

    where M are the must-links, C the cannot-links, :math:`w_{ij}` the weights of
    pairs, 1 by default, and

    .. math::

        f_M = \tfrac{1}{2} \lVert x_i - x_j \rVert_{A_{l_i}}^2
            + \tfrac{1}{2} \lVert x_i - x_j \rVert_{A_{l_j}}^2, \qquad
        f_C = \lVert x' - x'' \rVert_{A_{l_i}}^2
            - \lVert x_i - x_j \rVert_{A_{l_i}}^2

    where :math:`x', x''` are two samples that are far apart under the metric. A
    violated must-link between distant samples, and a violated cannot-link between near
    ones, cost most and therefore change the metrics most.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.

    metric : {"diagonal", "full"}, default="diagonal"
        Whether the matrices A are diagonal, with one weight per feature, or full.

    shared_metric : bool, default=False
        Whether all clusters have the same metric.

    w : float, default=1.0
        Cost of a violated constraint of weight 1, relative to the distances.

    regularization : float, default=0.03
        Number that is added to the variances from which metrics are estimated,
        relative to the mean variance of the features within clusters. It prevents
        features that hardly vary in a cluster from dominating. In [1]_, just as much is
        added as is needed to make the matrix invertible.

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

    max_iter : int, default=100
        Maximum number of iterations per start.

    tol : float, default=1e-4
        Iterations stop when the objective falls by less than this, relative to the
        number of samples and features.

    random_state : int, RandomState instance or None, default=None
        Controls the first centers.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), float64
        Means of the clusters, in lexicographic order.

    metrics_ : ndarray of shape (n_clusters, n_features[, n_features]), float64
        The diagonals, or the matrices, of the metric of each cluster.

    labels_ : ndarray of shape (n_samples,), int64
        Cluster of each sample of `fit`.

    objective_ : float
        The value of J.

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
    PCKMeans : Without a learned metric.

    Notes
    -----
    Samples without constraints go to the cluster in which they cost least. The labels
    of the other samples are the best of three local minima of J, each reached by moves
    of single samples. The searches start from these clusters, from the best cluster of
    each must-link component as a whole, and from the previous labels.

    The samples :math:`x', x''` are found by a few hops from a sample to the one
    farthest from it, instead of comparing all pairs. If a cannot-link is longer than
    their distance, its length is used instead. Pairs from class labels, sequences and
    closures are listed if there are few. Otherwise about four pairs of each kind per
    sample are drawn, and their weights are scaled so that they count as much as all
    pairs.

    References
    ----------
    .. [1] Bilenko, Basu, Mooney (2004). Integrating constraints and metric learning
       in semi-supervised clustering. ICML, eq. 5-8.

    Examples
    --------
    >>> import numpy as np
    >>> from skpairclust.baselines import MPCKMeans
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 20)
    >>> X = np.column_stack((y, rng.normal(size=40)))
    >>> known = np.where(np.arange(40) % 3 == 0, y, -1)
    >>> clusterer = MPCKMeans(n_clusters=2, random_state=0).fit(X, known)
    >>> clusterer.predict([[0.0, 2.0], [0.0, -2.0], [1.0, 2.0], [1.0, -2.0]])
    array([0, 0, 1, 1])
    >>> bool((clusterer.metrics_[:, 0] > 10 * clusterer.metrics_[:, 1]).all())
    True
    """

    _parameter_constraints: dict = {
        **BaseConstrainedKMeans._parameter_constraints,
        "metric": [StrOptions({"diagonal", "full"})],
        "shared_metric": ["boolean"],
        "w": [Interval(Real, 0, None, closed="left")],
        "regularization": [positive()],
        "init": [StrOptions({"neighborhoods", "k-means++"})],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        metric: Literal["diagonal", "full"] = "diagonal",
        shared_metric: bool = False,
        w: float = 1.0,
        regularization: float = 0.03,
        init: Literal["neighborhoods", "k-means++"] = "neighborhoods",
        n_init: int = 1,
        max_iter: int = 100,
        tol: float = 1e-4,
        random_state: RandomState = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.metric = metric
        self.shared_metric = shared_metric
        self.w = w
        self.regularization = regularization
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
        """Cluster X and learn the metrics.

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
        self : MPCKMeans
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
            self._origin = X.mean(axis=0, dtype=np.float64)
            # a copy: differences from the mean keep their digits when squared
            best = self._run(X - self._origin, constraints)
            centers = best.centers + self._origin
            self._store(X, constraints, best.labels, centers, metrics_=best.metrics)
            self.objective_ = best.objective
            self.n_iter_ = best.n_iter
        return self

    def _run(self, points, constraints):
        """Return the best of `n_init` starts."""
        rng = check_random_state(self.random_state)
        problem = _Problem(
            points,
            SoftAssigner(list_soft_pairs(constraints, rng), constraints),
            float(self.w),
            float(self.regularization),
            self.metric == "full",
            self.shared_metric,
        )
        runs = []
        for number in range(self.n_init):
            centers = self._seed(points, constraints.components(), rng, number)
            runs.append(_run(problem, centers, self.max_iter, self.tol))
        return min(runs, key=lambda run: run.objective)

    def _seed(self, points, components, rng, number):
        """Return the first centers of a start."""
        if self.init == "k-means++":
            return seed_centers(points, np.ones(len(points)), self.n_clusters, rng)
        return seed_neighborhoods(
            points, components, self.n_clusters, rng, largest_first=number == 0
        )

    def _nearest(self, X):
        """Return the cluster in which each sample costs least."""
        costs = self._squared_distances(X) - log_determinants(self.metrics_)
        labels = costs.argmin(axis=1)
        return first_equal(self.cluster_centers_, self.metrics_)[labels]

    def _distances(self, X):
        """Return the distances to the centers under their metrics."""
        return np.sqrt(self._squared_distances(X)).astype(X.dtype, copy=False)

    def _squared_distances(self, X):
        centers = self.cluster_centers_ - self._origin
        return distances_to_centers(X - self._origin, centers, self.metrics_)


class _Problem(NamedTuple):
    """What stays the same in all starts."""

    points: np.ndarray
    assigner: SoftAssigner
    w: float
    regularization: float
    is_full: bool
    is_shared: bool


class _Run(NamedTuple):
    """The outcome of one start."""

    labels: np.ndarray
    centers: np.ndarray
    metrics: np.ndarray
    objective: float
    n_iter: int


def _run(problem, centers, max_iter, tol):
    """Alternate between labels, means and metrics from one start."""
    points, assigner = problem.points, problem.assigner
    weights = np.ones(len(points))
    metrics = unit_metrics(*centers.shape, is_full=problem.is_full)
    pairs = assigner.nodes[assigner.graph.pairs]
    gaps = points[pairs[:, 0]] - points[pairs[:, 1]]
    best, labels = None, None
    for n_iter in range(1, max_iter + 1):
        cost, extents = _prices(problem, gaps, metrics)
        unary = distances_to_centers(points, centers, metrics)
        unary -= log_determinants(metrics)
        labels = _assign(assigner, unary, cost, labels, (centers, metrics))
        fill_empty(points, weights, labels, centers)
        objective = float(unary[np.arange(len(labels)), labels].sum())
        objective += assigner.violation_cost(cost, labels[assigner.nodes])
        # metrics that extend the farthest samples may raise the objective
        if best is not None and not objective < best.objective - tol * points.size:
            break
        best = _Run(labels, centers, metrics, objective, n_iter)
        centers, totals = means_by_label(points, weights, labels, centers)
        metrics = _estimate(problem, gaps, extents, labels, centers, totals)
        # clusters without samples repeat another one
        metrics[totals == 0] = metrics[labels.min()]
    return best


def _prices(problem, gaps, metrics):
    """Return the costs of violated pairs, and the longest differences."""
    graph, weights = problem.assigner.graph, problem.w * problem.assigner.weights
    cost = squared_lengths(gaps, metrics)
    extents = farthest_gaps(problem.points, metrics)
    longest = own_squared_lengths(extents, metrics)
    cannot = slice(graph.n_must, None)
    if len(gaps) > graph.n_must:
        # no cannot-link may be longer, or it would pay to violate it
        rows = cost[cannot].argmax(axis=0)
        lengths = cost[cannot][rows, np.arange(len(metrics))]
        longer = lengths > longest
        extents[longer] = gaps[cannot][rows[longer]]
        longest = np.maximum(longest, lengths)
    cost[cannot] = longest - cost[cannot]
    # of a must-link each end pays half
    cost[: graph.n_must] *= 0.5
    return cost * weights[:, None], extents


def _assign(assigner, unary, cost, previous, clusters):
    """Return the label of each sample."""
    labels = first_equal(*clusters)[unary.argmin(axis=1)]
    nodes = assigner.nodes
    if len(nodes):
        before = None if previous is None else previous[nodes]
        labels[nodes] = assigner.assign(unary[nodes], cost, before)
    return labels


def _estimate(problem, gaps, extents, labels, centers, totals):
    """Return the metrics that minimize the objective for these labels."""
    graph, is_full = problem.assigner.graph, problem.is_full
    weights = problem.w * problem.assigner.weights
    scatters = scatter_by_label(problem.points, labels, centers, is_full=is_full)
    # the mean variance within clusters is the unit of the regularization
    traces = np.trace(scatters, axis1=1, axis2=2) if is_full else scatters.sum(axis=1)
    ridge = problem.regularization * traces.sum() / problem.points.size
    ends = labels[problem.assigner.nodes[graph.pairs]]
    violated = graph.violated(labels[problem.assigner.nodes])
    must = np.flatnonzero(violated[: graph.n_must])
    cannot = graph.n_must + np.flatnonzero(violated[graph.n_must :])
    for end in (0, 1):
        scatters += products_by_label(
            gaps[must],
            weights[must] / 2,
            ends[must, end],
            len(centers),
            is_full=is_full,
        )
    own = ends[cannot, 0]
    for sign, vectors in ((1.0, extents[own]), (-1.0, gaps[cannot])):
        scatters += sign * products_by_label(
            vectors, weights[cannot], own, len(centers), is_full=is_full
        )
    if problem.is_shared:
        scatters = np.broadcast_to(scatters.sum(axis=0), scatters.shape)
        totals = np.full(len(totals), totals.sum())
    # data without any spread leaves the metric as it is
    return invert(scatters, totals, ridge if ridge > 0 else 1.0)
