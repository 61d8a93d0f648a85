"""The page about faults names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_fault_is_tried_in_a_file_that_exists():
    page = (ROOT / "docs/guide/faults.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    named = [re.findall(r"`(tests/\S+\.py)`", row) for row in rows]
    # Each of the five tables has a line of headings.
    assert sum(not files for files in named) == 5
    missing = {f for files in named for f in files if not (ROOT / f).is_file()}
    assert not missing
    here = {f"tests/faults/{p.name}" for p in Path(__file__).parent.glob("test_*.py")}
    assert here - {f for files in named for f in files} == {
        "tests/faults/test_table.py"
    }
