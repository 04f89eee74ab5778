"""An event that was heard: what it does, to whom, and who made it; also one that AWS refused, as an attempt. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.cause import Cause, parse_cause

MOST_NAMES = 20
"""Users who are named."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One event about an account. `at` is when it was heard; the cause says when it was."""

    account: str
    at: datetime
    effect: str
    """What it does, in words."""
    refused: bool
    """Whether AWS refused it: then nothing has changed, and somebody has tried."""
    users: tuple[str, ...]
    cause: Cause

    def to_json(self) -> dict[str, Any]:
        """What was heard as JSON values."""
        return {
            "account": self.account,
            "at": self.at.isoformat(),
            "effect": self.effect,
            "refused": self.refused,
            "users": list(self.users[:MOST_NAMES]),
            "cause": self.cause.to_json(),
        }


def parse_heard(value: Mapping[str, Any]) -> Heard:
    """What was heard by its JSON values, as `Heard.to_json` gives them."""
    return Heard(
        account=value["account"],
        at=datetime.fromisoformat(value["at"]),
        effect=value["effect"],
        refused=value["refused"],
        users=tuple(value["users"]),
        cause=parse_cause(value["cause"]),
    )
