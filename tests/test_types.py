"""Annotations: of everything public, and right where a script is checked with them."""

import importlib
import inspect

import pytest

from skpairclust import _SUBMODULES
from tests import typed_script

# Displays take matplotlib's objects, which come with types of their own.
TYPED = sorted(set(_SUBMODULES) - {"inspection"})


def _functions():
    for module in TYPED:
        names = importlib.import_module(f"skpairclust.{module}")
        for name in names.__all__:
            public = getattr(names, name)
            if inspect.isfunction(public):
                yield pytest.param(public, id=name)
            elif inspect.isclass(public):
                yield from _methods(public)


def _methods(public):
    for name, member in inspect.getmembers(public):
        is_ours = str(getattr(member, "__module__", None)).startswith("skpairclust")
        function = getattr(member, "__func__", member)
        if is_ours and inspect.isfunction(function) and name[0] != "_":
            yield pytest.param(function, id=f"{public.__name__}.{name}")


@pytest.mark.parametrize("function", list(_functions()))
def test_public_functions_are_annotated(function):
    signature = inspect.signature(function)
    bare = [
        name
        for name, parameter in signature.parameters.items()
        if name not in ("self", "cls") and parameter.annotation is parameter.empty
    ]
    assert bare == []
    assert signature.return_annotation is not signature.empty


def test_script_that_the_checkers_accept_runs(capsys):
    typed_script.main()
    assert "[" in capsys.readouterr().out
