"""The ledger of findings: what is kept of each, and what can happen to it. Pure values; the stores are adapters."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.cause import Cause
from chalicelib.findings import OfFinding, Severity, Status
from chalicelib.moments import to_second
from chalicelib.suppression import Suppression, extent_of


class ChangeKind(StrEnum):
    """What an audit, or a person, did to a finding."""

    OPENED = "opened"
    PERSISTING = "persisting"
    CHANGED = "changed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Stored(OfFinding):
    """A finding as the ledger keeps it. Moments are of UTC, to the second."""

    account: str
    fingerprint: str
    finding: Mapping[str, Any]
    """The finding's JSON values as they were when it last changed."""
    digest: str
    """Names severity, evidence and witness: two findings with one digest say the same."""
    status: Status
    first_seen: datetime
    last_seen: datetime
    """The latest moment known to the ledger at which it was there; `diff` says how often it moves."""
    resolved_at: datetime | None
    version: int
    """Counts the changes, from 1. A write succeeds only on the version that its diff saw."""
    since: int
    """The version that opened or reopened it last."""
    run: str
    """The run that made the last change."""
    kind: ChangeKind
    """What that change was."""
    suppression: Suppression | None = None

    @property
    def resource(self) -> str:
        """The ARN of what it is about."""
        return str(self.finding["resource"])

    @property
    def known_at(self) -> datetime:
        """The latest moment of which the ledger knows how the finding stood."""
        return self.resolved_at or self.last_seen

    @property
    def order(self) -> tuple[int, str, str, str]:
        """Sorts as `Finding.order` does."""
        return -self.severity.rank, self.user or "", self.control, self.fingerprint

    def to_json(self) -> dict[str, Any]:
        """The finding's JSON values with where it stands and since when."""
        return {
            **self.finding,
            "status": str(self.status),
            "first_seen": self.first_seen.isoformat(),
            "last_seen": self.last_seen.isoformat(),
            "resolved_at": self.resolved_at.isoformat() if self.resolved_at else None,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One finding before and after. `at` is when it was told, `after` says by which run.

    Of a persisting finding nothing but `last_seen` moves, and mostly not even that: then both sides are the same.
    """

    kind: ChangeKind
    before: Stored | None
    after: Stored
    at: datetime
    cause: Cause | None = None
    """The event after which the audit looked that made the change."""
    again: bool = False
    """Whether an earlier attempt of the same run wrote it; what was before is then not known."""

    @property
    def fingerprint(self) -> str:
        """The finding's."""
        return self.after.fingerprint

    @property
    def is_news(self) -> bool:
        """Whether the ledger's history tells of it."""
        return self.kind is not ChangeKind.PERSISTING

    @property
    def parts(self) -> tuple[str, ...]:
        """What differs of a finding that changed: severity, uncertain, evidence, witness.

        Of one that was accepted and is so no more, in what it got worse. Empty for other kinds.
        """
        if self.before is None:
            return ()
        if self.kind is ChangeKind.REOPENED and self.before.suppression and self.after.suppression is None:
            return self.before.suppression.worse(self.after.finding)
        if self.kind is not ChangeKind.CHANGED:
            return ()
        before, after = parts_of(self.before.finding), parts_of(self.after.finding)
        return tuple(name for name in after if before[name] != after[name]) or ("evidence",)


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of a finding's history: what happened, when it was told and by which run."""

    fingerprint: str
    version: int
    kind: ChangeKind
    at: datetime
    run: str
    status: Status
    severity: Severity
    parts: tuple[str, ...] = ()
    cause: Cause | None = None
    """The event after which the audit looked that told."""


def event_of(change: Change) -> Event:
    """The history's entry about a change that is news."""
    after = change.after
    return Event(
        fingerprint=after.fingerprint,
        version=after.version,
        kind=change.kind,
        at=change.at,
        run=after.run,
        status=after.status,
        severity=after.severity,
        parts=change.parts,
        cause=change.cause,
    )


# --- what a finding says ---------------------------------------------------------------------------------------------

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")


def digest_of(finding: Mapping[str, Any]) -> str:
    """Names what a finding's JSON values say; titles and fixes are ours and may be worded better one day."""
    said = json.dumps(parts_of(finding), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def parts_of(finding: Mapping[str, Any]) -> dict[str, Any]:
    """What a finding says, part by part; two that differ in none say the same."""
    evidence = dict(finding["evidence"])
    if "activity" in evidence:
        # What was counted moves with each operation, and so does the sentence that tells it.
        evidence = {name: value for name, value in evidence.items() if name not in ("activity", "summary")}
    # A doubt tells when the report behind it was made: every report is a new one, and the doubt the same.
    uncertain = [_MOMENT.sub("", str(doubt)) for doubt in evidence.pop("uncertain", ())]
    return {
        "severity": finding["severity"],
        "uncertain": uncertain,
        "evidence": evidence,
        "witness": finding["witness"],
    }


LONGEST = timedelta(days=366)
"""For how long a finding can be accepted: nothing is accepted for ever."""


def suppress(stored: Stored, until: date, reason: str, by: str, now: datetime) -> Change:
    """Accept an open finding, as bad as it is now, through the day `until` (UTC); `by` is who decided.

    One that is accepted already is accepted anew.

    Raises:
        ValueError: the finding is resolved, the day is over or more than a year ahead, or no reason is given.
    """
    today = to_second(now).date()
    if stored.status is Status.RESOLVED:
        raise ValueError(f"{stored.fingerprint} is resolved: there is nothing to suppress")
    if until < today:
        raise ValueError(f"{until} is over already")
    if until - today > LONGEST:
        raise ValueError(
            f"{until} is too far ahead: a finding is accepted for a year at most, through {today + LONGEST}"
        )
    if not reason.strip():
        raise ValueError("a finding is accepted for a reason, and there is none")
    accepted = Suppression(until, stored.severity, reason.strip(), by, extent_of(stored.finding))
    after = replace(
        stored,
        status=Status.SUPPRESSED,
        version=stored.version + 1,
        run=by,
        kind=ChangeKind.SUPPRESSED,
        suppression=accepted,
    )
    return Change(ChangeKind.SUPPRESSED, stored, after, to_second(now))


def unsuppress(stored: Stored, by: str, now: datetime) -> Change:
    """Take back that a finding is accepted; `by` is who decided.

    Raises:
        ValueError: it is not.
    """
    if stored.status is not Status.SUPPRESSED:
        raise ValueError(f"{stored.fingerprint} is {stored.status}, and not suppressed")
    version = stored.version + 1
    after = replace(
        stored,
        status=Status.OPEN,
        version=version,
        since=version,
        run=by,
        kind=ChangeKind.REOPENED,
        suppression=None,
    )
    return Change(ChangeKind.REOPENED, stored, after, to_second(now))
