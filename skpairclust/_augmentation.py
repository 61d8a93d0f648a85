"""Random changes of training samples that leave their class as it is."""

import torch
from torch.nn import functional

# Half the width of each uniform distribution: radians, shares, shares, half sides.
_ANGLE, _SCALE, _SHEAR, _SHIFT = 0.25, 0.25, 0.25, 0.1


def make_augmentation(augment, input_shape):
    """Return the function of a batch and a generator that `augment` names.

    Parameters
    ----------
    augment : {"affine"}, callable or None
    input_shape : tuple of int
        Shape of one sample.

    Returns
    -------
    callable or None

    Raises
    ------
    ValueError
        If samples are no images.
    """
    if augment != "affine":
        return augment
    if len(input_shape) not in (2, 3):
        raise ValueError(
            f"augment='affine' needs images, but one sample has shape {input_shape}: "
            "pass input_shape=(height, width) or (channels, height, width), a callable "
            "as augment, or augment=None."
        )
    return affine


def affine(x, generator):
    """Rotate, scale, shear and shift each image at random.

    Parameters
    ----------
    x : Tensor of shape (B, height, width) or (B, channels, height, width)
    generator : torch.Generator
        On the device of `x`.

    Returns
    -------
    Tensor
        As `x`. What comes from outside of an image is as its border.
    """
    images = x[:, None] if x.ndim == 3 else x
    angle, shear, *rest = _uniform(6, len(x), generator, x)
    scale = 1 + _SCALE * torch.stack(rest[:2])
    cos, sin = (_ANGLE * angle).cos(), (_ANGLE * angle).sin()
    rows = [
        torch.stack([scale[0] * cos, _SHEAR * shear - sin, _SHIFT * rest[2]], dim=1),
        torch.stack([sin, scale[1] * cos, _SHIFT * rest[3]], dim=1),
    ]
    grid = functional.affine_grid(
        torch.stack(rows, dim=1), images.shape, align_corners=False
    )
    moved = functional.grid_sample(
        images, grid, padding_mode="border", align_corners=False
    )
    return moved.reshape(x.shape)


def _uniform(n_values, n_samples, generator, like):
    """Return uniform numbers in [-1, 1), a tensor of shape (n_values, n_samples)."""
    shape = (n_values, n_samples)
    drawn = torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)
    return 2 * drawn - 1
