"""A file of answers, to which a line is added and never lost.

One line of JSON per record. A record is on the disk before anybody hears that it is
saved, and is there once, however often it is sent.
"""

import os
import threading
from pathlib import Path

from skpairclust.label._errors import AlreadyAnswered, LabelError, NotSaved
from skpairclust.label._records import (
    Answer,
    Effect,
    as_line,
    check_header,
    check_start,
    make_header,
    now,
    parse_line,
)
from skpairclust.utils._files import sync_folder
from skpairclust.utils._lock import try_lock


class AnswersFile:
    """Append-only records about one data set, open for one process at a time.

    Parameters
    ----------
    path : path-like
        It is made if there is none.
    fingerprint : str
        Of the data set. The file of another one is refused.
    n_samples : int
    name : str
        Of the data set, for the reader of the file.
    accept_changed : bool, default=False
        Whether answers about an earlier form of the data are taken over.

    Attributes
    ----------
    notes : list of str
        What was mended, in sentences.

    Raises
    ------
    LabelError
        If the file cannot be used, with the way out.
    """

    def __init__(self, path, fingerprint, n_samples, name, *, accept_changed=False):
        self.path = Path(path)
        self.notes = []
        self._effect, self._lock = Effect(), threading.Lock()
        self._broken = None
        self._descriptor = self._open()
        try:
            self._claim()
            self._read(fingerprint, n_samples, name, accept_changed)
        except BaseException:
            self.close()
            raise

    def _open(self):
        """Return a descriptor for reading and appending."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        is_new = not self.path.exists()
        try:
            descriptor = os.open(self.path, flags, 0o644)
            if is_new:
                sync_folder(self.path.parent)
        except OSError as error:
            raise LabelError(
                f"{self.path} cannot be written: {error.strerror}. Give the answers "
                "another place with --answers, or see that the folder is there and "
                "that you may write to it."
            ) from error
        return descriptor

    def _claim(self):
        """Lock the file, or say who has it."""
        try:
            is_ours = try_lock(self._descriptor)
        except OSError as error:
            raise LabelError(
                f"{self.path} is on a file system without locks ({error.strerror}), so "
                "two programs could write at once. Put it on a local disk."
            ) from error
        if not is_ours:
            raise LabelError(
                f"{self.path} is in use by another program, probably a page that is "
                "still open. Use the address that it printed (several people can "
                "answer there), stop it, or give this one a file of its own with "
                "--answers."
            )

    def _read(self, fingerprint, n_samples, name, accept_changed):
        """Read all records, mend the end, and see that the data set is the same."""
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            content = file.read()
        lines = content.splitlines(keepends=True)
        self._size = len(content)
        check_start(content, self.path)
        if lines and not lines[-1].endswith(b"\n"):
            lines = self._mend(lines)
        records = [self._parse(number, line) for number, line in enumerate(lines, 1)]
        header = make_header(fingerprint, n_samples, name)
        if not records:
            self._write(as_line(header))
            return
        check_header(records[0], self.path)
        last = self._replay(records)
        if last["data"] != fingerprint:
            self._check_same_data(last, n_samples, accept_changed)
            self._write(as_line(header))
            self.notes.append(f"The answers of {self.path} are kept for changed data.")

    def _mend(self, lines):
        """Cut off a last line that was not written to its end, or end it."""
        *whole, torn = lines
        try:
            parse_line(torn)
        except (ValueError, TypeError, KeyError, LabelError):
            self._cut(self._size - len(torn))
            self.notes.append(
                f"The last line of {self.path} was cut off in the middle, by a crash "
                f"for instance, and has been removed ({len(torn)} bytes). Its answer "
                "was never reported as saved."
            )
            return whole
        self._write(b"\n")
        return [*whole, torn]

    def _parse(self, number, line):
        """Return the record of a line, or raise an error that names it."""
        try:
            return parse_line(line)
        except (ValueError, TypeError, KeyError, LabelError) as error:
            raise LabelError(
                f"Line {number} of {self.path} is damaged: {str(error)[:100]}. Repair "
                "or delete this line in a text editor (keep a copy), or give another "
                "file with --answers."
            ) from error

    def _replay(self, records):
        """Let the records count, and return the last header."""
        header = records[0]
        for number, record in enumerate(records[1:], 2):
            if isinstance(record, dict):
                header = record
                continue
            # sent twice to two programs, one after the other
            if record.id in self._effect.seen:
                continue
            try:
                self._effect.check(record)
            except LabelError as error:
                raise LabelError(
                    f"Line {number} of {self.path} takes back an answer that is not "
                    "there. Lines above it are missing: restore the file from a copy, "
                    "or delete this line."
                ) from error
            self._effect.add(record)
        return header

    def _check_same_data(self, header, n_samples, accept_changed):
        """Raise if the answers are about another data set, unless it is accepted."""
        if accept_changed:
            return
        raise LabelError(
            f"{self.path} holds answers about other data: {header.get('name')!r} with "
            f"{header.get('n_samples')} samples, and this has {n_samples} and other "
            "content. Give these data a file of their own with --answers. If they are "
            "the same data in a later form, add --accept-changed-data; the answers of "
            "ids that are still there are kept."
        )

    @property
    def answers(self):
        """Answers in effect, list of Answer, in the order of the file."""
        with self._lock:
            return list(self._effect.answers.values())

    def has(self, name):
        """Whether a record with an id is in the file, in effect or not."""
        with self._lock:
            return name in self._effect.seen

    def get(self, name):
        """Return the answer in effect with an id, or None."""
        with self._lock:
            return self._effect.answers.get(name)

    def append(self, record):
        """Write a record to the disk.

        Parameters
        ----------
        record : Answer or Undo
            Its time is set here.

        Returns
        -------
        Answer, Undo or None
            The record as written. None if it was written before, so that whoever sent
            it again can be told the same.

        Raises
        ------
        NotSaved
            If it is not on the disk. Nothing of it is left in the file.
        AlreadyAnswered
            If its question has another answer, which counts.
        NotAccepted
            If it takes back an answer that does not count.
        """
        with self._lock:
            if record.id in self._effect.seen:
                return None
            self._effect.check(record)
            self._check_question(record)
            record = record._replace(time=now())
            self._write(as_line(record))
            self._effect.add(record)
            return record

    def _check_question(self, record):
        """Raise if another answer to the same question counts."""
        if not isinstance(record, Answer):
            return
        other = self._effect.answer_to(record.question)
        if other is not None and other.id != record.replaces:
            raise AlreadyAnswered(
                f"This question has been answered already, by {other.who!r}, perhaps "
                "in another tab. That answer counts; here is the next question."
            )

    def _write(self, line):
        """Write bytes to the end and onto the disk, all or none."""
        self._check_usable()
        try:
            left = memoryview(line)
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self._cut(self._size)
            raise NotSaved(
                f"Not saved: {self.path} cannot be written ({error.strerror}). Make "
                "room on the disk or make the file writable, then answer again."
            ) from error
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            # what the system has dropped, it may report as written the next time
            self._broken = f"the disk reported an error ({error.strerror})"
            self._cut(self._size)
            self._check_usable()
        self._size += len(line)

    def _check_usable(self):
        """Raise if the file is not what this process left."""
        if self._descriptor is None:
            raise NotSaved("Not saved: the program is stopping. Start it again.")
        here = os.fstat(self._descriptor)
        try:
            there = os.stat(self.path)
        except OSError:
            there = None
        if there is None or not os.path.samestat(here, there):
            self._broken = "the file has been moved or deleted"
        elif here.st_size != self._size and self._broken is None:
            self._broken = "another program has changed the file"
        if self._broken:
            raise NotSaved(
                f"Not saved: {self._broken} ({self.path}). Look at the file, stop this "
                "program with Ctrl-C and start it again."
            )

    def _cut(self, size):
        """Cut the file to what was there before a failure."""
        try:
            os.ftruncate(self._descriptor, size)
            os.fsync(self._descriptor)
        except OSError as error:
            self._broken = f"the file could not be repaired ({error.strerror})"
        else:
            self._size = size

    def close(self):
        """Close the file, which ends its lock."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
