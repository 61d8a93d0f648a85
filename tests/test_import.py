"""What `import skpairclust` loads, and which module may import what."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import skpairclust

PACKAGE = Path(skpairclust.__file__).parent
PUBLIC_MODULES = sorted(
    module.name
    for module in pkgutil.iter_modules([str(PACKAGE)])
    if not module.name.startswith("_")
)
WITHOUT_SKLEARN = ["_losses", "_networks", "_batching", "_training"]
WITHOUT_TORCH = {"constraints", "metrics", "model_selection", "baselines", "cluster"}


def _run(code):
    """Run code in a new interpreter and return what it printed."""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def _source_of(module):
    """Return the file of a module of the package, None if there is no such module."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    candidates = [path.with_suffix(".py"), path / "__init__.py"]
    return next((file for file in candidates if file.is_file()), None)


def _imports(module):
    """Return the dotted names a module imports, anywhere in its source."""
    source = _source_of(module)
    is_package = source.name == "__init__.py"
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parents = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parents, *filter(None, [base])])
            # Any of the names may be a submodule.
            names.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
    return names


def _modules_in(name):
    """Return a module and, if it is a package, all modules in it."""
    source = _source_of(f"skpairclust.{name}")
    if source is None:
        return []
    if source.name != "__init__.py":
        return [f"skpairclust.{name}"]
    files = source.parent.rglob("*.py")
    parts = (file.relative_to(PACKAGE.parent).with_suffix("").parts for file in files)
    return sorted({".".join(p[:-1] if p[-1] == "__init__" else p) for p in parts})


def _reachable(name):
    """Return the modules of the package that importing one of them may load."""
    found, pending = set(), _modules_in(name)
    while pending:
        module = pending.pop()
        # The lazy __init__ names the other modules but does not load them.
        if module in found or module == "skpairclust":
            continue
        found.add(module)
        inside = {n for n in _imports(module) if n.startswith("skpairclust.")}
        pending.extend(n for n in inside if _source_of(n))
    return sorted(found)


def _top_level(names):
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("name", WITHOUT_SKLEARN)
def test_training_code_imports_no_sklearn(name):
    modules = _modules_in(name)
    assert modules
    for module in modules:
        assert "sklearn" not in _top_level(_imports(module)), module


@pytest.mark.parametrize("name", sorted(WITHOUT_TORCH & set(PUBLIC_MODULES)))
def test_light_modules_import_no_torch(name):
    for module in _reachable(name):
        assert "torch" not in _top_level(_imports(module)), module


@pytest.mark.parametrize("name", sorted(WITHOUT_TORCH & set(PUBLIC_MODULES)))
def test_light_modules_load_without_torch(name):
    code = f"import sys, skpairclust.{name}; print('torch' in sys.modules)"
    assert _run(code) == "False"


def test_package_loads_nothing_heavy():
    code = (
        "import sys, skpairclust; dir(skpairclust); skpairclust.__version__;"
        "print([m for m in ('numpy', 'scipy', 'sklearn', 'torch') if m in sys.modules])"
    )
    assert _run(code) == "[]"


def test_container_is_reached_without_torch():
    code = (
        "import sys; from skpairclust import PairwiseConstraints;"
        "print(PairwiseConstraints.__name__, 'torch' in sys.modules)"
    )
    assert _run(code) == "PairwiseConstraints False"


def test_submodules_are_attributes():
    code = "import skpairclust; print(skpairclust.constraints.__name__)"
    assert _run(code) == "skpairclust.constraints"


def test_all_public_modules_are_listed():
    assert sorted(skpairclust._SUBMODULES) == PUBLIC_MODULES


def test_dir_lists_public_names():
    assert {*skpairclust.__all__, *PUBLIC_MODULES} <= set(dir(skpairclust))


def test_star_import():
    names = {}
    exec("from skpairclust import *", names)
    assert set(skpairclust.__all__) <= set(names)


def test_unknown_name():
    with pytest.raises(AttributeError, match="'skpairclust' has no attribute 'nope'"):
        _ = skpairclust.nope


def test_import_changes_no_global_state():
    code = (
        "import numpy as np, torch;"
        "state = lambda: (np.geterr(), np.random.get_state()[1].tolist(),"
        " torch.get_rng_state().tolist(), torch.get_num_threads());"
        "before = state(); from skpairclust import *; print(before == state())"
    )
    assert _run(code) == "True"


@pytest.mark.parametrize("name", [n for n in skpairclust.__all__ if n[0] != "_"])
def test_public_objects_are_documented(name):
    public = getattr(skpairclust, name)
    members = [m for m in vars(public) if m[0] != "_" and callable(getattr(public, m))]
    assert ">>>" in inspect.getdoc(public)
    assert [m for m in members if not inspect.getdoc(getattr(public, m))] == []


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_public_modules_are_documented(name):
    module = importlib.import_module(f"skpairclust.{name}")
    assert inspect.getdoc(module)
    for name, public in ((name, getattr(module, name)) for name in module.__all__):
        assert inspect.getdoc(public), name
        # Constants have no example.
        assert not callable(public) or ">>>" in inspect.getdoc(public), name
