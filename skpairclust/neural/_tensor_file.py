"""A table of JSON and named arrays in one file of safetensors' format.

The format is read here and not by the package safetensors, so that every promise of a
header is checked before anything of that size is allocated.
"""

import hashlib
import json
import math

import numpy as np

from skpairclust.neural._files import open_regular, read_exactly, write_whole

# Format 2 is written only where it is needed: see `_LONG`.
FORMAT = 2

# Bytes of a header at most, and of a file.
_MOST_HEADER, _MOST_FILE = 10**6, 2**33

# Attributes with longer JSON go beside the arrays, since headers are short, and bytes
# that they may have there.
_LONG, _MOST_LONG, _ASIDE = 20_000, 2**23, "json_/"

# Dimensions at most of an array; numpy has 32 or 64.
_MOST_DIMENSIONS = 16

DTYPES = {
    "BOOL": np.dtype(np.bool_),
    **{
        f"{kind}{bits}": np.dtype(f"{kind.lower()}{bits // 8}")
        for kind in "IU"
        for bits in (8, 16, 32, 64)
    },
    **{f"F{bits}": np.dtype(f"f{bits // 8}") for bits in (16, 32, 64)},
}


def write_state(path, content, arrays, check=None):
    """Write JSON-able `content` and numpy `arrays`, all or nothing.

    Parameters
    ----------
    path : str or path-like
    content : dict
        With the dict ``"attributes"`` of what JSON can say.
    arrays : dict of str to ndarray
        Of numbers.
    check : callable, optional
        Takes what `read_state` reads of the file before it gets its name, and raises
        if that could not be used.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    ValueError
        If the file could not be read again.
    """
    save = _import_safetensors().save
    content, aside = _set_aside(content)
    arrays = {n: np.ascontiguousarray(a) for n, a in {**arrays, **aside}.items()}
    text = json.dumps(content, sort_keys=True)
    metadata = {
        "format": f"skpairclust {2 if aside else 1}",
        "content": text,
        "digest": _digest(text, arrays),
    }

    def read_back(temporary):
        read = read_state(temporary)
        if check is not None:
            check(*read)

    write_whole(path, [save(arrays, metadata=metadata)], read_back)


def read_state(path):
    """Read what `write_state` wrote.

    Returns
    -------
    content : dict
    arrays : dict of str to ndarray

    Raises
    ------
    ValueError
        If it is no regular file, too large, cut short, altered, of a newer format, or
        of another kind.
    """
    with open_regular(path, _MOST_FILE) as (file, size):
        try:
            header = _read_header(path, file, size)
            metadata = header.pop("__metadata__", None)
            _check_format(path, metadata)
            entries = _read_entries(path, header, size - file.tell())
            arrays = {name: _read_array(file, *entry) for name, entry in entries}
        except EOFError as error:
            raise damaged(path, str(error)) from error
    _check_values(path, arrays)
    text = metadata.get("content", "")
    if metadata.get("digest") != _digest(text, arrays):
        raise damaged(path, "its digest does not match its content")
    try:
        content = json.loads(text, object_pairs_hook=_unique_keys)
        _take_back(content, arrays)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, f"its content cannot be read: {error}") from error
    return content, arrays


def damaged(path, reason):
    """Return the error for a file that cannot be trusted."""
    return ValueError(
        f"{str(path)!r} is damaged or was altered: {reason}. Save the estimator again."
    )


def _set_aside(content):
    """Return content without attributes that are too long for a header, and those."""
    texts = {n: json.dumps(v) for n, v in content["attributes"].items()}
    aside = {n: text.encode() for n, text in texts.items() if len(text) > _LONG}
    for name, text in aside.items():
        if len(text) > _MOST_LONG:
            raise ValueError(
                f"save cannot write {name!r}: it takes {len(text)} bytes as text, and "
                f"{_MOST_LONG} are allowed. Use pickle or joblib."
            )
    kept = {n: v for n, v in content["attributes"].items() if n not in aside}
    arrays = {f"{_ASIDE}{n}": np.frombuffer(t, np.uint8) for n, t in aside.items()}
    return {**content, "attributes": kept}, arrays


