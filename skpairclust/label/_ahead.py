"""The next question is found while the person looks at this one."""

import threading

from skpairclust.label._engine import think_ahead


class Ahead:
    """A thread that finds the next pair for each answer to the present question.

    Parameters
    ----------
    lock : Lock
        Keeps the learner apart from other threads. It is held to copy, not to think.
    """

    def __init__(self, lock):
        self._lock, self._wanted = lock, None
        self._changed = threading.Condition()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)
        self._thread.start()

    def want(self, engine, question):
        """Think about a question; one that was asked before is dropped."""
        with self._changed:
            self._wanted = engine, question
            self._changed.notify_all()

    def stop(self):
        """Think no more, and wait for the end of the thought."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _next(self):
        """Return what is wanted next, None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._is_stopped)
            wanted, self._wanted = self._wanted, None
            return None if self._is_stopped else wanted

    def _run(self):
        """Think until stopped. A failure only means that nothing is found ahead."""
        while (wanted := self._next()) is not None:
            engine, question = wanted
            try:
                with self._lock:
                    copies = engine.copy_for(question)
                if copies is not None:
                    name, state, pair, forks = copies
                    pairs = think_ahead(pair, forks)
                    with self._lock:
                        engine.set_ahead(name, state, pairs)
            except Exception:
                # the question itself will say what is wrong
                continue
