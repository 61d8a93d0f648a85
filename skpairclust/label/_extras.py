"""Packages that only this page needs."""

from skpairclust.label._errors import LabelError
from skpairclust.utils import _extras


def import_extra(name):
    """Return a module of the optional packages.

    Raises
    ------
    ImportError
        If it is not installed; says what to install.
    """
    try:
        return _extras.import_extra(name, "The page", "label")
    except ModuleNotFoundError:
        # Something that the package itself needs.
        raise
    except ImportError as error:
        raise MissingExtra(str(error)) from error


class MissingExtra(ImportError, LabelError):
    """A package that is not installed."""