def _take_back(content, arrays):
    """Put attributes that were set aside among the others; in place."""
    for name in [name for name in arrays if name.startswith(_ASIDE)]:
        text = arrays.pop(name)
        if text.dtype != np.uint8 or text.size > _MOST_LONG:
            raise ValueError(f"{name!r} is no text")
        value = json.loads(text.tobytes(), object_pairs_hook=_unique_keys)
        content["attributes"][name.removeprefix(_ASIDE)] = value


def _import_safetensors():
    """Return `safetensors.numpy`, or say how to get it."""
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "save needs the package safetensors: pip install safetensors."
        ) from error
    return safetensors.numpy


def _read_header(path, file, size):
    """Return the JSON header of a safetensors file, each key once."""
    n_bytes = int.from_bytes(read_exactly(file, 8), "little") if size >= 8 else size
    if n_bytes > size - 8:
        raise damaged(path, "it is cut short or no safetensors file")
    if n_bytes > _MOST_HEADER:
        raise damaged(path, f"its header has {n_bytes} bytes, at most {_MOST_HEADER}")
    try:
        header = json.loads(read_exactly(file, n_bytes), object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"its header cannot be read: {error}") from error
    if not isinstance(header, dict):
        raise damaged(path, "its header is no table")
    return header


def _unique_keys(pairs):
    """Return a dict of `pairs`, or raise if a key stands twice."""
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice")
    return table


def _check_format(path, metadata):
    """Raise unless the file is one of ours and not from the future."""
    is_table = isinstance(metadata, dict) and all(
        isinstance(value, str) for value in metadata.values()
    )
    kind, _, number = (metadata if is_table else {}).get("format", "").partition(" ")
    if kind != "skpairclust" or not (number.isascii() and number.isdecimal()):
        raise ValueError(f"{str(path)!r} was not written by the method save.")
    if len(number) > 9 or int(number) > FORMAT:
        raise ValueError(
            f"{str(path)!r} has format {number[:9]}, and this version of skpairclust "
            f"reads formats up to {FORMAT}: install a newer skpairclust."
        )


def _read_entries(path, header, n_bytes):
    """Return ``(name, (dtype, shape))`` of each array in the order of the file.

    They fill the file to its end, without gaps.
    """
    entries = []
    for name, entry in header.items():
        if not isinstance(entry, dict) or entry.keys() != {
            *("dtype", "shape", "data_offsets"),
        }:
            raise damaged(path, f"array {name!r} is not described")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not (
            isinstance(dtype, str)
            and dtype in DTYPES
            and _are_counts(shape)
            and len(shape) <= _MOST_DIMENSIONS
            and _are_counts(offsets)
            and len(offsets) == 2
        ):
            raise damaged(path, f"array {name!r} has no valid dtype, shape or place")
        entries.append((*offsets, name, (DTYPES[dtype], tuple(shape))))
    # Arrays without values share a place.
    entries.sort(key=lambda entry: entry[:2])
    end = 0
    for first, last, name, (dtype, shape) in entries:
        if first != end or last - first != math.prod(shape) * dtype.itemsize:
            raise damaged(path, f"array {name!r} is not where it should be")
        end = last
    if end != n_bytes:
        raise damaged(path, "it is longer or shorter than its arrays")
    return [(name, entry) for _, _, name, entry in entries]


def _are_counts(values):
    """Whether values are a list of integers from 0."""
    return isinstance(values, list) and all(
        type(value) is int and value >= 0 for value in values
    )


def _read_array(file, dtype, shape):
    """Return the next array of a file."""
    n_bytes = math.prod(shape) * dtype.itemsize
    return np.frombuffer(read_exactly(file, n_bytes), dtype=dtype).reshape(shape)


def _check_values(path, arrays):
    """Raise if values are no numbers."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise damaged(path, f"array {name!r} holds values that are not finite")
        if array.dtype == np.bool_ and (array.view(np.uint8) > 1).any():
            raise damaged(path, f"array {name!r} holds neither 0 nor 1")


def _digest(text, arrays):
    """Return the SHA-256 of all that a file says."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()
