"""Random changes of training samples that leave their class as it is."""

from functools import partial

import torch
from torch.nn import functional

from skpairclust.neural._images import count_channels, is_image
from skpairclust.utils._param_validation import has_channels_last

# Half the width of each uniform distribution: radians, shares, shares, half sides.
_ANGLE, _SCALE, _SHEAR, _SHIFT = 0.25, 0.25, 0.25, 0.1

# Of elastic changes: knots of the displacement a side, its standard deviation there in
# half sides, and the share of the widths above. Knots are few, so that strokes bend and
# do not fray.
_N_KNOTS, _BEND, _GENTLER = 4, 0.06, 0.6

# Least share of a side that is left of a cropped image.
_LEAST_CROP = 0.7


def choose_augmentation(augment, input_shape):
    """Return the names or the function that "auto" stands for, others as they are.

    Parameters
    ----------
    augment : str, sequence of str, callable or None
        "auto" is "elastic" for gray images, "affine" for others of at least 8 x 8,
        and None for what is no image.
    input_shape : tuple of int
        Shape of one sample as the network takes it.

    Returns
    -------
    str, tuple of str, callable or None
    """
    if callable(augment) or augment is None:
        return augment
    if not isinstance(augment, str):
        return tuple(augment)
    if augment != "auto":
        return augment
    if not is_image(input_shape):
        return None
    return "elastic" if count_channels(input_shape) == 1 else "affine"


def make_augmentation(augment, input_shape):
    """Return the function of a batch and a generator that `augment` names.

    Parameters
    ----------
    augment : str, sequence of str, callable or None
        A name in `AUGMENTATIONS`, or several, which follow one another.
    input_shape : tuple of int
        Shape of one sample.

    Returns
    -------
    callable or None

    Raises
    ------
    ValueError
        If samples are no images, or a name is unknown.
    """
    if augment is None or callable(augment):
        return augment
    if len(input_shape) not in (2, 3):
        raise ValueError(
            f"augment={augment!r} needs images, but one sample has shape "
            f"{input_shape}: pass input_shape=(height, width) or (channels, height, "
            "width), a callable as augment, or augment=None."
        )
    names = (augment,) if isinstance(augment, str) else tuple(augment)
    unknown = [name for name in names if name not in AUGMENTATIONS]
    if unknown or not names:
        raise ValueError(
            f"augment={augment!r} must name changes of images, of {AUGMENTATIONS}; or "
            "be 'auto', a callable or None."
        )
    steps = [_CHANGES[name] for name in names]
    change = steps[0] if len(steps) == 1 else partial(_chain, steps)
    if has_channels_last(input_shape):
        return partial(_with_channels_first, change)
    return change


def describe_augmentation(augment):
    """Return what a fitted estimator tells of its augmentation: text, or None."""
    if augment is None or isinstance(augment, str):
        return augment
    return "callable" if callable(augment) else " ".join(augment)


def _chain(steps, x, generator):
    """Apply one change after another."""
    for step in steps:
        x = step(x, generator)
    return x


def _with_channels_first(change, x, generator):
    """Apply a change to images whose channels are last."""
    return change(x.movedim(-1, 1), generator).movedim(1, -1)


def shift(x, generator):
    """Move each image by up to a twentieth of its sides.

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
    offset = _SHIFT * _uniform(2, len(x), generator, x)
    return _sample(x, _grid(as_images(x), offset.T, torch.ones_like(offset.T)))


def crop(x, generator):
    """Cut a window out of each image and stretch it to the size of the image.

    Parameters
    ----------
    x : Tensor of shape (B, height, width) or (B, channels, height, width)
    generator : torch.Generator
        On the device of `x`.

    Returns
    -------
    Tensor
        As `x`. Each side of a window is .7 to 1 of that of the image.
    """
    drawn = _uniform(4, len(x), generator, x).T
    scale = 1 - (1 - _LEAST_CROP) * 0.5 * (1 + drawn[:, :2])
    return _sample(x, _grid(as_images(x), (1 - scale) * drawn[:, 2:], scale))


def mirror(x, generator):
    """Swap left and right of every other image, at random.

    Parameters
    ----------
    x : Tensor of shape (B, height, width) or (B, channels, height, width)
    generator : torch.Generator
        On the device of `x`.

    Returns
    -------
    Tensor
        As `x`.
    """
    is_swapped = _uniform(1, len(x), generator, x)[0] < 0
    return torch.where(is_swapped.reshape(-1, *[1] * (x.ndim - 1)), x.flip(-1), x)


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
    return _sample(x, _affine_grid(as_images(x), generator))


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
    images = as_images(x)
    grid = _affine_grid(images, generator, _GENTLER)
    knots = torch.randn(
        (len(x), 2, _N_KNOTS, _N_KNOTS),
        generator=generator,
        device=x.device,
        dtype=x.dtype,
    )
    height, width = (_weigh_knots(side, x) for side in images.shape[2:])
    bend = height @ (_BEND * knots) @ width.T
    return _sample(x, grid + bend.permute(0, 2, 3, 1))


_CHANGES = {
    "affine": affine,
    "crop": crop,
    "elastic": elastic,
    "mirror": mirror,
    "shift": shift,
}
AUGMENTATIONS = tuple(_CHANGES)


def as_images(x):
    """Return images with an axis of channels.

    Parameters
    ----------
    x : Tensor of shape (B, height, width) or (B, channels, height, width)

    Returns
    -------
    Tensor of shape (B, channels, height, width)
    """
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


def _grid(images, offset, scale):
    """Return where each pixel comes from in windows of the images, (B, 2) each."""
    rows = torch.cat([torch.diag_embed(scale), offset[:, :, None]], dim=2)
    return functional.affine_grid(rows, images.shape, align_corners=False)


def _weigh_knots(side, like):
    """Return the weight of each knot at each place, bicubic, (side, n_knots).

    torch would interpolate all displacements of a batch one after another on a GPU.
    """
    knots = torch.eye(_N_KNOTS, device=like.device, dtype=like.dtype)
    return functional.interpolate(
        knots[:, None, :, None], (side, 1), mode="bicubic", align_corners=False
    )[:, 0, :, 0].T


def _sample(x, grid):
    """Return the images that take their pixels from `grid`, in the shape of `x`."""
    moved = functional.grid_sample(
        as_images(x), grid, padding_mode="border", align_corners=False
    )
    return moved.reshape(x.shape)


def _uniform(n_values, n_samples, generator, like):
    """Return uniform numbers in [-1, 1), a tensor of shape (n_values, n_samples)."""
    shape = (n_values, n_samples)
    drawn = torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)
    return 2 * drawn - 1
