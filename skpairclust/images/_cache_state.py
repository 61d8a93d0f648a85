"""How far the features in a file are, and what they are of."""

import json
import os
from contextlib import suppress

import numpy as np

from skpairclust.utils._files import sync_folder
from skpairclust.utils._lock import try_lock

_FORMAT = 1
_DTYPE = "<f4"
# Of the first line.
_BEGINNING = b'{"format": '


class CacheState:
    """The file beside the features, locked while they are computed.

    Its first line says what the features are of; each further one how many rows are
    done. Lines are only appended, so that whatever was cut short is the last one.

    Parameters
    ----------
    path : Path
        Of the features.
    rows, function : str
        Digests of what they are of.

    Attributes
    ----------
    n_columns : int or None
        Of the features, None if none were computed yet.
    n_done : int
        Rows that are done.
    """

    def __init__(self, path, rows, function):
        self.path = path
        self.part_path = path.with_name(f"{path.name}.part")
        self.state_path = path.with_name(f"{path.name}.state")
        self.known = {"format": _FORMAT, "rows": rows, "function": function}
        self.n_columns, self.n_done = None, 0
        self._file = self._part = None
        self._n_written = 0

    def __enter__(self):
        if self.path.exists() and not self.state_path.exists():
            raise self._foreign(self.path)
        self._file = open(self.state_path, "a+b")
        try:
            self._lock()
            self._read()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_):
        for file in (self._part, self._file):
            if file is not None:
                file.close()
        if not self.state_path.stat().st_size:
            self.state_path.unlink()

    def _lock(self):
        """Keep other processes from computing the same file."""
        # Some file systems of networks know no locks.
        with suppress(OSError):
            if not try_lock(self._file.fileno()):
                raise ValueError(
                    f"Another process is computing {str(self.path)!r}. Wait for its "
                    "end, or choose another path."
                )

    def _read(self):
        """Take over what another call has done, or raise if that was something else."""
        self._file.seek(0)
        text = self._file.read()
        if text and not text.startswith(_BEGINNING[: len(text)]):
            raise self._foreign(self.state_path)
        whole, newline, _ = text.rpartition(b"\n")
        self._file.truncate(len(whole) + len(newline))
        lines = [json.loads(line) for line in whole.split(b"\n") if line]
        if not lines:
            if self.path.exists():
                raise self._foreign(self.path)
            return
        for name, what in (
            ("format", "another version of this package"),
            ("rows", "other samples"),
            ("function", "another function or of other weights"),
        ):
            if lines[0].get(name) != self.known[name]:
                raise self.refusal(what)
        if self.path.exists() or self.part_path.exists():
            self.n_columns = lines[0]["n_columns"]
            self.n_done = max(lines[1:], default=0)
            self._check_part()
        else:
            self._file.truncate(0)

    def _check_part(self):
        """Raise if the file of all rows has lost some of those that are done."""
        if self.path.exists():
            return
        with open(self.part_path, "rb") as file:
            _read_header(file)
            n_there = self.part_path.stat().st_size - file.tell()
        if n_there < self.n_done * self._row_bytes():
            raise ValueError(
                f"{str(self.part_path)!r} is shorter than it was. Remove it, and "
                "the features are computed again."
            )

    def _foreign(self, path):
        """Return the error for a file that is not ours."""
        return ValueError(
            f"path={str(self.path)!r} cannot be used: {path.name} exists, and "
            f"cache_features did not write it, or {self.state_path.name} has been "
            "changed or removed. Choose another path, or remove the file."
        )

    def refusal(self, what):
        """Return the error for a file that holds features of something else."""
        return ValueError(
            f"path={str(self.path)!r} holds features of {what}. Choose another path, "
            f"or remove {self.state_path.name} and the features to compute them again."
        )

    def first_rows(self, n_rows):
        """Return some of the rows that are done."""
        if self.path.exists():
            return np.array(np.load(self.path, mmap_mode="r")[:n_rows])
        with open(self.part_path, "rb") as file:
            _read_header(file)
            n_bytes = n_rows * self._row_bytes()
            values = np.frombuffer(file.read(n_bytes), dtype=_DTYPE)
        return values.reshape(n_rows, self.n_columns)

    def create_part(self, n_rows, n_columns):
        """Begin the file of all rows."""
        self.n_columns = n_columns
        self._part = open(self.part_path, "wb")
        header = {"descr": _DTYPE, "fortran_order": False, "shape": (n_rows, n_columns)}
        np.lib.format.write_array_header_1_0(self._part, header)
        # Before it is announced.
        self._part.flush()
        os.fsync(self._part.fileno())
        self._append({**self.known, "n_columns": n_columns})

    def open_part(self):
        """Go on with the file of all rows, after those that are done."""
        self._part = open(self.part_path, "r+b")
        _read_header(self._part)
        self._part.seek(self.n_done * self._row_bytes(), os.SEEK_CUR)
        self._part.truncate()

    def write(self, values):
        """Write the next rows."""
        # No memory map: on a full disk, writing to one kills the process.
        self._part.write(np.ascontiguousarray(values, dtype=_DTYPE).data)
        self._n_written += len(values)

    def note(self):
        """Keep that the rows so far are done, if there are new ones."""
        if not self._n_written:
            return
        self._part.flush()
        os.fsync(self._part.fileno())
        self.n_done += self._n_written
        self._n_written = 0
        self._append(self.n_done)

    def _row_bytes(self):
        """Return the size of a row."""
        return self.n_columns * np.dtype(_DTYPE).itemsize

    def finish(self):
        """Give the file of all features its name."""
        self._part.close()
        os.replace(self.part_path, self.path)
        with suppress(OSError):
            sync_folder(self.path.parent)

    def _append(self, value):
        """Write a line that outlives the process."""
        self._file.write(json.dumps(value).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _read_header(file):
    """Go behind the header of a file of NumPy."""
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
