"""The form in which somebody accepts a finding in Slack. Pure.

Source of the limits: Slack's developer documentation, "Views" and "Block Kit reference".
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from chalicelib.ledger import LONGEST, Stored
from chalicelib.notify.buttons import ACCEPT_FINDING, value_of
from chalicelib.notify.mrkdwn import code, escape, mrkdwn, plain_text

REASON, UNTIL = "reason", "until"
"""The inputs, by block and by action."""
SUGGESTED = timedelta(days=30)
"""For how long a finding is accepted where nobody says otherwise."""

_NAME, _TITLE = 200, 300


def accept_form(stored: Stored, today: date, shortest: int, longest: int) -> dict[str, Any]:
    """The form for a finding; a reason has from `shortest` to `longest` characters."""
    last = today + LONGEST
    about = f"{escape(str(stored.finding.get('title', '')), _TITLE)}\n{code(stored.resource, _NAME)}"
    told = "It comes back when the day is over, when it gets graver, and when it shows something that it does not now."
    return {
        "type": "modal",
        "callback_id": ACCEPT_FINDING,
        "private_metadata": value_of(stored.account, stored.fingerprint),
        "title": plain_text("Accept a finding"),
        "submit": plain_text("Accept"),
        "close": plain_text("Cancel"),
        "blocks": [
            {"type": "section", "text": mrkdwn(about)},
            {
                "type": "input",
                "block_id": REASON,
                "label": plain_text("Reason"),
                "element": {
                    "type": "plain_text_input",
                    "action_id": REASON,
                    "multiline": True,
                    "min_length": shortest,
                    "max_length": longest,
                },
            },
            {
                "type": "input",
                "block_id": UNTIL,
                "label": plain_text("Through"),
                "hint": plain_text(f"A day (UTC), {last} at the latest."),
                "element": {
                    "type": "datepicker",
                    "action_id": UNTIL,
                    "initial_date": (today + SUGGESTED).isoformat(),
                },
            },
            {"type": "context", "elements": [mrkdwn(told)]},
        ],
    }
