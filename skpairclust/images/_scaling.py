"""Images of any size brought to one."""

import numpy as np

from skpairclust.images._files import import_pillow


def to_size(image, size, resize):
    """Return an image with so many pixels.

    Parameters
    ----------
    image : PIL.Image.Image
        In mode L or RGB.
    size : tuple of int
        ``(height, width)``.
    resize : {"crop", "pad", "stretch"}

    Returns
    -------
    PIL.Image.Image
    """
    Image = import_pillow("Image")
    height, width = size
    if image.size == (width, height):
        return image
    scales = width / image.width, height / image.height
    if resize == "stretch" or scales[0] == scales[1]:
        return image.resize((width, height), Image.Resampling.BILINEAR)
    if resize == "crop":
        # The largest part of this shape in the middle.
        part = width / max(scales), height / max(scales)
        left, top = ((n - m) / 2 for n, m in zip(image.size, part, strict=True))
        box = (left, top, left + part[0], top + part[1])
        return image.resize((width, height), Image.Resampling.BILINEAR, box=box)
    inner = [max(1, round(n * min(scales))) for n in image.size]
    padded = Image.new(image.mode, (width, height), _border_color(image))
    corner = (width - inner[0]) // 2, (height - inner[1]) // 2
    padded.paste(image.resize(inner, Image.Resampling.BILINEAR), corner)
    return padded


def _border_color(image):
    """Return the median color of the pixels at the border."""
    values = np.asarray(image).reshape(image.height, image.width, -1)
    border = [values[0], values[-1], values[:, 0], values[:, -1]]
    color = np.median(np.concatenate(border), axis=0).astype(int)
    return tuple(color.tolist()) if len(color) > 1 else int(color[0])
