"""Pressing buttons and submitting modals in the Slack on loopback: the requests that Slack would send.

Nothing is sent: whoever presses gives headers and body to the endpoint that is to hear of it. Source: Slack's developer
documentation, "block_actions payload", "view_submission payload" and "Verifying requests from Slack".
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from chalicelib.local.slack_workspace import Opened, Posted

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of the Slack on loopback alone
TEAM, APP = "T00000000", "A00000000"

Request = tuple[dict[str, str], str]
"""Headers and body."""


def press(posted: Posted, action_id: str, user: str, now: datetime, secret: str = SIGNING_SECRET) -> Request:
    """What Slack sends when a member of the workspace presses a button of a message, and confirms it if asked to.

    Raises:
        LookupError: the message has no such button.
    """
    button = next((one for one in _buttons(posted) if one["action_id"] == action_id), None)
    if button is None:
        raise LookupError(f"no button {action_id} on the message of {posted.ts}")
    pressed = {name: value for name, value in button.items() if name != "confirm"}
    payload = {
        **_sender("block_actions", user),
        "container": {
            "type": "message",
            "message_ts": posted.ts,
            "channel_id": posted.channel,
            "is_ephemeral": False,
            **({"thread_ts": posted.thread_ts} if posted.thread_ts else {}),
        },
        "trigger_id": f"{posted.ts}.{secrets.token_hex(16)}",
        "channel": {"id": posted.channel, "name": "channel"},
        "message": {"type": "message", "text": posted.text, "ts": posted.ts, "blocks": list(posted.blocks)},
        "state": {"values": {}},
        "response_url": posted.response_url,
        "actions": [pressed | {"action_ts": f"{now.timestamp():.6f}"}],
    }
    return signed(payload, now, secret)


def submit(
    opened: Opened, values: Mapping[str, str], user: str, now: datetime, secret: str = SIGNING_SECRET
) -> Request:
    """What Slack sends when somebody submits a modal; `values` says what they put into each input, by its action id.

    What they leave alone is as the modal begins with.

    Raises:
        LookupError: the modal has no such input.
    """
    view = opened.view
    inputs = {block["element"]["action_id"]: block for block in view["blocks"] if block["type"] == "input"}
    if unknown := values.keys() - inputs.keys():
        raise LookupError(f"no input {', '.join(sorted(unknown))} in the modal")
    state: dict[str, Any] = {}
    for number, (action_id, block) in enumerate(inputs.items()):
        filled = _filled(block["element"], values.get(action_id))
        state.setdefault(block.get("block_id", f"block-{number}"), {})[action_id] = filled
    payload = {
        **_sender("view_submission", user),
        "trigger_id": secrets.token_hex(16),
        "view": {**view, "id": opened.id, "team_id": TEAM, "state": {"values": state}, "hash": secrets.token_hex(4)},
        "response_urls": [],
    }
    return signed(payload, now, secret)


def signed(payload: Mapping[str, Any], now: datetime, secret: str = SIGNING_SECRET) -> Request:
    """A payload as Slack sends it: in a form, with the moment, and signed."""
    body = urlencode({"payload": json.dumps(payload)})
    timestamp = str(int(now.timestamp()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": str(signature),
    }
    return headers, body


def _sender(kind: str, user: str) -> dict[str, Any]:
    return {
        "type": kind,
        "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
        "api_app_id": APP,
        "token": "deprecated",
        "team": {"id": TEAM, "domain": "local"},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _buttons(posted: Posted) -> Iterator[Mapping[str, Any]]:
    """The buttons of a message, each with the id of its block."""
    for number, block in enumerate(posted.blocks):
        if block["type"] == "actions":
            for one in block["elements"]:
                yield {**one, "block_id": block.get("block_id", f"block-{number}")}


def _filled(element: Mapping[str, Any], value: str | None) -> dict[str, Any]:
    """The state of an element with a value in it."""
    kind = element["type"]
    if kind == "datepicker":
        return {"type": kind, "selected_date": element.get("initial_date") if value is None else value}
    if kind == "static_select":
        options = {one["value"]: one for one in element["options"]}
        return {"type": kind, "selected_option": element.get("initial_option") if value is None else options[value]}
    return {"type": kind, "value": element.get("initial_value") if value is None else value or None}
