"""A deployment's HTTP API on loopback: the signature decides who is let in, as it does at API Gateway.

Nothing listens on the network.

A browser cannot sign. It is shown one page as somebody who can, where it asks this machine by its own name: whoever
leads a browser here by a name of theirs is shown nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalicelib.local.http_events import HttpAnswer
from chalicelib.local.signatures import Key, Signed, Unsigned, signer_of

LOOPBACK = "127.0.0.1"
MOST_BYTES = 10 * 1024 * 1024
"""Bytes of a body that API Gateway takes."""
_NAMES = (LOOPBACK, "localhost")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


Request = Callable[[str, str, Mapping[str, str], bytes, str], HttpAnswer]
"""(method, path, headers, body, the caller's ARN) → the answer, as `LocalDeployment.request` gives it."""


@dataclass
class ApiServer:
    """What is served, to whom. Requests are answered one at a time: a deployment's function has one at a time too."""

    request: Request
    """Asks the deployment."""
    key: Key
    """Whose signature is known."""
    region: str
    home: str
    """The path that a browser is shown, as the key's owner, who has signed nothing."""
    after: Callable[[], object]
    """What AWS does after a request: it works what stands in the queues."""
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{LOOPBACK}:{self.port}"

    def answer(self, signed: Signed, path: str) -> HttpAnswer:
        """What a client hears."""
        if (signed.method, path) == ("GET", "/"):
            return self._shown(signed)
        caller, refused = "", ""
        try:
            caller = signer_of(signed, [self.key], self.region, datetime.now(UTC))
        except Unsigned as error:
            refused = str(error)
        answer = self._asked(signed, path, caller)
        # Without a caller it is refused where a route asks for one, and answered where none does.
        return _refusal(403, refused) if refused and answer == _refusal(403, _MISSING) else answer

    def _shown(self, signed: Signed) -> HttpAnswer:
        if signed.headers.get("host") not in [f"{name}:{self.port}" for name in _NAMES]:
            return _refusal(403, f"this is {self.url}, and is shown by no other name")
        return self._asked(signed, self.home, self.key.arn)

    def _asked(self, signed: Signed, path: str, caller: str) -> HttpAnswer:
        with self.lock:
            return self.request(signed.method, path, signed.headers, signed.body, caller)

    def work(self) -> None:
        """Let happen what a request has led to."""
        with self.lock:
            self.after()


@contextmanager
def api_server(server: ApiServer, port: int = 0) -> Iterator[str]:
    """The URL of the API, which answers on loopback until the context ends; `port` 0 takes a free one.

    Raises:
        OSError: the port cannot be listened on.
    """
    handler = type("Handler", (_Handler,), {"serves": server} | {f"do_{name}": _Handler.answer for name in _METHODS})
    with ThreadingHTTPServer((LOOPBACK, port), handler) as listening:
        listening.daemon_threads = True
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.url
        finally:
            listening.shutdown()
            thread.join()


_MISSING = "Missing Authentication Token"


def _refusal(status: int, message: str) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/json"}, json.dumps({"message": message}))


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    serves: ApiServer
    timeout = 30

    def answer(self) -> None:
        """Answer, and let happen what follows. A client that goes away hears nothing."""
        try:
            self._answer()
        except (TimeoutError, ConnectionError):
            self.close_connection = True

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self._send(_refusal(413, "Request Too Long"))
            return
        body = self.rfile.read(int(length))
        url = f"http://{headers.get('host', '')}{self.path}"
        answer = self.serves.answer(Signed(self.command, url, headers, body), self.path)
        self._send(answer)
        # What is refused has led to nothing: no web page sets a deployment to work.
        if self.command not in ("GET", "HEAD") and answer.status < HTTPStatus.BAD_REQUEST:
            self.serves.work()

    def _send(self, answer: HttpAnswer) -> None:
        body = answer.text.encode()
        self.send_response(answer.status)
        for name, value in {**answer.headers, "content-length": str(len(body)), "connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing on stderr."""
