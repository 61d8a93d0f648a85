"""How well a network explains what it was not trained on: pairs of neighbors."""

import copy
from contextlib import contextmanager

import numpy as np
import torch

from skpairclust.clusterer._batching import ConstraintBatches, constrained_rows
from skpairclust.losses._pairs import mcl_loss
from skpairclust.neural._torch_utils import to_device
from skpairclust.neural._training import settle

# Batches, the share of samples that walk at least, and that of pairs that walks get
# wrong.
_N_BATCHES, _WALKING, _WRONG = 32, 0.5, 0.05


class Judge:
    """Judge networks by the same pairs, whose samples walked to neighbors.

    All networks satisfy the pairs that they are trained on. They differ in what they
    say of samples near by.

    Parameters
    ----------
    rows : FeatureRows
    constraints : PairwiseConstraints
    task : ClusteringTask
    seed : int
        Draws the pairs and the walks.
    """

    def __init__(self, rows, constraints, task, seed):
        self.rows = rows
        self.task = task
        self.seed = seed
        # How many pairs tell something of their own: of labels, fewer than there are.
        self.n_pairs = min(constraints.n_pairs, len(constrained_rows(constraints)))
        rng = np.random.RandomState(seed)
        stream = iter(ConstraintBatches(constraints, task.objective.batch_size, rng))
        drawn = [next(stream) for _ in range(_N_BATCHES)]
        # Relations are put on the device once for all networks.
        self.batches = [
            (
                task.walk(batch.rows, rng, least_share=_WALKING),
                to_device(batch.relation, rows.device),
            )
            for batch in drawn
        ]

    def __call__(self, network):
        """Return how badly a network explains walked pairs, and its clusters.

        Returns
        -------
        misfit : float
            Mean negative log-likelihood of a pair, in nats.
        labels : ndarray of shape (n_nodes,), int64
            Clusters of the samples that may walk.
        """
        with self._settled(network):
            misfits = [
                mcl_loss(
                    network(self.rows.take(walked)).log_softmax(1),
                    relation,
                    flip_rate=_WRONG,
                )
                for walked, relation in self.batches
            ]
            return float(torch.stack(misfits).mean()), self._find_labels(network)

    def find_violations(self, network):
        """Return the share of walked pairs that the clusters violate, by batch.

        Unlike the misfit, it is the same for networks that differ in how sure they are.

        Returns
        -------
        ndarray of shape (n_batches,), float64
        """
        with self._settled(network):
            shares = [
                _share_violated(network(self.rows.take(walked)).argmax(1), relation)
                for walked, relation in self.batches
            ]
            return torch.stack(shares).cpu().numpy().astype(np.float64)

    def _find_labels(self, network):
        """Return the clusters of the samples that may walk."""
        nodes, size = self.task.walk.nodes, self.task.objective.batch_size
        labels = [
            network(self.rows.take(nodes[first : first + size])).argmax(1)
            for first in range(0, len(nodes), size)
        ]
        return torch.cat(labels).cpu().numpy()

    @contextmanager
    def _settled(self, network):
        """Look at a network as it would be kept, and leave it as it was."""
        before = copy.deepcopy(network.state_dict())
        settle(network, self.rows, None, self.task.objective.batch_size, self.seed)
        network.eval()
        with torch.no_grad():
            yield
        network.load_state_dict(before)
        network.train()


def _share_violated(labels, relation):
    """Return the share of the pairs in a relation that labels violate, by weight."""
    is_same = labels[:, None] == labels
    violated = torch.where(is_same, -relation, relation).clamp_min(0)
    return violated.sum() / relation.abs().sum().clamp_min(1)
