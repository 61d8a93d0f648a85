"""Embeddings of an image in all its turned positions.

Where images of a class are turned alike in training (`_class_augmentation`), another
position is of another class, and says something else about the image. All of them
together tell classes apart better than one does.
"""

import numpy as np
import torch
from torch.nn import functional

from skpairclust.embedder._objective import embed
from skpairclust.neural._class_augmentation import count_positions, turned_positions

# Samples that the principal components are taken from, at most, and those at once.
_MOST_ROWS, _BLOCK = 16_384, 1024

# Components of all positions together above which one position has to do: the matrix of
# their products would take seconds.
_MOST_COMPONENTS = 2048


def embed_views(network, x, views, *, normalize):
    """Return the embedding of a batch, of all turned positions if there are views.

    Parameters
    ----------
    network : torch.nn.Module
    x : Tensor of shape (B, ...)
    views : list of Tensor of shape (d, d), or None
        What each position adds, from `find_views`.
    normalize : bool

    Returns
    -------
    Tensor of shape (B, d)
    """
    if views is None:
        return embed(network, x, normalize=normalize)
    parts = _embed_positions(network, x, len(views), normalize)
    mixed = sum(part @ view for part, view in zip(parts, views, strict=True))
    return functional.normalize(mixed) if normalize else mixed


def find_views(network, rows, *, normalize):
    """Return how the embeddings of all positions become one of as many components.

    These are the principal components, around 0, of the embeddings side by side: inner
    products of the latter are kept as well as they can be.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    rows : FeatureRows
        Images, dense.
    normalize : bool

    Returns
    -------
    ndarray of shape (n_positions, d, d), float32; or None
        None if there are too many components.
    """
    n_positions = count_positions(rows.input_shape)
    index = np.random.RandomState(0).permutation(len(rows))[:_MOST_ROWS]
    # Files are read in their order.
    index = np.sort(index)
    size = rows.bounded(_BLOCK)
    moment = 0.0
    with torch.inference_mode():
        for start in range(0, len(index), size):
            x = rows.take(index[start : start + size])
            parts = _embed_positions(network, x, n_positions, normalize)
            n_components = parts[0].shape[1]
            if n_positions * n_components > _MOST_COMPONENTS:
                return None
            joined = torch.cat(parts, dim=1).cpu().double().numpy()
            moment = moment + joined.T @ joined
    if not np.isfinite(moment).all():
        return None
    components = np.linalg.eigh(moment)[1][:, ::-1][:, :n_components]
    # The sign of each is free: the same on all machines.
    largest = np.abs(components).argmax(axis=0)
    components = components * np.sign(components[largest, np.arange(n_components)])
    views = components.reshape(n_positions, n_components, n_components)
    # So that distances are those of one position, on average.
    return (views / np.sqrt(n_positions)).astype(np.float32)


def _embed_positions(network, x, n_positions, normalize):
    """Return the embeddings of a batch in each position."""
    positions = turned_positions(x, n_positions)
    return [embed(network, position, normalize=normalize) for position in positions]
