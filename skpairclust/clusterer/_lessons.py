"""Teach a network a clustering, before it is trained on pairs."""

import math
from dataclasses import replace

import numpy as np
from torch.nn import functional

from skpairclust.neural._streams import shuffled_stream
from skpairclust.neural._torch_utils import to_device, to_numpy_state
from skpairclust.neural._training import TrainingRun, train

# Steps, passes over the samples at most, and how softly.
_N_LESSONS, _MOST_PASSES, _SOFTNESS = 48, 32, 0.1


def teach(network, rows, labels, task, seed):
    """Teach a network labels by their cross-entropy.

    Parameters
    ----------
    network : torch.nn.Module
        In place.
    rows : FeatureRows
    labels : ndarray of shape (n_samples,), int64
        Outputs; -1 for samples that nothing is said of.
    task : ClusteringTask
    seed : int
        Draws the batches.

    Returns
    -------
    TrainingRun
    """
    known = np.flatnonzero(labels >= 0)
    if len(known) < 2:
        # Nothing to tell apart.
        return TrainingRun(weights=to_numpy_state(network))
    target = to_device(labels, rows.device)
    rng = np.random.RandomState(seed)
    stream = shuffled_stream(len(known), task.objective.batch_size, rng)

    def compute_loss(network):
        drawn = known[next(stream)]
        return functional.cross_entropy(
            network(rows.take(drawn)),
            target[to_device(drawn, rows.device)],
            label_smoothing=_SOFTNESS,
        )

    compute_loss.rows = rows
    options = replace(task.training, max_iter=1, schedule="constant")
    one_pass = math.ceil(len(known) / task.objective.batch_size)
    n_steps = min(_N_LESSONS, _MOST_PASSES * one_pass)
    return train(network, compute_loss, n_steps, options)
