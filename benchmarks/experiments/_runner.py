"""Run the cells of an experiment once each, and keep a row of every one.

A cell is a dict of settings with a seed; a row is the cell with its scores, the wall
time and the machine, a line of JSON that is appended as soon as the cell is done. A run
that was killed therefore goes on with the first cell without a row.
"""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks._report import append_result, environment, read_rows
from benchmarks.datasets import DatasetUnavailableError

RESULTS = Path(__file__).parents[1] / "results" / "experiments"


@dataclass(frozen=True)
class Experiment:
    """A list of cells and what to do with one.

    Attributes
    ----------
    name : str
    make_cells : callable
        Takes a scale and returns the cells, the most telling ones first.
    measure : callable
        Takes a cell and a device and returns scores that JSON can hold.
    known_rows : callable
        Returns rows that other benchmarks have measured: "settings", "scores",
        "seconds", "environment" and "source", the file they are from.
    """

    name: str
    make_cells: Callable
    measure: Callable
    known_rows: Callable = list


@dataclass(frozen=True)
class Selection:
    """Which cells of a plan to run, and how to change them.

    Attributes
    ----------
    only : dict
        Values, as a list, that a setting may have.
    changes : dict
        Settings that replace the planned ones: for machines that cannot run all. Rows
        of such a cell are marked as not planned.
    """

    only: dict
    changes: dict

    def apply(self, cells):
        """Return pairs of a cell and whether it is as planned."""
        return [
            (cell | self.changes, cell | self.changes == cell)
            for cell in cells
            if all(cell.get(key) in values for key, values in self.only.items())
            # A setting that this kind of cell does not have cannot be changed.
            and self.changes.keys() <= cell.keys()
        ]


EVERYTHING = Selection({}, {})


def expand(*plans):
    """Return a cell for each combination of what plans state, seed by seed.

    The values of a plan that are tuples vary, the last one fastest.
    """
    cells = []
    for plan in plans:
        values = [v if isinstance(v, tuple) else (v,) for v in plan.values()]
        cells += [
            dict(zip(plan, chosen, strict=True))
            for chosen in itertools.product(*values)
        ]
    return sorted(cells, key=lambda cell: cell["seed"])


def results_path(name, scale="full"):
    """Return the file of an experiment's rows; short runs have their own folder."""
    folder = RESULTS if scale == "full" else RESULTS / scale
    return folder / f"{name}.jsonl"


def cell_key(cell):
    """Return a text that two cells share only if all their settings agree."""
    return json.dumps(cell, sort_keys=True)


def find_missing(experiment, scale, path, selection=EVERYTHING):
    """Return the selected cells without a row, with whether each is as planned."""
    done = {cell_key(row["settings"]) for row in read_rows(path)}
    selected = selection.apply(experiment.make_cells(scale))
    return [pair for pair in selected if cell_key(pair[0]) not in done]


def run(
    experiment,
    *,
    scale="full",
    device="auto",
    path=None,
    selection=EVERYTHING,
    minutes=None,
):
    """Measure the cells that have no row yet.

    Parameters
    ----------
    experiment : Experiment
    scale : {"full", "quick", "tiny"}
    device : str
        As estimators take it.
    path : path-like, optional
        File of the rows; that of the experiment and scale by default.
    selection : Selection
    minutes : float, optional
        No cell is begun after so many minutes.

    Returns
    -------
    int
        How many cells were measured.
    """
    path = path or results_path(experiment.name, scale)
    cells = experiment.make_cells(scale)
    if scale == "full":
        _adopt(experiment, cells, path)
    todo = find_missing(experiment, scale, path, selection)
    _say(f"{experiment.name}, {scale}: {len(todo)} of {len(cells)} cells to do")
    start, n_done = time.perf_counter(), 0
    for number, (cell, is_planned) in enumerate(todo, 1):
        if minutes is not None and time.perf_counter() - start > 60 * minutes:
            _say(f"stopped after {minutes} minutes; the same command goes on")
            break
        row = _measure(experiment, cell, device)
        if row is None:
            continue
        row |= {"scale": scale, "planned": is_planned, "n_cells": len(cells)}
        append_result(path, row)
        n_done += 1
        minutes_gone = (time.perf_counter() - start) / 60
        _say(f"[{number}/{len(todo)}, {minutes_gone:.1f} min] {_describe(row)}")
    return n_done


def borrow_rows(name, *, without, **settings):
    """Return the planned rows of another experiment, as this one would name them.

    Parameters
    ----------
    name : str
        The experiment, some of whose fits are the same.
    without : dict
        Settings that rows must have, and that this experiment's cells do not state.
    **settings
        What its cells of those fits state besides.
    """
    return [
        {
            "settings": {k: v for k, v in row["settings"].items() if k not in without}
            | settings,
            **{key: row[key] for key in ("scores", "seconds", "environment")},
            "source": f"{name}.jsonl",
        }
        for row in read_rows(results_path(name))
        if row["planned"] and without.items() <= row["settings"].items()
    ]


def _adopt(experiment, cells, path):
    """Append what other benchmarks have measured of these cells, if it is newer."""
    planned = set(map(cell_key, cells))
    dates = {cell_key(row["settings"]): _date(row) for row in read_rows(path)}
    newest = {cell_key(row["settings"]): row for row in experiment.known_rows()}
    for key, row in newest.items():
        if key in planned and _date(row) > dates.get(key, ""):
            row = {"experiment": experiment.name} | row
            row |= {"scale": "full", "planned": True, "n_cells": len(cells)}
            append_result(path, row)


def _date(row):
    """Return when a row was measured, as text that sorts."""
    return row["environment"]["date"]


def _measure(experiment, cell, device):
    """Return the row of a cell, None if its data are not to be had."""
    start = time.perf_counter()
    try:
        scores = experiment.measure(cell, device)
    except DatasetUnavailableError as error:
        _say(f"left out {cell}: {error}")
        return None
    seconds = time.perf_counter() - start
    machine = environment()
    if device == "cpu":
        machine["device"] = "cpu"
    return {
        "experiment": experiment.name,
        "settings": cell,
        "scores": scores,
        "seconds": round(seconds, 2),
        "environment": machine,
    }


def _say(text):
    """Print at once, also into a file."""
    print(text, flush=True)


def _describe(row):
    """Return a line on a row: its settings and its plain numbers."""
    settings = " ".join(f"{k}={v}" for k, v in row["settings"].items())
    numbers = pd.json_normalize(row["scores"]).select_dtypes("number").iloc[0]
    scores = " ".join(f"{k}={v:.3f}".removesuffix(".000") for k, v in numbers.items())
    return f"{settings}: {scores} ({row['seconds']:.0f} s)"
