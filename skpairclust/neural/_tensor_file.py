"""A table of JSON and named arrays in one file of safetensors' format.

The format is read here and not by the package safetensors, so that every promise of a
header is checked before anything of that size is allocated.
"""

import hashlib
import json
import math
from typing import NamedTuple

import numpy as np

from skpairclust.utils._files import open_regular, read_exactly, whole_file


class Kind(NamedTuple):
    """What a file is for.

    Attributes
    ----------
    name : str
        Begins its format.
    format : int
        The newest that is read.
    writer : str
        What writes such files.
    most_header : int
        Bytes of a header at most.
    advice : str
        What to do if the file is damaged.
    is_finite : bool
        Whether values that are no numbers are damage.
    """

    name: str
    format: int
    writer: str
    most_header: int
    advice: str
    is_finite: bool


# Format 2 is written only where it is needed: see `_LONG`.
ESTIMATOR = Kind(
    "skpairclust",
    format=2,
    writer="the method save",
    most_header=10**6,
    advice="Save the estimator again.",
    is_finite=True,
)

# Bytes of a file at most.
_MOST_FILE = 2**33

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


def write_state(path, content, arrays, *, kind=ESTIMATOR, check=None):
    """Write JSON-able `content` and numpy `arrays`, all or nothing.

    Parameters
    ----------
    path : str or path-like
    content : dict
        Long values in its dict ``"attributes"`` are no burden for the header.
    arrays : dict of str to ndarray
        Of numbers.
    kind : Kind, default=ESTIMATOR
    check : callable, optional
        Takes what `read_state` reads of the file before it gets its name, and raises
        if that could not be used. Without it the file is not read back.

    Raises
    ------
    ValueError
        If the file could not be read again.
    """
    content, aside = _set_aside(content)
    arrays = {n: np.ascontiguousarray(a) for n, a in {**arrays, **aside}.items()}
    text = json.dumps(content, sort_keys=True)
    metadata = {
        "format": f"{kind.name} {2 if aside else 1}",
        "content": text,
        "digest": digest(text, arrays),
    }

    def read_back(temporary):
        check(*read_state(temporary, kind))

    with whole_file(path, None if check is None else read_back) as file:
        file.writelines(lay_out(metadata, arrays))


def lay_out(metadata, arrays):
    """Return the parts of a safetensors file: its header and its arrays.

    Parameters
    ----------
    metadata : dict of str to str
    arrays : dict of str to ndarray
        C-contiguous.

    Returns
    -------
    list of bytes-like
    """
    names = {dtype: name for name, dtype in DTYPES.items()}
    # The widest first, so that each begins at a multiple of its width.
    arrays = sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0]))
    header, end = {"__metadata__": metadata}, 0
    for name, array in arrays:
        header[name] = {
            "dtype": names[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [end, end + array.nbytes],
        }
        end += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    values = [array.data.cast("B") for _, array in arrays if array.size]
    return [len(text).to_bytes(8, "little"), text, *values]


def read_state(path, kind=ESTIMATOR):
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
            header = _read_header(file, size, kind.most_header)
            metadata = header.pop("__metadata__", None)
            _check_format(path, metadata, kind)
            entries = _read_entries(header, size - file.tell())
            arrays = {name: _read_array(file, *entry) for name, entry in entries}
        except (_DamageError, EOFError) as error:
            raise damaged(path, str(error), kind) from error
    text = metadata.get("content", "")
    try:
        _check_values(arrays, is_finite=kind.is_finite)
        if metadata.get("digest") != digest(text, arrays):
            raise ValueError("its digest does not match its content")
        content = json.loads(text, object_pairs_hook=_unique_keys)
        _take_back(content, arrays)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, str(error), kind) from error
    return content, arrays


class _DamageError(Exception):
    """Says what is wrong with a file; whoever knows its path says which."""


def damaged(path, reason, kind=ESTIMATOR):
    """Return the error for a file that cannot be trusted."""
    return ValueError(
        f"{str(path)!r} is damaged or was altered: {reason}. {kind.advice}"
    )


def _set_aside(content):
    """Return content without attributes that are too long for a header, and those."""
    if "attributes" not in content:
        return content, {}
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


def _read_header(file, size, most_bytes):
    """Return the JSON header of a safetensors file, each key once."""
    n_bytes = int.from_bytes(read_exactly(file, 8), "little") if size >= 8 else size
    if n_bytes > size - 8:
        raise _DamageError("it is cut short or no safetensors file")
    if n_bytes > most_bytes:
        raise _DamageError(f"its header has {n_bytes} bytes, at most {most_bytes}")
    try:
        header = json.loads(read_exactly(file, n_bytes), object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise _DamageError(f"its header cannot be read: {error}") from error
    if not isinstance(header, dict):
        raise _DamageError("its header is no table")
    return header


def _unique_keys(pairs):
    """Return a dict of `pairs`, or raise if a key stands twice."""
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice")
    return table


def _check_format(path, metadata, kind):
    """Raise unless the file is one of ours and not from the future."""
    is_table = isinstance(metadata, dict) and all(
        isinstance(value, str) for value in metadata.values()
    )
    name, _, number = (metadata if is_table else {}).get("format", "").rpartition(" ")
    if name != kind.name or not (number.isascii() and number.isdecimal()):
        raise ValueError(f"{str(path)!r} was not written by {kind.writer}.")
    if len(number) > 9 or int(number) > kind.format:
        raise ValueError(
            f"{str(path)!r} has format {number[:9]}, and this version of skpairclust "
            f"reads formats up to {kind.format}: install a newer skpairclust."
        )


def _read_entries(header, n_bytes):
    """Return ``(name, (dtype, shape))`` of each array in the order of the file.

    They fill the file to its end, without gaps.
    """
    entries = []
    for name, entry in header.items():
        if not isinstance(entry, dict) or entry.keys() != {
            *("dtype", "shape", "data_offsets"),
        }:
            raise _DamageError(f"array {name!r} is not described")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not (
            isinstance(dtype, str)
            and dtype in DTYPES
            and _are_counts(shape)
            and len(shape) <= _MOST_DIMENSIONS
            and _are_counts(offsets)
            and len(offsets) == 2
        ):
            raise _DamageError(f"array {name!r} has no valid dtype, shape or place")
        entries.append((*offsets, name, (DTYPES[dtype], tuple(shape))))
    # Arrays without values share a place.
    entries.sort(key=lambda entry: entry[:2])
    end = 0
    for first, last, name, (dtype, shape) in entries:
        if first != end or last - first != math.prod(shape) * dtype.itemsize:
            raise _DamageError(f"array {name!r} is not where it should be")
        end = last
    if end != n_bytes:
        raise _DamageError("it is longer or shorter than its arrays")
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


def _check_values(arrays, *, is_finite):
    """Raise if values are no numbers."""
    for name, array in arrays.items():
        if is_finite and array.dtype.kind == "f" and np.isnan(array).any():
            raise ValueError(f"array {name!r} holds values that are not finite")
        if array.dtype == np.bool_ and (array.view(np.uint8) > 1).any():
            raise ValueError(f"array {name!r} holds neither 0 nor 1")


def digest(text, arrays):
    """Return the SHA-256 of all that a file says."""
    total = hashlib.sha256(text.encode(errors="surrogatepass"))
    for name in sorted(arrays):
        array = arrays[name]
        described = f"{name} {array.dtype} {array.shape}"
        total.update(described.encode(errors="surrogatepass"))
        total.update(array.data if array.size else b"")
    return total.hexdigest()
