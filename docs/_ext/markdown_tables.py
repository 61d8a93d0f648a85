"""Result files as rows, and rows as Markdown."""

import json
from pathlib import Path

import pandas as pd

GENERATED = Path(__file__).parents[1] / "generated"
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
_NO_BREAK = "\u00a0"


def make_page(name, maker):
    """Return the Markdown of a result file: what a maker makes of it, machines."""
    path = RESULTS / f"{name}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines if line.strip()]
    if not rows:
        return "*There are no results yet.*\n"
    return f"{maker(rows)}\n{_describe_machines(rows)}"


def _describe_machines(rows):
    """Return a line on when and with what the rows were measured."""
    machines = pd.DataFrame([r["environment"] for r in rows if "environment" in r])
    if machines.empty:
        return ""
    last = machines.iloc[-1]
    dates = machines["date"].str[:10]
    when = " to ".join(dict.fromkeys([dates.min(), dates.max()]))
    devices = ", ".join(sorted(machines["device"].unique()))
    cores = "/".join(map(str, sorted(machines["n_cpus"].unique())))
    packages = ", ".join(
        f"{name} {last[name]}" for name in ("scikit-learn", "torch", "numpy", "scipy")
    )
    return (
        f"*Measured {when} with skpairclust {last['skpairclust']}, Python "
        f"{last['python']}, {packages}; {machines['platform'].iloc[0]}, device "
        f"{devices}, {cores} CPU cores.*\n"
    )


def mean_and_error(values, digits=3):
    """Return the mean of a series and its standard error as text."""
    text = f"{values.mean():.{digits}f}"
    return text if len(values) < 2 else f"{text} ± {values.sem():.{digits}f}"


def table(frame):
    """Return a frame as a Markdown table: words to the left, numbers to the right."""
    columns = [frame[name].map(str) for name in frame]
    rules = ["---" if _holds_words(column) else "---:" for column in columns]
    lines = [frame.columns, ["---", *rules[1:]], *zip(*columns, strict=True)]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    # A number and its error stay on one line.
    return text.replace(" ± ", f"{_NO_BREAK}±{_NO_BREAK}")


def _holds_words(column):
    """Whether most cells of a column begin with a letter."""
    return column.str.lstrip("*`").str[:1].str.isalpha().mean() > 0.5


def format_rows(frame, columns):
    """Return a table with a line for each row, a dash where a value is missing.

    `columns` has for each header the column and the format of its values.
    """
    return table(
        pd.DataFrame(
            {
                header: frame[name].map(f"{{:{form}}}".format, "ignore").fillna("-")
                for header, (name, form) in columns.items()
            }
        )
    )


def titled(title, text):
    """Return a table below its title."""
    return f"\n**{title}**\n\n{text}"
