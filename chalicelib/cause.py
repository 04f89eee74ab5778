"""The event after which an audit looked: what was done, by whom and from where. Pure.

What a change in the ledger is told with: the audit looked after the event, and nobody has proved that it is because of
it. All texts are as AWS recorded them, and whoever made the call chose some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LONGEST = 512
"""Characters of a text that are kept: a user agent may have thousands."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One event. `at` is None where the record does not say when."""

    event_id: str
    event: str
    """As IAM writes actions: iam:DetachUserPolicy."""
    at: datetime | None = None
    actor: str = ""
    """The ARN of who called, or the best that the record says."""
    address: str = ""
    agent: str = ""
    own: bool = False
    """Whether it was mfawatch itself."""

    def to_json(self) -> dict[str, Any]:
        """The cause as JSON values."""
        return {
            "event_id": self.event_id[:LONGEST],
            "event": self.event[:LONGEST],
            "at": self.at.isoformat() if self.at else None,
            "actor": self.actor[:LONGEST],
            "address": self.address[:LONGEST],
            "agent": self.agent[:LONGEST],
            "own": self.own,
        }


def parse_cause(value: Mapping[str, Any]) -> Cause:
    """The cause by its JSON values, as `Cause.to_json` gives them."""
    at = value["at"]
    return Cause(**{**value, "at": datetime.fromisoformat(at) if at else None})
