"""Who may speak to the page: nobody without its address, and no other page."""

import json
import secrets

# No inline code, nothing from elsewhere, nobody may send a form or change the base.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {frames}"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """Let requests through that name the host and the token, and set headers.

    Parameters
    ----------
    app : ASGI application
        Gets paths without the token.
    token : str
        First part of every path.
    hosts : list of str
        With the port, as browsers send it.
    frames : str
        Which pages may show this one in a frame, as `frame-ancestors` has it.
    """

    def __init__(self, app, token, hosts, frames="'none'"):
        self._app, self._token, self._hosts = app, token, {h.lower() for h in hosts}
        policy = _POLICY.format(frames=frames)
        self._headers = {"content-security-policy": policy, **_HEADERS}

    async def __call__(self, scope, receive, send):
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        send = self._with_headers(send)
        problem = self._problem(scope)
        if problem is not None:
            mode = dict(scope["headers"]).get(b"sec-fetch-mode")
            await _refuse(send, problem, is_read=mode == b"navigate")
            return
        path = "/" + scope["path"].split("/", 2)[2]
        scope = {**scope, "path": path, "raw_path": path.encode(), "root_path": ""}
        await self._app(scope, receive, send)

    def _problem(self, scope):
        """Return why a request is refused, None if it is not."""
        headers = {}
        for name, value in scope["headers"]:
            # a second header of a name is no browser's doing
            if name in (b"host", b"origin") and name in headers:
                return "The request names its host twice."
            headers[name] = value.decode("latin-1").lower()
        if headers.get(b"host") not in self._hosts:
            return (
                "This page is not served under that name. Open the address that the "
                "terminal shows."
            )
        origin = headers.get(b"origin")
        if origin is not None and origin.partition("://")[2] not in self._hosts:
            return "Another page may not read or answer here."
        if headers.get(b"sec-fetch-site") == "cross-site" and not _is_opening(headers):
            return "Another page may not read or answer here."
        parts = scope["path"].split("/", 2)
        token = parts[1].encode() if len(parts) == 3 else b""
        if not secrets.compare_digest(token, self._token.encode()):
            return (
                "The address lacks the right token. The program makes a new one each "
                "time it starts: open the address that the terminal shows now. All "
                "answers that were reported as saved are in the file."
            )
        return None

    def _with_headers(self, send):
        """Return a `send` that adds the headers of this page."""

        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                added = [
                    (name.encode(), value.encode())
                    for name, value in self._headers.items()
                    if name.encode() not in given
                ]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        return send_with_headers


def _is_opening(headers):
    """Whether a person follows a link or opens a frame, rather than a script reads."""
    return headers.get(b"sec-fetch-mode") == "navigate"


async def _refuse(send, sentence, is_read):
    """Answer that a request is refused, to a person or to a script."""
    body, kind = json.dumps({"error": sentence}).encode(), b"application/json"
    if is_read:
        body, kind = sentence.encode(), b"text/plain; charset=utf-8"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
