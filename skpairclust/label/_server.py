"""The requests of the page, as a Starlette application."""

import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from skpairclust.label import _export
from skpairclust.label._errors import (
    AlreadyAnswered,
    LabelError,
    NotAccepted,
    NotSaved,
)
from skpairclust.label._pictures import SIDES, BrokenImage

STATIC = Path(__file__).parent / "static"
_MEDIA_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "samples.js": "text/javascript; charset=utf-8",
    "saving.js": "text/javascript; charset=utf-8",
    "windows.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
# An answer takes a few hundred bytes.
_MOST_BYTES = 64_000
_STATUS = {NotSaved: 507, AlreadyAnswered: 409, NotAccepted: 400, BrokenImage: 404}


def make_app(session):
    """Return the application that serves a session.

    Parameters
    ----------
    session : LabelSession

    Returns
    -------
    Starlette
        Without any check of who asks, which `Guard` does.
    """
    requests = Requests(session)
    routes = [
        Route("/", requests.static, name="index"),
        Route("/{name}", requests.static),
        Route("/image/{row:int}/{size}", requests.image),
        Route("/export/{name}", requests.export),
        Route("/api/progress", requests.progress),
        Route("/api/question", requests.question),
        Route("/api/earlier", requests.earlier),
        Route("/api/cluster", requests.cluster),
        Route("/api/contradictions", requests.contradictions),
        Route("/api/answers", requests.answer, methods=["POST"]),
        Route("/api/undo", requests.undo, methods=["POST"]),
        Route("/api/finish", requests.finish, methods=["POST"]),
    ]
    return Starlette(
        routes=routes, exception_handlers={LabelError: _say, OSError: _say}
    )


def _say(request, error):
    """Return an error as a sentence, with a status that says whose it is."""
    status = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), 503)
    text = str(error)
    if not isinstance(error, LabelError):
        text = f"A file cannot be read: {error.strerror or error}."
    return JSONResponse({"error": text}, status)


class Requests:
    """What is done for each request. Plain functions run in threads of their own."""

    def __init__(self, session):
        self._session = session

    def static(self, request):
        """Send a file of the page; there are no others to ask for."""
        name = request.path_params.get("name", "index.html")
        if name not in _MEDIA_TYPES:
            return JSONResponse({"error": "There is no such file."}, 404)
        return Response((STATIC / name).read_bytes(), media_type=_MEDIA_TYPES[name])

    def image(self, request):
        """Send the image of a sample."""
        row, size = request.path_params["row"], request.path_params["size"]
        if row >= len(self._session.source) or size not in SIDES:
            raise NotAccepted(f"There is no image {row} of size {size!r:.20}.")
        body, media_type = self._session.source.image(row, size)
        # the address has the token in it, so no other session gets this from a cache
        headers = {"cache-control": "private, max-age=3600"}
        return Response(body, media_type=media_type, headers=headers)

    def export(self, request):
        """Send an exported file."""
        name, trainer = request.path_params["name"], self._session.trainer
        if name not in _export.FILES or name not in trainer.exported:
            raise NotAccepted("This file is not there yet. Choose Finish first.")
        return FileResponse(Path(trainer.folder) / name, filename=name)

    def progress(self, request):
        """Send how far the session has come."""
        return JSONResponse(self._session.progress() | {"who": self._session.who})

    def question(self, request):
        """Send the question that a page is to show."""
        get = request.query_params.get
        found = self._session.next_question(get("client"), get("mode"))
        return JSONResponse({"question": found})

    def earlier(self, request):
        """Send earlier answers of a person."""
        who = request.query_params.get("who", self._session.who)
        return JSONResponse({"earlier": self._session.earlier(who)})

    def cluster(self, request):
        """Send members of a cluster."""
        get = request.query_params.get
        try:
            cluster, start = int(get("cluster", "")), int(get("start", "0"))
        except ValueError as error:
            raise NotAccepted("cluster and start must be integers.") from error
        return JSONResponse(
            self._session.members(cluster, max(start, 0), get("odd") == "1")
        )

    def contradictions(self, request):
        """Send the chains of answers that cannot all be right."""
        return JSONResponse({"chains": self._session.contradictions()})

    async def answer(self, request):
        """Save an answer."""
        sent = await _read(request)
        return JSONResponse(await run_in_threadpool(self._session.answer, sent))

    async def undo(self, request):
        """Take an answer back."""
        sent = await _read(request)
        return JSONResponse(await run_in_threadpool(self._session.undo, sent))

    async def finish(self, request):
        """Start the last fit and the export."""
        await _read(request)
        self._session.trainer.finish()
        return JSONResponse({"state": "finishing"})


async def _read(request):
    """Return the JSON object that a page has sent."""
    if request.headers.get("content-type") != "application/json":
        raise NotAccepted("The request must be of type application/json.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise NotAccepted(f"The request is longer than {_MOST_BYTES} bytes.")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotAccepted("The request is no JSON.") from error
    if not isinstance(found, dict):
        raise NotAccepted("The request must be a JSON object.")
    return found
