"""When the clusters of a training no longer change, it is over."""

import numpy as np
import torch

# So many samples are looked at, and none of them has changed its cluster for so many
# epochs.
_N_WATCHED, _N_EPOCHS = 1000, 5


class Settling:
    """Says after each epoch whether clusters have stopped changing.

    Groups that lie far apart are found long before the last epoch, and all that further
    epochs do is to make outputs more extreme. As long as a cluster is empty, one that
    holds two groups may still fall apart.

    Parameters
    ----------
    rows : FeatureRows
    n_clusters : int
    batch_size : int
    seed : int
        Draws the samples.
    """

    def __init__(self, rows, n_clusters, batch_size, seed):
        self.rows = rows
        self.n_clusters = n_clusters
        drawn = np.random.RandomState(seed).permutation(len(rows))[:_N_WATCHED]
        n_parts = -(-len(drawn) // batch_size)
        self._parts = np.array_split(drawn, n_parts)
        self._labels = np.full(len(drawn), -1)
        self.n_unchanged = 0

    def __call__(self, run, network):
        """Look at the network after an epoch; set and return `run.settled`."""
        before, self._labels = self._labels, self._look(network)
        is_same = np.array_equal(self._labels, before)
        self.n_unchanged = self.n_unchanged + 1 if is_same else 0
        if self.n_unchanged >= _N_EPOCHS:
            run.settled = len(np.unique(self._labels)) == self.n_clusters
        return run.settled

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
