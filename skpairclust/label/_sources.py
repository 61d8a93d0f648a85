"""Samples with names that a page can show, and the features that stand for them."""

import hashlib
import json
from pathlib import Path

import numpy as np

from skpairclust.label._errors import LabelError
from skpairclust.label._pictures import encode, from_values

# What is listed in a message.
_FEW = 3
# Of an unnamed row, so many values are shown.
_MOST_VALUES = 30


class Source:
    """Samples of one data set.

    Attributes
    ----------
    name : str
        Of the data set, for the reader.
    ids : list of str or int
        A name per sample, none twice.
    fingerprint : str
        Changes when the data set does.
    notes : list of str
        What the person at the terminal should know.
    pipeline : str or None
        How features are made, as code, to be printed and changed.
    embeddings : ndarray of shape (n_samples, d) or None
        Features that the user has.
    is_slow : bool
        Whether features take so long that questions start with a part of them, which
        `first_features` returns.
    made : transformer or None
        Fitted, once features have been asked for.
    """

    is_slow = False

    def __init__(self, name, ids, content):
        self.name, self.ids, self.notes = name, check_ids(ids), []
        self.fingerprint = fingerprint(self.ids, content)
        self.pipeline = self.embeddings = None
        self.made = None

    def __len__(self):
        return len(self.ids)

    def features(self, rows, report=lambda n_done, n_all: None):
        """Return features of some samples, (m, d), and which of them could be read.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), int64
        report : callable
            Gets the number of samples done, and of all.

        Returns
        -------
        X : ndarray of shape (m, d)
        kept : ndarray of shape (m,), int64
            Those of `rows` that are not broken.
        """
        if self.embeddings is not None:
            return np.asarray(self.embeddings[rows]), rows
        return self._features(rows, report)

    def show(self, row):
        """Return what the page shows of a sample, as JSON has it."""
        raise NotImplementedError

    def image(self, row, size):
        """Return a sample's image as bytes and media type."""
        raise LabelError("These samples are no images.")

    def model(self, clusterer):
        """Return a model that takes what the user has, and predicts clusters."""
        return clusterer


class ArraySource(Source):
    """Samples that are rows of an array or a table in memory.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
    ids : list or None
        None is the positions.
    render : callable or None
        ``render(row)`` of a position returns a text, a dict of values, an array of an
        image, an image of Pillow, or the bytes of a PNG or JPEG file.
    name : str
    """

    def __init__(self, X, ids=None, render=None, name="samples"):
        self.X = X if hasattr(X, "shape") else np.asarray(X)
        n_samples = self.X.shape[0]
        given = range(n_samples) if ids is None else _as_list(ids)
        if len(given) != n_samples:
            raise ValueError(
                f"ids has {len(given)} entries, and X has {n_samples} rows. Pass one "
                "id per row."
            )
        content = _digest_values(self.X) if ids is None else b""
        super().__init__(name, given, content)
        self.render = render
        self._looks_like_images = (
            render is None and self.X.ndim in (3, 4) and self.X.shape[-1] > 0
        )

    def features(self, rows, report=lambda n_done, n_all: None):
        """Return the samples themselves."""
        if len(rows) == len(self):
            return self.X, rows
        X = self.X.iloc[rows] if hasattr(self.X, "iloc") else self.X[rows]
        return X, rows

    def _rendered(self, row):
        """Return what the user's function says, or the values."""
        if self.render is not None:
            return self.render(row)
        values = self.X.iloc[row] if hasattr(self.X, "iloc") else self.X[row]
        if self._looks_like_images:
            return values
        if hasattr(values, "to_dict"):
            return values.to_dict()
        if hasattr(values, "toarray"):
            values = values.toarray()
        values = np.ravel(values)[:_MOST_VALUES].tolist()
        return {f"feature {number}": value for number, value in enumerate(values)}

    def show(self, row):
        """Return what the page shows of a sample."""
        found = self._rendered(row)
        if isinstance(found, str):
            return {"kind": "text", "text": found}
        if isinstance(found, dict):
            return {"kind": "table", "rows": as_rows(found)}
        return {"kind": "image"}

    def image(self, row, size):
        """Return a sample's image as bytes and media type."""
        found = self._rendered(row)
        if isinstance(found, (bytes, bytearray)):
            is_png = bytes(found[:4]) == b"\x89PNG"
            return bytes(found), "image/png" if is_png else "image/jpeg"
        if not hasattr(found, "thumbnail"):
            found = from_values(found)
        return encode(found, size)


def as_rows(values):
    """Return a dict of values as a list of [name, text], missing ones as ""."""
    return [[str(name), as_text(value)] for name, value in values.items()]


def as_text(value):
    """Return a value as a person reads it; missing ones are empty."""
    if value is None or value != value or str(value) in ("<NA>", "NaT"):
        return ""
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    return str(value)


