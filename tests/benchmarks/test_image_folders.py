"""Loaders of published image folders, on small folders of the same layout."""

import numpy as np
import pytest
from scipy.io import savemat

from benchmarks.datasets import VARIABLE, DatasetUnavailableError
from benchmarks.image_folders import LOADERS, ImageFiles

Image = pytest.importorskip("PIL.Image")

N_CLASSES, N_EACH = 4, 3


def _write_image(path, seed, size=(40, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.RandomState(seed).randint(256, size=(size[1], size[0], 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def _write_cub200(root):
    root = root / "CUB_200_2011"
    names, classes, number = [], [], 0
    for label in range(1, N_CLASSES + 1):
        for _ in range(N_EACH):
            number += 1
            name = f"{label:03d}.Bird/Bird_{number}.jpg"
            _write_image(root / "images" / name, number)
            names.append(f"{number} {name}\n")
            classes.append(f"{number} {label}\n")
    (root / "images.txt").write_text("".join(names))
    (root / "image_class_labels.txt").write_text("".join(classes))


def _write_cars196(root):
    root = root / "Cars196"
    n = N_CLASSES * N_EACH
    fields = [("relative_im_path", object), ("class", object), ("test", object)]
    notes = np.zeros((1, n), dtype=fields)
    for row in range(n):
        name = f"car_ims/{row + 1:06d}.jpg"
        _write_image(root / name, row)
        notes[0, row] = (name, row // N_EACH + 1, row % 2)
    savemat(root / "cars_annos.mat", {"annotations": notes})


def _write_online_products(root):
    root = root / "Stanford_Online_Products"
    number = 0
    for part, labels in (("train", (1, 2)), ("test", (3, 4))):
        lines = ["image_id class_id super_class_id path\n"]
        for label in labels:
            for view in range(N_EACH):
                number += 1
                name = f"bicycle_final/{label}_{view}.JPG"
                _write_image(root / name, number)
                lines.append(f"{number} {label} 1 {name}\n")
        (root / f"Ebay_{part}.txt").write_text("".join(lines))


WRITERS = {
    "cub200": _write_cub200,
    "cars196": _write_cars196,
    "online_products": _write_online_products,
}


@pytest.mark.parametrize("name", LOADERS)
def test_first_half_of_the_classes_is_for_training(name, tmp_path, monkeypatch):
    WRITERS[name](tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    data = LOADERS[name]()
    assert data.y_train.tolist() == [1] * N_EACH + [2] * N_EACH
    assert data.y_test.tolist() == [3] * N_EACH + [4] * N_EACH
    assert len(data.paths_train) == len(data.y_train)
    assert all(path.is_file() for path in (*data.paths_train, *data.paths_test))


@pytest.mark.parametrize("name", LOADERS)
def test_missing_folder_says_where_it_should_be(name, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(DatasetUnavailableError, match=VARIABLE):
        LOADERS[name]()


@pytest.mark.parametrize("size", [(40, 30), (30, 61), (5, 5)])
def test_images_are_squares_of_one_size(size, tmp_path):
    _write_image(tmp_path / "a.png", 0, size)
    images = ImageFiles([tmp_path / "a.png"], 24)
    assert len(images) == 1
    assert images[0].shape == (3, 24, 24)
    assert images[0].dtype == np.float32
    assert np.abs(images[0]).max() < 3


def test_experiment_trains_on_a_folder(tmp_path, monkeypatch):
    """The command of the page works with any of them; here with a small network."""
    from benchmarks.experiments import embedding

    _write_cub200(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(embedding, "ImageFiles", lambda paths: ImageFiles(paths, 16))
    monkeypatch.setattr(embedding, "PRETRAINED", {"network": "conv"})
    cell = embedding.make_cells("full")[0] | {"dataset": "cub200", "max_iter": 1}
    scores = embedding.measure(cell, "cpu")
    assert 0 <= scores["recall_1"] <= 1
