"""Samples of every kind: folders of images, tables, texts, embeddings, arrays."""

import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from skpairclust.images._files import list_images
from skpairclust.label import (
    ImageFeatures,
    LabelError,
    _image_folder,
    _small_images,
    as_days,
    as_texts,
)
from skpairclust.label._image_folder import ImageFolder
from skpairclust.label._pictures import BrokenImage, encode, from_values, open_image
from skpairclust.label._sources import ArraySource, check_ids, read_embeddings
from skpairclust.label._table_pipeline import sort_columns
from skpairclust.label._table_source import TableSource


def every_row(source):
    return source.features(np.arange(len(source)))


# -- images ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images of two kinds in two folders, in several formats and sizes."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for number in range(12):
        kind = "stripes" if number % 2 else "rings"
        (folder / kind).mkdir(exist_ok=True)
        side = 40 + 7 * number
        y, x = np.mgrid[:side, :side] / side * 40
        wave = np.sin(x) if number % 2 else np.sin(np.hypot(x - 20, y - 20))
        values = (wave * 100 + 128 + rng.normal(0, 9, wave.shape)).clip(0, 255)
        image = Image.fromarray(values.astype(np.uint8))
        suffix = ("png", "jpg", "jpeg", "webp")[number % 4]
        image.convert(("L", "RGB")[number % 3 == 0]).save(
            folder / kind / f"{number:02d}.{suffix}"
        )
    (folder / "notes.txt").write_text("no image")
    return folder


def test_a_folder_and_those_in_it(folder):
    source = ImageFolder(folder)
    assert len(source) == 12
    assert source.ids[0] == "rings/00.png" and source.ids[-1] == "stripes/11.webp"
    X, rows = every_row(source)
    assert len(X) == len(rows) == 12
    assert X.dtype == np.float32 and np.isfinite(X).all()
    assert source.show(0) == {"kind": "image"}


def test_the_fingerprint_follows_the_files(folder, tmp_path):
    first = ImageFolder(folder)
    assert ImageFolder(folder).fingerprint == first.fingerprint
    for number in (1, 2):
        Image.new("L", (9, 9), number).save(tmp_path / f"{number}.png")
    before = ImageFolder(tmp_path).fingerprint
    Image.new("RGB", (30, 30), "red").save(tmp_path / "2.png")
    assert ImageFolder(tmp_path).fingerprint != before


def test_features_separate_what_looks_different(folder):
    source = ImageFolder(folder)
    X, _ = every_row(source)
    kinds = np.array([name.startswith("rings") for name in source.ids])
    model = KNeighborsClassifier(1).fit(X[:-1], kinds[:-1])
    hits = [
        KNeighborsClassifier(1)
        .fit(np.delete(X, i, 0), np.delete(kinds, i))
        .predict(X[[i]])[0]
        == kinds[i]
        for i in range(12)
    ]
    assert model.n_features_in_ == X.shape[1]
    assert np.mean(hits) == 1


@pytest.mark.parametrize(("kind", "least"), [("network", 0.8), ("pixels", 0.8)])
def test_features_of_digits(kind, least):
    digits = load_digits()
    images, y = digits.images[:600], digits.target[:600]
    features = ImageFeatures(kind, side=16, n_filters=64, n_components=32)
    X = features.fit(images[:300]).transform(images)
    assert X.shape == (600, 32)
    model = KNeighborsClassifier(3).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > least


def test_features_repeat_and_do_not_depend_on_the_company():
    images = load_digits().images[:80]
    features = ImageFeatures(n_filters=16, n_components=8).fit(images)
    again = ImageFeatures(n_filters=16, n_components=8).fit(images)
    np.testing.assert_array_equal(features.transform(images), again.transform(images))
    np.testing.assert_allclose(
        features.transform(images[:3]), features.transform(images)[:3], atol=1e-4
    )


def test_images_of_one_color_have_features():
    images = np.full((5, 9, 9), 3.0)
    assert np.isfinite(ImageFeatures(n_components=2).fit_transform(images)).all()


