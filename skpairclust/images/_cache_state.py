"""How far the features in a file are, and what they are of."""

import json
import os
from contextlib import contextmanager, suppress

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
        try:
            if not self.path.exists():
                self._open_locked()
            if self.path.exists():
                self._read_finished()
            else:
                self._read()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_):
        self._close()

    def _close(self):
        """Close the files; what was not noted in the part is not counted."""
        if self._part is not None:
            # A full disk was an error before.
            with suppress(OSError):
                self._part.close()
        if self._file is not None:
            # Still locked, so that nobody else has begun.
            with suppress(OSError):
                if not os.fstat(self._file.fileno()).st_size:
                    self.state_path.unlink()
            self._file.close()

    def _open_locked(self):
        """Open the state, and keep other processes from computing the same file."""
        while True:
            self._file = open(self.state_path, "a+b")
            # Some file systems of networks know no locks.
            with suppress(OSError):
                if not try_lock(self._file.fileno()):
                    self._file.close()
                    self._file = None
                    raise ValueError(
                        f"Another process is computing {str(self.path)!r}. Wait for "
                        "its end, or choose another path."
                    )
            if _is_open_at(self._file, self.state_path):
                return
            # Whoever had it before has removed it.
            self._file.close()

    def _read_finished(self):
        """Read what a finished file is of; this may be done by many at once."""
        if not self.state_path.exists():
            raise self._foreign(self.path)
        lines = self._parse(self.state_path.read_bytes())
        if not lines:
            raise self._foreign(self.path)
        self._check_known(lines[0])
        self.n_columns = lines[0]["n_columns"]

    def _read(self):
        """Take over what another call has done, or raise if that was something else."""
        self._file.seek(0)
        text = self._file.read()
        lines = self._parse(text)
        if not self.part_path.exists():
            # Nothing is left of it.
            lines = []
        elif lines:
            self._check_known(lines[0])
        elif not _is_numpy(self.part_path):
            raise self._foreign(self.part_path)
        self.n_done = max(lines[1:], default=0)
        if not self.n_done:
            self._file.truncate(0)
            return
        self._file.truncate(text.rindex(b"\n") + 1)
        self.n_columns = lines[0]["n_columns"]
        self._check_part()

    def _parse(self, text):
        """Return what the whole lines of a state hold."""
        whole, newline, _ = text.rpartition(b"\n")
        beginning = _BEGINNING if newline else _beginning_of(self.known)
        if text[: len(beginning)] != beginning[: len(text)]:
            raise self._foreign(self.state_path)
        try:
            return [json.loads(line) for line in whole.split(b"\n") if line]
        except ValueError as error:
            raise self._foreign(self.state_path) from error

    def _check_known(self, found):
        """Raise if the first line of a state is of something else."""
        for name, what in (
            ("format", "another version of this package"),
            ("rows", "other samples"),
            ("function", "another function or of other weights"),
        ):
            if found.get(name) != self.known[name]:
                raise self.refusal(what)

    def _check_part(self):
        """Raise if the file of all rows has lost some of those that are done."""
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

    def load(self, n_rows):
        """Return the finished features, or raise if the file has been changed."""
        try:
            features = np.load(self.path, mmap_mode="r")
            is_whole = features.shape == (n_rows, self.n_columns)
        except (ValueError, EOFError):
            is_whole = False
        if not is_whole:
            raise ValueError(
                f"{str(self.path)!r} is shorter than it was, or has been changed. "
                f"Remove it and {self.state_path.name} to compute the features again."
            )
        return features

    def rows_done(self, n_rows):
        """Return the rows that are done, of all `n_rows`, unread."""
        if self.path.exists():
            return self.load(n_rows)
        with open(self.part_path, "rb") as file:
            _read_header(file)
            offset = file.tell()
        shape = (self.n_done, self.n_columns)
        return np.memmap(self.part_path, _DTYPE, "r", offset, shape)

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
        with self._writing():
            self._part.write(np.ascontiguousarray(values, dtype=_DTYPE).data)
        self._n_written += len(values)

    def note(self):
        """Keep that the rows so far are done, if there are new ones."""
        if not self._n_written:
            return
        with self._writing():
            self._part.flush()
            os.fsync(self._part.fileno())
            self._append(self.n_done + self._n_written)
        self.n_done += self._n_written
        self._n_written = 0

    def _row_bytes(self):
        """Return the size of a row."""
        return self.n_columns * np.dtype(_DTYPE).itemsize

    @contextmanager
    def _writing(self):
        """Name the file, and the way on, in errors of writing."""
        try:
            yield
        except OSError as error:
            raise OSError(
                error.errno,
                f"{error.strerror}. Make room for it and call again: it goes on after "
                f"{self.n_done} samples",
                str(self.part_path),
            ) from error

    def finish(self):
        """Give the file of all features its name."""
        if self.path.exists():
            raise self._foreign(self.path)
        self._part.close()
        os.replace(self.part_path, self.path)
        with suppress(OSError):
            sync_folder(self.path.parent)

    def _append(self, value):
        """Write a line that outlives the process."""
        self._file.write(json.dumps(value).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _beginning_of(known):
    """Return how a first line begins, whatever it is of."""
    return json.dumps(known).partition('"rows": ')[0].encode()


def _is_open_at(file, path):
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _is_numpy(path):
    """Whether a file begins as those of NumPy do, or is empty."""
    with open(path, "rb") as file:
        beginning = file.read(len(np.lib.format.MAGIC_PREFIX))
    return beginning == np.lib.format.MAGIC_PREFIX[: len(beginning)]


def _read_header(file):
    """Go behind the header of a file of NumPy."""
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
