"""A fitted embedder as one module, without NumPy and scikit-learn."""

import torch
from torch import nn

from skpairclust.embedder._views import embed_views


class EmbeddingModule(nn.Module):
    """Samples in, embeddings out, as the estimator gives them.

    Parameters
    ----------
    inputs : InputLayer
    network : torch.nn.Module
    normalize : bool
    views : list of Tensor of shape (n_components, n_components), or None
        What each turned position of an image adds to its embedding.
    """

    def __init__(self, inputs, network, normalize, views=None):
        super().__init__()
        self.inputs = inputs
        self.network = network
        self.normalize = normalize
        self.n_views = len(views or ())
        for k, view in enumerate(views or ()):
            self.register_buffer(f"view_{k}", view)

    def forward(self, X):
        """Return embeddings of shape (n_samples, n_components)."""
        views = [getattr(self, f"view_{k}") for k in range(self.n_views)]
        x = self.inputs(X)
        return embed_views(self.network, x, views or None, normalize=self.normalize)


class NearestCenterModule(nn.Module):
    """Samples in, labels and embeddings out.

    Parameters
    ----------
    embedding : EmbeddingModule
    centers : ndarray of shape (n_centers, n_components), float32
    cluster_of_center : ndarray of shape (n_centers,)
    """

    def __init__(self, embedding, centers, cluster_of_center):
        super().__init__()
        self.embedding = embedding
        self.register_buffer("centers", torch.from_numpy(centers.copy()))
        clusters = torch.from_numpy(cluster_of_center.copy()).long()
        self.register_buffer("cluster_of_center", clusters)

    def forward(self, X):
        """Return labels (n_samples,) and embeddings (n_samples, n_components)."""
        Z = self.embedding(X)
        # squared distances, less what is the same for all centers
        distances = (self.centers**2).sum(1) - 2 * Z @ self.centers.T
        return self.cluster_of_center[distances.argmin(1)], Z
