"""Files that appear whole or not at all, and files that are read with suspicion."""

import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

# What only some systems have: no link is followed, text is not translated.
_NEW_FILE = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
# A pipe that nobody writes to must not be waited for.
_EXISTING_FILE = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

# Characters of a file's name in that of the file it is written to first. Names may
# have 255 bytes.
_KEPT_CHARACTERS = 50


@contextmanager
def whole_file(path, check=None):
    """Yield a file to write bytes to, which appears whole or not at all.

    Of several writers the last one wins. A link at `path` is replaced and not
    followed.

    Parameters
    ----------
    path : str or path-like
    check : callable, optional
        Takes the path of the complete file before it gets its name; what it raises
        leaves everything as it was.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {str(path.parent)!r} to write {path.name!r} to."
        )
    name = f"{path.name[:_KEPT_CHARACTERS]}.{secrets.token_hex(16)}.tmp"
    temporary = path.with_name(name)
    try:
        with os.fdopen(os.open(temporary, _NEW_FILE, 0o666), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if check is not None:
            check(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    # Some file systems of networks cannot.
    with suppress(OSError):
        sync_folder(path.parent)


def sync_folder(folder):
    """Let a rename or a removal in a folder survive a loss of power."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def open_regular(path, most_bytes):
    """Yield a regular file to read, and its size.

    Raises
    ------
    ValueError
        If it is a folder, a pipe or a device, or larger than `most_bytes`.
    """
    descriptor = os.open(path, _EXISTING_FILE)
    status = os.fstat(descriptor)
    # A folder can be opened, but is no file for Python.
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ValueError(f"{str(path)!r} is no regular file.")
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if status.st_size > most_bytes:
            raise ValueError(
                f"{str(path)!r} has {status.st_size} bytes, and at most {most_bytes} "
                "are read."
            )
        yield file, status.st_size


def read_exactly(file, n_bytes):
    """Return so many bytes of a file in a writable buffer.

    Raises
    ------
    EOFError
        If there are fewer.
    """
    buffer = bytearray(n_bytes)
    view, n_read = memoryview(buffer), 0
    while n_read < n_bytes:
        n_more = file.readinto(view[n_read:])
        if not n_more:
            raise EOFError(f"it has ended after {n_read} of {n_bytes} bytes")
        n_read += n_more
    return buffer
