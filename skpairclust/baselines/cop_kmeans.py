"""COPKMeans: k-means that keeps every constraint."""

import warnings
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from skpairclust.baselines._base import BaseConstrainedKMeans
from skpairclust.baselines._cannot_links import CannotLinkAssigner
from skpairclust.baselines._coloring import SearchExhausted, Uncolorable
from skpairclust.baselines._components import build_components, raise_impossible
from skpairclust.baselines._lloyd import (
    fill_empty,
    inertia,
    mean_variance,
    means_by_label,
    nearest_centers,
    seed_centers,
    squared_distances,
)
from skpairclust.constraints import PairwiseConstraints
from skpairclust.constraints._groups import make_relation
from skpairclust.constraints._mistakes import explains_names
from skpairclust.constraints._typing import AnyArray, RandomState
from skpairclust.utils._param_validation import positive
from skpairclust.utils._state import new_fit


class COPKMeans(BaseConstrainedKMeans):
    r"""k-means in which no constraint is violated.

    COP-KMeans [1]_ minimizes the sum of squared distances to cluster centers

    .. math::

        \sum_i w_i \, \lVert x_i - \mu_{l_i} \rVert^2
        \quad \text{subject to} \quad
        l_i = l_j \;\; \forall (i, j) \in M, \qquad
        l_i \ne l_j \;\; \forall (i, j) \in C,

    where M are the must-links, C the cannot-links and :math:`w_i` the sample
    weights. `fit` finds a clustering that keeps every constraint, or raises an error.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.

    n_init : int, default=2
        Number of starts from different centers. The result with the lowest inertia
        is kept.

    max_iter : int, default=300
        Maximum number of iterations per start.

    tol : float, default=1e-4
        Iterations stop when the centers move by less than this. It is a squared
        distance relative to the mean variance of the features.

    max_search_time : float, default=30.0
        Seconds for which `fit` may search for an assignment that keeps all
        cannot-links if simple methods fail. Most constraints need no search.

    random_state : int, RandomState instance or None, default=None
        Controls the first centers.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), float64
        Means of the clusters, in lexicographic order. If constraints leave fewer than
        `n_clusters` clusters, the remaining rows repeat the first one.

    labels_ : ndarray of shape (n_samples,), int64
        Cluster of each sample of `fit`.

    inertia_ : float
        The weighted sum of squared distances of samples to their centers.

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
    PCKMeans : Violated constraints have a cost instead of being excluded.

    Notes
    -----
    The points that are clustered are the components of the must-links, weighted by
    the number of their samples. k-means++ on these points chooses the first
    centers [2]_. All points first go to the nearest center. Then points in conflict
    move to the nearest center that is allowed, with the cheapest moves first. (The
    original algorithm makes a single pass in random order instead, which fails if
    no center is allowed.) If moves do not solve all conflicts, tabu search continues.
    If that fails too, a coloring of the graph of cannot-links is computed without
    regard to the distances, and its colors are matched to the centers. The coloring
    comes from backtracking and tabu search, after all points with fewer than
    `n_clusters` cannot-links have been removed. A new assignment is used only if it
    is better than the previous one, so the inertia falls in every iteration.

    Weights of constraints are not used, because all constraints are kept.

    References
    ----------
    .. [1] Wagstaff, Cardie, Rogers, Schroedl (2001). Constrained k-means
       clustering with background knowledge. ICML.
    .. [2] Arthur, Vassilvitskii (2007). k-means++: the advantages of careful
       seeding. SODA.

    Examples
    --------
    >>> import numpy as np
    >>> from skpairclust.baselines import COPKMeans
    >>> X = np.array([[0.0], [0.1], [1.0], [1.1]])
    >>> clusterer = COPKMeans(n_clusters=2, random_state=0)
    >>> clusterer.fit_predict(X, must_link=[(0, 3)], cannot_link=[(0, 1)])
    array([1, 0, 1, 1])
    >>> clusterer.predict([[0.0], [2.0]])
    array([0, 1])
    """

    _parameter_constraints: dict = {
        **BaseConstrainedKMeans._parameter_constraints,
        "max_search_time": [positive()],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        n_init: int = 2,
        max_iter: int = 300,
        tol: float = 1e-4,
        max_search_time: float = 30.0,
        random_state: RandomState = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.max_search_time = max_search_time
        self.random_state = random_state

    @explains_names
    def fit(
        self,
        X: AnyArray,
        y: AnyArray | None = None,
        sample_weight: ArrayLike | None = None,
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

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of samples, not negative; 1 by default.

        must_link : array-like of shape (m, 2), default=None
            Pairs of samples that belong together: positions of rows of X, from 0,
            not labels of a DataFrame's index.

        cannot_link : array-like of shape (m, 2), default=None
            Pairs of samples that do not, likewise.

        Returns
        -------
        self : COPKMeans
            Fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If an argument cannot be used, or if no clustering can keep all
            constraints. If some samples must all be in different clusters and there
            are not enough clusters, the message names these samples.
        RuntimeError
            If no such clustering was found in `max_search_time`.

        Warns
        -----
        UserWarning
            If `y` is a 1-d array of labels of more than `n_clusters` classes. Only
            the must-links within classes are then kept.
        ConvergenceWarning
            If must-links leave fewer than `n_clusters` clusters.
        """
        with new_fit(self):
            X, constraints = self._check_fit(X, y, must_link, cannot_link)
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
            if _is_label_array(y):
                constraints = _merge_surplus_classes(constraints, self.n_clusters)
            parts = build_components(X, sample_weight, constraints, self.n_clusters)
            run = self._run(parts)
            centers = run.centers + parts.origin
            self._store(X, constraints, run.labels[parts.of_sample], centers)
            self.inertia_ = run.inertia + parts.scatter
            self.n_iter_ = run.n_iter
        return self

    @explains_names
    def fit_predict(
        self,
        X: AnyArray,
        y: AnyArray | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        must_link: AnyArray | None = None,
        cannot_link: AnyArray | None = None,
    ) -> NDArray[np.int64]:
        """Cluster X and return the cluster of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        y : PairwiseConstraints or array-like, default=None
            What is known, as in `fit`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of samples, as in `fit`.

        must_link, cannot_link : array-like of shape (m, 2), default=None
            Pairs of row numbers, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            Clusters, which keep all constraints.
        """
        self.fit(X, y, sample_weight, must_link=must_link, cannot_link=cannot_link)
        return self.labels_

    def _run(self, parts):
        """Return the best of `n_init` starts."""
        rng = check_random_state(self.random_state)
        n_labels = min(self.n_clusters, len(parts.points))
        assigner = None
        if len(parts.pairs):
            n_linked = len(parts.points) - parts.n_free
            assigner = CannotLinkAssigner(
                parts.pairs, n_linked, n_labels, rng, self.max_search_time
            )
        try:
            runs = [
                _run_lloyd(parts, n_labels, assigner, rng, self.max_iter, self.tol)
                for _ in range(self.n_init)
            ]
        except Uncolorable as error:
            self._raise_uncolorable(parts, error.clique)
        except SearchExhausted:
            raise RuntimeError(
                f"No assignment to n_clusters={self.n_clusters} that keeps all "
                f"cannot-links was found in max_search_time={self.max_search_time} s, "
                "and none was proven impossible. Raise either, or use PCKMeans, which "
                "may violate constraints."
            ) from None
        return min(runs, key=lambda run: run.inertia)

    def _raise_uncolorable(self, parts, clique):
        """Raise the error that says why there is no solution."""
        if clique is not None:
            samples = parts.first[parts.n_free + np.asarray(clique)]
            raise_impossible(samples, self.n_clusters)
        raise ValueError(
            f"No clustering into n_clusters={self.n_clusters} can keep all "
            "constraints: every assignment to that many clusters violates a "
            "cannot-link, though no single set of samples that must all be apart is "
            "to blame. Raise n_clusters, remove constraints, or use PCKMeans, which "
            "may violate them."
        ) from None


class _Run(NamedTuple):
    """The outcome of one start."""

    labels: np.ndarray
    centers: np.ndarray
    inertia: float
    n_iter: int


def _is_label_array(y):
    """Whether y, which was accepted, is an array with one label per sample."""
    return (
        y is not None
        and not isinstance(y, PairwiseConstraints)
        and not hasattr(y, "tocsr")
        and np.asarray(y).ndim == 1
    )


def _merge_surplus_classes(constraints, n_clusters):
    """Drop the cannot-links of labels if there are more classes than clusters."""
    relations = constraints._relations
    if not relations or relations[0].n_groups <= n_clusters:
        return constraints
    warnings.warn(
        f"y holds labels of {relations[0].n_groups} classes, but n_clusters="
        f"{n_clusters}: classes have to share clusters, so that only the must-links "
        "within classes are kept. Pass PairwiseConstraints.from_labels(y) for an "
        "error instead.",
        UserWarning,
        stacklevel=4,
    )
    none = np.empty((0, 2), dtype=np.int64)
    return constraints._from_parts(
        constraints.n_samples,
        (constraints._must_link, constraints._must_link_weight),
        (constraints._cannot_link, constraints._cannot_link_weight),
        make_relation(relations[0].groups, none),
    )


def _run_lloyd(parts, n_labels, assigner, rng, max_iter, tol):
    """Alternate between assignment and means from one start."""
    points, weights = parts.points, parts.weights
    tol = tol * mean_variance(points, weights)
    centers = seed_centers(points, weights, n_labels, rng)
    labels = None
    for n_iter in range(1, max_iter + 1):  # noqa: B007
        previous, labels = labels, _assign(parts, centers, assigner, labels)
        fill_empty(points, weights, labels, centers)
        if previous is not None and np.array_equal(labels, previous):
            break
        old, centers = centers, means_by_label(points, weights, labels, centers)[0]
        if ((centers - old) ** 2).sum() <= tol:
            labels = _assign(parts, centers, assigner, labels)
            break
    else:
        # labels of the last centers, as `predict` gives them
        labels = _assign(parts, centers, assigner, labels)
    return _Run(labels, centers, inertia(points, weights, labels, centers), n_iter)


def _assign(parts, centers, assigner, previous):
    """Return the label of each point."""
    n_free = parts.n_free
    labels = nearest_centers(parts.points[:n_free], centers)
    if assigner is None:
        return labels
    unary = squared_distances(parts.points[n_free:], centers)
    unary *= parts.weights[n_free:, None]
    before = None if previous is None else previous[n_free:].astype(np.int64)
    linked = assigner.assign(unary, before)
    return np.concatenate((labels, linked.astype(labels.dtype)))