def test_broken_images_are_left_out_and_said(tmp_path):
    for number in range(5):
        Image.new("RGB", (20, 20), (number * 50, 9, 9)).save(tmp_path / f"{number}.png")
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(b"no image at all")
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.png").write_bytes(b"")
    source = ImageFolder(tmp_path)
    X, rows = every_row(source)
    assert len(source) == 8 and len(X) == 5
    assert [source.ids[row] for row in rows] == [f"{n}.png" for n in range(5)]
    (note,) = source.notes
    assert note.startswith(
        "3 broken images are left out: broken.png, cut.jpg, empty.png. "
        "broken.png cannot be read as an image (its content has no known format)."
    )
    assert "Replace it or remove it" in note
    with pytest.raises(BrokenImage, match="cut.jpg cannot be read as an image"):
        source.image(source.ids.index("cut.jpg"), "small")


def test_broken_images_are_noted_once(tmp_path, monkeypatch):
    for number in range(4):
        Image.new("L", (20, 20), number * 50).save(tmp_path / f"{number}.png")
    for name in "abcd":
        (tmp_path / f"{name}.png").write_bytes(b"no image")
    source = ImageFolder(tmp_path)
    for rows in ([0, 1, 2, 4], [0, 1, 5], [3, 4, 6, 7], [6, 7]):
        source.features(np.array(rows))
    (note,) = source.notes
    assert note.startswith("4 broken images are left out: a.png, b.png, c.png and")


@pytest.mark.parametrize("seconds", [0, 60])
def test_the_first_features_change_nothing_later(folder, monkeypatch, seconds):
    """However many images could be read in time, each one is read once."""
    monkeypatch.setattr(_image_folder, "_BLOCK_FIRST", 4)
    expected, rows = every_row(ImageFolder(folder))
    opened = []
    monkeypatch.setattr(
        _small_images,
        "open_image",
        lambda path, **options: opened.append(path) or open_image(path, **options),
    )
    source = ImageFolder(folder)
    n_rows = len(source)
    first, kept, n_done = source.first_features(rows, 8, lambda *_: None, seconds)
    assert len(first) == len(kept) == n_done == (8 if seconds else 4)
    *_, n_done = source.first_features(rows, 8, lambda *_: None)
    assert n_done == 8
    first, kept, n_done = source.first_features(rows, n_rows, lambda *_: None, seconds)
    is_all = n_done == n_rows
    assert is_all == (seconds > 0)
    assert np.all(np.diff(kept) > 0)
    found = first if is_all else source.features(rows)[0]
    np.testing.assert_array_equal(found, expected)
    assert len(opened) == len(set(opened)) == n_rows


def test_features_of_files_and_of_their_pixels(folder):
    """The model of the export takes files, the page reads them beforehand."""
    source = ImageFolder(folder)
    X, rows = every_row(source)
    again = source.made.transform([source.path(row) for row in rows])
    np.testing.assert_allclose(again, X, atol=1e-5)


