"""Known groups as a model sees them, and which one a sample is likely to be in."""

import numpy as np

from skpairclust.active._model_view import MOST_MEMBERS

# A probability counts as no less.
_LEAST = 1e-6
# Values of a block of distances.
_BLOCK_VALUES = 2**22


class GroupsView:
    """Scores of samples against known groups, by probability and distance.

    Parameters
    ----------
    view : ModelView
    knowledge : Knowledge
    groups : ndarray of shape (n_targets,), int64
        Numbers of the groups to compare with, at least one.
    """

    def __init__(self, view, knowledge, groups):
        self.view, self.groups = view, groups
        picked = [_pick(knowledge.members_of(group)) for group in groups]
        sizes = np.array([len(rows) for rows in picked])
        self.rows = np.concatenate(picked)
        self.starts = np.cumsum(sizes) - sizes
        self.features = view.features(self.rows)
        self.means = np.add.reduceat(self.features, self.starts) / sizes[:, None]
        self.probabilities = None
        if view.has_probabilities:
            p = view.probabilities(self.rows)
            self.probabilities = np.add.reduceat(p, self.starts) / sizes[:, None]

    def distances(self, features):
        """Return the distance to each group's mean plus that to its nearest member."""
        found = np.empty((len(features), len(self.groups)), dtype=np.float32)
        n_rows = max(1, _BLOCK_VALUES // len(self.rows))
        for start in range(0, len(features), n_rows):
            block = features[start : start + n_rows]
            nearest = np.minimum.reduceat(
                distances(block, self.features), self.starts, axis=1
            )
            found[start : start + n_rows] = nearest + distances(block, self.means)
        return found

    def scores(self, rows):
        """Return how likely each row is in each group, higher is likelier."""
        gaps = self.distances(self.view.features(rows))
        # distances in units of a usual one are on the scale of log probabilities
        scores = -gaps / max(float(np.median(gaps.min(axis=1))), 1e-12)
        if self.probabilities is not None:
            scores += np.log(np.maximum(self.same(rows), _LEAST))
        return scores

    def same(self, rows):
        """Return the probability that each row belongs to each group."""
        return self.view.probabilities(rows) @ self.probabilities.T

    def nearest_members(self, rows, targets):
        """Return the member of each row's target group that is most like the row."""
        if not len(rows):
            return np.empty(0, dtype=np.int64)
        features = self.view.features(rows)
        stops = np.append(self.starts[1:], len(self.rows))
        nearest = np.empty(len(rows), dtype=np.int64)
        for i, target in enumerate(targets):
            part = slice(self.starts[target], stops[target])
            gaps = distances(features[i : i + 1], self.features[part])[0]
            nearest[i] = self.rows[part][gaps.argmin()]
        return nearest

    def least_sure_first(self, rows):
        """Return rows ordered by how unclear their cluster is."""
        if not len(rows):
            return rows
        return rows[np.argsort(-self.uncertainty(rows), kind="stable")]

    def uncertainty(self, rows):
        """Return how unclear the cluster of each row is, in [0, 1]."""
        if self.probabilities is not None:
            return entropy(self.view.probabilities(rows))
        if len(self.groups) < 2:
            return np.ones(len(rows))
        gaps = self.distances(self.view.features(rows))
        best, second = np.partition(gaps, 1, axis=1)[:, :2].T
        return best / np.maximum(second, 1e-12)


def entropy(probabilities):
    """Return the entropy of each row, in units of its maximum."""
    p = np.clip(probabilities, 1e-12, 1)
    return -(p * np.log(p)).sum(axis=1) / np.log(max(p.shape[1], 2))


def distances(left, right):
    """Return Euclidean distances, (n_left, n_right), in single precision."""
    # relative to a point among them, squares of far away data keep their digits
    left, right = left - right[0], right - right[0]
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    squares -= 2 * (left @ right.T)
    return np.sqrt(np.maximum(squares, 0, out=squares), out=squares)


def _pick(members):
    """Return evenly spread members of a group that is too big to look at."""
    if len(members) <= MOST_MEMBERS:
        return members
    return members[np.linspace(0, len(members) - 1, MOST_MEMBERS).astype(np.int64)]
