"""Public objects bear the name of a public module, wherever their code lives."""

from inspect import isclass, isfunction


def publish(module, namespace):
    """Let what ``namespace["__all__"]`` names say that it is of `module`.

    Pickles store that name, so they keep loading when code moves inside the package.

    Parameters
    ----------
    module : str
        The public module from which users import the objects.
    namespace : dict
        ``globals()`` of the module that collects them.
    """
    for name in namespace["__all__"]:
        if isclass(namespace[name]) or isfunction(namespace[name]):
            namespace[name].__module__ = module
