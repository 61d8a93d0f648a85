"""Packages that only this page needs."""

from importlib import import_module

from skpairclust.label._errors import LabelError

# By the name to import: the name to install, if it is another one.
_INSTALL = {"PIL": "pillow"}


def import_extra(name):
    """Return a module of the optional packages.

    Raises
    ------
    ImportError
        If it is not installed; says what to install.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        top = name.partition(".")[0]
        if (error.name or "").partition(".")[0] != top:
            raise
        raise MissingExtra(
            f"The page needs {_INSTALL.get(top, top)}, which is not installed: "
            '`pip install "skpairclust[label]"`.'
        ) from error


class MissingExtra(ImportError, LabelError):
    """A package that is not installed."""