def check_ids(ids):
    """Return ids as a list of str and int, or raise if one is missing or repeated."""
    found = [_plain(name, place) for place, name in enumerate(ids)]
    seen, twice = set(), []
    for name in found:
        if name in seen:
            twice.append(name)
        seen.add(name)
    if twice:
        raise LabelError(
            "ids must be different for all samples, but some come again "
            f"({len(twice)} in all): {', '.join(map(repr, twice[:_FEW]))}. Choose "
            "another column with --ids, or remove repeated rows."
        )
    if len(found) < 2:
        raise LabelError(
            f"There are {len(found)} samples, and it takes 2 to compare them. Check "
            "that this is the right file or folder."
        )
    return found


def _plain(name, place):
    """Return an id as str or int."""
    if hasattr(name, "item"):
        name = name.item()
    if name is None or name != name or as_text(name) == "":
        raise LabelError(
            f"The id of row {place} is missing. Fill it in, or choose another column "
            "with --ids."
        )
    if isinstance(name, int) and not isinstance(name, bool):
        return name
    return str(name)


def _as_list(ids):
    """Return ids of any container as a list."""
    return ids.tolist() if hasattr(ids, "tolist") else list(ids)


def fingerprint(ids, content):
    """Return a name for a data set that changes with its ids or its content."""
    digest = hashlib.sha256(json.dumps(ids, ensure_ascii=False).encode())
    digest.update(content)
    return f"sha256:{digest.hexdigest()}"


def _digest_values(X):
    """Return bytes that change when an array, a table or a sparse matrix does."""
    if hasattr(X, "iloc"):
        return digest_table(X)
    if hasattr(X, "tocsr"):
        X = X.tocsr()
        parts = (X.data, X.indices, X.indptr)
    else:
        parts = (np.asarray(X),)
    digest = hashlib.sha256()
    for part in parts:
        if part.dtype == object:
            part = np.frombuffer(repr(part.tolist()).encode(), dtype=np.uint8)
        digest.update(np.ascontiguousarray(part).view(np.uint8))
    return digest.digest()


def digest_table(table):
    """Return bytes that change when a value of a pandas DataFrame does."""
    import pandas as pd

    hashed = pd.util.hash_pandas_object(table.astype(str), index=False)
    names = json.dumps([str(name) for name in table.columns]).encode()
    return hashlib.sha256(names + hashed.to_numpy().tobytes()).digest()


def read_embeddings(path, ids):
    """Return the user's features, a row per sample in the order of `ids`.

    Parameters
    ----------
    path : path-like
        A `.npy` file with a row per sample, or a `.npz` file with an array of them. If
        it has an array `ids` or `names` as well, rows are found by these.
    ids : list of str or int

    Raises
    ------
    LabelError
        If the file or the number of its rows is wrong.
    """
    path = Path(path)
    try:
        # no pickles: a file of numbers must not run code
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        # numpy's own advice is to load such a file unsafely
        reason = getattr(error, "strerror", None) or "it holds no arrays of numbers"
        raise LabelError(
            f"--embeddings {path} cannot be read ({reason}). Write it with "
            "`numpy.save(file, array)` or `numpy.savez(file, embeddings=array, "
            "ids=ids)`."
        ) from error
    names = None
    if hasattr(found, "files"):
        arrays = {name: found[name] for name in found.files}
        names = next((arrays.pop(n) for n in ("ids", "names") if n in arrays), None)
        if len(arrays) > 1 and "embeddings" in arrays:
            arrays = {"embeddings": arrays["embeddings"]}
        if len(arrays) != 1:
            raise LabelError(
                f"--embeddings {path} holds the arrays {found.files}; it must hold one "
                "named 'embeddings', and 'ids' if the order is another one."
            )
        (found,) = arrays.values()
    return _in_order(_check_embeddings(found, path), names, ids, path)


def _check_embeddings(found, path):
    """Return features as a matrix of finite numbers, or raise."""
    if found.ndim < 2 or found.dtype.kind not in "iufb":
        raise LabelError(
            f"--embeddings {path} has shape {found.shape} and type {found.dtype}; it "
            "must be a matrix of numbers with a row per sample."
        )
    found = found.reshape(len(found), -1)
    if not np.isfinite(found).all():
        bad = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
        raise LabelError(
            f"--embeddings {path} has a NaN or infinite value in row {bad}. Compute "
            "this row again, or leave the sample out."
        )
    return found


def _in_order(found, names, ids, path):
    """Return rows in the order of the ids."""
    if names is None:
        if len(found) != len(ids):
            raise LabelError(
                f"--embeddings {path} has {len(found)} rows, and there are {len(ids)} "
                "samples. Save the names of the rows with them: `numpy.savez(file, "
                "embeddings=array, ids=ids)`."
            )
        return found
    place = {str(name): row for row, name in enumerate(names.tolist())}
    missing = [name for name in ids if str(name) not in place]
    if missing or len(names) != len(found):
        raise LabelError(
            f"--embeddings {path} has no row for {len(missing)} samples, "
            f"{missing[0] if missing else ''!r} for instance. Its ids must be those of "
            f"the samples: {', '.join(map(repr, ids[:_FEW]))} and so on."
        )
    return found[[place[str(name)] for name in ids]]
