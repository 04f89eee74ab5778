"""What a replay of CloudTrail's records found, as JSON and CSV: Git operations without MFA, and the events.

The texts come piece by piece: of the events there may be more than memory has room for.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.events.git_activity import GitActivity, Seen
from chalicelib.events.happening import Happening, Repeated
from chalicelib.findings import Finding, Severity
from chalicelib.report.csv import cell
from chalicelib.report.sentences import sentence


@dataclass(frozen=True, slots=True)
class Counted:
    """Git operations of one principal on one repository with one credential, and what they are worth."""

    activity: GitActivity
    severity: Severity
    finding: Finding | None = None
    """What the account's snapshot says of them, where there is one."""


def _no_findings(_: Happening) -> Sequence[Finding]:
    return ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """What was found. Events are asked for as often as they are needed, the oldest first."""

    files: int
    records: int
    ignored: int
    first: datetime | None
    last: datetime | None
    git: Sequence[Counted]
    """The gravest first."""
    git_with_mfa: int
    events: Callable[[], Iterator[Happening]]
    by_day: Callable[[], Iterator[Repeated]]
    """The events, those that were alike on one day as one."""
    taken: datetime | None = None
    """The moment of the snapshot that says what is open now; None where there is no snapshot."""
    open_now: Callable[[Happening], Sequence[Finding]] = field(default=_no_findings)
    """The findings of those whom an event concerns."""
    findings: Sequence[Finding] = ()
    """All of those."""


def timeline_json(timeline: Timeline) -> Iterator[str]:
    """The timeline as one JSON object. Each Git activity and each event stands on a line of its own."""
    head: dict[str, Any] = {
        "files": timeline.files,
        "records": timeline.records,
        "ignored": timeline.ignored,
        "first": _written(timeline.first),
        "last": _written(timeline.last),
        "snapshot": _written(timeline.taken),
        "git_with_mfa": timeline.git_with_mfa,
    }
    yield json.dumps(head)[:-1]
    yield from _listed("git", map(_git_to_json, timeline.git))
    yield from _listed("events", (_event_to_json(event, timeline) for event in timeline.events()))
    yield from _listed("findings", (finding.to_json() for finding in timeline.findings))
    yield "}\n"


def _listed(name: str, values: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    yield f',\n"{name}": ['
    for number, value in enumerate(values):
        yield f"{',' if number else ''}\n{json.dumps(value)}"
    yield "]"


def _git_to_json(counted: Counted) -> dict[str, Any]:
    activity, finding = counted.activity, counted.finding
    return {
        "id": activity.id,
        "severity": str(counted.severity),
        "account": activity.account,
        "user": activity.user,
        "principal": activity.principal,
        "repository": activity.repository,
        "credential": str(activity.credential),
        "pulls": activity.pulls,
        "pulls_with_data": activity.pulls_with_data,
        "pushes": activity.pushes,
        "pushes_that_sent_nothing": activity.idle_pushes,
        "refused": activity.refused,
        "first": _written(activity.first),
        "last": _written(activity.last),
        "references": _texts(activity.references),
        "addresses": _texts(activity.addresses),
        "agents": _texts(activity.agents),
        "protocols": _texts(activity.protocols),
        "uncertain": list(activity.doubts),
        "finding": finding.fingerprint if finding else None,
    }


def _event_to_json(event: Happening, timeline: Timeline) -> dict[str, Any]:
    cause, scope = event.cause, event.scope
    return {
        "at": _written(cause.at),
        "event": cause.event,
        "event_id": cause.event_id,
        "account": event.account,
        "region": event.region,
        "text": event.sentence,
        "effect": event.effect,
        "concerned": {
            "account": scope.account if scope else None,
            "whole_account": event.whole_account,
            "organization": event.everywhere,
            "users": sorted(scope.users or ()) if scope else [],
            "groups": sorted(scope.groups) if scope else [],
            "policies": sorted(scope.policies) if scope else [],
        },
        "what": event.what or None,
        "refused": event.refused,
        "error": event.error or None,
        "actor": cause.actor,
        "mfa": {"true": True, "false": False}.get(event.mfa),
        "address": cause.address,
        "agent": cause.agent,
        "open": [finding.fingerprint for finding in timeline.open_now(event)],
    }


# --- CSV -------------------------------------------------------------------------------------------------------------

COLUMNS = (
    "kind", "first", "last", "severity", "account", "region", "user", "what", "event", "refused", "actor", "mfa",
    "address", "agent", "repository", "credential", "pulls", "pushes", "references", "uncertain", "open",
)  # fmt: skip


def timeline_csv(timeline: Timeline) -> Iterator[str]:
    """A header, a row for each Git activity, and one for each event. A cell never begins like a formula."""
    yield _row(dict(zip(COLUMNS, COLUMNS, strict=True)))
    for counted in timeline.git:
        yield _row(_git_row(counted))
    for event in timeline.events():
        yield _row(_event_row(event, timeline.open_now(event)))


def _row(values: Mapping[str, str]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow(cell(values.get(column, "")) for column in COLUMNS)
    return stream.getvalue()


def _git_row(counted: Counted) -> dict[str, str]:
    activity = counted.activity
    return {
        "kind": "git",
        "first": _written(activity.first) or "",
        "last": _written(activity.last) or "",
        "severity": str(counted.severity),
        "account": activity.account,
        "user": activity.user or "",
        "what": times(activity),
        "refused": str(activity.refused),
        "actor": activity.principal,
        "mfa": "false",
        "address": ", ".join(_texts(activity.addresses)),
        "agent": ", ".join(_texts(activity.agents)),
        "repository": activity.repository,
        "credential": str(activity.credential),
        "pulls": str(activity.pulls),
        "pushes": str(activity.pushes + activity.idle_pushes),
        "references": ", ".join(_texts(activity.references)),
        "uncertain": ", ".join(activity.doubts),
        "open": sentence(counted.finding) if counted.finding else "",
    }


def _event_row(event: Happening, findings: Sequence[Finding]) -> dict[str, str]:
    cause, at = event.cause, _written(event.cause.at) or ""
    return {
        "kind": "event",
        "first": at,
        "last": at,
        "account": event.account,
        "region": event.region,
        "user": ", ".join(sorted(event.scope.users or ())) if event.scope else "",
        "what": event.sentence,
        "event": cause.event,
        "refused": event.error,
        "actor": cause.actor,
        "mfa": event.mfa,
        "address": cause.address,
        "agent": cause.agent,
        "open": ", ".join(f"{finding.user or 'account'}: {finding.control}" for finding in findings),
    }


# --- in words --------------------------------------------------------------------------------------------------------


def times(activity: GitActivity) -> str:
    """How often what was done: 3 pushes, 12 pulls, 1 refused."""
    counts = (
        (activity.pushes, "push", "pushes"),
        (activity.idle_pushes, "push that sent nothing", "pushes that sent nothing"),
        (activity.pulls, "pull", "pulls"),
        (activity.refused, "refused", "refused"),
    )
    return ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count)


def _texts(seen: Sequence[Seen]) -> list[str]:
    """The texts, what was seen last first."""
    return [one.text for one in reversed(seen)]


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
