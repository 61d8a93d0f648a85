"""The examples of public classes run, wherever the code of a class lives.

``pytest --doctest-modules`` passes over the methods of classes that bear the name of a
public module, and over the three that the package loads on first use.
"""

import doctest
import importlib

import pytest

import skpairclust

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _classes():
    """Return the public classes by their full names."""
    found = {}
    for name in ("", *skpairclust._SUBMODULES):
        module = importlib.import_module(f"skpairclust.{name}".rstrip("."))
        members = [getattr(module, public) for public in module.__all__]
        found |= {f"{c.__module__}.{c.__name__}": c for c in members if _is_class(c)}
    return found


def _is_class(value):
    return isinstance(value, type)


def _examples():
    """Return what pytest's own collection passes over."""
    finder = doctest.DocTestFinder()
    for name, public in _classes().items():
        for test in finder.find(public, name, module=False):
            is_collected = test.name == name and public.__module__ != "skpairclust"
            if test.examples and not is_collected:
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("test", _examples())
def test_example_runs(test):
    report = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert not report, "".join(report)


def test_methods_have_examples():
    """The collection above finds something."""
    names = [param.id for param in _examples()]
    assert "skpairclust.PairwiseConstraints.closure" in names
    assert "skpairclust.ConstrainedNeuralClusterer" in names


@pytest.mark.parametrize("name", _classes())
def test_no_line_is_continued_in_a_raw_docstring(name):
    """The backslash would stay, and Sphinx read what follows as another block."""
    public = _classes()[name]
    members = [public, *vars(public).values()]
    docs = [getattr(member, "__doc__", None) or "" for member in members]
    assert not [doc for doc in docs if "\\\n" in doc]
