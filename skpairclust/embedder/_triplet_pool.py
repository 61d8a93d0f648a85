"""Hard examples among all samples, found on an embedding that is a few epochs old.

The conventional way to make triplets: list them before they are needed, and renew the
list every few epochs.
"""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import euclidean_distances

from skpairclust.utils._warnings import caught_warnings

POOLS = ("closest", "semihard", "violating", "kmeans", "random")

# Candidates for negatives at most, and values of a block of distances.
_N_CANDIDATES, _BLOCK_VALUES = 8192, 2**22

# Share of the negatives on a list that are drawn from any, so that the hard ones do not
# decide alone: "a mix of these hard examples, and new random examples" (Shah).
_RANDOM_SHARE = 0.5

# Triplets in a list at most.
_N_TRIPLETS = 20_000


class TripletPool:
    """Lists triplets and hard negatives of the samples of known groups.

    Parameters
    ----------
    known : KnownGroups
    margin : float
        For semi-hard negatives.
    rng : numpy.random.RandomState
    """

    def __init__(self, known, margin, rng):
        self.known = known
        self.margin = margin
        self.rng = rng
        rows = np.flatnonzero(known.groups >= 0)
        if len(rows) > _N_CANDIDATES:
            rows = np.sort(rng.choice(rows, _N_CANDIDATES, replace=False))
        self.rows = rows
        self.position = np.full(len(known.groups), -1)
        self.position[rows] = np.arange(len(rows))
        self.is_rich = np.isin(known.groups, known.rich)
        self.embedding = None

    def refresh(self, embedding):
        """Take a new embedding of `rows`, an array of shape (len(rows), d)."""
        self.embedding = embedding

    def find_negatives(self, rows):
        """Return the nearest known negative of each row, -1 where there is none."""
        if self.embedding is None:
            return self._pick(rows, lambda part: self.rng.rand(len(part), self.n_rows))
        return self._pick(rows, self._distances)

    @property
    def n_rows(self):
        """Number of candidates."""
        return len(self.rows)

    def list_triplets(self, kind):
        """Return triplets of a kind as an int64 array of shape (t, 3).

        Parameters
        ----------
        kind : {"closest", "semihard", "violating", "kmeans", "random"}
            The nearest negative of the anchor; the nearest that is beyond a random
            positive but within the margin; the farthest that is nearer than the
            positive; one that k-means puts into the anchor's cluster; or any. Where
            there is none such, the nearest. Each time that an anchor comes again it
            takes the next. Half of all negatives are drawn from any, as are all without
            an embedding yet.
        """
        anchors = self.rows[self.is_rich[self.rows]]
        n_rounds = max(1, min(10, _N_TRIPLETS // max(1, len(anchors))))
        lists = [self._list_once(anchors, kind, rank) for rank in range(n_rounds)]
        triplets = np.concatenate(lists)
        return triplets[(triplets >= 0).all(axis=1)]

    def _list_once(self, anchors, kind, rank):
        """Return a triplet of each anchor, the negative the `rank`-th of its kind."""
        positives = self._draw_positives(anchors)
        negatives = self._pick(
            anchors, lambda part: self.rng.rand(len(part), self.n_rows)
        )
        if self.embedding is not None and kind != "random":
            hard = self._pick_hard(anchors, positives, kind, rank)
            is_hard = self.rng.rand(len(anchors)) >= _RANDOM_SHARE
            negatives = np.where(is_hard, hard, negatives)
        return np.column_stack([anchors, positives, negatives])

    def _pick_hard(self, anchors, positives, kind, rank):
        """Return hard negatives of a kind, the nearest ones where there are none."""
        nearest = self._pick(anchors, self._distances, rank)
        if kind == "closest":
            return nearest
        if kind in ("semihard", "violating"):
            scores = self._scores_beside(anchors, positives, nearer=kind == "violating")
        else:
            scores = self._confusion_scores()
        found = self._pick(anchors, scores, rank)
        return np.where(found >= 0, found, nearest)

    def _draw_positives(self, anchors):
        """Return a random other member of each anchor's group."""
        groups = self.known.groups[anchors]
        members, sizes = (
            [self.known.members[g] for g in groups],
            self.known.sizes[groups],
        )
        drawn = (self.rng.rand(len(sizes)) * (sizes - 1)).astype(np.int64)
        places = np.array(
            [np.searchsorted(m, a) for m, a in zip(members, anchors, strict=True)]
        )
        # All but the anchor's own place.
        drawn += drawn >= places
        return np.array([m[i] for m, i in zip(members, drawn, strict=True)])

    def _distances(self, rows):
        """Return the distances of rows to all candidates; inf if not embedded."""
        places = self.position[rows]
        distances = euclidean_distances(self.embedding[places], self.embedding)
        distances[places < 0] = np.inf
        return distances

    def _scores_beside(self, anchors, positives, *, nearer):
        """Return a function of rows: how far candidates are from the positive.

        Inf where they are not semi-hard, or not nearer than it with `nearer`.
        """
        limit = np.full(len(self.known.groups), np.inf)
        pairs = self.position[anchors], self.position[positives]
        gap = self.embedding[pairs[0]] - self.embedding[pairs[1]]
        embedded = pairs[1] >= 0
        limit[anchors[embedded]] = np.linalg.norm(gap[embedded], axis=1)

        def scores(rows):
            distances = self._distances(rows)
            nearest = limit[rows][:, None]
            if nearer:
                fits = (distances < nearest) & np.isfinite(nearest)
                return np.where(fits, -distances, np.inf)
            fits = (distances > nearest) & (distances < nearest + self.margin)
            return np.where(fits, distances, np.inf)

        return scores

    def _confusion_scores(self):
        """Return a function of rows: finite where k-means confuses a candidate."""
        n_clusters = min(max(2, len(self.known.rich)), self.n_rows)
        kmeans = KMeans(n_clusters, n_init=1, random_state=self.rng.randint(2**31))
        # Equal embeddings are fewer clusters; the estimator warns if all are equal.
        with caught_warnings(ConvergenceWarning):
            clusters = kmeans.fit_predict(self.embedding)
        own = np.full(len(self.known.groups), -1)
        own[self.rows] = clusters

        def scores(rows):
            together = own[rows][:, None] == clusters
            return np.where(together, self.rng.rand(*together.shape), np.inf)

        return scores

    def _pick(self, rows, scores, rank=0):
        """Return each row's known negative of low finite score, or -1.

        The lowest for rank 0, the next for 1; the highest where there are no more.
        """
        picked = np.full(len(rows), -1)
        n_block = max(1, _BLOCK_VALUES // max(1, self.n_rows))
        for start in range(0, len(rows), n_block):
            part = rows[start : start + n_block]
            differs = self.known.differ(part, self.rows)
            masked = np.where(differs, scores(part), np.inf)
            n_finite = np.isfinite(masked).sum(axis=1)
            last = min(rank, masked.shape[1] - 1)
            order = np.argpartition(masked, range(last + 1), axis=1)
            place = np.clip(n_finite - 1, 0, last)
            best = order[np.arange(len(part)), place]
            picked[start : start + n_block] = np.where(n_finite, self.rows[best], -1)
        return picked
