"""Read image files, whole or small, and say what is wrong with those that fail."""

import io
from pathlib import Path

import numpy as np

from skpairclust.label._errors import LabelError
from skpairclust.label._extras import import_extra

# Longest side in pixels of what the page shows.
SIDES = {"small": 192, "large": 1000}
# Below so many pixels a side, JPEG would blur what there is to see.
_SMALL_PICTURE = 256


class BrokenImage(LabelError):
    """A file that holds no image that can be read."""


def open_image(path, *, least_side=None):
    """Return an image file as a loaded PIL image, upright, in mode L, RGB or RGBA.

    Parameters
    ----------
    path : path-like
    least_side : int or None
        If no more pixels are needed, a JPEG is decoded at a lower resolution, which is
        several times as fast.

    Raises
    ------
    BrokenImage
        If the file cannot be read as an image.
    """
    Image, ImageOps = import_extra("PIL.Image"), import_extra("PIL.ImageOps")
    try:
        with Image.open(path) as image:
            _check_size(image, Image.MAX_IMAGE_PIXELS)
            if least_side is not None:
                image.draft(None, (least_side, least_side))
            return as_plain(ImageOps.exif_transpose(image))
    except (
        *(OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError),
        Image.DecompressionBombError,
    ) as error:
        reason = _reason(error, path)
        raise BrokenImage(
            f"{Path(path).name} cannot be read as an image ({reason:.120}). Replace it "
            "or remove it from the folder."
        ) from error


def _reason(error, path):
    """Return why an image cannot be read, in a few words."""
    if isinstance(error, import_extra("PIL").UnidentifiedImageError):
        return "its content has no known format"
    return str(error).replace(str(path), "the file").strip(" .") or "no reason"


def _check_size(image, most):
    """Raise if an image would fill the memory."""
    width, height = image.size
    if most is not None and width * height > most:
        raise ValueError(f"{width} x {height} pixels are too many")


def as_plain(image):
    """Return an image in mode L, RGB or RGBA, read to its end."""
    if image.mode in ("L", "RGB", "RGBA"):
        image.load()
        return image
    if image.mode in ("1", "I", "F", "I;16", "I;16B", "I;16L"):
        return from_values(np.asarray(image))
    has_alpha = "A" in image.mode or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")


def from_values(values):
    """Return an array of any range as an image: gray, or color with channels last."""
    Image = import_extra("PIL.Image")
    values = np.asarray(values)
    if values.dtype != np.uint8:
        values = values.astype(np.float64)
        low, high = np.nanmin(values), np.nanmax(values)
        scaled = (values - low) / max(high - low, 1e-12) * 255
        values = np.nan_to_num(scaled).round().astype(np.uint8)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    return Image.fromarray(values)


def encode(image, size="large"):
    """Return an image as bytes for a browser, and their media type.

    Parameters
    ----------
    image : PIL.Image.Image
    size : {"small", "large"}
    """
    image = image.copy()
    image.thumbnail((SIDES[size], SIDES[size]))
    buffer = io.BytesIO()
    if image.mode == "RGBA" or max(image.size) <= _SMALL_PICTURE:
        image.save(buffer, "PNG")
        return buffer.getvalue(), "image/png"
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue(), "image/jpeg"


def as_pixels(image, side):
    """Return an image as (side, side, 3) bytes of color; transparent parts white."""
    if image.mode == "RGBA":
        Image = import_extra("PIL.Image")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return np.asarray(image.convert("RGB").resize((side, side)))
