"""The wheel holds the package and nothing else, and the tests run from the sdist."""

import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import skpairclust

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skpairclust"
# Files that the page sends to the browser.
PAGE = PACKAGE / "label" / "static"
pytest.importorskip("setuptools", "77")
# What git needs and nobody else.
OF_GIT = (".gitattributes", ".gitignore")


def _build(kind, source, target):
    """Build as pip does, from a folder, and return the file."""
    code = (
        "import sys, setuptools.build_meta as backend;"
        f"print(backend.build_{kind}(sys.argv[1]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(target)],
        cwd=source,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return target / result.stdout.split()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The unpacked sdist, built from a copy that has no leftovers in it."""
    copy, target = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("sdist")
    for name in _files_kept():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    with tarfile.open(_build("sdist", copy, target)) as archive:
        # Older versions of Python, 3.11.2 of Debian 12 among them, have no filters.
        has_filters = hasattr(tarfile, "data_filter")
        archive.extractall(target, **{"filter": "data"} if has_filters else {})
    (folder,) = (path for path in target.iterdir() if path.is_dir())
    return folder


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    with zipfile.ZipFile(_build("wheel", sdist, tmp_path_factory.mktemp("w"))) as file:
        yield file


def _files_kept():
    """Return the project's files, without what git ignores."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True
        )
        names = map(Path, listed.stdout.splitlines())
    else:
        names = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
    return [
        name
        for name in names
        if (ROOT / name).is_file()
        and name.name not in OF_GIT
        and "__pycache__" not in name.parts
    ]


def test_wheel_holds_the_package_alone(wheel):
    names = {n for n in wheel.namelist() if ".dist-info/" not in n}
    modules = {str(p.relative_to(ROOT).as_posix()) for p in PACKAGE.rglob("*.py")}
    page = {str(p.relative_to(ROOT).as_posix()) for p in PAGE.iterdir()}
    assert names == modules | page | {"skpairclust/py.typed"}
    assert "skpairclust/label/static/index.html" in page


def test_wheel_says_what_it_is(wheel):
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(name).decode())
    assert metadata["Version"] == skpairclust.__version__
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert any("LICENSE" in n for n in wheel.namelist())
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL"))
    assert {"Repository", "Documentation", "Changelog", "Issues"} == set(urls)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
def test_sdist_holds_every_file(sdist):
    there = {path.relative_to(sdist) for path in sdist.rglob("*") if path.is_file()}
    assert {str(name) for name in set(_files_kept()) - there} == set()


def test_tests_run_from_the_sdist(sdist):
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        + ["tests/test_project.py", "tests/constraints/test_supervision.py"]
        + ["-k", "not code_blocks"],
        cwd=sdist,
        env={**os.environ, "PYTHONPATH": str(sdist), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
