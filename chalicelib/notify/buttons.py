"""Buttons of messages in Slack, and what names them to whoever hears that one was pressed. Pure.

Source of the limits: Slack's developer documentation, "Block Kit reference".
"""

from __future__ import annotations

from typing import Any

from chalicelib.notify.blocks import Block
from chalicelib.notify.mrkdwn import plain_text

APPROVE_RUN, DECLINE_RUN = "approve_run", "decline_run"
"""Their value is the account and the run, with a slash between them."""
ACCEPT_FINDING = "accept_finding"
"""Its value is the account and the fingerprint, likewise; the modal that it opens has the same name and value."""

LONGEST_CONFIRM = 300
"""Characters of the text of what asks for confirmation."""


def value_of(account: str, name: str) -> str:
    """The value of a button that is about a run or a finding of an account."""
    return f"{account}/{name}"


def button(action_id: str, text: str, value: str, **more: Any) -> Block:
    """A button; `more` is its style, and what asks for confirmation."""
    return {"type": "button", "action_id": action_id, "text": plain_text(text), "value": value, **more}


def confirm(title: str, escaped: str, yes: str) -> Block:
    """What asks whether somebody who pressed a button means it."""
    return {
        "title": plain_text(title),
        "text": plain_text(escaped),
        "confirm": plain_text(yes),
        "deny": plain_text("Not now"),
    }


def actions(*buttons: Block) -> Block:
    """A block of buttons."""
    return {"type": "actions", "elements": list(buttons)}
