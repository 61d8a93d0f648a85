"""Result files as rows, and rows as Markdown."""

import json
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def read_rows(name):
    """Return the rows of a result file, none if there is no such file."""
    path = RESULTS / f"{name}.jsonl"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def describe_machines(rows):
    """Return a line on when and with what the rows were measured."""
    machines = [row["environment"] for row in rows if "environment" in row]
    if not machines:
        return ""
    first, last = machines[0], machines[-1]
    dates = sorted({m["date"][:10] for m in machines})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    devices = ", ".join(sorted({m["device"] for m in machines}))
    cores = sorted({m["n_cpus"] for m in machines})
    packages = ", ".join(
        f"{name} {last[name]}" for name in ("scikit-learn", "torch", "numpy", "scipy")
    )
    return (
        f"*Measured {when} with skpairclust {last['skpairclust']}, Python "
        f"{last['python']}, {packages}; {first['platform']}, device {devices}, "
        f"{'/'.join(map(str, cores))} CPU cores.*\n"
    )


def table(header, rows):
    """Return a Markdown table: words to the left, numbers to the right."""
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    rules = ["---" if _holds_words(column) else "---:" for column in columns]
    lines = [header, ["---", *rules[1:]], *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _holds_words(column):
    """Whether most cells of a column begin with a letter."""
    begin_so = [str(cell).lstrip("*`")[:1].isalpha() for cell in column]
    return 2 * sum(begin_so) > len(begin_so)
