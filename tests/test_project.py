"""The files around the package say what is true."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import skpairclust

ROOT = Path(__file__).parents[1]
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = ["README.md"] + [
    str(path.relative_to(ROOT))
    for path in sorted((ROOT / "docs").rglob("*.md"))
    if "```python" in path.read_text(encoding="utf-8")
]


def _pins(path):
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def _project():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]


def _declared():
    """Return the lower bound of every package that pyproject.toml asks for."""
    project = _project()
    extras = project["optional-dependencies"]
    groups = [project["dependencies"], *(extras[g] for g in extras if g != "docs")]
    return dict(line.split(">=") for group in groups for line in group)


# What a page needs beyond the packages of the tests.
NEEDED = {
    "docs/guide/export.md": ("onnx", "onnxruntime", "skops"),
    "docs/guide/machines.md": ("dask.array",),
}


@pytest.mark.parametrize("document", PAGES)
@pytest.mark.filterwarnings("ignore:.*legacy TorchScript-based ONNX:DeprecationWarning")
def test_code_blocks_run(document, tmp_path, monkeypatch):
    for package in NEEDED.get(document, ()):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = list(PYTHON_BLOCK.finditer(text))
    assert blocks
    names = {"__name__": "__main__"}
    for block in blocks:
        # As many empty lines as stand before it, so that tracebacks name the line.
        before = "\n" * (text[: block.start()].count("\n") + 1)
        exec(compile(before + block[1], document, "exec"), names)


def test_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {skpairclust.__version__}\n" in citation
    assert version("skpairclust") == skpairclust.__version__


def test_readme_links_work_on_a_package_index():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = PYTHON_BLOCK.sub("", text)
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert [link for link in links if not link.startswith("https://")] == []
    urls = _project()["urls"]
    raw = urls["Repository"].replace("github.com", "raw.githubusercontent.com")
    inside = [
        link.partition(f"{base}/main/")[2]
        for link in links
        for base in (raw, f"{urls['Repository']}/blob")
        if link.startswith(base)
    ]
    assert len(inside) >= 4
    assert [path for path in inside if not (ROOT / path).is_file()] == []


def test_workflow_tests_the_pythons_that_are_claimed():
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    (matrix,) = re.findall(r"python-version: \[(.+)\]", workflow)
    classifiers = " ".join(_project()["classifiers"])
    assert re.findall(r"3\.\d+", matrix) == re.findall(r":: (3\.\d+)", classifiers)


def test_lock_pins_every_requirement():
    assert set(_declared()) <= set(_pins("requirements/lock.txt"))


def test_min_pins_are_the_declared_ones():
    pins = _pins("requirements/min.txt")
    declared = _declared()
    wrong = {
        name: pin
        for name, pin in pins.items()
        if name != "torch" and not f"{pin}.".startswith(f"{declared[name]}.")
    }
    assert wrong == {}


def test_hooks_use_the_locked_linters():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    pins = _pins("requirements/lock.txt")
    versions = dict(re.findall(r"/(\w+)(?:-pre-commit)?\n    rev: v(.+)", hooks))
    assert versions == {name: pins[name] for name in ("ruff", "codespell")}
