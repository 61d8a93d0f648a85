"""The Siamese baseline of Hsu & Kira (2016), in a training loop of its own.

The network of the clusterer, down to its number of outputs, is trained with the hinge
embedding loss of the distance of the two outputs of each pair, must-links and
cannot-links as they come; k-means then clusters the outputs.
"""

import numpy as np
import torch

from skpairclust.clusterer._batching import ConstraintBatches
from skpairclust.losses import ContrastiveLoss
from skpairclust.neural._networks import build_network
from skpairclust.neural._torch_utils import resolve_device

_HALVING_EPOCHS = 25
_INFERENCE_ROWS = 2048


class PublishedSiamese:
    """An embedding from pairs, as `MetricEmbedder` without what it adds.

    Parameters
    ----------
    cell : dict
        With "network", "n_clusters", "max_iter" and "seed".
    shape : tuple of int
        That of one image.
    device : str
    optimizer : dict
        "learning_rate", "momentum", "weight_decay", "batch_size".
    """

    def __init__(self, cell, shape, device, optimizer):
        self.cell, self.shape, self.optimizer = cell, shape, optimizer
        self.device = resolve_device(device)

    def fit(self, X, constraints):
        """Train on images as rows and on pairs of them."""
        cell, options = self.cell, self.optimizer
        self.network = build_network(
            cell["network"],
            self.shape,
            cell["n_clusters"],
            hidden_layer_sizes=(256, 256),
            seed=cell["seed"],
            initial_weights="torch7",
        ).to(self.device)
        rng = np.random.RandomState(cell["seed"])
        batches = ConstraintBatches(constraints, options["batch_size"], rng)
        criterion = ContrastiveLoss(squared=False, reduction="sum")
        descent = torch.optim.SGD(
            self.network.parameters(),
            lr=options["learning_rate"],
            momentum=options["momentum"],
            weight_decay=options["weight_decay"],
        )
        stream = iter(batches)
        for epoch in range(cell["max_iter"]):
            for group in descent.param_groups:
                halvings = epoch // _HALVING_EPOCHS
                group["lr"] = options["learning_rate"] * 0.5**halvings
            for _ in range(batches.n_steps):
                rows, relation = next(stream)
                relation = torch.as_tensor(relation, device=self.device)
                descent.zero_grad(set_to_none=True)
                criterion(self.network(self._take(X[rows])), relation).backward()
                descent.step()
        return self

    @torch.no_grad()
    def transform(self, X):
        """Return the outputs for images."""
        self.network.eval()
        parts = np.array_split(X, max(1, len(X) // _INFERENCE_ROWS))
        outputs = [self.network(self._take(part)).cpu().numpy() for part in parts]
        self.network.train()
        return np.concatenate(outputs)

    def _take(self, X):
        """Return rows as images on the device."""
        return torch.as_tensor(X, device=self.device).reshape(-1, *self.shape)
