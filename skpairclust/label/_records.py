"""The lines of an answers file: what they hold, and which answers are in effect."""

import json
import re
from datetime import UTC, datetime
from typing import NamedTuple

from skpairclust.label._errors import LabelError, NotAccepted

KIND = "skpairclust answers"
VERSION = 1
# What a page may invent as the name of an answer or a question.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# A question about a sample and groups has an answer per group.
_MOST_PAIRS = 50
_MOST_WHO = 80


class Answer(NamedTuple):
    """An answer of a person; a question may be about several pairs.

    Attributes
    ----------
    id : str
        Made by the page, so that it can be sent again.
    time : str
        When it was saved, UTC, ISO 8601.
    who : str
        Name of the person.
    question : str
        The question that it answers. One question is answered once.
    mode : str
        "pair", "group", "cluster" or "chain": where the page asked.
    pairs : list of tuple (id, id, int)
        Ids of two samples, and 1 for same, -1 for different, 0 for cannot tell.
    replaces : str or None
        The earlier answer that this one corrects.
    """

    id: str
    time: str
    who: str
    question: str
    mode: str
    pairs: list
    replaces: str | None = None


class Undo(NamedTuple):
    """An answer is taken back.

    Attributes
    ----------
    id, time, who : str
        As of an answer.
    undo : str
        The answer.
    """

    id: str
    time: str
    who: str
    undo: str


def now():
    """Return the time as it is written."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make_header(fingerprint, n_samples, name):
    """Return the first line of a file."""
    return {
        "file": KIND,
        "version": VERSION,
        "data": fingerprint,
        "n_samples": n_samples,
        "name": name,
        "time": now(),
    }


def as_line(record):
    """Return a record as the bytes of a line."""
    if not isinstance(record, dict):
        record = {k: v for k, v in record._asdict().items() if v is not None}
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def parse_line(line):
    """Return the record that a line holds: a header as dict, an Answer or an Undo.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it holds something else.
    """
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    if "file" in found:
        return found
    if "undo" in found:
        record = Undo(found["id"], found["time"], found["who"], found["undo"])
        check_name(record.undo, "undo")
    else:
        pairs = check_triples(found["pairs"])
        record = Answer(
            *(found[name] for name in ("id", "time", "who", "question", "mode")),
            pairs,
            found.get("replaces"),
        )
    check_name(record.id, "id")
    return record


def check_name(value, field):
    """Return a name that a page has made, or raise."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise NotAccepted(
            f"{field}={value!r:.80} must be up to 64 letters, digits, '-' or '_'. "
            "Reload the page."
        )
    return value


def check_who(value):
    """Return the name of a person, without blanks around it, or raise."""
    if not isinstance(value, str) or not value.strip() or len(value) > _MOST_WHO:
        raise NotAccepted(
            f"who={value!r:.90} must be a name of 1 to {_MOST_WHO} characters. Enter "
            "it under Settings."
        )
    return value.strip()


def check_triples(pairs):
    """Return answered pairs as tuples of two ids and an answer, or raise."""
    if not isinstance(pairs, list) or not 1 <= len(pairs) <= _MOST_PAIRS:
        raise NotAccepted(
            f"pairs={pairs!r:.80} must be a list of 1 to {_MOST_PAIRS} entries [id, "
            "id, answer]. Reload the page."
        )
    found = []
    for entry in pairs:
        if not isinstance(entry, list) or len(entry) != 3:
            raise NotAccepted(f"pairs holds {entry!r:.80}, not [id, id, answer].")
        left, right, answer = entry
        ids_fit = all(type(name) in (str, int) for name in (left, right))
        if not ids_fit or type(answer) is not int or answer not in (1, -1, 0):
            raise NotAccepted(
                f"pairs holds {entry!r:.80}, which must be two ids, texts or integers, "
                "and 1 for same, -1 for different or 0 for cannot tell."
            )
        if left == right:
            raise NotAccepted(f"pairs compares {left!r:.80} with itself.")
        found.append((left, right, answer))
    return found


class Effect:
    """Which answers count, after those that were taken back or corrected.

    Attributes
    ----------
    answers : dict of str to Answer
        Those in effect, in the order of the file.
    seen : set of str
        The ids of all records.
    """

    def __init__(self):
        self.answers, self.seen = {}, set()
        # by question: only the answer in effect, so that it may be asked again
        self._by_question = {}

    def answer_to(self, question):
        """Return the answer in effect to a question, or None."""
        return self.answers.get(self._by_question.get(question))

    def check(self, record):
        """Raise if a record cannot follow those before."""
        target = record.undo if isinstance(record, Undo) else record.replaces
        if target is not None and target not in self.answers:
            raise NotAccepted(
                f"The answer {target!r:.70} has been taken back already, or was never "
                "saved. Reload the page to see the answers that count."
            )

    def add(self, record):
        """Let a record count."""
        self.seen.add(record.id)
        target = record.undo if isinstance(record, Undo) else record.replaces
        if target is not None:
            gone = self.answers.pop(target)
            if self._by_question.get(gone.question) == target:
                del self._by_question[gone.question]
        if isinstance(record, Answer):
            self.answers[record.id] = record
            self._by_question[record.question] = record.id


def check_start(content, path):
    """Raise if a file does not begin as one of answers, even one cut off early."""
    start = as_line({"file": KIND})[:-2]
    if not start.startswith(content[: len(start)]):
        raise LabelError(_other_file(path))


def _other_file(path):
    """Return the sentence about a file that holds something else."""
    return (
        f'{path} is not a file of answers: its first line does not say "{KIND}". Give '
        "another name with --answers; nothing was changed."
    )


def check_header(record, path):
    """Raise if the first line is not that of an answers file of this version."""
    if not isinstance(record, dict) or record.get("file") != KIND:
        raise LabelError(_other_file(path))
    if record.get("version") != VERSION:
        raise LabelError(
            f"{path} has version {record.get('version')!r} of the format, and this "
            f"version of skpairclust reads {VERSION}. Update skpairclust."
        )
