"""Files of images at the size that features need, several read at a time."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from skpairclust.label._pictures import BrokenImage, as_pixels, open_image

# A decoded photograph takes a hundred megabytes at most.
_MOST_THREADS = 4


class SmallImages:
    """Reads images once, and keeps what was read ahead.

    Parameters
    ----------
    path : callable
        ``path(row)`` is the file of a sample.
    side : int
        Images are scaled to so many pixels a side.
    """

    def __init__(self, path, side):
        self._path, self._side = path, side
        self._kept = {}
        self._n_threads = min(_MOST_THREADS, os.cpu_count() or 1)

    def read(self, rows, *, ahead=False):
        """Return the rows that can be read, and their pixels.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), int64
        ahead : bool, default=False
            Whether they are kept until they are read once more, without `ahead`.

        Returns
        -------
        good : ndarray of shape (n_good,), int64
        pixels : ndarray of shape (n_good, side, side, 3), uint8
        """
        missing = [row for row in rows.tolist() if row not in self._kept]
        # decoding does not hold Python's lock
        with ThreadPoolExecutor(self._n_threads) as pool:
            found = dict(zip(missing, pool.map(self._read, missing), strict=True))
        take = self._kept.get if ahead else self._kept.pop
        all_pixels = [
            found[row] if row in found else take(row, None) for row in rows.tolist()
        ]
        if ahead:
            self._kept |= found
        is_good = np.array([pixels is not None for pixels in all_pixels], dtype=bool)
        good = [pixels for pixels in all_pixels if pixels is not None]
        empty = np.empty((0, self._side, self._side, 3), dtype=np.uint8)
        return rows[is_good], np.stack(good) if good else empty

    def _read(self, row):
        """Return the pixels of an image, None if it is broken."""
        try:
            image = open_image(self._path(row), least_side=self._side)
        except BrokenImage:
            return None
        return as_pixels(image, self._side)
