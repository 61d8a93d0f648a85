"""When the clusters of a training no longer change, it is over."""

import numpy as np
import torch

from skpairclust.metrics._probabilities import draw_pairs

# So many samples and pairs are looked at, and none has changed for so many epochs.
_N_SAMPLES, _N_PAIRS, _N_EPOCHS = 1000, 250, 5


class Settling:
    """Says after each epoch whether clusters have stopped changing.

    Groups that lie far apart are found long before the last epoch. Later epochs make
    outputs more extreme and now and then move a sample, as often away from its class as
    towards it. They do more as long as a pair is violated, or a cluster is empty while
    another one holds two groups.

    Parameters
    ----------
    rows : FeatureRows
    constraints : PairwiseConstraints
    n_clusters : int
    batch_size : int
    seed : int
        Draws the samples.
    """

    def __init__(self, rows, constraints, n_clusters, batch_size, seed):
        self.rows = rows
        self.n_clusters = n_clusters
        rng = np.random.RandomState(seed)
        pairs, self._is_must = _draw(constraints, rng)
        drawn = rng.permutation(len(rows))[:_N_SAMPLES]
        watched = np.union1d(drawn, pairs)
        self._i, self._j = np.searchsorted(watched, pairs).T
        self._parts = np.array_split(watched, -(-len(watched) // batch_size))
        self._labels = np.full(len(watched), -1)
        self.n_unchanged = 0

    def __call__(self, network):
        """Look at a network after an epoch; return whether its training may end."""
        before, self._labels = self._labels, self._look(network)
        is_same = np.array_equal(self._labels, before)
        self.n_unchanged = self.n_unchanged + 1 if is_same else 0
        return self.n_unchanged >= _N_EPOCHS and self._is_complete()

    def _is_complete(self):
        """Whether all pairs are kept and all clusters are used."""
        labels = self._labels
        is_same = labels[self._i] == labels[self._j]
        is_kept = np.array_equal(is_same, self._is_must)
        return is_kept and len(np.unique(labels)) == self.n_clusters

    @torch.no_grad()
    def _look(self, network):
        """Return the clusters of the samples that are watched."""
        network.eval()
        labels = [network(self.rows.take(part)).argmax(1) for part in self._parts]
        return torch.cat(labels).cpu().numpy()

    def state(self):
        """Return what has been seen, as plain data."""
        return {"labels": self._labels, "n_unchanged": self.n_unchanged}

    def restore(self, state):
        """Go to where one like this was."""
        self._labels = np.array(state["labels"])
        self.n_unchanged = state["n_unchanged"]


def _draw(constraints, rng):
    """Return pairs, at most so many, and which of them are must-links."""
    pairs = [
        draw_pairs(constraints, kind, max_implied=_N_PAIRS)[0]
        for kind in ("must_link", "cannot_link")
    ]
    is_must = np.repeat([True, False], [len(known) for known in pairs])
    drawn = rng.permutation(len(is_must))[:_N_PAIRS]
    return np.concatenate(pairs)[drawn], is_must[drawn]
