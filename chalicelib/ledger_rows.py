"""Findings and their history as rows, flat, as stores write them and read them back. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.cause import parse_cause
from chalicelib.findings import Severity, Status
from chalicelib.ledger import ChangeKind, Event, Stored
from chalicelib.suppression import parse_suppression

Row = dict[str, str | int]
"""What a store writes and reads back, flat: texts and whole numbers. What is None has no column."""


def row_of(stored: Stored) -> Row:
    """The finding as a row."""
    suppression = stored.suppression
    row: dict[str, str | int | None] = {
        "account": stored.account,
        "fingerprint": stored.fingerprint,
        "control": stored.control,
        "user": stored.user,
        "severity": str(stored.severity),
        "status": str(stored.status),
        "first_seen": stored.first_seen.isoformat(),
        "last_seen": stored.last_seen.isoformat(),
        "resolved_at": stored.resolved_at.isoformat() if stored.resolved_at else None,
        "version": stored.version,
        "since": stored.since,
        "run": stored.run,
        "kind": str(stored.kind),
        "digest": stored.digest,
        "finding": json.dumps(stored.finding, ensure_ascii=False, separators=(",", ":")),
        "suppression": json.dumps(suppression.to_json()) if suppression else None,
    }
    return {name: value for name, value in row.items() if value is not None}


def stored_of(row: Mapping[str, Any]) -> Stored:
    """The finding of a row."""
    resolved, suppression = row.get("resolved_at"), row.get("suppression")
    return Stored(
        account=row["account"],
        fingerprint=row["fingerprint"],
        finding=json.loads(row["finding"]),
        digest=row["digest"],
        status=Status(row["status"]),
        first_seen=datetime.fromisoformat(row["first_seen"]),
        last_seen=datetime.fromisoformat(row["last_seen"]),
        resolved_at=datetime.fromisoformat(resolved) if resolved else None,
        version=int(row["version"]),
        since=int(row["since"]),
        run=row["run"],
        kind=ChangeKind(row["kind"]),
        suppression=parse_suppression(json.loads(suppression)) if suppression else None,
    )


def row_of_event(event: Event) -> Row:
    """An entry of the history as a row."""
    row: dict[str, str | int | None] = {
        "fingerprint": event.fingerprint,
        "version": event.version,
        "kind": str(event.kind),
        "at": event.at.isoformat(),
        "run": event.run,
        "status": str(event.status),
        "severity": str(event.severity),
        "parts": " ".join(event.parts),
        "cause": json.dumps(event.cause.to_json(), separators=(",", ":")) if event.cause else None,
    }
    return {name: value for name, value in row.items() if value is not None}


def event_of_row(row: Mapping[str, Any]) -> Event:
    """The entry of a row."""
    cause = row.get("cause")
    return Event(
        fingerprint=row["fingerprint"],
        version=int(row["version"]),
        kind=ChangeKind(row["kind"]),
        at=datetime.fromisoformat(row["at"]),
        run=row["run"],
        status=Status(row["status"]),
        severity=Severity(row["severity"]),
        parts=tuple(row["parts"].split()),
        cause=parse_cause(json.loads(cause)) if cause else None,
    )
