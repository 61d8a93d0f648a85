"""A lock on an open file, which the system drops when the process dies."""

import os

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

# Windows locks bytes and keeps others from reading them: one far beyond the end.
_FAR = 2**40


def try_lock(descriptor):
    """Lock a file for this process, or return False if another one has it.

    Parameters
    ----------
    descriptor : int
        Of the open file. Closing it ends the lock, and so does the end of the process,
        whichever way.

    Returns
    -------
    bool

    Raises
    ------
    OSError
        If the file system knows no locks.
    """
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        return False
    return True
