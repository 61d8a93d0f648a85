"""A deep constrained clusterer after Zhang, Basu & Davidson (2019), for comparison.

Improved deep embedded clustering (an autoencoder, soft assignments by a Student t
kernel around learned centers, a sharpened target) with a loss of pairs on the soft
assignments. The autoencoder is trained with noise on its input, all layers at once
instead of layer by layer as in the original.
"""

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import nn
from torch.nn import functional

from skpairclust.neural._torch_utils import global_rng, resolve_device

_BATCH = 256
_HIDDEN = (500, 500, 2000)
_N_FEATURES = 10
# Weight of the clustering loss beside reconstruction, as in IDEC.
_CLUSTERING_WEIGHT = 0.1
_DROPOUT = 0.2
# Rows that k-means learns the first centers from.
_KMEANS_ROWS = 10_000


class DeepClusterer:
    """Encoder, decoder and centers with what trains them.

    Parameters
    ----------
    cell : dict
        With "n_clusters", "pretrain_epochs", "max_iter" and "seed".
    device : str
    """

    def __init__(self, cell, device):
        self.cell, self.device = cell, resolve_device(device)

    def fit(self, X, constraints):
        """Train on images as rows and on pairs of them."""
        with global_rng(self.cell["seed"]):
            self.build(X)
            self.pretrain()
            self.place_centers()
            pairs, is_must = _list_pairs(constraints)
            for _ in range(self.cell["max_iter"]):
                self.run_epoch()
                self.learn_pairs(pairs, is_must)
        self.labels_ = self.predict(X)
        return self

    def build(self, X):
        """Make the networks, and centers to be placed."""
        sizes = [X.shape[1], *_HIDDEN, _N_FEATURES]
        self.X = torch.as_tensor(X, device=self.device)
        self.encoder = _stack(sizes).to(self.device)
        self.decoder = _stack(sizes[::-1]).to(self.device)
        shape = (self.cell["n_clusters"], _N_FEATURES)
        self.centers = nn.Parameter(torch.zeros(shape, device=self.device))
        self.rng = np.random.RandomState(self.cell["seed"])
        parts = [*self.encoder.parameters(), *self.decoder.parameters(), self.centers]
        self.optimizer = torch.optim.Adam(parts, lr=1e-3)

    def pretrain(self):
        """Train the autoencoder on images with some pixels missing."""
        for _ in range(self.cell["pretrain_epochs"]):
            for rows in self._batches(len(self.X)):
                x = self.X[rows]
                noisy = functional.dropout(x, _DROPOUT) * (1 - _DROPOUT)
                self._step(functional.mse_loss(self.decoder(self.encoder(noisy)), x))

    def place_centers(self):
        """Start from the centers of k-means."""
        with torch.no_grad():
            z = self.encoder(self.X[:_KMEANS_ROWS]).cpu().numpy()
        k, seed = self.cell["n_clusters"], self.cell["seed"]
        model = KMeans(k, n_init=10, random_state=seed).fit(z)
        self.centers.data = torch.as_tensor(model.cluster_centers_).to(self.X)

    def run_epoch(self):
        """Take an epoch of IDEC: sharpened assignments, images rebuilt."""
        target = _sharpen(self.assign(self.X))
        for rows in self._batches(len(self.X)):
            z = self.encoder(self.X[rows])
            q = self._soft(z)
            divergence = functional.kl_div(q.log(), target[rows], reduction="batchmean")
            reconstruction = functional.mse_loss(self.decoder(z), self.X[rows])
            self._step(_CLUSTERING_WEIGHT * divergence + reconstruction)

    def learn_pairs(self, pairs, is_must):
        """Take a pass over the pairs: -log of the probability of what is known."""
        for rows in self._batches(len(pairs)):
            p, q = (self._soft(self.encoder(self.X[side])) for side in pairs[rows].T)
            same = (p * q).sum(1).clamp(1e-6, 1 - 1e-6)
            target = torch.as_tensor(is_must[rows]).to(same)
            self._step(
                _CLUSTERING_WEIGHT * functional.binary_cross_entropy(same, target)
            )

    @torch.no_grad()
    def assign(self, X):
        """Return the soft assignments of rows."""
        return torch.cat([self._soft(self.encoder(x)) for x in X.split(4096)])

    def predict(self, X):
        """Return the clusters of rows."""
        X = torch.as_tensor(X, device=self.X.device)
        return self.assign(X).argmax(1).cpu().numpy()

    def _soft(self, z):
        """Return DEC's soft assignments."""
        q = 1 / (1 + torch.cdist(z, self.centers).square())
        return q / q.sum(1, keepdim=True)

    def _step(self, loss):
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def _batches(self, n):
        """Return shuffled row numbers in batches."""
        order = self.rng.permutation(n)
        return np.array_split(order, max(1, n // _BATCH))


def _sharpen(q):
    """Return DEC's target: assignments squared, clusters of equal weight."""
    weight = q.square() / q.sum(0)
    return weight / weight.sum(1, keepdim=True)


def _list_pairs(constraints):
    """Return the pairs and whether each is a must-link."""
    must, cannot = constraints.must_link, constraints.cannot_link
    is_must = np.repeat([True, False], [len(must), len(cannot)])
    return np.concatenate([must, cannot]), is_must


def _stack(sizes):
    """Return linear layers with ReLU between them."""
    layers = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
