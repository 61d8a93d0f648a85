"""A folder of images, read one by one when they are needed."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

from skpairclust.images._files import EXTENSIONS, list_images
from skpairclust.label._errors import LabelError
from skpairclust.label._image_features import ImageFeatures
from skpairclust.label._pictures import BrokenImage, encode, open_image
from skpairclust.label._sources import Source

# Encoded images kept in memory: of 10 kB, a few hundred are a few megabytes.
_KEPT_IMAGES = 512
# Images between two reports of progress.
_BLOCK = 64


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

    def _features(self, rows, report):
        """Return features of the images that can be read."""
        found, kept = [], []
        if self.made is None:
            rows = self._fit(rows)
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            good, X = self._transform(block)
            found.append(X)
            kept.append(good)
            report(min(start + _BLOCK, len(rows)), len(rows))
        kept = np.concatenate(kept)
        self._note_broken(np.setdiff1d(rows, kept))
        if self.made is None:
            raise LabelError(
                f"Of {len(rows)} images in {self.folder}, {len(kept)} can be read. "
                "Open one in a viewer; they may not be images."
            )
        return np.concatenate(found), kept

    def _fit(self, rows):
        """Fit the transformer to images that can be read, and return these."""
        good, bad = [], []
        for row in rows:
            try:
                open_image(self.path(row), least_side=1)
                good.append(row)
            except BrokenImage:
                bad.append(row)
            if len(good) == self.most_to_fit:
                break
        if len(good) < 2:
            return rows
        self.made = self.transformer.fit([str(self.path(row)) for row in good])
        return rows

    most_to_fit = 300

    def _transform(self, rows):
        """Return the rows of a block that can be read, and their features."""
        if self.made is None:
            return rows[:0], np.empty((0, 1), dtype=np.float32)
        try:
            return rows, self.made.transform([str(self.path(r)) for r in rows])
        except BrokenImage:
            parts = [self._transform_one(row) for row in rows]
        good = [row for row, X in zip(rows, parts, strict=True) if X is not None]
        found = [X for X in parts if X is not None]
        width = self.made.reducer_[-1].n_components_
        empty = np.empty((0, width), dtype=np.float32)
        return np.array(good, dtype=np.int64), np.concatenate([empty, *found])

    def _transform_one(self, row):
        """Return the features of an image, None if it is broken."""
        try:
            return self.made.transform([str(self.path(row))])
        except BrokenImage:
            return None

    def _note_broken(self, rows):
        """Say which images are left out, and why the first of them is."""
        if not len(rows):
            return
        try:
            open_image(self.path(rows[0]))
            reason = ""
        except (LabelError, OSError) as error:
            reason = f" {error}"
        self.notes.append(f"{len(rows)} broken images are left out.{reason}")

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
