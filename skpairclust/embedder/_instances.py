"""Samples of which nothing is known, each with a changed copy as a class of its own.

References
----------
Dosovitskiy, Fischer, Springenberg, Riedmiller, Brox (2016). Discriminative unsupervised
feature learning with exemplar convolutional neural networks. TPAMI.
"""

import numpy as np

from skpairclust.neural._streams import shuffled_stream

# Share of a batch that these samples and their copies are.
_SHARE = 0.5


class Instances:
    """Endless samples without a known partner, and what is known among them.

    Parameters
    ----------
    known : KnownGroups
    batch_size : int
        Of all that is in a batch.
    rng : numpy.random.RandomState
    """

    def __init__(self, known, batch_size, rng):
        self.known = known
        self.n_drawn = max(1, int(_SHARE * batch_size / 2))
        self.rows = find_instances(known)
        self.stream = shuffled_stream(len(self.rows), self.n_drawn, rng)

    def join(self, rows):
        """Return the rows of a batch with instances and copies, and all relations.

        What is not known of an instance and another sample counts as a cannot-link: of
        many classes, two samples are rarely of the same.

        Parameters
        ----------
        rows : ndarray of shape (B,), int64

        Returns
        -------
        rows : ndarray of shape (B + 2 m,), int64
            First those given, then m instances, then these once more.
        relation : ndarray of shape (B + 2 m, B + 2 m), float32
        """
        own = np.setdiff1d(self.rows[next(self.stream)], rows)
        known = self.known.relation(np.concatenate([rows, own]))
        # A copy is related as what it is a copy of.
        place = np.arange(len(rows) + 2 * len(own))
        copied = np.where(place >= len(known), place - len(own), place)
        relation = known[copied[:, None], copied]
        is_own = place >= len(rows)
        relation[(relation == 0) & (is_own[:, None] | is_own)] = -1
        relation[copied[:, None] == copied] = 1
        np.fill_diagonal(relation, 0)
        return np.concatenate([rows, own, own]), relation


def find_instances(known):
    """Return the samples that are not known to belong with another, int64."""
    sizes = np.bincount(known.groups[known.groups >= 0], minlength=1)
    return np.flatnonzero((known.groups < 0) | (sizes[known.groups] < 2))
