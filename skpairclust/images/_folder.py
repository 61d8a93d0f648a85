"""Images in a folder as an X that is read batch by batch."""

import copy
import operator
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral
from pathlib import Path
from typing import Any, Literal

import joblib
import numpy as np
from numpy.typing import DTypeLike, NDArray

from skpairclust.images._checks import (
    check_choices,
    check_folder,
    check_n_jobs,
    check_size,
)
from skpairclust.images._files import (
    EXTENSIONS,
    BrokenImageError,
    import_pillow,
    list_images,
    on_white,
    open_image,
)
from skpairclust.images._scaling import to_size
from skpairclust.utils._progress_line import CountLine

# Images between two reports of progress.
_BLOCK = 256
_MODES = {"rgb": "RGB", "gray": "L"}


class ImageFolder:
    """The images in a folder, read when they are needed.

    Both estimators take it as X and read it batch by batch, in several threads. Folders
    in the folder are searched too, and those of the first level name the classes. What
    begins with a dot is left out.

    A number gives one image as an array. A slice, a mask or an array of numbers gives
    an `ImageFolder` of these images, unread, so `train_test_split` and the folds of
    cross-validation work. ``np.asarray(folder)`` reads all images into memory.

    Parameters
    ----------
    folder : str or path-like
        Where the images are: PNG, JPEG, WebP, BMP, GIF, TIFF, PGM or PPM files.

    size : int or (int, int)
        Pixels of a side, or ``(height, width)``. Images of other sizes are scaled.

    mode : {"rgb", "gray"}, default="rgb"
        Images have three channels, or none. Transparent parts become white. Files with
        more than 8 bits are scaled to 0 to 255 by the range of each image.

    resize : {"crop", "pad", "stretch"}, default="crop"
        What becomes of an image whose shape is another one. "crop" takes the largest
        part of the right shape in its middle. "pad" keeps all of it and fills what is
        missing with the median color of its border. "stretch" changes the shape.

    on_error : {"raise", "skip"}, default="raise"
        "raise" looks at files only when they are needed, and raises an error that names
        one that cannot be read. "skip" reads all files now, once, and leaves out those
        that cannot be read.

    n_jobs : int, default=-1
        Threads that read a batch. -1 is one per core; each holds a decoded image in
        memory, twice while it is turned upright.

    verbose : int, default=0
        Whether a line says how far the reading of "skip", or of all images, is.

    Attributes
    ----------
    names : list of str
        Paths inside the folder, sorted, with "/" on every system. They may be the
        `index` of `PairwiseConstraints.from_frame`.

    paths : list of Path
        The same as whole paths.

    labels : ndarray of shape (n_images,), object
        The class of each image, which is its folder of the first level; None, which is
        no label, for images outside of these. It may be the y of `fit`.

    classes : list of str
        Those classes, sorted.

    skipped : dict of str to str
        Names of files that were left out, and why.

    shape : tuple of int
        ``(n_images, 3, height, width)``, or ``(n_images, height, width)`` of gray ones.

    ndim : int
        Length of `shape`.

    dtype : dtype
        uint8.

    Raises
    ------
    ValueError
        If a parameter cannot be used, or there are no images.

    FileNotFoundError, NotADirectoryError
        If there is no such folder.

    ImportError
        If Pillow is not installed: ``pip install "skpairclust[images]"``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from skpairclust.images import ImageFolder
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
    ...     (folder / name).parent.mkdir(exist_ok=True)
    ...     Image.new("RGB", (40, 30)).save(folder / name)
    >>> X = ImageFolder(folder, 32)
    >>> X.shape, X.names[0], X.labels.tolist()
    ((3, 3, 32, 32), 'cat/1.png', ['cat', 'cat', 'dog'])
    >>> X[0].shape, X[1:].names
    ((3, 32, 32), ['cat/2.png', 'dog/1.png'])
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        size: int | tuple[int, int],
        *,
        mode: Literal["rgb", "gray"] = "rgb",
        resize: Literal["crop", "pad", "stretch"] = "crop",
        on_error: Literal["raise", "skip"] = "raise",
        n_jobs: int = -1,
        verbose: int = 0,
    ) -> None:
        import_pillow("Image")
        check_choices(mode=mode, resize=resize, on_error=on_error)
        self.folder = check_folder(folder)
        self.size = check_size(size)
        self.mode = mode
        self.resize = resize
        self.n_jobs = check_n_jobs(n_jobs)
        self.verbose = verbose
        names, sizes, _ = list_images(self.folder, follows_links=True)
        if not names:
            raise ValueError(
                f"folder={str(folder)!r} holds no images ({', '.join(EXTENSIONS)}). "
                "Give the folder that holds the files, or one above it."
            )
        self.names = names
        self._n_bytes = np.array(sizes, dtype=np.int64)
        self.skipped: dict[str, str] = {}
        if on_error == "skip":
            self._skip_broken()

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return [self.folder / name for name in self.names]

    @property
    def labels(self) -> NDArray[np.object_]:
        """The class of each image, None of those without."""
        labels = np.empty(len(self.names), dtype=object)
        for row, name in enumerate(self.names):
            first, slash, _ = name.partition("/")
            labels[row] = first if slash else None
        return labels

    @property
    def classes(self) -> list[str]:
        """The classes that there are, sorted."""
        return sorted({label for label in self.labels if label is not None})

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array of all images."""
        channels = () if self.mode == "gray" else (3,)
        return (len(self.names), *channels, *self.size)

    @property
    def ndim(self) -> int:
        """Of an array of all images."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Of the images: uint8."""
        return np.dtype(np.uint8)

    def find_broken(self) -> dict[str, str]:
        """Read all images and return what is wrong with those that cannot be read.

        Returns
        -------
        dict of str to str
            Reasons by name.
        """
        found = {}
        with CountLine("images", len(self), self.verbose) as report:
            for start in range(0, len(self), _BLOCK):
                rows = range(start, min(start + _BLOCK, len(self)))
                for row, reason in zip(
                    rows, self._in_threads(self._reason, rows), strict=True
                ):
                    if reason is not None:
                        found[self.names[row]] = reason
                report(rows.stop)
        return found

    def _skip_broken(self):
        """Leave out files that cannot be read, and say so."""
        broken = self.find_broken()
        if not broken:
            return
        first = next(iter(broken))
        what = (
            f"{len(broken)} of {len(self)} files in {self.folder} cannot be read as "
            f"images, for instance {first} ({broken[first]:.120})"
        )
        if len(broken) == len(self):
            raise ValueError(f"{what}. Open one in a viewer; they may be no images.")
        self._keep(np.array([name not in broken for name in self.names]))
        self.skipped = broken
        warnings.warn(
            f"{what}. They are left out; the attribute skipped names them.",
            UserWarning,
            stacklevel=3,
        )

    def _keep(self, rows):
        """Keep these images only."""
        kept = np.arange(len(self.names))[rows]
        if kept.ndim != 1:
            raise IndexError(
                f"images have one index, not {kept.ndim}: give a number, a slice, a "
                "mask or an array of numbers. numpy.asarray(folder) gives an array."
            )
        self.names = [self.names[row] for row in kept]
        self._n_bytes = self._n_bytes[kept]

    def _in_threads(self, function, rows):
        """Return the results of a function of some rows, in their order."""
        # No pool is kept: its threads would be missing after a fork or in a pickle.
        n_threads = min(joblib.effective_n_jobs(self.n_jobs), len(rows))
        if n_threads < 2:
            return [function(row) for row in rows]
        with ThreadPoolExecutor(n_threads) as pool:
            return list(pool.map(function, rows))

    def _reason(self, row):
        """Return why an image cannot be read, None if it can."""
        try:
            self._read(row)
        except BrokenImageError as error:
            return error.reason
        return None

    def _read(self, row):
        """Return an image as an array, or say which file is broken."""
        try:
            image = open_image(self.folder / self.names[row], least_side=max(self.size))
        except BrokenImageError as error:
            raise BrokenImageError(
                f"X[{row}], the file {self.names[row]} in {self.folder}, cannot be "
                f"read as an image ({error.reason:.120}). Replace or remove it, or "
                'pass on_error="skip" to ImageFolder, which leaves such files out.',
                error.reason,
            ) from error
        image = to_size(on_white(image, _MODES[self.mode]), self.size, self.resize)
        values = np.array(image)
        # Channels first, as networks take them.
        return values if values.ndim == 2 else np.moveaxis(values, 2, 0)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, rows: Any) -> Any:
        """Return an image as an array, or some of them as an `ImageFolder`."""
        # scikit-learn takes rows of what has a shape as X[rows, ...].
        if isinstance(rows, tuple) and len(rows) == 2 and rows[1] is Ellipsis:
            rows = rows[0]
        if isinstance(rows, Integral):
            row = operator.index(rows)
            if not -len(self) <= row < len(self):
                raise IndexError(f"there are {len(self)} images, and none is {row}.")
            return self._read(row % len(self))
        part = copy.copy(self)
        part._keep(np.asarray(rows, dtype=np.int64) if _is_empty(rows) else rows)
        return part

    def __getitems__(self, rows: Any) -> NDArray[np.uint8]:
        """Return several images as an array; data loaders of PyTorch call this."""
        values = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        read = self._in_threads(lambda row: self[int(row)], rows)
        for place, image in enumerate(read):
            values[place] = image
        return values

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Read all images."""
        if copy is False:
            raise ValueError("Images that are files have to be copied into an array.")
        values = np.empty(self.shape, dtype=self.dtype)
        with CountLine("images", len(self), self.verbose) as report:
            for start in range(0, len(self), _BLOCK):
                rows = range(start, min(start + _BLOCK, len(self)))
                values[start : rows.stop] = self.__getitems__(rows)
                report(rows.stop)
        return values if dtype is None else values.astype(dtype, copy=False)

    def __repr__(self) -> str:
        height, width = self.size
        return (
            f"<ImageFolder {str(self.folder)!r}: {len(self)} {self.mode} images of "
            f"{height} x {width}, {len(self.classes)} classes>"
        )


def _is_empty(rows):
    """Whether rows are an empty list, which is no index of integers for NumPy."""
    return isinstance(rows, list | tuple) and not len(rows)
