"""A server on loopback that behaves like Slack where messages are posted: chat.postMessage and an incoming webhook.

It takes what Slack takes and refuses what Slack refuses, by the limits of Slack's developer documentation; it keeps
what it took; and it can be told to be busy, broken or gone. Nothing leaves the machine.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalicelib.local.slack_limits import complaint

LOOPBACK = "127.0.0.1"
TOKEN = "xoxb-1-local"  # noqa: S105 - of this server alone
API_PATH, WEBHOOK_PATH = "/api/chat.postMessage", "/services/T00000000/B00000000/local"
WEBHOOK_CHANNEL = "C0WEBHOOK"
BROKEN = "<html>Something is broken.</html>"
"""What stands before Slack answers while Slack does not."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was taken."""

    channel: str
    ts: str
    text: str
    blocks: Sequence[Mapping[str, Any]] = ()
    thread_ts: str | None = None
    """The message that it answers."""
    broadcast: bool = False
    """Whether an answer is shown in the channel as well."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """All that was asked for."""

    def lines(self) -> Iterator[str]:
        """What is read in it, without how it is set."""
        for block in self.blocks:
            texts = [block["text"]] if "text" in block else block.get("elements", [])
            for text in texts:
                yield from _as_shown(text["text"], text["type"]).splitlines()


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a request: it is answered like this, or with `drop` not at all."""

    status: int = 200
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False


_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<([^|>]*)\|([^>]*)>")


def _as_shown(text: str, kind: str) -> str:
    """A text as somebody reads it."""
    if kind == "mrkdwn":
        text = _LINK.sub(r"\2: \1", _DATE.sub(r"\1", text)).replace("`", "").replace("*", "")
    return unescape(text)


def busy(seconds: int) -> Fault:
    """Slack asks to be left alone for so many seconds."""
    return Fault(429, "ratelimited", {"Retry-After": str(seconds)})


def broken(status: int = 503) -> Fault:
    """Slack has an outage."""
    return Fault(status)


def gone() -> Fault:
    """The connection breaks before an answer comes."""
    return Fault(drop=True)


def refusing(error: str) -> Fault:
    """Slack refuses the request with a code of its own."""
    return Fault(error=error)


@dataclass
class SlackServer:
    """The workspace behind the server: it has every channel that is asked for, unless `channels` names them."""

    port: int = 0
    channels: Mapping[str, str] | None = None
    """Name → id."""
    posted: list[Posted] = field(default_factory=list)
    requests: int = 0
    """How many there were, those that went wrong among them."""
    faults: deque[Fault | None] = field(default_factory=deque)
    """What goes wrong with the next requests, one after the other; None for nothing."""
    outage: Fault | None = None
    """What goes wrong with every request, until it is None again."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def api(self) -> str:
        """The base URL of the API."""
        return f"http://{LOOPBACK}:{self.port}/api/"

    @property
    def webhook(self) -> str:
        """The URL of the incoming webhook."""
        return f"http://{LOOPBACK}:{self.port}{WEBHOOK_PATH}"

    def fault(self) -> Fault | None:
        """What goes wrong with the request that has come."""
        with self._lock:
            self.requests += 1
            return self.faults.popleft() if self.faults else self.outage

    def post(self, options: Mapping[str, Any], channel: str = "") -> Posted | str:
        """Take a message, or say why not, with Slack's code."""
        with self._lock:
            found = channel or self._channel(str(options.get("channel", "")).removeprefix("#"))
            if not found:
                return "channel_not_found"
            if refused := complaint(options):
                return refused
            thread = options.get("thread_ts")
            if thread is not None and (found, thread) not in {(one.channel, one.ts) for one in self.posted}:
                return "thread_not_found"
            message = Posted(
                channel=found,
                ts=f"{1_700_000_000 + len(self.posted)}.{len(self.posted):06}",
                text=str(options.get("text", "")),
                blocks=options.get("blocks") or (),
                thread_ts=thread,
                broadcast=bool(thread and options.get("reply_broadcast")),
                options=dict(options),
            )
            self.posted.append(message)
            return message

    def forget(self, ts: str) -> None:
        """Somebody deletes a message."""
        with self._lock:
            self.posted = [one for one in self.posted if one.ts != ts]

    def _channel(self, asked: str) -> str:
        if self.channels is None:
            return asked
        return asked if asked in self.channels.values() else self.channels.get(asked, "")


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
        elif self.path == API_PATH:
            self._api(body, fault)
        elif self.path == WEBHOOK_PATH:
            self._webhook(body, fault)
        else:
            self._answer(404, "no_service")

    def _api(self, body: bytes, fault: Fault | None) -> None:
        if fault:
            told: object = {"ok": False, "error": fault.error} if fault.error else BROKEN
            self._answer(fault.status, told, fault.headers)
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(200, {"ok": False, "error": "invalid_auth"})
            return
        options = _object(body)
        taken = "invalid_json" if options is None else self.workspace.post(options)
        if isinstance(taken, Posted):
            self._answer(200, {"ok": True, "channel": taken.channel, "ts": taken.ts, "message": {"text": taken.text}})
        else:
            self._answer(200, {"ok": False, "error": taken})

    def _webhook(self, body: bytes, fault: Fault | None) -> None:
        if fault:
            status = 400 if fault.error and fault.status == 200 else fault.status
            self._answer(status, fault.error or BROKEN, fault.headers)
            return
        options = _object(body)
        # A webhook knows no threads that it could answer in, and tells nothing of where a message stands.
        taken = "invalid_payload" if options is None else self.workspace.post(options, WEBHOOK_CHANNEL)
        self._answer(*((200, "ok") if isinstance(taken, Posted) else (400, taken)))

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


def _object(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body is; None where it is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
