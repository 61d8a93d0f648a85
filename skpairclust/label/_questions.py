"""Questions that are on somebody's screen."""

import secrets
import threading
import time
import zlib
from typing import NamedTuple

import numpy as np

# A page that has not been heard of for so long has been closed: in seconds.
_GONE = 15 * 60
_MOST_CLIENTS = 200


class Question(NamedTuple):
    """A question as it is shown.

    Attributes
    ----------
    id : str
    mode : {"pair", "group"}
    sample : str or int
        Id of the sample in question.
    others : tuple of str or int
        Ids of those it is compared with, one for a pair.
    """

    id: str
    mode: str
    sample: str | int
    others: tuple


def new_question(mode, sample, others):
    """Return a question with a new name."""
    return Question(secrets.token_urlsafe(9), mode, sample, tuple(others))


def shuffled(candidates, sample):
    """Return candidates in an order that does not say which is the likeliest."""
    rng = np.random.RandomState(zlib.crc32(repr(sample).encode()))
    return [candidates[i] for i in rng.permutation(len(candidates))]


class OpenQuestions:
    """The question that each page shows, so that a reload shows it again.

    Its methods may be called from any thread; none waits for a learner.
    """

    def __init__(self):
        self._open, self._heard, self._lock = {}, {}, threading.Lock()

    def get(self, client, mode):
        """Return the question of a page, or None."""
        with self._lock:
            self._heard[client] = time.monotonic()
            return self._open.get((client, mode))

    def put(self, client, question):
        """Let a page show a question."""
        with self._lock:
            self._heard[client] = time.monotonic()
            self._open[client, question.mode] = question

    def close(self, name):
        """Forget a question that is answered."""
        with self._lock:
            for key, question in list(self._open.items()):
                if question.id == name:
                    del self._open[key]

    def drop_gone(self):
        """Forget the questions of pages that are closed, and return them."""
        with self._lock:
            now = time.monotonic()
            by_age = sorted(self._heard, key=self._heard.get)
            gone = set(by_age[: max(0, len(by_age) - _MOST_CLIENTS)])
            gone |= {c for c in by_age if now - self._heard[c] > _GONE}
            keys = [key for key in self._open if key[0] in gone]
            for client in gone:
                del self._heard[client]
            return [self._open.pop(key) for key in keys]
