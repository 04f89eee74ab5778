"""The Slack on loopback takes and refuses what Slack does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.local.slack_limits import complaint
from chalicelib.local.slack_server import TOKEN, SlackServer, broken, busy, gone, refusing, slack_server


@pytest.fixture
def workspace() -> Iterator[SlackServer]:
    with slack_server({"alerts": "C1"}) as found:
        yield found


def post(url: str, body: object, token: str = TOKEN) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of the answer."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        text = body if isinstance(body, str) else json.dumps(body)
        connection.request("POST", parts.path, text, {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def call(workspace: SlackServer, body: object, token: str = TOKEN, method: str = "chat.postMessage") -> Any:
    status, text, _ = post(f"{workspace.api}{method}", body, token)
    assert status == 200
    return json.loads(text)


@pytest.mark.parametrize("channel", ["C1", "alerts", "#alerts"])
def test_a_message_is_kept(workspace: SlackServer, channel: str) -> None:
    answer = call(workspace, {"channel": channel, "text": "hello"})
    [posted] = workspace.posted
    assert (answer["ok"], answer["channel"], answer["ts"]) == (True, "C1", posted.ts)
    assert (posted.channel, posted.text, posted.blocks, posted.thread_ts) == ("C1", "hello", (), None)


def test_answers_stand_in_threads(workspace: SlackServer) -> None:
    first = call(workspace, {"channel": "C1", "text": "hello"})["ts"]
    second = call(workspace, {"channel": "C1", "text": "bye", "thread_ts": first, "reply_broadcast": True})["ts"]
    assert second != first
    assert [(one.thread_ts, one.broadcast) for one in workspace.posted] == [(None, False), (first, True)]
    workspace.forget(first)
    assert call(workspace, {"channel": "C1", "text": "bye", "thread_ts": first})["error"] == "thread_not_found"


@pytest.mark.parametrize(
    ("body", "token", "error"),
    [
        ({"channel": "C1", "text": "hello"}, "xoxb-other", "invalid_auth"),
        ({"channel": "C2", "text": "hello"}, TOKEN, "channel_not_found"),
        ({"text": "hello"}, TOKEN, "channel_not_found"),
        ({"channel": "C1"}, TOKEN, "no_text"),
        ("{", TOKEN, "invalid_json"),
        ([], TOKEN, "invalid_json"),
        ({"channel": "C1", "text": "hello", "blocks": [{"type": "header"}]}, TOKEN, "invalid_blocks"),
    ],
)
def test_what_is_refused(workspace: SlackServer, body: object, token: str, error: str) -> None:
    assert call(workspace, body, token) == {"ok": False, "error": error}
    assert not workspace.posted


def test_a_message_is_changed(workspace: SlackServer) -> None:
    where = {"channel": "C1", "ts": call(workspace, {"channel": "C1", "text": "a", "blocks": [section("a")]})["ts"]}
    assert call(workspace, {**where, "text": "b"}, method="chat.update")["ok"]
    [posted] = workspace.posted
    assert (posted.text, posted.blocks, posted.edited) == ("b", [section("a")], True)
    assert call(workspace, {**where, "text": "b", "blocks": []}, method="chat.update")["ok"]
    [posted] = workspace.posted
    assert (posted.text, posted.blocks) == ("b", [])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"ts": "1.1"}, "message_not_found"),
        ({"channel": "C2"}, "message_not_found"),
        ({"channel": "alerts"}, "message_not_found"),
        ({"blocks": [{"type": "header"}]}, "invalid_blocks"),
        ({"blocks": [], "text": ""}, "no_text"),
    ],
)
def test_what_is_not_changed(workspace: SlackServer, changes: dict[str, Any], error: str) -> None:
    where = {"channel": "C1", "ts": call(workspace, {"channel": "C1", "text": "a"})["ts"]}
    assert call(workspace, {**where, "text": "b", **changes}, method="chat.update") == {"ok": False, "error": error}
    assert [one.text for one in workspace.posted] == ["a"]


def test_a_method_that_is_not_there(workspace: SlackServer) -> None:
    assert call(workspace, {}, method="chat.delete")["error"] == "unknown_method"


def test_a_webhook(workspace: SlackServer) -> None:
    assert post(workspace.webhook, {"text": "hello"})[:2] == (200, "ok")
    assert post(workspace.webhook, "{")[:2] == (400, "invalid_payload")
    assert post(workspace.webhook, {"text": "hello", "blocks": []})[:2] == (400, "invalid_blocks_format")
    assert post(workspace.webhook + "x", {"text": "hello"})[:2] == (404, "no_service")
    assert [one.text for one in workspace.posted] == ["hello"]


def test_it_goes_wrong_as_it_is_told(workspace: SlackServer) -> None:
    message = {"channel": "C1", "text": "hello"}
    workspace.faults.extend([busy(3), broken(502), refusing("is_archived"), None])
    status, text, headers = post(f"{workspace.api}chat.postMessage", message)
    assert (status, headers["Retry-After"], json.loads(text)["error"]) == (429, "3", "ratelimited")
    assert post(f"{workspace.api}chat.postMessage", message)[0] == 502
    assert call(workspace, message)["error"] == "is_archived"
    assert call(workspace, message)["ok"]
    workspace.outage = gone()
    for url in (workspace.webhook, f"{workspace.api}chat.postMessage"):
        with pytest.raises((HTTPException, OSError)):
            post(url, message)
    workspace.outage = refusing("no_service")
    assert post(workspace.webhook, message)[:2] == (400, "no_service")
    assert (workspace.requests, len(workspace.posted)) == (7, 1)


def text(of: str, kind: str = "plain_text", **more: Any) -> dict[str, Any]:
    return {"type": kind, "text": of, **more}


def section(of: str, kind: str = "plain_text", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": text(of, kind, **more)}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"text": "a"}, ""),
        ({"text": ""}, "no_text"),
        ({"text": "x" * 40_000}, ""),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": 1}, "msg_too_long"),
        ({"blocks": [section("a")]}, ""),
        ({"blocks": [section("a")] * 50}, ""),
        ({"blocks": [section("a")] * 51}, "invalid_blocks"),
        ({"blocks": [section("x" * 3000)]}, ""),
        ({"blocks": [section("x" * 3001)]}, "invalid_blocks"),
        ({"blocks": [section("x" * 3000)] * 5}, "msg_blocks_too_long"),
        ({"blocks": [section("")]}, "invalid_blocks"),
        ({"blocks": [section("a", "mrkdwn", verbatim=True), section("a", emoji=False)]}, ""),
        ({"blocks": [section("a", "mrkdwn", emoji=False)]}, "invalid_blocks"),
        ({"blocks": [section("a", "html")]}, "invalid_blocks"),
        ({"blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "fields": [text("x" * 2000)] * 2}]}, ""),
        ({"blocks": [{"type": "section", "fields": [text("x" * 2001)]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "fields": [text("a")] * 11}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": text("x" * 150)}, {"type": "divider"}]}, ""),
        ({"blocks": [{"type": "header", "text": text("x" * 151)}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": text("a", "mrkdwn")}]}, "invalid_blocks"),
        ({"blocks": [{"type": "context", "elements": [text("a")] * 10}]}, ""),
        ({"blocks": [{"type": "context", "elements": [text("a")] * 11}]}, "invalid_blocks"),
        ({"blocks": [{"type": "context", "elements": []}]}, "invalid_blocks"),
        ({"blocks": [{"type": "marquee"}]}, "invalid_blocks"),
        ({"blocks": ["a"]}, "invalid_blocks"),
        ({"blocks": {}}, "no_text"),
        ({"text": "a", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
    ],
)
def test_the_limits_are_slacks(message: dict[str, Any], code: str) -> None:
    assert complaint(message) == code
