"""A notice: one change in the ledger, as it is told to people and to other systems. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.cause import Cause, parse_cause
from chalicelib.findings import OfFinding, Severity
from chalicelib.ledger import Change, ChangeKind


@dataclass(frozen=True, slots=True)
class Notice(OfFinding):
    """One change of one finding. It says all that is told of it: the finding may have moved on when it is read."""

    account: str
    fingerprint: str
    version: int
    """The finding's, after the change: of each version of a finding there is one change."""
    kind: ChangeKind
    at: datetime
    run: str
    finding: Mapping[str, Any]
    """As `Stored.to_json` gives it: with status, first_seen, last_seen and resolved_at."""
    severity_before: Severity | None = None
    parts: tuple[str, ...] = ()
    """What of a changed finding differs."""
    cause: Cause | None = None

    def to_json(self) -> dict[str, Any]:
        """The notice as JSON values."""
        return {
            "account": self.account,
            "fingerprint": self.fingerprint,
            "version": self.version,
            "kind": str(self.kind),
            "at": self.at.isoformat(),
            "run": self.run,
            "finding": dict(self.finding),
            "severity_before": str(self.severity_before) if self.severity_before else None,
            "parts": list(self.parts),
            "cause": self.cause.to_json() if self.cause else None,
        }


def parse_notice(value: Mapping[str, Any]) -> Notice:
    """The notice by its JSON values, as `Notice.to_json` gives them."""
    before, cause = value["severity_before"], value["cause"]
    return Notice(
        account=value["account"],
        fingerprint=value["fingerprint"],
        version=int(value["version"]),
        kind=ChangeKind(value["kind"]),
        at=datetime.fromisoformat(value["at"]),
        run=value["run"],
        finding=value["finding"],
        severity_before=Severity(before) if before else None,
        parts=tuple(value["parts"]),
        cause=parse_cause(cause) if cause else None,
    )


def notice_of(change: Change) -> Notice:
    """What is told of a change."""
    after = change.after
    return Notice(
        account=after.account,
        fingerprint=after.fingerprint,
        version=after.version,
        kind=change.kind,
        at=change.at,
        run=after.run,
        finding=after.to_json(),
        severity_before=change.before.severity if change.before else None,
        parts=change.parts,
        cause=change.cause,
    )
