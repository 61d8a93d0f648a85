"""What runs beside the page: reading samples, fits, and the export."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from skpairclust.label._cluster_view import ClusterView
from skpairclust.label._engine import Engine
from skpairclust.label._errors import LabelError
from skpairclust.label._export import write_export

# Questions start when so many samples have been read.
_FIRST = 500
# And earlier where so many are not read in so many seconds.
_SECONDS = 2
# During a fit, threads take turns after so many seconds.
_TURN = 5e-4


class Trainer:
    """A thread that prepares the samples, then fits whenever it is time.

    Parameters
    ----------
    session : LabelSession
        Its `lock` keeps the learner apart from the questions.
    source : Source
    rows : ndarray of shape (n_rows,), int64
        The samples that questions are about, ascending.
    folder : Path
        Where the export goes.

    Attributes
    ----------
    engine : Engine or None
        None until samples have been read.
    view : ClusterView or None
        None until the first fit.
    state : {"reading", "idle", "fitting", "finishing"}
    is_reading : bool
        Whether more samples are to come, for which questions may have started.
    done : tuple of int
        Samples that are read, and all of them.
    failure : str or None
        What went wrong, as a sentence.
    exported : list of str
        Names of the files, after :meth:`finish`.
    """

    def __init__(self, session, source, rows, folder):
        self._session, self._source = session, source
        self._rows, self.folder = rows, folder
        self.engine = self.view = self.failure = None
        self.is_reading = True
        self.state, self.done, self.exported = "reading", (0, len(rows)), []
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._is_finishing, self._n_failed = False, -1
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="fits", daemon=True)

    def start(self):
        """Begin to read the samples."""
        self._thread.start()

    def wake(self):
        """Look whether a fit is due."""
        self._wake.set()

    def finish(self):
        """Fit to all answers and export, as soon as the present fit is done."""
        if self._thread.is_alive():
            self._is_finishing, self.exported, self.failure = True, [], None
            self._wake.set()

    def stop(self):
        """Start nothing more."""
        self._stopped.set()
        self._wake.set()

    def join(self):
        """Stop, and wait for the fit that is running."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join()

    def wait(self, is_so, timeout=None):
        """Wait until ``is_so()``, and return whether it is; used by scripts."""
        with self._changed:
            return self._changed.wait_for(
                lambda: is_so() or not self._thread.is_alive(), timeout
            )

    def _set(self, **values):
        """Set attributes and tell those who wait."""
        with self._changed:
            for name, value in values.items():
                setattr(self, name, value)
            self._changed.notify_all()

    def _run(self):
        """Prepare, then fit until stopped."""
        try:
            self._prepare()
        except Exception as error:
            self._set(failure=_sentence(error, "The samples cannot be read"))
            return
        while not self._stopped.is_set():
            self._set(state="idle")
            self._wake.wait()
            self._wake.clear()
            if not self._stopped.is_set():
                self._fit_if_due()

    def _prepare(self):
        """Read the samples; questions start with the first part of them."""
        rows, source, n_done = self._rows, self._source, 0
        most = len(rows) if len(rows) <= 2 * _FIRST else _FIRST
        # PyTorch takes a second to load, mostly from the disk
        with ThreadPoolExecutor(1) as pool:
            loaded = pool.submit(self._session.make_learner)
            if source.is_slow:
                *first, n_done = source.first_features(
                    rows, most, self._report, _SECONDS
                )
            loaded.result()
        if source.is_slow:
            self._start_if_enough(*first)
        # a few photographs, about which questions soon come to an end
        if source.is_slow and n_done < most:
            *first, n_done = source.first_features(rows, most, self._report)
            self._start_if_enough(*first)
        if n_done < len(rows):
            self._start_engine(*source.features(rows, self._report))
        self.is_reading = False
        self._wake.set()

    def _start_if_enough(self, X, rows):
        """Let questions be about samples, if there are two that can be read."""
        if len(rows) > 1:
            self._start_engine(X, rows)

    def _report(self, n_done, n_all):
        """Note how many samples are read; a stopped program reads no more."""
        if self._stopped.is_set():
            raise LabelError("Stopped.")
        self._set(done=(n_done, n_all))
        if self.is_reading and self.engine is not None:
            # people answer about the first part, and want to see what comes of it
            self._fit_if_due()
            self._set(state="reading")

    def _start_engine(self, X, rows):
        """Let questions be about some samples."""
        ids = [self._source.ids[row] for row in rows]
        with self._session.lock:
            answers = self._session.answers.answers
            engine = Engine(self._session.learner, X, ids, answers)
            self._set(engine=engine, rows=rows, view=None)

    def _fit_if_due(self):
        """Fit, if there are enough new answers or somebody asked for the end."""
        session, learner = self._session, self._session.learner
        with session.lock:
            session.catch_up()
            # the last fit is one to all samples
            is_last = self._is_finishing and not self.is_reading
            n_answers = len(learner.history_)
            # the same answers would fail again
            if not is_last and (not learner.is_fit_due or n_answers <= self._n_failed):
                return
            fork = learner.fork()
        self._set(state="finishing" if is_last else "fitting")
        try:
            with quick_turns():
                fork.update(cold=is_last)
                engine = self.engine
                view = ClusterView(fork.estimator_, engine.X, fork.labels_, engine.ids)
            with session.lock:
                learner.adopt(fork)
            self._set(view=view, failure=None)
            if is_last:
                self._is_finishing = False
                names = self._export(fork, view)
                self._set(exported=names)
        except Exception as error:
            self._is_finishing = False
            self._n_failed = n_answers
            self._set(failure=_sentence(error, "The clusters cannot be computed"))
        # more answers may have come meanwhile
        self._wake.set()

    def _export(self, fork, view):
        """Write the files, with clusters of samples that questions left out."""
        return write_export(
            self.folder,
            self._source,
            fork,
            view,
            self.engine,
            self.rows,
            self._report,
        )


@contextmanager
def quick_turns():
    """Let threads of Python take turns more often than every 5 ms.

    A request needs several turns, and each would wait so long for the fit.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, _TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _sentence(error, what):
    """Return an error as a sentence for the page."""
    if isinstance(error, LabelError):
        return str(error)
    return f"{what}: {type(error).__name__}: {str(error)[:300]}"
