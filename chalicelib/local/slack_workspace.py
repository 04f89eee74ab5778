"""The workspace behind the Slack on loopback: what was posted and opened there, and what goes wrong.

It takes what Slack takes and refuses what Slack refuses, by the limits of Slack's developer documentation.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import count
from typing import Any

from chalicelib.local.slack_limits import complaint, view_complaint

LOOPBACK = "127.0.0.1"
WEBHOOK_PATH, ACTIONS_PATH = "/services/T00000000/B00000000/local", "/actions/T00000000/"
MOST_RESPONSES = 5
"""How often a response URL may be used."""

_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<([^|>]*)\|([^>]*)>")


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was taken, as it stands."""

    channel: str
    ts: str
    text: str
    blocks: Sequence[Mapping[str, Any]] = ()
    thread_ts: str | None = None
    """The message that it answers."""
    broadcast: bool = False
    """Whether an answer is shown in the channel as well."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """All that was asked for when it was posted."""
    response_url: str = ""
    """Where whoever hears that a button of it was pressed may answer."""
    edited: bool = False

    def lines(self) -> Iterator[str]:
        """What is read in it, without how it is set; a button in brackets."""
        for block in self.blocks:
            if block["type"] == "actions":
                yield " ".join(f"[{unescape(button['text']['text'])}]" for button in block["elements"])
                continue
            texts = [block["text"]] if "text" in block else block.get("elements", [])
            for text in texts:
                yield from _as_shown(text["text"], text["type"]).splitlines()


def _as_shown(text: str, kind: str) -> str:
    """A text as somebody reads it."""
    if kind == "mrkdwn":
        text = _LINK.sub(r"\2: \1", _DATE.sub(r"\1", text)).replace("`", "").replace("*", "")
    return unescape(text)


@dataclass(frozen=True, slots=True)
class Opened:
    """A modal that somebody sees."""

    id: str
    trigger_id: str
    view: Mapping[str, Any]
    """As it was asked for."""


@dataclass(frozen=True, slots=True)
class Responded:
    """What was answered at the response URL of a message."""

    channel: str
    ts: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a request: it is answered like this, or with `drop` not at all."""

    status: int = 200
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False


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
    opened: list[Opened] = field(default_factory=list)
    responded: list[Responded] = field(default_factory=list)
    requests: int = 0
    """How many there were, those that went wrong among them."""
    faults: deque[Fault | None] = field(default_factory=deque)
    """What goes wrong with the next requests, one after the other; None for nothing."""
    outage: Fault | None = None
    """What goes wrong with every request, until it is None again."""
    _numbers: Iterator[int] = field(default_factory=count)
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
            if thread is not None and self._index(found, thread) is None:
                return "thread_not_found"
            number = next(self._numbers)
            ts = f"{1_700_000_000 + number}.{number:06}"
            message = Posted(
                channel=found,
                ts=ts,
                text=str(options.get("text", "")),
                blocks=options.get("blocks") or (),
                thread_ts=thread,
                broadcast=bool(thread and options.get("reply_broadcast")),
                options=dict(options),
                response_url=f"http://{LOOPBACK}:{self.port}{ACTIONS_PATH}{found}/{ts}",
            )
            self.posted.append(message)
            return message

    def update(self, options: Mapping[str, Any]) -> Posted | str:
        """Change a message that was posted, or say why not. It keeps its blocks where nothing is said of them."""
        with self._lock:
            index = self._index(options.get("channel"), options.get("ts"))
            if index is None:
                return "message_not_found"
            return self._change(index, {"blocks": list(self.posted[index].blocks), **options})

    def open(self, options: Mapping[str, Any]) -> Opened | str:
        """Show a modal to whoever pressed a button, or say why not. What a button triggers is used once."""
        with self._lock:
            trigger, view = options.get("trigger_id"), options.get("view")
            if not isinstance(trigger, str) or not trigger or not isinstance(view, Mapping):
                return "invalid_arguments"
            if trigger in {one.trigger_id for one in self.opened}:
                return "exchanged_trigger_id"
            if refused := view_complaint(view):
                return refused
            self.opened.append(Opened(f"V{len(self.opened):08}", trigger, view))
            return self.opened[-1]

    def respond(self, path: str, options: Mapping[str, Any]) -> str:
        """Take an answer at a response URL, which replaces the message if it says so; or say why not."""
        with self._lock:
            channel, _, ts = path.removeprefix(ACTIONS_PATH).partition("/")
            index = self._index(channel, ts)
            if index is None:
                return "expired_url"
            if Counter((one.channel, one.ts) for one in self.responded)[channel, ts] >= MOST_RESPONSES:
                return "used_url"
            if options.get("delete_original"):
                del self.posted[index]
            elif options.get("replace_original"):
                if isinstance(changed := self._change(index, options), str):
                    return changed
            elif refused := complaint(options):
                return refused
            self.responded.append(Responded(channel, ts, dict(options)))
            return ""

    def forget(self, ts: str) -> None:
        """Somebody deletes a message."""
        with self._lock:
            self.posted = [one for one in self.posted if one.ts != ts]

    def _change(self, index: int, options: Mapping[str, Any]) -> Posted | str:
        before = self.posted[index]
        wanted = {"text": "", "blocks": [], **options}
        # No blocks at all take away those that were there.
        if refused := complaint({name: value for name, value in wanted.items() if name != "blocks" or value != []}):
            return refused
        self.posted[index] = replace(before, text=wanted["text"] or "", blocks=wanted["blocks"], edited=True)
        return self.posted[index]

    def _index(self, channel: object, ts: object) -> int | None:
        found = (index for index, one in enumerate(self.posted) if (one.channel, one.ts) == (channel, ts))
        return next(found, None)

    def _channel(self, asked: str) -> str:
        if self.channels is None:
            return asked
        return asked if asked in self.channels.values() else self.channels.get(asked, "")
