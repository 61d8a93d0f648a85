"""The pages of the published experiments, from the result files that are committed."""

import re
import sys
from pathlib import Path

import pytest

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_ext"


@pytest.fixture(autouse=True)
def extensions(monkeypatch, tmp_path):
    """Make Sphinx's extensions importable; pictures go to a temporary folder."""
    if not EXTENSIONS.is_dir():
        pytest.skip("the documentation is not here")
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    import experiment_plots

    monkeypatch.setattr(experiment_plots, "GENERATED", tmp_path)
    for name in ("experiment_rows", "published_figures", "markdown_tables"):
        assert name in sys.modules or __import__(name)


@pytest.mark.parametrize(
    "name",
    [
        "partial_constraints",
        "noise",
        "n_clusters",
        "full_supervision",
        "margin",
        "embedding",
        "siamese_cost",
        "comparison",
    ],
)
def test_page_has_table_plot_and_machine(name, tmp_path):
    from published_experiments import make_page

    text = make_page(name)
    assert text.count("\n| ") > 2
    assert "All rows together took" in text
    assert "*Measured " in text
    pictures = [name] + ["failures"] * (name == "embedding")
    for picture in pictures:
        assert (tmp_path / f"experiment_{picture}.png").stat().st_size > 5_000


def test_pages_include_a_table_of_their_own_rows(tmp_path, monkeypatch):
    import experiments

    monkeypatch.setattr(experiments, "GENERATED", tmp_path)
    experiments.write_tables(None)
    docs = EXTENSIONS.parent
    pages = [docs / "experiments.md", *sorted((docs / "published").glob("*.md"))]
    included = [
        tmp_path / name
        for page in pages
        for name in re.findall(r"{include} .*generated/(.*)", page.read_text())
    ]
    texts = [path.read_text() for path in included]
    assert len(set(texts)) == len(texts) == len(list(tmp_path.glob("*.md"))) - 1
    assert "from | seeds | NMI" in (tmp_path / "results_embedding.md").read_text()
    assert "Size m of a batch" in (tmp_path / "published_embedding.md").read_text()


def _row(seed, value, planned=True, **settings):
    return {
        "settings": {"method": "mcl", "seed": seed, **settings},
        "scores": {"test": {"nmi": value}},
        "planned": planned,
        "n_cells": 4,
        "seconds": 1.0,
    }


def test_figures_of_the_papers_stand_beside_ours(tmp_path):
    from published_experiments import make_page

    lines = make_page("full_supervision").splitlines()
    ours = [line for line in lines if "authors' optimizer, LeNet" in line]
    assert any(line.startswith("| 60 | *0.951* | 0.9") for line in ours)
    lines = make_page("partial_constraints").splitlines()
    assert [line for line in lines if "| *> 0.9* | *> 0.8* | 0.8" in line]
    # What was not measured is said once.
    assert sum("not measured" in line for line in lines) <= 2


def test_planned_rows_come_before_those_cut_short():
    from experiment_rows import flatten, select, show

    rows = [
        _row(0, 0.1, planned=False, n_init=1),
        _row(0, 0.4, n_init=5),
        _row(1, 0.6, n_init=5),
    ]
    group = select(flatten(rows), "method")[("mcl",)]
    assert show(group, "nmi", 1) == "0.5 ± 0.1"
    group = select(flatten(rows[:1]), "method")[("mcl",)]
    assert show(group, "nmi", 1) == "0.1\u00a0†"
    assert show(None, "nmi") == "–"


def test_effort_says_what_was_cut_short():
    from experiment_rows import describe_effort

    rows = [_row(seed, 0.5) for seed in range(3)]
    cut = _row(4, 0.5, planned=False, n_init=1, max_iter=20)
    text = describe_effort([*rows, cut | {"seconds": 3600.0}])
    assert "took 1.0 hours" in text
    assert "MCL, pairs only: 1 restart, 20 epochs" in text
    assert "cut short" not in describe_effort([*rows, _row(3, 0.5)])
