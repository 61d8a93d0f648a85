"""A folder of images, read one by one when they are needed."""

import time
from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skpairclust.images._files import EXTENSIONS, list_images
from skpairclust.label._errors import LabelError
from skpairclust.label._image_features import ImageFeatures
from skpairclust.label._pictures import encode, open_image
from skpairclust.label._small_images import SmallImages
from skpairclust.label._sources import Source

# Encoded images kept in memory: of 10 kB, a few hundred are a few megabytes.
_KEPT_IMAGES = 512
# Images between two reports of progress.
_BLOCK = 64
# Features are learned from so many images.
_TO_FIT = 300
# Images between two looks at the clock.
_BLOCK_FIRST = 16
# Names in a message.
_FEW = 3


class ImageFolder(Source):
    """Images in a folder and the folders in it. Their names are paths inside it.

    Parameters
    ----------
    folder : path-like
    features : {"network", "pixels"}
        As `kind` of `ImageFeatures`.

    Raises
    ------
    LabelError
        If there are no images.
    """

    def __init__(self, folder, features="network"):
        self.folder = Path(folder).resolve()
        names, sizes, n_outside = list_images(self.folder)
        if len(names) < 2:
            raise LabelError(
                f"{folder} holds {len(names)} images ({', '.join(EXTENSIONS)}), and it "
                "takes 2 to compare them. Give the folder that holds the files, or one "
                "above it."
            )
        content = np.array(sizes, dtype=np.int64).tobytes()
        super().__init__(self.folder.name, names, content)
        if n_outside:
            self.notes.append(
                f"{n_outside} links to files outside of {folder} are left out. Copy "
                "the files into the folder if they belong to it."
            )
        self.transformer = ImageFeatures(features)
        self.pipeline = f"pipeline = {self.transformer!r}"
        self._encoded = lru_cache(_KEPT_IMAGES)(self._encode)
        self._small = SmallImages(self.path, self.transformer.side)
        self._broken, self._place_of_note = np.empty(0, dtype=np.int64), None

    @property
    def is_slow(self):
        """Whether images are to be read first."""
        return self.embeddings is None

    def path(self, row):
        """Return the file of a sample, or raise if it is not in the folder."""
        path = (self.folder / self.ids[row]).resolve()
        # the file may have become a link since it was listed
        if not path.is_relative_to(self.folder):
            raise LabelError(f"{self.ids[row]} leads out of the folder. Restart.")
        return path

    def first_features(self, rows, most, report, seconds=float("inf")):
        """Return features of images that are read in some seconds, drawn at random.

        Photographs of many megapixels take long, small images do not. Where fewer than
        usual could be read, the features are other ones than :meth:`features` returns.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), int64
        most : int
            To read at most.
        report : callable
            As in :meth:`features`.
        seconds : float
            It may take a little longer. Called again, it goes on with other images.

        Returns
        -------
        X : ndarray of shape (m, d)
        kept : ndarray of shape (m,), int64
        n_done : int
            Number of rows that were read, the broken ones included.
        """
        drawn, end = _shuffled(rows)[:most], time.monotonic() + seconds
        good, n_done = [], 0
        while n_done < len(drawn) and (time.monotonic() < end or len(good) < 2):
            block = drawn[n_done : n_done + _BLOCK_FIRST]
            good += self._small.read(block, ahead=True)[0].tolist()
            n_done += len(block)
            report(n_done, len(rows))
        if n_done == len(rows):
            return *self.features(rows, report), n_done
        if len(good) < 2:
            return np.empty((0, 1)), rows[:0], n_done
        kept, pixels = self._small.read(np.sort(good), ahead=True)
        transformer = self._fitted(np.array(good))
        if len(good) >= _TO_FIT:
            self.made = transformer
        return transformer.transform(pixels), kept, n_done

    def _fitted(self, good):
        """Return a transformer that has learned from some of the rows."""
        # ascending, so that nothing depends on the order in which they were drawn
        _, pixels = self._small.read(np.sort(good[:_TO_FIT]), ahead=True)
        return clone(self.transformer).fit(pixels)

    def _features(self, rows, report):
        """Return features of the images that can be read."""
        if self.made is None:
            self._fit(rows, report)
        found, kept = [], []
        for start in range(0, len(rows), _BLOCK):
            good, pixels = self._small.read(rows[start : start + _BLOCK])
            if len(good):
                found.append(self.made.transform(pixels))
                kept.append(good)
            report(min(start + _BLOCK, len(rows)), len(rows))
        kept = np.concatenate([rows[:0], *kept])
        self._note_broken(np.setdiff1d(rows, kept))
        width = self.made.reducer_[-1].n_components_
        return np.concatenate([np.empty((0, width), dtype=np.float32), *found]), kept

    def _fit(self, rows, report):
        """Learn from images that can be read, drawn from all rows."""
        drawn, good, n_done = _shuffled(rows), [], 0
        while n_done < len(drawn) and len(good) < _TO_FIT:
            block = drawn[n_done : n_done + _BLOCK]
            good += self._small.read(block, ahead=True)[0].tolist()
            n_done += len(block)
            report(n_done, len(rows))
        if len(good) < 2:
            raise LabelError(
                f"Of {len(rows)} images in {self.folder}, {len(good)} can be read. "
                "Open one in a viewer; they may not be images."
            )
        self.made = self._fitted(np.array(good))

    def _note_broken(self, rows):
        """Say which images are left out, and why the first of them is."""
        rows = np.union1d(self._broken, rows)
        if len(rows) == len(self._broken):
            return
        self._broken = rows
        names = [self.ids[row] for row in rows[:_FEW]]
        many = f"{', '.join(names)}{' and others' if len(rows) > _FEW else ''}"
        try:
            open_image(self.path(rows[0]))
            reason = ""
        except (LabelError, OSError) as error:
            reason = f" {error}"
        note = f"1 broken image is left out.{reason}"
        if len(rows) > 1:
            note = f"{len(rows)} broken images are left out: {many}.{reason}"
        if self._place_of_note is None:
            self._place_of_note = len(self.notes)
            self.notes.append(note)
        else:
            self.notes[self._place_of_note] = note

    def show(self, row):
        """Return what the page shows of a sample."""
        return {"kind": "image"}

    def image(self, row, size):
        """Return a sample's image as bytes and media type."""
        return self._encoded(row, size)

    def _encode(self, row, size):
        """Read an image and encode it."""
        side = 400 if size == "small" else 2000
        return encode(open_image(self.path(row), least_side=side), size)

    def model(self, clusterer):
        """Return a model that takes paths of images."""
        if self.embeddings is not None or self.made is None:
            return clusterer
        return make_pipeline(self.made, clusterer)


def _shuffled(rows):
    """Return rows in an order that depends on nothing but their number."""
    return np.random.RandomState(0).permutation(rows)
