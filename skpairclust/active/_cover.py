"""CoverQuery: typical samples first, then the uncertain and the far."""

from numbers import Integral

import numpy as np

from skpairclust.active._base import BaseQuery
from skpairclust.active._model_view import ModelView, find_n_clusters
from skpairclust.active._placing import place_samples
from skpairclust.active._samples import (
    digest,
    divide,
    draw_candidates,
    farthest_first,
)
from skpairclust.utils._param_validation import Interval, StrOptions, positive_int

# Typical samples per cluster.
_PER_CLUSTER = 5
# Cells are halved until there are so few rows to each, or so many cells.
_LEAST_ROWS, _MOST_CELLS = 4, 2000
# The most uncertain, among which those are taken that are far from each other: so many
# times the samples needed, or this share of all.
_TIMES, _SHARE = 5, 0.1
# Of the known samples, so many are looked at to find what is far from them.
_MOST_KNOWN = 4000


class CoverQuery(BaseQuery):
    r"""Ask about typical samples first, then about uncertain and far ones.

    Each sample is compared with the known groups, the likeliest first, until it is in
    one of them. After `max_tries` comparisons in vain it is the first of a new group.
    The model says which group is the likeliest, or distance does while there is no
    model. If the model thinks that two groups are one, it is asked as well.

    The first samples are typical: each is nearest to the center of a cell of k-means,
    and those of big cells come first. Then there are twice as many cells, and again;
    those in which something is known are passed over. Once cells are small, uncertain
    samples follow that are far from each other and from what is known.

    Parameters
    ----------
    n_typical : int or "auto", default="auto"
        Number of cells in the beginning. "auto" is 5 times the number of clusters of
        the estimator, or :math:`2 \sqrt{n}` of n samples if it does not say any; at
        most n / 2.

    max_tries : int, default=6
        Comparisons with groups after which a sample opens a new one.

    random_state : int, RandomState instance or None, default=None
        Controls k-means, and which 10,000 samples are candidates if there are more.

    See Also
    --------
    ActivePairLearner : Asks, fits and asks again.
    UncertaintyQuery : Only uncertain samples.

    Notes
    -----
    What the strategy knows is in its arguments, so that questions may go on anywhere.
    An object only remembers the typical samples of the last X, which it finds again
    whenever needed.

    References
    ----------
    .. [1] Basu, Banerjee, Mooney (2004). Active semi-supervision for pairwise
       constrained clustering. SDM. It compares samples with groups as is done here.
    .. [2] Gonzalez (1985). Clustering to minimize the maximum intercluster distance.
       Theoretical Computer Science 38. Chooses what is far.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skpairclust.active import CoverQuery
    >>> X, y = load_iris(return_X_y=True)
    >>> pairs = CoverQuery(random_state=0).query(None, X, None, n_queries=3)
    >>> pairs.shape
    (3, 2)
    """

    _parameter_constraints: dict = {
        **BaseQuery._parameter_constraints,
        "n_typical": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "max_tries": [positive_int()],
    }

    def __init__(self, n_typical="auto", *, max_tries=6, random_state=None):
        self.n_typical = n_typical
        self.max_tries = max_tries
        self.random_state = random_state

    def _propose(self, view, knowledge, n_queries, rng):
        """Return pairs, the most telling first."""
        candidates, found = self._remember(view, rng)
        levels = (
            self._divide(view, candidates, n_cells, found, rng)
            for n_cells in self._cell_numbers(view, len(candidates))
        )

        def propose_rows(groups_view, n_rows):
            rows = _typical(candidates, levels, knowledge, n_rows)
            others = np.setdiff1d(candidates[~knowledge.is_named[candidates]], rows)
            more = _uncertain_and_far(
                view, groups_view, knowledge, others, n_rows - len(rows)
            )
            return np.concatenate((rows, more))

        return place_samples(view, knowledge, n_queries, self.max_tries, propose_rows)

    def _cell_numbers(self, view, n_candidates):
        """Return the numbers of cells at each level, each twice that before."""
        n_typical = self.n_typical
        if n_typical == "auto":
            n_clusters = find_n_clusters(view.given)
            n_typical = 2 * int(np.sqrt(len(view)))
            if n_clusters is not None:
                n_typical = _PER_CLUSTER * n_clusters
            n_typical = min(n_typical, len(view) // 2)
        n_cells = max(min(n_typical, n_candidates), 1)
        most = max(n_cells, min(n_candidates // _LEAST_ROWS, _MOST_CELLS))
        return [n_cells << i for i in range(32) if n_cells << i <= most]

    def _remember(self, view, rng):
        """Return the candidates and their cells, those of the last X if it is that."""
        is_seeded = isinstance(self.random_state, Integral)
        key = (digest(view.X), self.random_state if is_seeded else None)
        if getattr(self, "_remembered", (None,))[0] != key:
            self._remembered = (key, draw_candidates(len(view), rng), {})
        return self._remembered[1:]

    def _divide(self, view, candidates, n_cells, found, rng):
        """Return cells of the candidates, found before or now."""
        if n_cells not in found:
            if isinstance(self.random_state, Integral):
                # the same cells, whichever level is needed first
                rng = np.random.RandomState([self.random_state, n_cells])
            # of X itself, whatever the model has learned
            features = ModelView(None, view.X).features(candidates)
            found[n_cells] = divide(features, n_cells, rng)
        return found[n_cells]


def _typical(candidates, levels, knowledge, n_rows):
    """Return typical rows of cells in which nothing is known, coarse, big cells first.

    Uncertain ones first would take more comparisons each: what is between many clusters
    is compared with most of them in vain.
    """
    rows = candidates[:0]
    for cells in levels:
        known = np.append(candidates[knowledge.is_named[candidates]], rows)
        is_left = np.ones(len(cells.typical), dtype=bool)
        is_left[cells.of_row[np.searchsorted(candidates, known)]] = False
        more = candidates[cells.typical[is_left]]
        rows = np.concatenate((rows, more[: n_rows - len(rows)]))
        if len(rows) == n_rows:
            break
    return rows


def _uncertain_and_far(view, groups_view, knowledge, rows, n_rows):
    """Return rows whose group is unclear, far from each other and what is known."""
    if not len(rows) or n_rows < 1:
        return rows[:0]
    if groups_view is not None:
        n_kept = max(_TIMES * n_rows, int(_SHARE * len(rows)))
        rows = groups_view.least_sure_first(rows)[:n_kept]
    known = knowledge.members[:: 1 + len(knowledge.members) // _MOST_KNOWN]
    known = view.features(known) if len(known) else None
    return rows[farthest_first(view.features(rows), n_rows, known)]