def test_only_broken_images(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(b"x")
    with pytest.raises(LabelError, match="Of 3 images in .*, 0 can be read"):
        every_row(ImageFolder(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_out_of_the_folder_are_left_out(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    for name in "ab":
        Image.new("L", (9, 9)).save(inside / f"{name}.png")
    Image.new("L", (9, 9)).save(outside / "secret.png")
    (inside / "link.png").symlink_to(outside / "secret.png")
    (inside / "own.png").symlink_to(inside / "a.png")
    (inside / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    (inside / "folder").symlink_to(outside)
    source = ImageFolder(inside)
    assert source.ids == ["a.png", "b.png", "own.png"]
    assert "2 links to files outside" in source.notes[0]
    # one that became a link later
    (inside / "b.png").unlink()
    (inside / "b.png").symlink_to(outside / "secret.png")
    with pytest.raises(LabelError, match="leads out of the folder"):
        source.image(1, "large")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16", "CMYK"])
def test_images_of_every_mode(tmp_path, mode):
    image = Image.new("RGB", (300, 200), "orange")
    image = Image.new(mode, (300, 200)) if mode == "I;16" else image.convert(mode)
    path = tmp_path / f"image.{'jpg' if mode == 'CMYK' else 'png'}"
    image.save(path)
    body, media_type = encode(open_image(path), "small")
    assert media_type in ("image/png", "image/jpeg")
    assert len(body) < 40_000


def test_a_big_image_is_sent_small(tmp_path):
    Image.effect_noise((3000, 2000), 50).save(tmp_path / "big.jpg", quality=95)
    Image.new("L", (9, 9)).save(tmp_path / "other.png")
    source = ImageFolder(tmp_path)
    small, large = (source.image(0, size)[0] for size in ("small", "large"))
    assert len(small) < 20_000 < len(large) < 400_000


def test_an_image_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    Image.new("L", (100, 100)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(BrokenImage, match="a.png cannot be read"):
        open_image(tmp_path / "a.png")


def test_images_stand_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (40, 20)).save(tmp_path / "a.jpg", exif=exif)
    assert open_image(tmp_path / "a.jpg").size == (20, 40)


def test_listing_reads_no_image(tmp_path):
    for number in range(300):
        (tmp_path / f"{number}.png").touch()
    names, sizes, n_outside = list_images(tmp_path)
    assert len(names) == len(sizes) == 300 and n_outside == 0


# -- tables ----------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    n = 80
    table = pd.DataFrame(
        {
            "key": [f"{number:03d}" for number in range(n)],
            "plan": rng.choice(["basic", "team", None], n),
            "spent": np.where(
                rng.random(n) < 0.2, np.nan, rng.normal(9, 4, n).round(2)
            ),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n), "D"),
            "active": rng.random(n) < 0.5,
            "note": [f"a note of its own {number}" for number in range(n)],
            "same": "x",
        }
    )
    table.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def test_columns_of_every_kind(table):
    source = TableSource(table, ids="key")
    assert source.ids[7] == "007"
    columns = sort_columns(source.table)
    assert columns.numbers == ["spent", "active"]
    assert columns.categories == ["plan"]
    assert columns.dates == ["since"]
    assert columns.left_out == ["note", "same"]
    assert "Left out of the features: note, same" in source.notes[0]
    X, _ = every_row(source)
    # spent and whether it is missing, active, plan of three values, since
    assert X.shape == (80, 7)
    assert np.isfinite(X).all()


def test_the_printed_code_is_what_is_used(table, tmp_path):
    source = TableSource(table, ids="key")
    path = tmp_path / "own.py"
    path.write_text(source.pipeline)
    again = TableSource(table, ids="key", pipeline=path)
    np.testing.assert_array_equal(every_row(source)[0], every_row(again)[0])
    path.write_text(
        "from sklearn.compose import make_column_transformer\n"
        "from sklearn.preprocessing import OrdinalEncoder\n"
        "pipeline = make_column_transformer((OrdinalEncoder(), ['active']))"
    )
    assert every_row(TableSource(table, ids="key", pipeline=path))[0].shape == (80, 1)


@pytest.mark.parametrize(
    ("code", "match"),
    [
        ("1 / 0", "ZeroDivisionError.*must set `pipeline`"),
        ("pipeline = 3", "must set `pipeline` to a transformer"),
        ("", "must set `pipeline` to a transformer"),
    ],
)
def test_a_pipeline_that_is_none(table, tmp_path, code, match):
    (tmp_path / "own.py").write_text(code)
    with pytest.raises(LabelError, match=match):
        TableSource(table, pipeline=tmp_path / "own.py")


def test_a_pipeline_that_does_not_fit_the_table(table, tmp_path):
    (tmp_path / "own.py").write_text(
        "from sklearn.preprocessing import StandardScaler\npipeline = StandardScaler()"
    )
    source = TableSource(table, ids="key", pipeline=tmp_path / "own.py")
    with pytest.raises(LabelError, match="cannot use table.csv.*--pipeline"):
        every_row(source)


def test_what_is_shown_of_a_row(table):
    found = TableSource(table, ids="key").show(3)
    rows = dict(found["rows"])
    assert found["kind"] == "table"
    assert "key" not in rows
    assert rows["since"].startswith("2024-01-04")
    assert rows["note"] == "a note of its own 3"
    shown = {dict(TableSource(table).show(row)["rows"])["plan"] for row in range(80)}
    assert shown == {"basic", "team", ""}


def test_texts(tmp_path):
    subjects = ["the cat sleeps on a mat", "a cat and a mat", "stocks fell again"]
    subjects += ["the market and its stocks", "my cat sleeps", "stocks and the market"]
    path = tmp_path / "texts.csv"
    pd.DataFrame({"text": 5 * subjects, "day": range(30)}).to_csv(path, index=False)
    source = TableSource(path, text="text")
    assert "TfidfVectorizer" in source.pipeline
    X, _ = every_row(source)
    of_cats = np.array(["cat" in text for text in 5 * subjects])
    assert KNeighborsClassifier(1).fit(X[:6], of_cats[:6]).score(X, of_cats) == 1
    assert source.show(2) == {
        "kind": "text",
        "text": "stocks fell again",
        "rows": [["day", "2"]],
    }


def test_parquet(table, tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "table.parquet"
    pd.read_csv(table, dtype={"key": str}).to_parquet(path)
    assert TableSource(path, ids="key").ids[7] == "007"


def test_parquet_without_its_reader(tmp_path):
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        (tmp_path / "a.parquet").write_bytes(b"PAR1")
        with pytest.raises(LabelError, match="pip install pyarrow"):
            TableSource(tmp_path / "a.parquet")
    else:
        (tmp_path / "a.parquet").write_bytes(b"PAR1")
        with pytest.raises(LabelError, match="cannot be read as a table"):
            TableSource(tmp_path / "a.parquet")


def test_an_encoding_that_is_not_utf8(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("name,x\nJosé,1\nZoë,2\nIda,3\n".encode("cp1252"))
    with pytest.raises(
        LabelError, match="not in the encoding utf-8.*--encoding cp1252"
    ):
        TableSource(path, ids="name")
    assert TableSource(path, ids="name", encoding="cp1252").ids == [
        "José",
        "Zoë",
        "Ida",
    ]
    with pytest.raises(LabelError, match="not in the encoding klingon"):
        TableSource(path, ids="name", encoding="klingon")


@pytest.mark.parametrize(
    ("text", "options", "match"),
    [
        ("", {}, "cannot be read as a table"),
        ("a,b\n1,2\n3,4,5,6\n", {}, "cannot be read as a table"),
        ("a,b\n", {}, "There are 0 samples"),
        ("a,b\n1,2\n", {}, "There are 1 samples"),
        ("a,b\n1,2\n1,3\n", {"ids": "a"}, "\\(1 in all\\): '1'.*--ids"),
        ("a,b\n1,2\n,3\n", {"ids": "a"}, "id of row 1 is missing"),
        ("a,b\n1,2\n2,3\n", {"ids": "c"}, "--ids c: .* has no such column; .* a, b"),
        ("a,b\n1,2\n2,3\n", {"text": "c"}, "--text c: .* no such column"),
        ("a\nx\nx\n", {}, "no column of numbers, categories or dates"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, text, options, match):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(LabelError, match=match):
        TableSource(path, **options)


def test_the_fingerprint_follows_the_values(table):
    first = TableSource(table, ids="key").fingerprint
    assert TableSource(table, ids="key").fingerprint == first
    assert TableSource(table).fingerprint != first
    table.write_text(table.read_text().replace("a note of its own 3\n", "another\n", 1))
    changed = table.read_text().replace("a note of its own 33", "another")
    table.write_text(changed)
    assert TableSource(table, ids="key").fingerprint != first


def test_columns_for_transformers():
    texts = as_texts(pd.DataFrame({"a": ["x", None], "b": [True, False]}))
    assert texts.tolist() == [["x", "True"], ["missing", "False"]]
    dates = pd.DataFrame({"a": ["1970-01-02T12:00", "never"]})
    np.testing.assert_array_equal(as_days(dates), [[1.5], [np.nan]])


# -- embeddings, arrays ----------------------------------------------------------------


def test_embeddings_in_the_order_of_the_samples(tmp_path):
    ids, values = ["a", "b", "c"], np.arange(6.0).reshape(3, 2)
    np.save(tmp_path / "e.npy", values)
    np.testing.assert_array_equal(read_embeddings(tmp_path / "e.npy", ids), values)
    order = [2, 0, 1]
    np.savez(tmp_path / "e.npz", embeddings=values[order], ids=np.array(ids)[order])
    np.testing.assert_array_equal(read_embeddings(tmp_path / "e.npz", ids), values)
    # more of them than there are samples
    np.savez(tmp_path / "e.npz", values=values, names=["c", "x", "a"])
    np.testing.assert_array_equal(
        read_embeddings(tmp_path / "e.npz", ["a", "c"]), values[[2, 0]]
    )


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"e": np.zeros((2, 2))}, "has 2 rows, and there are 3 samples"),
        ({"e": np.zeros(3)}, "must be a matrix of numbers"),
        ({"e": np.array([["a"], ["b"], ["c"]])}, "must be a matrix of numbers"),
        ({"e": np.array([[0.0], [np.nan], [1.0]])}, "NaN or infinite value in row 1"),
        ({"e": np.zeros((3, 2)), "f": np.zeros((3, 2))}, "must hold one named"),
        ({"e": np.zeros((3, 2)), "ids": ["a", "b", "x"]}, "no row for 1 samples, 'c'"),
    ],
)
def test_embeddings_that_do_not_fit(tmp_path, arrays, match):
    np.savez(tmp_path / "e.npz", **arrays)
    with pytest.raises(LabelError, match=match):
        read_embeddings(tmp_path / "e.npz", ["a", "b", "c"])


def test_embeddings_with_code_are_not_loaded(tmp_path):
    np.save(tmp_path / "e.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(LabelError, match="cannot be read"):
        read_embeddings(tmp_path / "e.npy", ["a", "b"])
    with pytest.raises(LabelError, match="cannot be read"):
        read_embeddings(tmp_path / "none.npy", ["a", "b"])


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        ("a text", "text"),
        ({"a": 1.0, "b": None}, "table"),
        (np.zeros((4, 4)), "image"),
        (np.zeros((4, 4, 3), dtype=np.uint8), "image"),
        (Image.new("RGB", (5, 5)), "image"),
        (b"\x89PNG and so on", "image"),
    ],
)
def test_what_the_user_renders(shown, kind):
    source = ArraySource([[0.0], [1.0]], render=lambda row: shown)
    found = source.show(0)
    assert found["kind"] == kind
    if kind == "image":
        assert source.image(0, "small")[0].startswith(b"\x89PNG")
    if kind == "table":
        assert found["rows"] == [["a", "1"], ["b", ""]]


def test_arrays_show_themselves():
    digits = load_digits()
    assert ArraySource(digits.images[:3]).show(0) == {"kind": "image"}
    rows = ArraySource(np.arange(6).reshape(3, 2)).show(1)["rows"]
    assert rows == [["feature 0", "2"], ["feature 1", "3"]]
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert ArraySource(frame).show(1)["rows"] == [["a", "2"], ["b", ""]]


def test_ids_of_arrays():
    X = np.zeros((2, 1))
    first = ArraySource(X).fingerprint
    assert ArraySource(X + 1).fingerprint != first
    # names say which samples they are, whatever their features
    named = ArraySource(X, ["a", "b"]).fingerprint
    assert ArraySource(X + 1, ["a", "b"]).fingerprint == named
    with pytest.raises(ValueError, match="ids has 3 entries, and X has 2 rows"):
        ArraySource(X, ["a", "b", "c"])
    with pytest.raises(LabelError, match=r"\(1 in all\): 'a'"):
        ArraySource(X, ["a", "a"])
    assert check_ids(np.array([3, 4])) == [3, 4]
    assert check_ids([True, 1.5]) == ["True", "1.5"]


def test_values_of_any_range_become_an_image():
    image = from_values(np.array([[0.0, 0.5], [1.0, np.nan]]))
    assert np.asarray(image).tolist() == [[0, 128], [255, 0]]
