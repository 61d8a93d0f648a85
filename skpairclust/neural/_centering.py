"""What images show, moved to the middle and scaled to one size."""

import torch
from torch import nn

# What is shown differs from the background by so much of the largest difference.
_FAINT = 0.05

# Root mean square distance of what is shown from the middle, in half sides.
SPREAD = 0.5


class CenterLayer(nn.Module):
    """A layer without weights that centers images before a network looks at them.

    Parameters
    ----------
    spread : float, default=0.5
    """

    def __init__(self, spread=SPREAD):
        super().__init__()
        self.spread = spread

    def forward(self, x):
        """Return images (B, channels, height, width), moved and scaled."""
        return center(x, self.spread)


def center(images, spread=SPREAD):
    """Return images with what they show in the middle, and of one size.

    Parameters
    ----------
    images : Tensor of shape (B, channels, height, width), float
    spread : float
        Root mean square distance of what is shown from the middle, in half sides.

    Returns
    -------
    Tensor
        As `images`; those of a single color stay as they are.
    """
    background = find_background(images)
    shown = images - background
    ink = shown.abs().amax(1)
    ink = ink * (ink > _FAINT * ink.amax((1, 2), keepdim=True))
    place_down, spread_down = _measure(ink.sum(2))
    place_across, spread_across = _measure(ink.sum(1))
    size = (spread_down**2 + spread_across**2).sqrt()
    scale = torch.where(size > 0, size / spread, 1.0)
    down = _interpolate(place_down, scale, images.shape[2])
    across = _interpolate(place_across, scale, images.shape[3])
    return down[:, None] @ shown @ across[:, None].transpose(-1, -2) + background


def find_background(images):
    """Return the median of the pixels at the border of images.

    Parameters
    ----------
    images : Tensor of shape (B, channels, height, width)

    Returns
    -------
    Tensor of shape (B, channels, 1, 1)
    """
    edges = (images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1])
    edges = torch.cat(edges, dim=2)
    # The lower median, in an operation that other runtimes know, too.
    upper = edges.topk(edges.shape[2] // 2 + 1, dim=2).values
    return upper[..., -1:, None]


def _measure(ink):
    """Return mean and standard deviation of ink along a side, in halves of it."""
    place = _places(ink.shape[1], ink)
    share = ink / ink.sum(1, keepdim=True).clamp_min(torch.finfo(ink.dtype).tiny)
    mean = (share * place).sum(1)
    return mean, ((share * place**2).sum(1) - mean**2).clamp_min(0).sqrt()


def _interpolate(mean, scale, n):
    """Return matrices that take n pixels around each center, (B, n, n)."""
    source = mean[:, None] + scale[:, None] * _places(n, mean)
    source = (source + 1) * n / 2 - 0.5
    pixels = torch.arange(n, device=mean.device, dtype=mean.dtype)
    return (1 - (source[:, :, None] - pixels).abs()).clamp_min(0)


def _places(n, like):
    """Return where n pixels are along a side, from -1 to 1."""
    return (2 * torch.arange(n, device=like.device, dtype=like.dtype) + 1) / n - 1
