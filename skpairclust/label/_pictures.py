"""Read image files, whole or small, and encode them for a browser."""

import io

import numpy as np

from skpairclust.images import _files
from skpairclust.images._files import from_values, on_white
from skpairclust.label._errors import LabelError

__all__ = ["SIDES", "BrokenImage", "as_pixels", "encode", "from_values", "open_image"]

# Longest side in pixels of what the page shows.
SIDES = {"small": 192, "large": 1000}
# Below so many pixels a side, JPEG would blur what there is to see.
_SMALL_PICTURE = 256


class BrokenImage(LabelError):
    """A file that holds no image that can be read."""


def open_image(path, *, least_side=None):
    """Return an image file as `skpairclust.images` does.

    Raises
    ------
    BrokenImage
        If the file cannot be read as an image.
    """
    try:
        return _files.open_image(path, least_side=least_side)
    except _files.BrokenImageError as error:
        raise BrokenImage(str(error)) from error


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
    return np.asarray(on_white(image, "RGB").resize((side, side)))
