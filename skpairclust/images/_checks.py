"""Parameters of a folder of images."""

import math
from numbers import Integral
from pathlib import Path

# What parameters may be.
CHOICES = {
    "mode": ("rgb", "gray"),
    "resize": ("crop", "pad", "stretch"),
    "on_error": ("raise", "skip"),
}


def check_choices(**given):
    """Raise unless parameters have one of their values."""
    for name, value in given.items():
        if value not in CHOICES[name]:
            choices = ", ".join(map(repr, CHOICES[name]))
            raise ValueError(f"{name}={value!r} must be one of {choices}.")


def check_folder(folder):
    """Return the path of a folder, or raise."""
    path = Path(folder)
    if not path.exists():
        raise FileNotFoundError(f"folder={str(folder)!r} does not exist.")
    if not path.is_dir():
        raise NotADirectoryError(
            f"folder={str(folder)!r} is no folder: give the one that the images are in."
        )
    return path.absolute()


def check_size(size):
    """Return a size as (height, width), or raise."""
    sides = (size, size) if isinstance(size, Integral) else size
    is_pair = isinstance(sides, tuple | list) and len(sides) == 2
    if not is_pair or not all(_is_number(side, 1) for side in sides):
        raise ValueError(
            f"size={size!r} must be an integer of at least 1, or two of them, (height, "
            "width), for instance size=(32, 32)."
        )
    return int(sides[0]), int(sides[1])


def check_n_jobs(n_jobs):
    """Return n_jobs, or raise."""
    if n_jobs is None or (_is_number(n_jobs, -math.inf) and n_jobs != 0):
        return n_jobs
    raise ValueError(
        f"n_jobs={n_jobs!r} must be an integer that is not 0; -1 is one thread per "
        "core."
    )


def _is_number(value, least):
    """Whether a value is an integer of at least `least`; True is none."""
    return (
        isinstance(value, Integral) and not isinstance(value, bool) and value >= least
    )
