"""Folders of photographs whose second half of classes is never seen in training.

CUB-200-2011, Cars196 and Stanford Online Products in the layouts in which their authors
publish them, and with the split of Oh Song et al. (2016): the first half of the classes
to train, the other half to test. Nothing is downloaded; the folders are looked for in
the one that the environment variable ``SKPAIRCLUST_DATA`` names:

``CUB_200_2011``
    images.txt, image_class_labels.txt, images/<class>/<name>.jpg
``Cars196``
    cars_annos.mat, car_ims/<number>.jpg
``Stanford_Online_Products``
    Ebay_train.txt, Ebay_test.txt, <category>_final/<name>.JPG

Images are read when they are needed, since none of these sets fits in memory.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.datasets import VARIABLE, DatasetUnavailableError

# Mean and deviation of ImageNet's channels, which pretrained networks expect.
_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)
# As usual, the image is scaled to somewhat more than what is cut out of its middle.
_MARGIN = 256 / 224


class ImageFiles:
    """Image files as (3, size, size) float32 arrays, read one by one.

    Parameters
    ----------
    paths : sequence of path-like
    size : int, default=224
        Side of the square that is cut out of the middle.
    """

    def __init__(self, paths, size=224):
        self.paths = list(paths)
        self.size = size

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, row):
        """Return an image, standardized as ImageNet's are."""
        from PIL import Image

        with Image.open(self.paths[row]) as image:
            image = image.convert("RGB")
            scale = _MARGIN * self.size / min(image.size)
            size = [max(self.size, round(scale * side)) for side in image.size]
            image = image.resize(size, Image.Resampling.BILINEAR)
            left, top = ((side - self.size) // 2 for side in image.size)
            box = (left, top, left + self.size, top + self.size)
            pixels = np.asarray(image.crop(box), dtype=np.float32) / 255
        return ((pixels - _MEAN) / _DEVIATION).transpose(2, 0, 1)


@dataclass(frozen=True)
class ImageFolder:
    """Paths and integer classes of the training and of the test images."""

    name: str
    paths_train: list
    y_train: np.ndarray
    paths_test: list
    y_test: np.ndarray


def load_cub200():
    """Load CUB-200-2011: 100 classes of birds to train, 100 to test."""
    name, folder = "CUB-200-2011", "CUB_200_2011"
    root = _find(name, folder, "images.txt")
    names = _read_columns(root / "images.txt")
    classes = dict(_read_columns(root / "image_class_labels.txt"))
    paths = [root / "images" / path for _, path in names]
    y = np.array([int(classes[number]) for number, _ in names])
    return _halve(name, paths, y)


def load_cars196():
    """Load Cars196: 98 classes of cars to train, 98 to test."""
    from scipy.io import loadmat

    name, folder = "Cars196", "Cars196"
    root = _find(name, folder, "cars_annos.mat")
    notes = loadmat(root / "cars_annos.mat", squeeze_me=True)["annotations"]
    notes = np.atleast_1d(notes)
    paths = [root / str(path) for path in notes["relative_im_path"]]
    y = np.array([int(label) for label in notes["class"]])
    return _halve(name, paths, y)


def load_online_products():
    """Load Stanford Online Products: 11318 products to train, 11316 to test."""
    name, folder = "Stanford Online Products", "Stanford_Online_Products"
    root = _find(name, folder, "Ebay_train.txt")
    parts = []
    for part in ("train", "test"):
        # image_id class_id super_class_id path, under a line of these names
        lines = _read_columns(root / f"Ebay_{part}.txt", n_columns=4)[1:]
        parts.append([root / line[3] for line in lines])
        parts.append(np.array([int(line[1]) for line in lines]))
    return ImageFolder(name, *parts)


LOADERS = {
    "cub200": load_cub200,
    "cars196": load_cars196,
    "online_products": load_online_products,
}


def _find(name, folder, file):
    """Return the folder of a data set, or say where it should be."""
    root = os.environ.get(VARIABLE)
    path = Path(root, folder) if root else None
    if path is None or not (path / file).is_file():
        raise DatasetUnavailableError(
            f"{name} could not be loaded. Set {VARIABLE} to a folder with "
            f"{folder}/{file}, as published; benchmarks/image_folders.py describes it."
        )
    return path


def _read_columns(path, n_columns=2):
    """Return the words of each line; the last column may hold spaces."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split(maxsplit=n_columns - 1) for line in lines if line.strip()]


def _halve(name, paths, y):
    """Return the first half of the classes to train, the rest to test."""
    classes = np.unique(y)
    is_train = y <= classes[len(classes) // 2 - 1]
    train, test = np.flatnonzero(is_train), np.flatnonzero(~is_train)
    return ImageFolder(
        name,
        [paths[row] for row in train],
        y[train],
        [paths[row] for row in test],
        y[test],
    )
