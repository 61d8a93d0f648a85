"""A fitted clusterer as one module, without NumPy and scikit-learn."""

import torch
from torch import nn


class ClusterModule(nn.Module):
    """Samples in, labels and probabilities out, as the estimator gives them.

    Parameters
    ----------
    inputs : InputLayer
    network : torch.nn.Module
    order : ndarray of shape (n_clusters,), int64
        The output of the network that stands for each cluster.
    temperature : float
    """

    def __init__(self, inputs, network, order, temperature):
        super().__init__()
        self.inputs = inputs
        self.network = network
        self.register_buffer("order", torch.from_numpy(order.copy()))
        self.temperature = temperature

    def forward(self, X):
        """Return labels (n_samples,) and probabilities (n_samples, n_clusters)."""
        logits = self.network(self.inputs(X))[:, self.order]
        probabilities = (logits / self.temperature).softmax(1)
        return probabilities.argmax(1), probabilities
