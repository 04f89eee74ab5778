"""A server on loopback that behaves like Slack: chat.postMessage, chat.update, views.open, an incoming webhook, and the
response URLs of those who hear of buttons.

Nothing leaves the machine. What is in the workspace behind it keeps `slack_workspace`; `slack_buttons` presses buttons.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalicelib.local.slack_workspace import ACTIONS_PATH, LOOPBACK
from chalicelib.local.slack_workspace import WEBHOOK_PATH as WEBHOOK_PATH
from chalicelib.local.slack_workspace import Fault as Fault
from chalicelib.local.slack_workspace import Opened as Opened
from chalicelib.local.slack_workspace import Posted as Posted
from chalicelib.local.slack_workspace import SlackServer as SlackServer
from chalicelib.local.slack_workspace import broken as broken
from chalicelib.local.slack_workspace import busy as busy
from chalicelib.local.slack_workspace import gone as gone
from chalicelib.local.slack_workspace import refusing as refusing

TOKEN = "xoxb-1-local"  # noqa: S105 - of this server alone
API_PATH = "/api/"
WEBHOOK_CHANNEL = "C0WEBHOOK"
BROKEN = "<html>Something is broken.</html>"
"""What stands before Slack answers while Slack does not."""


@contextmanager
def slack_server(channels: Mapping[str, str] | None = None) -> Iterator[SlackServer]:
    """A workspace without messages, until the context ends."""
    workspace = SlackServer(channels=channels)
    handler = type("Handler", (_Handler,), {"workspace": workspace})
    with ThreadingHTTPServer((LOOPBACK, 0), handler) as server:
        server.daemon_threads = True
        workspace.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield workspace
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    workspace: SlackServer

    def do_POST(self) -> None:
        """Answer what is posted."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.workspace.fault()
        if fault and fault.drop:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif self.path.startswith(API_PATH):
            self._api(body, fault)
        elif self.path == WEBHOOK_PATH or self.path.startswith(ACTIONS_PATH):
            self._hook(body, fault)
        else:
            self._answer(404, "no_service")

    def _api(self, body: bytes, fault: Fault | None) -> None:
        if fault:
            told: object = {"ok": False, "error": fault.error} if fault.error else BROKEN
            self._answer(fault.status, told, fault.headers)
            return
        method = _METHODS.get(self.path.removeprefix(API_PATH))
        if method is None:
            self._answer(200, {"ok": False, "error": "unknown_method"})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(200, {"ok": False, "error": "invalid_auth"})
        elif (options := _object(body)) is None:
            self._answer(200, {"ok": False, "error": "invalid_json"})
        else:
            found = method(self.workspace, options)
            self._answer(200, {"ok": False, "error": found} if isinstance(found, str) else {"ok": True, **found})

    def _hook(self, body: bytes, fault: Fault | None) -> None:
        if fault:
            status = 400 if fault.error and fault.status == 200 else fault.status
            self._answer(status, fault.error or BROKEN, fault.headers)
            return
        options = _object(body)
        if options is None:
            refused = "invalid_payload"
        elif self.path == WEBHOOK_PATH:
            # A webhook knows no threads that it could answer in, and tells nothing of where a message stands.
            taken = self.workspace.post(options, WEBHOOK_CHANNEL)
            refused = taken if isinstance(taken, str) else ""
        else:
            refused = self.workspace.respond(self.path, options)
        self._answer(400 if refused else 200, refused or "ok")

    def _answer(self, status: int, told: object, headers: Mapping[str, str] | None = None) -> None:
        text = told if isinstance(told, str) else json.dumps(told)
        body = text.encode()
        self.send_response(status)
        kind = "text/html" if isinstance(told, str) else "application/json"
        sent = {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body)), **(headers or {})}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing on stderr."""


_Told = dict[str, Any] | str
"""What a method answers, or the code with which it refuses."""


def _post(workspace: SlackServer, options: Mapping[str, Any]) -> _Told:
    return _where(workspace.post(options))


def _update(workspace: SlackServer, options: Mapping[str, Any]) -> _Told:
    return _where(workspace.update(options))


def _where(taken: Posted | str) -> _Told:
    if isinstance(taken, str):
        return taken
    return {"channel": taken.channel, "ts": taken.ts, "message": {"text": taken.text}}


def _open(workspace: SlackServer, options: Mapping[str, Any]) -> _Told:
    opened = workspace.open(options)
    return opened if isinstance(opened, str) else {"view": {"id": opened.id, **opened.view}}


_METHODS: Mapping[str, Callable[[SlackServer, Mapping[str, Any]], _Told]] = {
    "chat.postMessage": _post,
    "chat.update": _update,
    "views.open": _open,
}


def _object(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body is; None where it is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
