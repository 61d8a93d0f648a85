"""The file of answers: nothing lost, nothing doubled, nothing foreign."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from skpairclust.label._answers_file import AnswersFile
from skpairclust.label._errors import (
    AlreadyAnswered,
    LabelError,
    NotAccepted,
    NotSaved,
)
from skpairclust.label._records import Answer, Undo, as_line, parse_line

ROOT = Path(__file__).parents[2]


def opened(path, fingerprint="sha256:1", n_samples=9, **options):
    return AnswersFile(path, fingerprint, n_samples, "some data", **options)


def said(number, question=None, **fields):
    """Return an answer as a page would send it."""
    pairs = fields.pop("pairs", [("a", number, 1)])
    question = f"q{number}" if question is None else question
    return Answer(f"a{number}", "", "ann", question, "pair", pairs, **fields)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.jsonl"


@pytest.fixture
def file(path):
    with_file = opened(path)
    yield with_file
    with_file.close()


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def reopened(file):
    file.close()
    again = opened(file.path)
    again.close()
    return again


def test_a_line_per_record_with_all_that_is_asked_for(file, path):
    file.append(said(1, pairs=[("ä", 7, -1), ("b", 7, 0)]))
    file.append(Undo("u1", "", "bob", "a1"))
    header, answer, undo = lines_of(path)
    assert header["data"] == "sha256:1"
    assert (header["n_samples"], header["name"]) == (9, "some data")
    assert answer["pairs"] == [["ä", 7, -1], ["b", 7, 0]]
    assert answer["who"] == "ann"
    assert answer["time"].startswith("20") and answer["time"].endswith("Z")
    assert undo["undo"] == "a1" and undo["who"] == "bob"


def test_what_was_saved_is_read_again(file):
    for number in range(5):
        assert file.append(said(number)).id == f"a{number}"
    file.append(Undo("u", "", "ann", "a3"))
    assert [a.id for a in file.answers] == ["a0", "a1", "a2", "a4"]
    assert reopened(file).answers == file.answers


def test_the_same_answer_twice_counts_once(file, path):
    assert file.append(said(1)) is not None
    assert file.append(said(1)) is None
    file.append(Undo("u", "", "ann", "a1"))
    # sent again by a slow network, after it was taken back
    assert file.append(said(1)) is None
    assert file.append(Undo("u", "", "ann", "a1")) is None
    assert file.answers == []
    assert len(lines_of(path)) == 3


def test_one_answer_per_question(file):
    file.append(said(1, "q"))
    with pytest.raises(AlreadyAnswered, match="by 'ann', perhaps in another tab"):
        file.append(said(2, "q"))
    file.append(Undo("u", "", "ann", "a1"))
    file.append(said(2, "q"))
    assert [a.id for a in file.answers] == ["a2"]


def test_a_correction_replaces_its_answer(file, path):
    file.append(said(1, "q"))
    file.append(said(2, "q", replaces="a1", pairs=[("a", 1, -1)]))
    assert [a.pairs for a in file.answers] == [[("a", 1, -1)]]
    assert reopened(file).answers == file.answers
    assert len(lines_of(path)) == 3


def test_what_is_gone_cannot_be_taken_back(file, path):
    file.append(said(1))
    file.append(Undo("u", "", "ann", "a1"))
    for record in (Undo("v", "", "ann", "a1"), said(3, replaces="a1")):
        with pytest.raises(NotAccepted, match="'a1' has been taken back already"):
            file.append(record)
    assert len(lines_of(path)) == 3


@pytest.mark.parametrize("n_left", [1, 20, -2, -1])
def test_a_torn_last_line_is_mended(file, path, n_left):
    file.append(said(1))
    whole = path.read_bytes()
    file.append(said(2))
    file.close()
    last = path.read_bytes()[len(whole) :]
    path.write_bytes(whole + last[:n_left])
    again = opened(path)
    # only the end of the line was missing
    is_whole = n_left == -1
    assert [a.id for a in again.answers] == ["a1", "a2"][: 1 + is_whole]
    assert len(again.notes) == (not is_whole)
    assert is_whole or "cut off in the middle" in again.notes[0]
    assert again.append(said(2)) is (None if is_whole else again.get("a2"))
    again.append(said(3))
    assert [line["id"] for line in lines_of(path)[1:]] == ["a1", "a2", "a3"]
    again.close()


def test_a_torn_first_line_is_mended(path):
    opened(path).close()
    path.write_bytes(path.read_bytes()[:30])
    again = opened(path)
    assert len(lines_of(path)) == 1
    again.close()


def test_zeros_after_a_loss_of_power_are_cut_off(file, path):
    file.append(said(1))
    file.close()
    path.write_bytes(path.read_bytes() + bytes(100))
    assert [a.id for a in reopened(file).answers] == ["a1"]
    assert len(lines_of(path)) == 2


@pytest.mark.parametrize("content", [b"left,right\n1,2\n", b"hello", b"{}\n", b"\n"])
def test_other_files_are_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(LabelError, match="is not a file of answers.*--answers"):
        opened(path)
    assert path.read_bytes() == content


def test_a_damaged_line_is_named(file, path):
    for number in (1, 2, 3):
        file.append(said(number))
    file.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], lines[2][:20] + b"\n", lines[3]]))
    with pytest.raises(LabelError, match="Line 3 of .* is damaged"):
        opened(path)
    # the line that was taken back is missing
    path.write_bytes(lines[0] + as_line(Undo("u", "", "ann", "a1")))
    with pytest.raises(LabelError, match="Line 2 of .* Lines above it are missing"):
        opened(path)


def test_a_later_version_is_refused(path):
    opened(path).close()
    path.write_text(path.read_text().replace('"version":1', '"version":2'))
    with pytest.raises(LabelError, match="version 2 of the format.*Update"):
        opened(path)


def test_other_data_are_refused_or_accepted(file, path):
    file.append(said(1))
    file.close()
    before = path.read_bytes()
    with pytest.raises(LabelError, match="'some data' with 9 samples, and this has 10"):
        opened(path, "sha256:2", 10)
    assert path.read_bytes() == before
    opened(path, "sha256:2", 10, accept_changed=True).close()
    again = opened(path, "sha256:2", 10)
    assert [a.id for a in again.answers] == ["a1"]
    again.close()
    with pytest.raises(LabelError, match="holds answers about other data"):
        opened(path)


def test_two_programs_do_not_share_a_file(file, path):
    with pytest.raises(LabelError, match="in use by another program.*--answers"):
        opened(path)
    code = (
        "import sys; from tests.label.test_answers_file import opened\n"
        "try: opened(sys.argv[1])\n"
        "except Exception as error: print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert "in use by another program" in result.stdout, result.stderr


def test_a_file_that_is_moved_or_changed_gets_no_more(file, path):
    file.append(said(1))
    kept = path.read_bytes()
    path.write_bytes(kept + b"a note of mine")
    with pytest.raises(NotSaved, match="another program has changed the file"):
        file.append(said(2))
    assert path.read_bytes() == kept + b"a note of mine"
    path.unlink()
    with pytest.raises(NotSaved, match="moved or deleted.*start it again"):
        file.append(said(2))
    assert [a.id for a in file.answers] == ["a1"]


def test_a_closed_file_takes_nothing(file, path):
    file.append(said(1))
    file.close()
    file.close()
    with pytest.raises(NotSaved, match="the program is stopping"):
        file.append(said(2))
    assert len(lines_of(path)) == 2


# A limit on the size of files is a full disk for this process.
FULL_DISK = """
import json, resource, sys
from tests.label.test_answers_file import opened, said
from skpairclust.label._errors import NotSaved
file = opened(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
saved, refused = [], []
for number in range(20):
    try:
        saved.append(file.append(said(number)).id)
    except NotSaved as error:
        refused.append(str(error))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
saved.append(file.append(said(30)).id)
print(json.dumps([saved, refused]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limits on this system")
def test_full_disk(path):
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr
    saved, refused = json.loads(result.stdout)
    assert 0 < len(refused) < 20
    assert refused[0].startswith(f"Not saved: {path} cannot be written (")
    # each line is whole, and only what was acknowledged is there
    assert [line["id"] for line in lines_of(path)[1:]] == saved
    assert saved[-1] == "a30"


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(LabelError, match="cannot be written.*--answers"):
        opened(tmp_path / "no" / "such" / "folder.jsonl")
    with pytest.raises(LabelError, match="cannot be written"):
        opened(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="permissions are other ones there")
def test_a_read_only_file():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answers.jsonl")
        opened(path).close()
        path.chmod(0o444)
        Path(folder).chmod(0o755)
        user = os.geteuid()
        try:
            if user == 0:
                # permissions do not bind the superuser
                os.seteuid(65534)
            with pytest.raises(LabelError, match="Permission denied.*you may write"):
                opened(path)
        finally:
            os.seteuid(user)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"id": "../../x"}, "letters, digits"),
        ({"pairs": []}, "1 to 50 entries"),
        ({"pairs": [["a", "b", 2]]}, "two ids"),
        ({"pairs": [["a", "b", True]]}, "two ids"),
        ({"pairs": [["a", "a", 1]]}, "compares 'a' with itself"),
        ({"pairs": [[1.5, "a", 1]]}, "two ids"),
        ({"pairs": [["a", 1]]}, r"not \[id, id, answer\]"),
    ],
)
def test_lines_are_checked(change, match):
    good = json.loads(as_line(said(1)))
    assert parse_line(json.dumps(good)) == said(1)
    with pytest.raises(NotAccepted, match=match):
        parse_line(json.dumps(good | change))
