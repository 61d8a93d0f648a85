"""Changes of sparse samples, as the first layer of a network sees them.

A change d of a sample has as many values as there are features. The layer with the
weights W adds W d to its outputs, which has as many as there are units. If d follows a
gradient, d = W^T g for the gradient g of the outputs: then W d = (W W^T) g, and the
squared length of d is g^T (W W^T) g. Nothing dense is as wide as the samples.
"""

import math

import torch

# Added to the diagonal of W W^T, in units of its mean: it has a Cholesky factor then.
_RIDGE = 0.01

# Features whose gradients are computed at a time, in a precision of their own.
_CHUNK = 8192


class FirstLayerSpace:
    """What the first layer makes of changes of its inputs.

    Parameters
    ----------
    weight : Tensor of shape (n_units, n_features)
    lowers_precision : bool
        Whether products as wide as samples are taken in bfloat16.
    """

    def __init__(self, weight, *, lowers_precision=False):
        self.weight = weight
        own = weight.detach()
        self._wide = own.bfloat16() if lowers_precision else own
        self.gram = (self._wide @ self._wide.T).float()

    def spread(self, noise, length):
        """Return what random changes of a length do, in directions all as likely.

        Parameters
        ----------
        noise : Tensor of shape (B, n_units)
            Standard normal.
        length : Tensor of shape (B,)

        Returns
        -------
        Tensor of shape (B, n_units)
        """
        diagonal = self.gram.diagonal()
        ridge = torch.diag_embed(_RIDGE * diagonal.mean().expand_as(diagonal))
        factor, _ = torch.linalg.cholesky_ex(self.gram + ridge)
        # Normal noise in the inputs is about as long as the root of their number.
        scale = length / math.sqrt(self.weight.shape[1])
        return scale[:, None] * (noise @ factor.T)

    def stretch(self, gradient, length):
        """Return what changes of a length along the gradient do.

        The gradient of the result holds the changes constant, not the weights.

        Parameters
        ----------
        gradient : Tensor of shape (B, n_units)
            Of the outputs of the layer.
        length : Tensor of shape (B,)

        Returns
        -------
        Tensor of shape (B, n_units)
        """
        norm = (gradient * (gradient @ self.gram)).sum(1).clamp_min(0).sqrt()
        factor = length / norm.clamp_min(torch.finfo(gradient.dtype).tiny)
        along = factor[:, None] * gradient
        return _Multiply.apply(along, self.weight, self._wide, self.gram)


class _Multiply(torch.autograd.Function):
    """The product A V W^T, where V is W held constant and V W^T is known."""

    @staticmethod
    def forward(ctx, along, weight, wide, gram):
        """Return the product, for A of shape (B, n_units)."""
        ctx.save_for_backward(along, wide)
        return along @ gram

    @staticmethod
    def backward(ctx, gradient):
        """Return the gradient of W."""
        along, wide = ctx.saved_tensors
        product = (gradient.T @ along).to(wide.dtype)
        of_weight = torch.empty_like(wide, dtype=gradient.dtype)
        for part in range(0, wide.shape[1], _CHUNK):
            of_weight[:, part : part + _CHUNK] = product @ wide[:, part : part + _CHUNK]
        return None, of_weight, None, None
