"""Packages that only a part of this one needs."""

from importlib import import_module

# By the name to import: the name to install, if it is another one.
_INSTALL = {"PIL": "pillow"}


def import_extra(name, user, extra):
    """Return a module of an optional package.

    Parameters
    ----------
    name : str
        Dotted name of the module.
    user : str
        What needs it; begins the message.
    extra : str
        The group of optional packages that it is in.

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
        raise ImportError(
            f"{user} needs {_INSTALL.get(top, top)}, which is not installed: "
            f'`pip install "skpairclust[{extra}]"`.',
            name=top,
        ) from error
