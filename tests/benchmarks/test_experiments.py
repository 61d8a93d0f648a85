"""The published experiments in miniature: they run, go on where they were, and stop."""

import json

import numpy as np
import pytest

from benchmarks._report import read_rows
from benchmarks.datasets import DatasetUnavailableError
from benchmarks.experiments import NAMES, __main__, _runner, load_experiment
from benchmarks.experiments._runner import Experiment, Selection, run
from benchmarks.experiments.embedding import find_failures, pack_image

CELLS = [{"seed": seed, "size": 8} for seed in range(3)]


def _is_available(cell):
    """Whether a cell needs nothing but scikit-learn's data."""
    return cell["dataset"] == "digits"


@pytest.mark.parametrize("name", ["comparison", "embedding", "n_clusters", "noise"])
def test_rows_of_benchmarks_are_adopted(name, tmp_path):
    experiment = load_experiment(name)
    path = tmp_path / "rows.jsonl"
    nothing = Selection({"seed": [-1]}, {})
    for _ in range(2):
        assert run(experiment, path=path, selection=nothing) == 0
    rows = read_rows(path)
    assert rows and all(row["planned"] for row in rows)
    planned = [_runner.cell_key(cell) for cell in experiment.make_cells("full")]
    adopted = [_runner.cell_key(row["settings"]) for row in rows]
    assert len(set(adopted)) == len(adopted) and set(adopted) <= set(planned)


def test_failures_are_images_among_those_of_other_classes():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 20)
    Z = 100.0 * np.eye(3)[y] + rng.normal(size=(60, 3))
    # An image of class 0 among those of 2, and two of class 1 among those of 0.
    Z[3], Z[25], Z[26] = Z[50], Z[10] + 1e-3, Z[11] + 1e-6
    X = rng.random((60, 8, 8))
    queries = [[pack_image(X[row]) for row in line] for line in ([3], [26])]
    found = find_failures(Z, X, y)
    assert [line[:1] for line in found] == queries
    of_class = {pack_image(image): label for image, label in zip(X, y, strict=True)}
    assert [[of_class[near] for near in line[1:]] for line in found] == [
        [2] * 5,
        [0] * 5,
    ]


@pytest.mark.parametrize("name", NAMES)
def test_runs_in_miniature(name, tmp_path):
    experiment = load_experiment(name)
    path = tmp_path / "rows.jsonl"
    cells = experiment.make_cells("tiny")
    assert all(map(_is_available, cells))
    assert run(experiment, scale="tiny", device="cpu", path=path) == len(cells)
    rows = read_rows(path)
    assert [row["settings"] for row in rows] == cells
    for row in rows:
        assert row["scores"]
        assert row["planned"]
        assert row["n_cells"] == len(cells)
        assert {"torch", "numpy", "device", "date"} <= set(row["environment"])
    # Nothing is left to do.
    assert run(experiment, scale="tiny", device="cpu", path=path) == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", ["full", "quick"])
def test_plans_are_sound(name, scale):
    cells = load_experiment(name).make_cells(scale)
    keys = {_runner.cell_key(cell) for cell in cells}
    assert len(keys) == len(cells) > 0
    assert all("seed" in cell for cell in cells)
    assert json.loads(json.dumps(cells)) == cells


@pytest.fixture
def counting():
    """Return an experiment of three cells and the list of those it measured."""
    measured = []

    def measure(cell, device):
        measured.append(cell["seed"])
        if cell.get("fails"):
            raise KeyboardInterrupt
        return {"value": cell["seed"]}

    return Experiment("counting", lambda scale: CELLS, measure), measured


def test_goes_on_after_a_kill(counting, tmp_path):
    experiment, measured = counting
    path = tmp_path / "rows.jsonl"
    killed = Experiment(
        "counting",
        lambda scale: [c | {"fails": True} if c["seed"] == 1 else c for c in CELLS],
        experiment.measure,
    )
    with pytest.raises(KeyboardInterrupt):
        run(killed, path=path)
    assert [row["settings"]["seed"] for row in read_rows(path)] == [0]
    assert run(experiment, path=path) == 2
    assert measured == [0, 1, 1, 2]


def test_changed_cells_are_marked_and_measured_anew(counting, tmp_path):
    experiment, measured = counting
    path = tmp_path / "rows.jsonl"
    run(experiment, path=path, selection=Selection({"seed": [0, 2]}, {"size": 2}))
    run(experiment, path=path)
    planned = [(r["settings"]["seed"], r["planned"]) for r in read_rows(path)]
    assert planned == [(0, False), (2, False), (0, True), (1, True), (2, True)]
    # A setting that no cell has changes none.
    assert run(experiment, path=path, selection=Selection({}, {"other": 1})) == 0


def test_rows_of_other_benchmarks_are_adopted(counting, tmp_path):
    experiment, measured = counting
    path = tmp_path / "rows.jsonl"
    known = []

    def add(cell, value, date):
        environment = {"date": date}
        known.append(
            {"settings": cell, "scores": {"value": value}, "environment": environment}
        )

    adopting = Experiment(
        "counting", experiment.make_cells, experiment.measure, lambda: known
    )
    add(CELLS[0], 7, "2020-01-01")
    add({"seed": 9, "size": 8}, 8, "2020-01-01")
    assert run(adopting, path=path) == 2
    assert measured == [1, 2]
    assert [row["scores"]["value"] for row in read_rows(path)] == [7, 1, 2]
    # Once only, unless there is a newer one.
    run(adopting, path=path)
    assert len(read_rows(path)) == 3
    add(CELLS[0], 9, "2020-01-02")
    run(adopting, path=path)
    assert read_rows(path)[-1]["scores"] == {"value": 9}


def test_begins_no_cell_after_the_time(counting, tmp_path):
    experiment, _ = counting
    assert run(experiment, path=tmp_path / "rows.jsonl", minutes=0.0) == 0


def test_missing_data_leave_cells_out(tmp_path, capsys):
    def measure(cell, device):
        if cell["seed"]:
            raise DatasetUnavailableError("set a variable")
        return {"value": 0}

    experiment = Experiment("some", lambda scale: CELLS, measure)
    assert run(experiment, path=tmp_path / "rows.jsonl") == 1
    assert "set a variable" in capsys.readouterr().out


def test_command_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(_runner, "RESULTS", tmp_path)
    __main__.main(["noise", "--list", "--quick", "--only", "noise=0.1"])
    assert "noise: 4 of 4 cells to do" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        __main__.main(["nonsense"])
    with pytest.raises(SystemExit):
        __main__.main(["noise", "--only", "noise"])


def test_each_image_has_so_many_pairs():
    from benchmarks.experiments.siamese_cost import _draw_pairs

    y = np.arange(16) % 3
    for partners in (1, 2, 5, 15):
        pairs, _ = _draw_pairs(y, partners)
        assert (np.bincount(pairs.ravel()) == partners).all()
        assert len(np.unique(np.sort(pairs, axis=1), axis=0)) == len(pairs)
