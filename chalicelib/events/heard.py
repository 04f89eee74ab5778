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
    """One event about an account."""

    account: str
    heard_at: datetime
    effect: str
    """What it does, in words."""
    refused: bool
    """Whether AWS refused it: then nothing has changed, and somebody has tried."""
    users: tuple[str, ...]
    cause: Cause

    @property
    def at(self) -> datetime:
        """When it was, or when it was heard where its record does not say."""
        return self.cause.at or self.heard_at

    def to_json(self) -> dict[str, Any]:
        """What was heard as JSON values."""
        return {
            "account": self.account,
            "heard_at": self.heard_at.isoformat(),
            "effect": self.effect,
            "refused": self.refused,
            "users": list(self.users[:MOST_NAMES]),
            "cause": self.cause.to_json(),
        }


def parse_heard(value: Mapping[str, Any]) -> Heard:
    """What was heard by its JSON values, as `Heard.to_json` gives them."""
    return Heard(
        account=value["account"],
        heard_at=datetime.fromisoformat(value["heard_at"]),
        effect=value["effect"],
        refused=value["refused"],
        users=tuple(value["users"]),
        cause=parse_cause(value["cause"]),
    )
