"""A finding of a ledger, and what happened to it, as JSON values. Pure, so that the deployed functions can tell it as
well as a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.ledger import Event, Stored


def finding_to_json(stored: Stored) -> dict[str, Any]:
    """A finding with its account and how it stands, as JSON values."""
    accepted = stored.suppression
    return {
        "account": stored.account,
        **stored.to_json(),
        "suppression": {
            "until": accepted.until.isoformat(),
            "severity": str(accepted.severity),
            "reason": accepted.reason,
            "by": accepted.by or None,
        }
        if accepted
        else None,
    }


def history_to_json(events: Sequence[Event]) -> list[dict[str, Any]]:
    """What happened to a finding, as JSON values."""
    return [
        {
            "at": event.at.isoformat(),
            "kind": str(event.kind),
            "run": event.run,
            "status": str(event.status),
            "severity": str(event.severity),
            "parts": list(event.parts),
            "cause": event.cause.to_json() if event.cause else None,
        }
        for event in events
    ]
