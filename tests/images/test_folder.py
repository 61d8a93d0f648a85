"""Images in a folder as X."""

import os
import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

from skpairclust import (
    ConstrainedNeuralClusterer,
    MetricEmbedder,
    PairwiseConstraints,
)
from skpairclust.images import BrokenImageError, ImageFolder
from skpairclust.model_selection import ConstraintKFold, cross_validate_constraints
from skpairclust.neural._lazy_rows import LazyRows, is_lazy


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, dtype=np.uint8)).save(path)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Sixty images of three classes, in several formats, modes and sizes."""
    root = tmp_path_factory.mktemp("images")
    rng = np.random.RandomState(0)
    for number in range(60):
        kind = number % 3
        shape = (20 + number % 5, 24) if number % 2 else (30, 18 + number % 4, 3)
        values = rng.randint(60, size=shape) + 80 * kind
        suffix = ("png", "bmp", "tif")[number % 7 % 3]
        save(root / "abc"[kind] / f"{number:02d}.{suffix}", values)
    (root / "abc.txt").write_text("no image")
    return root


@pytest.fixture
def with_broken(tmp_path):
    """Four images, one that is none, one that is cut, and an empty one."""
    for number in range(4):
        save(tmp_path / f"{number}.png", np.full((9, 9), 50 * number))
    noise = np.random.RandomState(0).randint(256, size=(60, 60))
    save(tmp_path / "cut.png", noise)
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "none.jpg").write_bytes(b"no image at all")
    (tmp_path / "empty.png").touch()
    return tmp_path


BROKEN = ["cut.png", "deep/none.jpg", "empty.png"]


# -- what is in the folder -------------------------------------------------------------


def test_names_classes_and_shape(root):
    X = ImageFolder(root, (12, 16))
    assert len(X) == 60 and X.shape == (60, 3, 12, 16) and X.dtype == np.uint8
    assert X.names == sorted(X.names) and X.names[0] == "a/00.png"
    assert all(path.is_file() for path in X.paths)
    assert X.classes == ["a", "b", "c"]
    assert X.labels.tolist() == [name[0] for name in X.names]
    assert ImageFolder(str(root), 12, mode="gray").shape == (60, 12, 12)
    assert "60 rgb images of 12 x 16, 3 classes" in repr(X)


def test_only_the_first_level_names_classes(tmp_path):
    for name in ("x/deep/1.png", "x/2.png", "y/3.PNG", "4.png"):
        save(tmp_path / name, np.zeros((4, 4)))
    X = ImageFolder(tmp_path, 4)
    assert X.names == ["4.png", "x/2.png", "x/deep/1.png", "y/3.PNG"]
    assert X.labels.tolist() == [None, "x", "x", "y"]
    pairs = PairwiseConstraints.from_labels(X.labels)
    assert (pairs.n_must_link, pairs.n_cannot_link) == (1, 2)


def test_what_is_hidden_is_no_image(tmp_path):
    for name in ("a.png", "._a.png", ".ipynb_checkpoints/a.png", "b/.c/a.png"):
        save(tmp_path / name, np.zeros((4, 4)))
    assert ImageFolder(tmp_path, 4).names == ["a.png"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_but_not_in_circles(tmp_path):
    save(tmp_path / "elsewhere/1.png", np.zeros((4, 4)))
    folder = tmp_path / "folder"
    (folder / "in").mkdir(parents=True)
    (folder / "file.png").symlink_to(tmp_path / "elsewhere/1.png")
    (folder / "kind").symlink_to(tmp_path / "elsewhere")
    (folder / "in" / "up").symlink_to(folder)
    (tmp_path / "elsewhere" / "back").symlink_to(folder)
    X = ImageFolder(folder, 4)
    assert X.names == ["file.png", "kind/1.png"]
    # a link that leads nowhere is an image that cannot be read
    (folder / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert list(ImageFolder(folder, 4).find_broken()) == ["gone.png"]


def test_nothing_is_read_before_it_is_needed(tmp_path):
    for number in range(300):
        (tmp_path / f"{number}.png").touch()
    assert len(ImageFolder(tmp_path, 4)) == 300


# -- pixels ----------------------------------------------------------------------------


def test_pixels_of_images_that_have_the_size(tmp_path):
    values = np.random.RandomState(0).randint(256, size=(5, 7, 3)).astype(np.uint8)
    save(tmp_path / "a.png", values)
    X = ImageFolder(tmp_path, (5, 7))
    assert_array_equal(X[0], values.transpose(2, 0, 1))
    gray = ImageFolder(tmp_path, (5, 7), mode="gray")[0]
    assert gray.shape == (5, 7)
    # the weights of ITU-R 601
    assert_allclose(gray, values @ [0.299, 0.587, 0.114], atol=1)


def test_three_ways_to_another_shape(tmp_path):
    # Left half 200, right half 100, on a wide image with a border of 30.
    values = np.full((20, 40), 200)
    values[:, 20:] = 100
    values[[0, -1]] = values[:, [0, -1]] = 30
    save(tmp_path / "a.png", values)

    def read(resize):
        return ImageFolder(tmp_path, 20, mode="gray", resize=resize)[0].astype(int)

    crop = read("crop")
    # the middle, unscaled
    assert_array_equal(crop, values[:, 10:30])
    pad = read("pad")
    assert (pad[:5] == 30).all() and (pad[15:] == 30).all()
    assert_allclose(pad[7:13, 2:8], 200)
    assert_allclose(pad[7:13, 12:18], 100)
    stretch = read("stretch")
    assert_allclose(stretch[2:-2, 2:8], 200)
    assert_allclose(stretch[2:-2, 12:18], 100)


@pytest.mark.parametrize("resize", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1, 3), (2, 2, 4), (90, 50)])
def test_images_of_any_shape(tmp_path, resize, shape):
    save(tmp_path / "a.png", np.full(shape, 255))
    for mode in ("rgb", "gray"):
        X = ImageFolder(tmp_path, (9, 7), mode=mode, resize=resize)
        assert X[0].shape == X.shape[1:] and (X[0] == 255).all()


def test_an_average_survives_shrinking(tmp_path):
    stripes = np.zeros((64, 64))
    stripes[:, ::2] = 255
    save(tmp_path / "a.png", stripes)
    # no aliases: sampling every other column would give 0 or 255
    assert_allclose(ImageFolder(tmp_path, 32, mode="gray")[0], 127.5, atol=20)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16", "CMYK"])
def test_files_of_every_mode(tmp_path, mode):
    image = Image.new("RGB", (30, 20), "orange")
    image = Image.new(mode, (30, 20)) if mode == "I;16" else image.convert(mode)
    suffix = "tif" if mode == "CMYK" else "png"
    image.save(tmp_path / f"a.{suffix}")
    found = ImageFolder(tmp_path, 8)[0]
    # Two colors are mixed from dots.
    expected = np.asarray(image.convert("RGB")).mean(axis=(0, 1))
    assert found.shape == (3, 8, 8)
    assert_allclose(found.mean(axis=(1, 2)), expected, atol=15)


@pytest.mark.parametrize(
    ("image", "saved", "expected"),
    [
        (Image.new("1", (8, 8), 1), {}, 255),
        (Image.new("1", (8, 8), 0), {}, 0),
        (Image.new("RGB", (8, 8), 0), {"transparency": (0, 0, 0)}, 255),
        (Image.new("L", (8, 8), 0), {"transparency": 0}, 255),
        (Image.new("L", (8, 8), 9), {"transparency": 0}, 9),
    ],
)
def test_scans_of_one_color_and_a_transparent_color(tmp_path, image, saved, expected):
    image.save(tmp_path / "a.png", **saved)
    assert_array_equal(ImageFolder(tmp_path, 8)[0], np.full((3, 8, 8), expected))


def test_values_that_are_not_finite_are_the_darkest(tmp_path):
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    values[0, :2] = np.nan, np.inf
    Image.fromarray(values).save(tmp_path / "a.tif")
    found = ImageFolder(tmp_path, 8, mode="gray")[0]
    assert (found[0, 0], found[0, 1], found[-1, -1]) == (0, 0, 255)


def test_transparent_parts_are_white_and_deep_gray_is_stretched(tmp_path):
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    deep = np.arange(16, dtype=np.uint16).reshape(4, 4) * 1000 + 7
    Image.fromarray(deep).save(tmp_path / "b.png")
    X = np.asarray(ImageFolder(tmp_path, 4, mode="gray"))
    assert (X[0] == 255).all()
    assert_array_equal(X[1].ravel(), np.arange(16) * 17)


def test_images_stand_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    image = Image.fromarray(np.repeat([[255] * 8, [0] * 8], 4, 0).astype(np.uint8))
    image.save(tmp_path / "a.png", exif=exif)
    turned = ImageFolder(tmp_path, 8, mode="gray")[0]
    assert (turned[:, :4] == 0).all() and (turned[:, 4:] == 255).all()


# -- rows ------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2, -1, None])
def test_rows_are_the_same_however_they_are_read(root, n_jobs):
    X = ImageFolder(root, 10, n_jobs=n_jobs)
    one_by_one = np.stack([X[row] for row in range(len(X))])
    assert_array_equal(np.asarray(X), one_by_one)
    assert np.asarray(X, dtype=np.float32).dtype == np.float32
    rows = np.array([5, 0, 59, 5])
    assert_array_equal(X.__getitems__(rows), one_by_one[rows])
    assert is_lazy(X)
    assert_array_equal(LazyRows(X)[rows], one_by_one[rows])
    assert_array_equal(LazyRows(X)[7:20:3], one_by_one[7:20:3])
    assert_array_equal(X[-1], one_by_one[-1])


def test_parts_are_folders_too(root):
    X = ImageFolder(root, 10)
    mask = X.labels == "b"
    for rows in ([3, 1], np.array([3, 1]), slice(4, 50, 7), mask, (np.arange(3), ...)):
        part = X[rows]
        expected = np.array(X.names)[rows[0] if isinstance(rows, tuple) else rows]
        assert isinstance(part, ImageFolder) and part.names == expected.tolist()
        assert_array_equal(part[0], X[X.names.index(part.names[0])])
    assert X[mask].classes == ["b"] and len(X) == 60
    assert X[[]].shape == (0, 3, 10, 10) and len(np.asarray(X[[]])) == 0
    for row in (60, -61, np.array([60])):
        with pytest.raises(IndexError):
            X[row]
    with pytest.raises(IndexError, match="images have one index"):
        X[np.zeros((2, 2), dtype=int)]
    with pytest.raises(IndexError):
        X[1.5]
    assert sum(1 for _ in X) == 60


def test_pickles_and_data_loaders(root):
    X = ImageFolder(root, 10)[10:20]
    again = pickle.loads(pickle.dumps(X))
    assert again.names == X.names and np.array_equal(again, X)
    batch = next(iter(DataLoader(X, batch_size=4)))
    assert_array_equal(batch.numpy(), np.asarray(X[:4]))


# -- estimators ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [MetricEmbedder, ConstrainedNeuralClusterer])
@pytest.mark.parametrize("mode", ["rgb", "gray"])
def test_estimators_read_it_as_they_read_an_array(root, kind, mode):
    X = ImageFolder(root, 12, mode=mode)
    values = np.asarray(X).astype(np.float32)
    models = [kind(3, max_iter=2, random_state=0).fit(x, X.labels) for x in (X, values)]
    assert models[0].network_kind_ == models[1].network_kind_ != "mlp"
    assert models[0].augment_ == {"rgb": "affine", "gray": "elastic"}[mode]
    assert_array_equal(models[0].transform(X), models[1].transform(values))
    assert models[0].score(X, X.labels) == models[1].score(values, X.labels)


def test_splits_and_folds_read_nothing(with_broken):
    X = ImageFolder(with_broken, 4)
    train, test = train_test_split(X, random_state=0)
    assert isinstance(train, ImageFolder) and len(train) + len(test) == 7
    assert sorted(train.names + test.names) == X.names


def test_cross_validation(root):
    X = ImageFolder(root, 8, mode="gray")
    pairs = PairwiseConstraints.sample_from_labels(X.labels, 200, random_state=0)
    clusterer = ConstrainedNeuralClusterer(3, max_iter=5, random_state=0)
    scores = cross_validate_constraints(clusterer, X, pairs, cv=ConstraintKFold(2))
    assert len(scores["test_score"]) == 2 and np.isfinite(scores["test_score"]).all()


# -- what is broken --------------------------------------------------------------------


@pytest.mark.parametrize("kind", [MetricEmbedder, ConstrainedNeuralClusterer])
def test_a_broken_file_is_named(with_broken, kind):
    X = ImageFolder(with_broken, 8)
    with pytest.raises(BrokenImageError, match=r"X\[4\], the file cut.png in .*skip"):
        X[4]
    with pytest.raises(BrokenImageError, match=r"X\[5\], the file deep/none.jpg"):
        LazyRows(X)[np.array([0, 5])]
    with pytest.raises(ValueError, match=r"the file (cut|empty).png .*Replace or rem"):
        kind(2, max_iter=1).fit(X, [0, 1, 0, 1, 0, 1, 0])
    assert list(X.find_broken()) == BROKEN


def test_broken_files_are_left_out_if_asked(with_broken):
    with pytest.warns(UserWarning, match=r"3 of 7 files in .*for instance cut.png \("):
        X = ImageFolder(with_broken, 8, on_error="skip")
    assert X.names == [f"{number}.png" for number in range(4)]
    assert list(X.skipped) == BROKEN and all(X.skipped.values())
    assert len(np.asarray(X)) == 4
    # one that breaks later is named still
    (with_broken / "2.png").unlink()
    with pytest.raises(BrokenImageError, match=r"X\[2\], the file 2.png"):
        np.asarray(X)
    for name in ("0.png", "1.png", "3.png"):
        (with_broken / name).write_bytes(b"")
    with pytest.raises(ValueError, match="6 of 6 files .*may be no images"):
        ImageFolder(with_broken, 8, on_error="skip")


def test_whole_folders_are_skipped_silently(root, recwarn):
    assert ImageFolder(root, 8, on_error="skip").skipped == {}
    assert not len(recwarn)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "tif", "bmp", "ppm"])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_files_with_wrong_bytes_are_read_or_named(tmp_path, suffix):
    """Whatever is wrong in a file, no other error comes out."""
    rng = np.random.RandomState(0)
    path = tmp_path / f"a.{suffix}"
    save(path, rng.randint(256, size=(20, 20, 3)))
    whole = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    X = ImageFolder(tmp_path, 8)
    for _ in range(150):
        values = whole[: rng.randint(1, len(whole) + 1)].copy()
        places = rng.randint(min(len(values), 200), size=4)
        values[places] = rng.randint(256, size=4)
        path.write_bytes(values.tobytes())
        try:
            assert X[0].shape == (3, 8, 8)
        except BrokenImageError as error:
            assert "the file a." in str(error)


def test_images_that_would_fill_the_memory(tmp_path, monkeypatch):
    save(tmp_path / "a.png", np.zeros((100, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6000)
    with (
        pytest.warns(Image.DecompressionBombWarning),
        pytest.raises(BrokenImageError, match="100 x 100 pixels are too many"),
    ):
        ImageFolder(tmp_path, 8)[0]


def test_progress_is_said_if_asked(root, capsys):
    ImageFolder(root, 8, on_error="skip")
    assert capsys.readouterr().out == ""
    X = ImageFolder(root, 8, on_error="skip", verbose=1)
    np.asarray(X)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("images 60/60 ") and second.startswith("images 60/60 ")


# -- parameters ------------------------------------------------------------------------


def test_wrong_parameters(root, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere' does not exist"):
        ImageFolder(tmp_path / "nowhere", 8)
    with pytest.raises(NotADirectoryError, match="is no folder"):
        ImageFolder(root / "abc.txt", 8)
    with pytest.raises(ValueError, match=r"holds no images \(.png, .jpg"):
        ImageFolder(tmp_path, 8)
    for size in (0, True, (8, 8, 3), (8, 0), "8", 8.0, None):
        with pytest.raises(ValueError, match=r"size=.* \(height, width\)"):
            ImageFolder(root, size)
    for options in ({"mode": "RGB"}, {"resize": "fit"}, {"on_error": "ignore"}):
        with pytest.raises(ValueError, match=r"=.* must be one of '"):
            ImageFolder(root, 8, **options)
    for n_jobs in (0, 1.5, True, "all"):
        with pytest.raises(ValueError, match="n_jobs=.* must be an integer"):
            ImageFolder(root, 8, n_jobs=n_jobs)
    with pytest.raises(ValueError, match="have to be copied"):
        ImageFolder(root, 8).__array__(copy=False)


def test_without_pillow(root, monkeypatch):
    for name in [n for n in sys.modules if n.partition(".")[0] == "PIL"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"needs pillow.*skpairclust\[images\]"):
        ImageFolder(root, 8)
