"""Lines on the standard output that say how far something is."""

import sys
import time

# Seconds between two lines at least: of one that moves, and of a log file.
_LEAST_SECONDS = {True: 0.2, False: 10.0}


class ProgressLine:
    """One line that is rewritten in a terminal or a notebook, else a line per text.

    Parameters
    ----------
    stream : file, optional
        Defaults to the standard output at the time of the call.
    """

    def __init__(self, stream=None):
        # None stays in a program with windows, which has no standard output.
        self.stream = sys.stdout if stream is None else stream
        self.moves = _can_rewrite(self.stream)

    def write(self, text):
        """Write a text over the one before, or below it."""
        if self.stream is None:
            return
        self.stream.write(f"\r{text}" if self.moves else f"{text}\n")
        self.stream.flush()

    def close(self):
        """Leave the line that moved."""
        if self.moves:
            self.stream.write("\n")


class CountLine:
    """Say now and then how many of a number of things are done.

    Parameters
    ----------
    label : str
        Begins the line.
    n_all : int
    verbose : int
        0 is silent.
    """

    def __init__(self, label, n_all, verbose):
        self.label = label
        self.n_all = n_all
        self.line = ProgressLine() if verbose else None
        self._start = self._last = time.perf_counter()

    def __enter__(self):
        return self

    def __call__(self, n_done):
        """Say that so many are done, unless the last line is still new."""
        if self.line is None:
            return
        now = time.perf_counter()
        if n_done < self.n_all and now - self._last < _LEAST_SECONDS[self.line.moves]:
            return
        self._last = now
        width = len(str(self.n_all))
        self.line.write(
            f"{self.label} {n_done:{width}d}/{self.n_all}  {now - self._start:5.1f} s"
        )

    def __exit__(self, *_):
        if self.line is not None:
            self.line.close()


def _can_rewrite(stream):
    """Whether a line of the stream can be written over: in a terminal or a notebook."""
    if stream is None:
        return False
    if type(stream).__module__.partition(".")[0] == "ipykernel":
        return True
    return bool(getattr(stream, "isatty", lambda: False)())
