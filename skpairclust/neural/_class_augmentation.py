"""Changes of all images of a class alike: they make further classes of the known ones.

Who belongs together does so as well when all are changed alike, and the images look
like those of other classes: more of them to learn from.
"""

import numpy as np
import torch

from skpairclust.neural._augmentation import as_images
from skpairclust.neural._centering import find_background
from skpairclust.neural._torch_utils import to_device

# Share of the groups of a batch that another group is laid over.
_OVERLAID = 0.5


def augment_classes(x, groups, rng, generator):
    """Turn the images of each group alike, and lay another group over some groups.

    Parameters
    ----------
    x : Tensor of shape (B, height, width) or (B, channels, height, width)
    groups : ndarray of shape (B,), int64
        From 0 on, without a gap.
    rng : numpy.random.RandomState
        Decides what is laid over what.
    generator : torch.Generator
        On the device of `x`; decides about turns.

    Returns
    -------
    Tensor
        As `x`.
    """
    x = turn_together(x, to_device(groups, x.device), generator)
    return overlay(x, to_device(draw_partners(groups, rng), x.device))


def turn_together(x, groups, generator):
    """Turn images by right angles, those of one group alike.

    Parameters
    ----------
    x : Tensor of shape (B, height, width) or (B, channels, height, width)
    groups : Tensor of shape (B,), int64
        Numbers below B, on the device of `x`.
    generator : torch.Generator
        On the device of `x`.

    Returns
    -------
    Tensor
        As `x`. Images that are not square are only turned by half.
    """
    turned = torch.stack([*turned_positions(x, count_positions(x.shape[1:]))])
    drawn = torch.randint(
        len(turned), (len(x),), generator=generator, device=x.device, dtype=torch.int64
    )[groups]
    return turned[drawn, torch.arange(len(x), device=x.device)]


def turned_positions(x, n_positions):
    """Yield images in each position that right angles turn them into.

    Parameters
    ----------
    x : Tensor of shape (B, height, width) or (B, channels, height, width)
    n_positions : int
        Their number, from `count_positions`.

    Yields
    ------
    Tensor
        As `x`, which comes first; turned to the left by equal angles.
    """
    # In operations that other runtimes know, too.
    yield x
    if n_positions == 4:
        yield _turned(x)
    half = x.flip((-2, -1))
    yield half
    if n_positions == 4:
        yield _turned(half)


def count_positions(input_shape):
    """Return how many positions images have: four if they are square, else two."""
    return 4 if input_shape[-2:-1] == input_shape[-1:] else 2


def _turned(x):
    """Return images turned to the left by a right angle."""
    return x.transpose(-1, -2).flip(-2)


def overlay(x, partners):
    """Show at each place of an image what is there in it or in another one.

    Parameters
    ----------
    x : Tensor of shape (B, height, width) or (B, channels, height, width)
    partners : Tensor of shape (B,), int64
        The image laid over each image; itself, where it stays as it is.

    Returns
    -------
    Tensor
        As `x`, on the background of `x`: whatever differs more from its background.
    """
    images = as_images(x)
    background = find_background(images)
    shown = images - background
    strength = shown.abs().amax(1, keepdim=True)
    is_covered = strength[partners] > strength
    covered = torch.where(is_covered, shown[partners] + background, images)
    return covered.reshape(x.shape)


def draw_partners(groups, rng):
    """Return for each sample of a batch the one that is laid over it, or itself.

    Parameters
    ----------
    groups : ndarray of shape (B,), int64
        From 0 on, without a gap.
    rng : numpy.random.RandomState

    Returns
    -------
    ndarray of shape (B,), int64
        Samples of one group, which is another for each group, or all themselves. Of two
        groups, each could be laid over the other, and both would look the same.
    """
    own = np.arange(len(groups))
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    is_overlaid = rng.uniform(size=len(sizes)) < _OVERLAID
    if len(sizes) < 3:
        return own
    following = np.empty_like(order)
    following[order] = np.roll(order, -1)
    sorted_rows = np.argsort(groups, kind="stable")
    starts = np.cumsum(sizes) - sizes
    rank = np.empty_like(own)
    rank[sorted_rows] = own - starts[groups[sorted_rows]]
    partner = following[groups]
    partners = sorted_rows[starts[partner] + rank % sizes[partner]]
    return np.where(is_overlaid[groups], partners, own)
