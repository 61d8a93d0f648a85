"""A page that is open: its server, its address, and how to end it."""

import atexit
import errno
import os
import secrets
import socket
import sys
import threading
import webbrowser

from skpairclust.label._errors import LabelError
from skpairclust.label._guard import LOOPBACK, Guard

PORT = 8765
# A supervisor that restarts the program sets this, so that open pages go on.
TOKEN_VARIABLE = "SKPAIRCLUST_LABEL_TOKEN"
_LEAST_TOKEN = 16
_NOTEBOOKS = "http://localhost:* http://127.0.0.1:*"


class LabelPage:
    """A page on which people answer, served until :meth:`stop`.

    Made by :func:`label_pairs`.

    Parameters
    ----------
    session : LabelSession
    host : str, default="127.0.0.1"
        Where to listen; only this machine by default.
    port : int or None, default=None
        None is 8765, or a free one if that is in use.
    in_notebook : bool, default=False
        Whether a notebook of this machine may show the page in a frame.

    Attributes
    ----------
    url : str
        The address, with a secret in it.
    learner : ActivePairLearner
        With the answers so far. Use it after :meth:`finish` or :meth:`stop`; while the
        page is open, its threads use it.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from skpairclust.label import label_pairs
    >>> page = label_pairs(
    ...     [[0.0], [0.1], [9.0]], answers=mkdtemp() + "/a.jsonl", open_browser=False
    ... )
    Open http://127.0.0.1:...
    >>> page.stop()
    """

    def __init__(self, session, host="127.0.0.1", port=None, in_notebook=False):
        self._session = session
        self._socket = bind(host, port)
        port = self._socket.getsockname()[1]
        token = read_token()
        names = host_names(host)
        hosts = [f"{name}:{port}" for name in names]
        self.url = f"http://{hosts[0]}/{token}/"
        frames = _NOTEBOOKS if in_notebook else "'none'"
        self._server = self._make_server(token, hosts, frames)
        session.trainer.start()
        # a thread that computes while Python shuts down would crash it
        atexit.register(self.stop)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="page", daemon=True
        )
        self._thread.start()

    def _make_server(self, token, hosts, frames):
        """Return a server that prints nothing but errors."""
        import uvicorn

        from skpairclust.label._server import make_app

        config = uvicorn.Config(
            Guard(make_app(self._session), token, hosts, frames),
            # the log of requests would hold the token
            access_log=False,
            log_level="error",
            server_header=False,
            timeout_graceful_shutdown=2,
            lifespan="off",
        )
        return uvicorn.Server(config)

    @property
    def learner(self):
        """The learner, None while PyTorch is being loaded."""
        return self._session.learner

    def finish(self, timeout=None):
        """Fit to all answers, write the export, and wait for both.

        Parameters
        ----------
        timeout : float or None, default=None
            Seconds to wait at most.

        Returns
        -------
        files : list of str
            Paths of the export.

        Raises
        ------
        LabelError
            If the fit or the export failed, or takes longer.
        """
        trainer = self._session.trainer
        trainer.finish()
        trainer.wait(lambda: trainer.exported or trainer.failure, timeout)
        if not trainer.exported:
            raise LabelError(
                trainer.failure or f"The fit is not done after {timeout} seconds."
            )
        return [str(trainer.folder / name) for name in trainer.exported]

    def wait(self, *, for_fit=True):
        """Wait until Ctrl-C, then stop.

        Parameters
        ----------
        for_fit : bool, default=True
            As in :meth:`stop`.
        """
        trainer, said = self._session.trainer, None
        try:
            while self._thread.is_alive():
                self._thread.join(0.5)
                # the page says it too, but it may be open on no screen
                if trainer.failure and trainer.failure != said:
                    said = trainer.failure
                    print(f"error: {said}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pass
        self.stop(for_fit=for_fit)

    def stop(self, *, for_fit=True):
        """Close the page and the file of answers. Nothing is lost.

        Parameters
        ----------
        for_fit : bool, default=True
            Whether to wait for the end of a fit that is running. It uses the learner.
        """
        atexit.unregister(self.stop)
        self._server.should_exit = True
        self._thread.join(5)
        self._session.close(wait=for_fit)
        self._socket.close()

    def __enter__(self):
        """Return the page, which is stopped at the end of the block."""
        return self

    def __exit__(self, *error):
        self.stop()

    def __repr__(self):
        return f"LabelPage({self.url!r})"


def bind(host, port):
    """Return a socket that is bound, or raise a sentence.

    Parameters
    ----------
    host : str
    port : int or None
        None takes 8765 or, if it is in use, any free one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in (PORT, 0) if port is None else (port,):
        found = socket.socket(family, socket.SOCK_STREAM)
        if os.name != "nt":
            # so that the same command can go on at once after a crash
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, number))
            # no other program may take it from here on
            found.listen(128)
            return found
        except (OSError, OverflowError) as error:
            found.close()
            problem = error
    reason = getattr(problem, "strerror", None) or problem
    is_absent = getattr(problem, "errno", None) == errno.EADDRNOTAVAIL
    if isinstance(problem, socket.gaierror) or is_absent:
        raise LabelError(
            f"--host {host} is no address of this machine ({reason}). Leave --host out "
            "for this machine only, or use 0.0.0.0 for others on the network too."
        )
    raise LabelError(
        f"--port {port} on {host} cannot be used ({reason}). Another program may have "
        "it, perhaps a page that is still open. Choose another one, or leave --port "
        "out to get a free one."
    )


def host_names(host):
    """Return the names under which browsers may ask for the page."""
    if host in ("127.0.0.1", "localhost", "::1"):
        own = "[::1]" if host == "::1" else host
        return [own, *(name for name in LOOPBACK if name != own)]
    if host in ("0.0.0.0", "::", ""):
        name = socket.gethostname()
        try:
            addresses = {a[4][0] for a in socket.getaddrinfo(name, None)}
        except OSError:
            addresses = set()
        found = [f"[{a}]" if ":" in a else a for a in sorted(addresses)]
        return [name, *found, *LOOPBACK]
    return [f"[{host}]" if ":" in host else host, *LOOPBACK]


def read_token():
    """Return a new secret, or the one that the environment holds."""
    token = os.environ.get(TOKEN_VARIABLE)
    if token is None:
        return secrets.token_urlsafe(24)
    if (
        len(token) < _LEAST_TOKEN
        or not token.replace("-", "").replace("_", "").isalnum()
    ):
        raise LabelError(
            f"{TOKEN_VARIABLE} must be {_LEAST_TOKEN} or more letters, digits, '-' and "
            "'_'. Leave it out to get a random one."
        )
    return token


def open_browser(url):
    """Open a page in the person's browser, and return whether there is one."""
    has_screen = sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    # without a screen, a browser of the terminal would take the terminal over
    return has_screen and webbrowser.open(url)
