"""What `import skpairclust` loads, and which module may import what."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import skpairclust

PACKAGE = Path(skpairclust.__file__).parent
# From the ground up: a module imports from its own folder and from lower floors.
FLOORS = [
    {"constraints"},
    {"utils", "metrics"},
    {"neural", "losses", "baselines", "model_selection", "cluster"},
    {"clusterer", "embedder", "inspection", "images"},
    {"active"},
    {"label"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# Rooms that users never import from.
PRIVATE_ROOMS = {"clusterer", "embedder", "neural", "utils"}
PUBLIC_MODULES = sorted(
    module.name
    for module in pkgutil.iter_modules([str(PACKAGE)])
    if module.name[0] != "_" and module.name not in PRIVATE_ROOMS
)
WITHOUT_TORCH = {
    *("active", "constraints", "metrics", "model_selection", "baselines", "cluster"),
}
# What runs in a training step or describes it: tensors and numpy in, tensors out.
WITHOUT_SKLEARN = {
    *("_augmentation", "_batching", "_criteria", "_distance_criteria", "_distances"),
    *("_dropout", "_pair_criteria"),
    *("_epoch_hooks", "_known_groups", "_mining", "_networks", "_noise", "_objective"),
    *("_pairs", "_persistence", "_relations", "_rows"),
    *("_checkpoint", "_fingerprint", "_plain_state", "_progress"),
    *("_files", "_saved", "_saved_attributes", "_tensor_file"),
    *("_streams", "_torch_utils", "_training", "_triplets"),
}


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
    return [m for m in MODULES if f"{m}.".startswith(f"skpairclust.{name}.")]


def _all_modules():
    """Return the dotted name of every module of the package but its root."""
    files = (f for f in PACKAGE.rglob("*.py") if f != PACKAGE / "__init__.py")
    parts = (file.relative_to(PACKAGE.parent).with_suffix("").parts for file in files)
    return sorted(".".join(p[:-1] if p[-1] == "__init__" else p) for p in parts)


def _imports_inside(module):
    """Return the modules of the package that a module imports itself."""
    names = {n for n in _imports(module) if n.startswith("skpairclust.")}
    names = {n for n in names if _source_of(n)}
    # `from package import module` needs the module; the package only names it.
    packages = {n.rpartition(".")[0] for n in names}
    return names - {p for p in packages if module.startswith(f"{p}.")} - {module}


def _reachable(name):
    """Return the modules of the package that importing one of them may load."""
    found, pending = set(), _modules_in(name)
    while pending:
        module = pending.pop()
        # The lazy __init__ names the other modules but does not load them.
        if module in found or module == "skpairclust":
            continue
        found.add(module)
        pending.extend(_imports_inside(module))
    return sorted(found)


def _top_level(names):
    return {name.split(".")[0] for name in names}


def _room_of(module):
    return module.split(".")[1]


MODULES = _all_modules()
IN_ROOMS = [m for m in MODULES if not _room_of(m).startswith("_")]


def test_every_room_has_a_floor():
    assert {_room_of(module) for module in IN_ROOMS} == set(FLOOR_OF)


def test_few_modules_lie_loose():
    assert {p.name for p in PACKAGE.glob("*.py")} == {
        *("__init__.py", "_publish.py", "_version.py"),
    }


@pytest.mark.parametrize("module", IN_ROOMS)
def test_no_import_runs_up(module):
    room = _room_of(module)
    rooms = {_room_of(n) for n in _imports_inside(module)}
    others = {r for r in rooms - {room} if not r.startswith("_")}
    assert {r for r in others if FLOOR_OF[r] >= FLOOR_OF[room]} == set()


def test_imports_form_no_circle():
    TopologicalSorter({module: _imports_inside(module) for module in MODULES}).prepare()


@pytest.mark.parametrize("module", IN_ROOMS)
def test_training_code_imports_no_sklearn(module):
    if module.rpartition(".")[2] in WITHOUT_SKLEARN:
        assert "sklearn" not in _top_level(_imports(module))


def test_modules_without_sklearn_are_there():
    assert {m.rpartition(".")[2] for m in IN_ROOMS} >= WITHOUT_SKLEARN


@pytest.mark.parametrize("module", IN_ROOMS)
def test_only_one_module_knows_private_validators(module):
    private = {n for n in _imports(module) if n.startswith("sklearn.utils._")}
    assert not private or module == "skpairclust.utils._param_validation"


@pytest.mark.parametrize("name", sorted(WITHOUT_TORCH & set(PUBLIC_MODULES)))
def test_light_modules_import_no_torch(name):
    for module in _reachable(name):
        assert "torch" not in _top_level(_imports(module)), module


@pytest.mark.parametrize("name", sorted(WITHOUT_TORCH & set(PUBLIC_MODULES)))
def test_light_modules_load_without_torch(name):
    code = f"import sys, skpairclust.{name}; print('torch' in sys.modules)"
    assert _run(code) == "False"


# Imports of torch fail in a process that runs this first.
NO_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, NoTorch())
"""


def test_what_needs_no_torch_works_without_it():
    code = f"""{NO_TORCH}
import importlib, pickle, skpairclust
assert set(skpairclust.__all__) <= set(dir(skpairclust))
for name in set(skpairclust._SUBMODULES) - {{"losses"}}:
    exec(f"from skpairclust.{{name}} import *")
from skpairclust import PairwiseConstraints
pairs = PairwiseConstraints([(0, 1)], [(1, 2)], n_samples=4)
model = COPKMeans(2, random_state=0).fit([[0.0], [1.0], [5.0], [6.0]], pairs)
model = pickle.loads(pickle.dumps(model))
print(pairs.violated(model.labels_).n_pairs, get_scorer("constraint_accuracy"))
"""
    assert _run(code) == "0 ConstraintScorer(constraint_accuracy_score)"


@pytest.mark.parametrize("name", ["ConstrainedNeuralClusterer", "MetricEmbedder"])
def test_what_needs_torch_says_so(name):
    code = f"""{NO_TORCH}
try:
    from skpairclust import {name}
except ImportError as error:
    print(error)
"""
    assert _run(code).startswith(f"{name} needs PyTorch, which is not installed: `pip")


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
