"""Buttons and modals of the Slack on loopback: what Slack would send, and what may be answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import Clock, SignatureVerifier
from slack_sdk.webhook import WebhookClient

from chalicelib.local.slack_buttons import SIGNING_SECRET, press, submit
from chalicelib.local.slack_limits import complaint, view_complaint
from chalicelib.local.slack_server import TOKEN, Posted, SlackServer, refusing, slack_server

NOW = datetime.now(UTC)


@pytest.fixture
def verifier() -> SignatureVerifier:
    """As Slack's library verifies, at the moment of the presses: it takes nothing that is older than five minutes."""
    return SignatureVerifier(SIGNING_SECRET, clock=_At())


class _At(Clock):
    def now(self) -> float:
        return NOW.timestamp()


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    """A workspace that no proxy stands before."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with slack_server() as found:
        yield found


def text(of: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": of}


def button(action_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": text("Do it"), "action_id": action_id, "value": "1/2", **more}


def actions(*buttons: object, **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(buttons), **more}


def field(action_id: str, kind: str = "plain_text_input", **more: Any) -> dict[str, Any]:
    element = {"type": kind, "action_id": action_id, **more}
    return {"type": "input", "block_id": action_id, "label": text("Say"), "element": element}


def modal(*blocks: object, **more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": text("Accept"), "submit": text("Accept"), "blocks": list(blocks), **more}


def option(value: str) -> dict[str, Any]:
    return {"text": text(value), "value": value}


CONFIRM = {"title": text("Sure?"), "text": text("Really?"), "confirm": text("Yes"), "deny": text("No")}


def posted(workspace: SlackServer, *buttons: object) -> Posted:
    taken = workspace.post({"channel": "C1", "text": "hello", "blocks": [actions(*buttons)]})
    assert isinstance(taken, Posted)
    return taken


def payload_of(body: str) -> Any:
    [text] = parse_qs(body, strict_parsing=True)["payload"]
    return json.loads(text)


def test_a_button_is_pressed(workspace: SlackServer) -> None:
    message = posted(workspace, button("decline"), button("approve", style="primary", confirm=CONFIRM))
    headers, body = press(message, "approve", "U1", NOW)
    payload = payload_of(body)
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == "U1"
    assert payload["response_url"] == message.response_url
    assert payload["container"]["message_ts"] == message.ts
    [pressed] = payload["actions"]
    assert (pressed["action_id"], pressed["value"], pressed["type"]) == ("approve", "1/2", "button")
    assert headers["X-Slack-Request-Timestamp"] == str(int(NOW.timestamp()))


def test_the_signature_is_slacks(workspace: SlackServer, verifier: SignatureVerifier) -> None:
    message = posted(workspace, button("approve"))
    for secret, valid in ((SIGNING_SECRET, True), ("another", False)):
        headers, body = press(message, "approve", "U1", NOW, secret)
        assert verifier.is_valid_request(body, headers) is valid
    headers, body = press(message, "approve", "U1", NOW)
    assert not verifier.is_valid_request(body.replace("approve", "decline"), headers)


def test_nobody_presses_what_is_not_there(workspace: SlackServer) -> None:
    with pytest.raises(LookupError, match="no button approve"):
        press(posted(workspace, button("decline")), "approve", "U1", NOW)


def test_each_press_opens_one_modal(workspace: SlackServer) -> None:
    client = WebClient(TOKEN, base_url=workspace.api)
    _, body = press(posted(workspace, button("accept")), "accept", "U1", NOW)
    trigger = payload_of(body)["trigger_id"]
    answer = client.views_open(trigger_id=trigger, view=modal(field("reason")))
    assert [one.id for one in workspace.opened] == [answer["view"]["id"]]
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        client.views_open(trigger_id=trigger, view=modal(field("reason")))
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        client.views_open(trigger_id=trigger + "1", view=modal(field("reason"), title=text("x" * 25)))
    assert len(workspace.opened) == 1


def test_a_modal_is_submitted(workspace: SlackServer, verifier: SignatureVerifier) -> None:
    options = [option("week"), option("month")]
    view = modal(
        field("reason"),
        field("until", "datepicker", initial_date="2030-01-02"),
        field("how", "static_select", options=options, initial_option=options[0]),
        field("note", initial_value="none"),
        callback_id="accept_finding",
        private_metadata="1/2",
    )
    WebClient(TOKEN, base_url=workspace.api).views_open(trigger_id="1", view=view)
    [opened] = workspace.opened
    headers, body = submit(opened, {"reason": "known", "how": "month"}, "U1", NOW)
    assert verifier.is_valid_request(body, headers)
    payload = payload_of(body)
    assert (payload["type"], payload["user"]["id"]) == ("view_submission", "U1")
    assert (payload["view"]["callback_id"], payload["view"]["private_metadata"]) == ("accept_finding", "1/2")
    assert payload["view"]["state"]["values"] == {
        "reason": {"reason": {"type": "plain_text_input", "value": "known"}},
        "until": {"until": {"type": "datepicker", "selected_date": "2030-01-02"}},
        "how": {"how": {"type": "static_select", "selected_option": option("month")}},
        "note": {"note": {"type": "plain_text_input", "value": "none"}},
    }
    with pytest.raises(LookupError, match="no input other"):
        submit(opened, {"other": "x"}, "U1", NOW)


def test_who_hears_of_a_button_answers(workspace: SlackServer) -> None:
    message = posted(workspace, button("approve"))
    url = payload_of(press(message, "approve", "U1", NOW)[1])["response_url"]
    client = WebhookClient(url)
    assert client.send_dict({"text": "no", "response_type": "ephemeral", "replace_original": False}).status_code == 200
    assert [(one.ts, one.options["text"]) for one in workspace.responded] == [(message.ts, "no")]
    assert workspace.posted == [message]
    assert client.send_dict({"text": "done", "replace_original": True}).status_code == 200
    [changed] = workspace.posted
    assert changed == replace(message, text="done", blocks=[], edited=True)
    assert client.send_dict({"delete_original": True}).status_code == 200
    assert workspace.posted == []
    assert client.send_dict({"text": "late"}).body == "expired_url"


def test_an_answer_is_refused(workspace: SlackServer) -> None:
    client = WebhookClient(posted(workspace, button("approve")).response_url)
    assert client.send_dict({"blocks": [{"type": "header"}]}).body == "invalid_blocks"
    assert client.send_dict({"blocks": [{"type": "header"}], "replace_original": True}).body == "invalid_blocks"
    workspace.faults.append(refusing("no_service"))
    assert client.send_dict({"text": "no"}).body == "no_service"
    assert [client.send_dict({"text": "no"}).status_code for _ in range(6)] == [200] * 5 + [400]
    assert len(workspace.responded) == 5


@pytest.mark.parametrize(
    ("block", "fits"),
    [
        (actions(button("a"), button("b", style="danger")), True),
        (actions(), False),
        (actions(*(button(f"{n}") for n in range(26))), False),
        (actions(button("a"), button("a")), False),
        (actions(button("a", text=text("x" * 76))), False),
        (actions(button("a", text={"type": "mrkdwn", "text": "a"})), False),
        (actions(button("a" * 256)), False),
        (actions(button("a", value="x" * 2001)), False),
        (actions(button("a", style="default")), False),
        (actions(button("a", colour="red")), False),
        (actions(button("a", confirm=CONFIRM)), True),
        (actions(button("a", confirm=CONFIRM | {"text": text("x" * 301)})), False),
        (actions(button("a", confirm=CONFIRM | {"title": text("x" * 101)})), False),
        (actions(button("a", confirm=CONFIRM | {"confirm": text("x" * 31)})), False),
        (actions(button("a", confirm={"title": text("Sure?")})), False),
        (actions(button("a", confirm=CONFIRM | {"more": text("x")})), False),
        (actions({"type": "datepicker", "action_id": "a"}), False),
        (actions(button("a"), block_id="x" * 256), False),
        (field("a"), False),
    ],
)
def test_limits_of_a_message_with_buttons(block: object, fits: bool) -> None:
    assert complaint({"blocks": [block]}) == ("" if fits else "invalid_blocks")


@pytest.mark.parametrize(
    ("view", "fits"),
    [
        (modal(field("a"), {"type": "divider"}, private_metadata="x" * 3000), True),
        (modal(field("a"), private_metadata="x" * 3001), False),
        (modal(field("a"), callback_id="x" * 256), False),
        (modal(field("a"), field("a")), False),
        (modal(field("a"), submit=text("x" * 25)), False),
        (modal(field("a"), more=1), False),
        (modal(*(field(f"{n}") for n in range(101))), False),
        (modal(field("a", placeholder=text("x" * 151))), False),
        (modal(field("a", "slider")), False),
        (modal(field("a", colour="red")), False),
        (modal(field("a") | {"hint": text("x" * 2001)}), False),
        (modal(field("a") | {"element": None}), False),
        (modal(field("a") | {"more": 1}), False),
        (modal(field("a", "static_select", options=[option("x")])), True),
        (modal(field("a", "static_select", options=[])), False),
        (modal(field("a", "static_select", options=[option("x" * 76)])), False),
        (modal(field("a", "static_select", options=[option("x")], initial_option=option("y"))), False),
        ({"type": "modal", "title": text("a"), "blocks": [field("a")]}, False),
        ({"type": "modal", "title": text("a"), "blocks": [{"type": "divider"}]}, True),
        ({"type": "home", "title": text("a"), "blocks": []}, False),
        ({"type": "modal", "title": text("a")}, False),
    ],
)
def test_limits_of_a_modal(view: dict[str, Any], fits: bool) -> None:
    assert view_complaint(view) == ("" if fits else "invalid_arguments")
