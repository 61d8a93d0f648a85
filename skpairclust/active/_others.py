"""Strategies to compare with: random, uncertain, and explore and consolidate."""

import numpy as np

from skpairclust.active._base import BaseQuery, random_pairs
from skpairclust.active._groups_view import GroupsView
from skpairclust.active._model_view import find_n_clusters
from skpairclust.active._placing import (
    compare,
    find_standing,
    first_comparisons,
    place_samples,
)
from skpairclust.active._samples import draw_candidates, farthest_first
from skpairclust.utils._param_validation import positive_int


class RandomQuery(BaseQuery):
    """Ask about random pairs of which nothing is known.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Controls the draw.

    See Also
    --------
    CoverQuery : Needs far fewer answers.

    Examples
    --------
    >>> import numpy as np
    >>> from skpairclust.active import RandomQuery
    >>> known = [(0, 1, 1), (1, 2, -1)]
    >>> strategy = RandomQuery(random_state=0)
    >>> pairs = strategy.query(None, np.zeros((4, 2)), known, n_queries=6)
    >>> len(pairs)  # 0 and 1 are one group, which is apart from 2
    2
    """

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def _propose(self, view, knowledge, n_queries, rng):
        """Return pairs."""
        return random_pairs(knowledge, n_queries, rng)


class UncertaintyQuery(BaseQuery):
    """Ask about the samples whose cluster the model is least sure of.

    Each is compared with the known groups, the likeliest first. Without a model, random
    samples come first, and then those that are about as far from two groups. It is
    here for comparison: uncertain samples are often alike, and of no typical kind.

    Parameters
    ----------
    max_tries : int, default=6
        Comparisons with groups after which a sample opens a new one.

    random_state : int, RandomState instance or None, default=None
        Controls the first samples, and which 10,000 are candidates if there are more.

    See Also
    --------
    CoverQuery : Typical samples first.

    References
    ----------
    .. [1] Settles (2009). Active learning literature survey. University of
       Wisconsin-Madison, section 3.1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skpairclust.active import UncertaintyQuery
    >>> from skpairclust.baselines import PCKMeans
    >>> X, y = load_iris(return_X_y=True)
    >>> known = [(0, 1, 1), (0, 50, -1), (50, 51, 1)]
    >>> model = PCKMeans(3, random_state=0).fit(X, known)
    >>> strategy = UncertaintyQuery(random_state=0)
    >>> strategy.query(model, X, known, n_queries=5).shape
    (5, 2)
    """

    _parameter_constraints: dict = {
        **BaseQuery._parameter_constraints,
        "max_tries": [positive_int()],
    }

    def __init__(self, *, max_tries=6, random_state=None):
        self.max_tries = max_tries
        self.random_state = random_state

    def _propose(self, view, knowledge, n_queries, rng):
        """Return pairs, the least certain first."""
        candidates = draw_candidates(knowledge.n_samples, rng)

        def propose_rows(groups_view, n_rows):
            rows = rng.permutation(candidates[~knowledge.is_named[candidates]])
            if groups_view is not None:
                rows = groups_view.least_sure_first(rows)
            return rows[:n_rows]

        return place_samples(view, knowledge, n_queries, self.max_tries, propose_rows)


class ExploreConsolidate(BaseQuery):
    """Find one group per cluster first, then place random samples in them.

    Explore: the sample that is farthest from all known ones is compared with every
    group, until it is in one or opens a new one. Consolidate: once there are as many
    groups as clusters, random samples are compared with the groups, the nearest first.

    Parameters
    ----------
    n_clusters : int or None, default=None
        Number of groups after which exploring ends. None is the `n_clusters` of the
        estimator; if it has none, exploring does not end.

    random_state : int, RandomState instance or None, default=None
        Controls the first sample, and those of consolidation.

    See Also
    --------
    CoverQuery : Starts with typical samples, and uses what the model learned.

    References
    ----------
    .. [1] Basu, Banerjee, Mooney (2004). Active semi-supervision for pairwise
       constrained clustering. SDM.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skpairclust.active import ExploreConsolidate
    >>> X, y = load_iris(return_X_y=True)
    >>> strategy = ExploreConsolidate(n_clusters=3, random_state=0)
    >>> strategy.query(None, X, [(0, 50, -1), (0, 100, -1)], n_queries=1)
    array([[ 50, 100]])
    """

    _parameter_constraints: dict = {
        **BaseQuery._parameter_constraints,
        "n_clusters": [positive_int(), None],
    }

    def __init__(self, n_clusters=None, *, random_state=None):
        self.n_clusters = n_clusters
        self.random_state = random_state

    def _propose(self, view, knowledge, n_queries, rng):
        """Return pairs that explore or consolidate."""
        # it looks at X, whatever a model has learned: no clusterer in the paper
        n_clusters = self.n_clusters or find_n_clusters(view.given) or np.inf
        view = type(view)(None, view.X)
        candidates = draw_candidates(knowledge.n_samples, rng)
        standing = find_standing(knowledge, max_tries=knowledge.n_samples)
        free = rng.permutation(candidates[~knowledge.is_named[candidates]])
        if not knowledge.n_groups:
            rows = free[farthest_first(view.features(free), n_queries + 1)]
            return first_comparisons(view, rows)
        if len(standing.established) < n_clusters and len(free):
            known = view.features(knowledge.members)
            n_new = max(n_queries - len(standing.open), 0)
            free = free[farthest_first(view.features(free), n_new, known)]
        open_rows = knowledge.members[knowledge.starts[standing.open]]
        rows = np.concatenate((open_rows, free))
        groups_view = GroupsView(view, knowledge, standing.established)
        return compare(groups_view, knowledge, rows[:n_queries])
