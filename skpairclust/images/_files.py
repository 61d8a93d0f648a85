"""Image files: which there are in a folder, and what is wrong with those that fail."""

import os
import struct
from pathlib import Path

import numpy as np

from skpairclust.utils._extras import import_extra

EXTENSIONS = (
    *(".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"),
    *(".tif", ".tiff", ".pgm", ".ppm"),
)


class BrokenImageError(ValueError):
    """A file that cannot be read as an image.

    Attributes
    ----------
    reason : str
        What is wrong with it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skpairclust.images import BrokenImageError, ImageFolder
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "cat.png").write_bytes(b"no image")
    >>> try:
    ...     ImageFolder(folder, 32)[0]
    ... except BrokenImageError as error:
    ...     print(error.reason)
    its content has no known format
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


def import_pillow(name):
    """Return a module of Pillow, or say how to install it."""
    return import_extra(f"PIL.{name}", "Reading images", "images")


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
    BrokenImageError
        If the file cannot be read as an image.
    """
    Image, ImageOps = import_pillow("Image"), import_pillow("ImageOps")
    try:
        with Image.open(path) as image:
            _check_size(image, Image.MAX_IMAGE_PIXELS)
            if least_side is not None:
                image.draft(None, (least_side, least_side))
            return as_plain(ImageOps.exif_transpose(image))
    except (
        *(OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError),
        *(KeyError, ArithmeticError, struct.error),
        *(Image.DecompressionBombError, Image.DecompressionBombWarning),
    ) as error:
        reason = _say_reason(error, path)
        raise BrokenImageError(
            f"{Path(path).name} cannot be read as an image ({reason:.120}). Replace it "
            "or remove it from the folder.",
            reason,
        ) from error


def _say_reason(error, path):
    """Return what Pillow says of a file, without its path."""
    if type(error).__name__ == "UnidentifiedImageError":
        return "its content has no known format"
    text = str(error).replace(repr(str(path)), "the file")
    return text.replace(str(path), "the file").strip(" .") or type(error).__name__


def _check_size(image, most):
    """Raise if an image would fill the memory."""
    width, height = image.size
    if most is not None and width * height > most:
        raise ValueError(f"{width} x {height} pixels are too many")


def as_plain(image):
    """Return an image in mode L, RGB or RGBA, read to its end."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("L", "RGB") and "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB", "RGBA"):
        image.load()
        return image
    if image.mode in ("I", "F", "I;16", "I;16B", "I;16L"):
        return from_values(np.asarray(image))
    has_alpha = "A" in image.mode or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")


def from_values(values):
    """Return an array of any range as an image: gray, or color with channels last."""
    Image = import_pillow("Image")
    values = np.asarray(values)
    if values.dtype != np.uint8:
        values = values.astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        if np.isnan(values).all():
            values = np.zeros_like(values)
        low, high = np.nanmin(values), np.nanmax(values)
        scaled = (values - low) / max(high - low, 1e-12) * 255
        values = np.nan_to_num(scaled).round().astype(np.uint8)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    return Image.fromarray(values)


def on_white(image, mode):
    """Return a plain image in mode L or RGB; transparent parts are white."""
    if image.mode == "RGBA":
        Image = import_pillow("Image")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return image if image.mode == mode else image.convert(mode)


def list_images(folder, *, follows_links=False):
    """Return names of images in a folder, their sizes, and how many lead outside.

    What begins with a dot is hidden, and no image.

    Parameters
    ----------
    folder : Path
    follows_links : bool, default=False
        Whether links to folders, and to files elsewhere, are followed; but none back
        to a folder that it is in.

    Returns
    -------
    names : list of str
        Sorted paths relative to the folder.
    sizes : list of int
        In bytes; 0 of what does not exist.
    n_outside : int
        Links to files elsewhere that were not followed.
    """
    found, n_outside = [], 0
    start = len(os.path.join(folder, ""))
    pending = [(str(folder), ())]
    while pending:
        path, above = pending.pop()
        # Only links make circles.
        above = (*above, os.path.realpath(path)) if follows_links else above
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=follows_links):
                    if not follows_links or os.path.realpath(entry.path) not in above:
                        pending.append((entry.path, above))
                elif entry.name.lower().endswith(EXTENSIONS):
                    is_link = entry.is_symlink() and not follows_links
                    if is_link and not _is_inside(entry.path, folder):
                        n_outside += 1
                    else:
                        name = entry.path[start:].replace(os.sep, "/")
                        found.append((name, _size_of(entry)))
    found.sort()
    return [name for name, _ in found], [size for _, size in found], n_outside


def _size_of(entry):
    """Return the bytes of a file."""
    try:
        return entry.stat().st_size
    except OSError:
        return 0


def _is_inside(path, folder):
    """Whether a link leads to a file in the folder."""
    path = Path(path).resolve()
    return path.is_file() and path.is_relative_to(folder)
