"""Random changes of training samples that leave their class as it is."""

import torch
from torch.nn import functional

# Half the width of each uniform distribution: radians, shares, shares, half sides.
_ANGLE, _SCALE, _SHEAR, _SHIFT = 0.25, 0.25, 0.25, 0.1

# Of elastic changes: knots of the displacement a side, its standard deviation there in
# half sides, and the share of the widths above. Knots are few, so that strokes bend and
# do not fray.
_N_KNOTS, _BEND, _GENTLER = 4, 0.06, 0.6


def make_augmentation(augment, input_shape):
    """Return the function of a batch and a generator that `augment` names.

    Parameters
    ----------
    augment : {"affine", "elastic"}, callable or None
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
    if not isinstance(augment, str):
        return augment
    if len(input_shape) not in (2, 3):
        raise ValueError(
            f"augment={augment!r} needs images, but one sample has shape "
            f"{input_shape}: pass input_shape=(height, width) or (channels, height, "
            "width), a callable as augment, or augment=None."
        )
    return AUGMENTATIONS[augment]


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
    return _sample(x, _affine_grid(_as_images(x), generator))


def elastic(x, generator):
    """Bend each image at random, on top of a gentler affine change.

    The displacement is drawn on a few knots and smooth between them, in the manner of
    Simard, Steinkraus & Platt (2003), "Best practices for convolutional neural networks
    applied to visual document analysis", section 2.

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
    images = _as_images(x)
    grid = _affine_grid(images, generator, _GENTLER)
    knots = torch.randn(
        (len(x), 2, _N_KNOTS, _N_KNOTS),
        generator=generator,
        device=x.device,
        dtype=x.dtype,
    )
    bend = functional.interpolate(
        _BEND * knots, images.shape[2:], mode="bicubic", align_corners=False
    )
    return _sample(x, grid + bend.permute(0, 2, 3, 1))


AUGMENTATIONS = {"affine": affine, "elastic": elastic}


def _as_images(x):
    """Return `x` with an axis of channels."""
    return x[:, None] if x.ndim == 3 else x


def _affine_grid(images, generator, strength=1.0):
    """Return where each pixel comes from under a random affine change."""
    drawn = strength * _uniform(6, len(images), generator, images)
    angle, shear, *rest = drawn
    scale = 1 + _SCALE * torch.stack(rest[:2])
    cos, sin = (_ANGLE * angle).cos(), (_ANGLE * angle).sin()
    rows = [
        torch.stack([scale[0] * cos, _SHEAR * shear - sin, _SHIFT * rest[2]], dim=1),
        torch.stack([sin, scale[1] * cos, _SHIFT * rest[3]], dim=1),
    ]
    return functional.affine_grid(
        torch.stack(rows, dim=1), images.shape, align_corners=False
    )


def _sample(x, grid):
    """Return the images that take their pixels from `grid`, in the shape of `x`."""
    moved = functional.grid_sample(
        _as_images(x), grid, padding_mode="border", align_corners=False
    )
    return moved.reshape(x.shape)


def _uniform(n_values, n_samples, generator, like):
    """Return uniform numbers in [-1, 1), a tensor of shape (n_values, n_samples)."""
    shape = (n_values, n_samples)
    drawn = torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)
    return 2 * drawn - 1
