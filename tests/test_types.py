"""Annotations: of everything public, and right where a script is checked with them."""

import importlib
import inspect
from types import UnionType
from typing import Literal, Union, get_args, get_origin

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import StrOptions

from tests import typed_script

# Modules whose public functions have types: a new one joins when it has them, too.
TYPED = (
    *("baselines", "cluster", "constraints", "images", "inspection", "metrics"),
    "model_selection",
)


def _public():
    """Return the public objects by their names."""
    found = {}
    for module in ("", *TYPED):
        names = importlib.import_module(f"skpairclust.{module}".rstrip("."))
        found |= {name: getattr(names, name) for name in names.__all__}
    return found


def _functions():
    for name, public in _public().items():
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


def _literals(annotation):
    """Return the strings that an annotation allows."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return set().union(*map(_literals, get_args(annotation)))
    return set()


ESTIMATORS = {
    name: public
    for name, public in _public().items()
    if inspect.isclass(public) and issubclass(public, BaseEstimator)
}


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_annotations_allow_the_options_of_parameters(name):
    parameters = inspect.signature(ESTIMATORS[name]).parameters
    rules = getattr(ESTIMATORS[name], "_parameter_constraints", {})
    for parameter in parameters.values():
        assert parameter.annotation is not parameter.empty
        options = (r.options for r in rules.get(parameter.name, ()) if _is_choice(r))
        assert _literals(parameter.annotation) == set().union(*options), parameter


def _is_choice(rule):
    return isinstance(rule, StrOptions)


def test_script_that_the_checkers_accept_runs(capsys):
    typed_script.main()
    assert "[" in capsys.readouterr().out
