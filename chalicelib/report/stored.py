"""A finding of a ledger as JSON values. Pure, so that the deployed functions can tell it as well as a terminal."""

from __future__ import annotations

from typing import Any

from chalicelib.ledger import Stored


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
