"""Notices put together by hand, of findings and of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice
from chalicelib.cause import Cause
from chalicelib.findings import Finding, Severity, Status
from chalicelib.ledger import Change, ChangeKind, Stored, digest_of
from chalicelib.remediation.run import Aim, RunState, aim_of
from chalicelib.remediation_settings import Mode
from tests.accounts.build import ACCOUNT
from tests.ledger.build import at, finding

DETACHED = Cause(
    event_id="6d1e5c9a-0000-4000-8000-000000000001",
    event="iam:DetachUserPolicy",
    at=at(0),
    actor=f"arn:aws:iam::{ACCOUNT}:user/carol",
    address="203.0.113.9",
    agent="aws-cli/2.27.41",
)
STATUSES = {ChangeKind.RESOLVED: Status.RESOLVED, ChangeKind.SUPPRESSED: Status.SUPPRESSED}


def stored(
    found: Finding | None = None,
    *,
    kind: ChangeKind = ChangeKind.OPENED,
    version: int = 1,
    run: str = "run-1",
    hours: float = 0,
    status: Status | None = None,
) -> Stored:
    """A finding in the ledger, first seen at the first audit."""
    found = found or finding()
    status = status or STATUSES.get(kind, Status.OPEN)
    return Stored(
        account=found.account,
        fingerprint=found.fingerprint,
        finding=found.to_json(),
        digest=digest_of(found.to_json()),
        status=status,
        first_seen=at(0),
        last_seen=at(hours),
        resolved_at=at(hours) if status is Status.RESOLVED else None,
        version=version,
        since=1,
        run=run,
        kind=kind,
    )


def change(
    kind: ChangeKind = ChangeKind.OPENED,
    severity: Severity = Severity.HIGH,
    before: tuple[Severity, Status] | None = None,
    *,
    status: Status | None = None,
    when: datetime | None = None,
    **fields: Any,
) -> Change:
    """A change of a finding; `before` says how grave it was, and where it stood."""
    found = finding(severity=severity, **fields)
    after = stored(found, kind=kind, version=2 if before else 1, status=status)
    earlier = stored(replace(found, severity=before[0]), status=before[1]) if before else None
    return Change(kind, earlier, after, when or at(0))


def notice(
    kind: ChangeKind = ChangeKind.OPENED,
    found: Finding | None = None,
    *,
    version: int = 1,
    run: str = "run-1",
    hours: float = 0,
    before: Severity | None = None,
    cause: Cause | None = None,
    **fields: Any,
) -> Notice:
    """A notice of a finding, or of one with these fields."""
    one = stored(found or finding(**fields), kind=kind, version=version, run=run, hours=hours)
    return Notice(
        account=one.account,
        fingerprint=one.fingerprint,
        version=version,
        kind=kind,
        at=at(hours),
        run=run,
        finding=one.to_json(),
        severity_before=before,
        cause=cause,
    )


RUN = "20260601T060000Z-1a2b3c4d-5e6f70"
CANONICAL = f"arn:aws:iam::{ACCOUNT}:policy/RequireMfa"


def aim(user: str | None = "alice", severity: Severity = Severity.HIGH, **fields: Any) -> Aim:
    """A finding that a run is to mend."""
    return aim_of(finding(user=user, severity=severity, **fields))


def run_notice(
    state: RunState = RunState.WAITING, *, users: Sequence[str] = ("alice",), hours: float = 0, **fields: Any
) -> RunNotice:
    """A notice of a run that has users carry the canonical policy; of each state there is one version."""
    steps = tuple(
        f"attach-user-policy: {user} carries {CANONICAL}, as {user} is to carry RequireMfa, and does not"
        for user in users
    )
    aims = tuple(aim(user) for user in users)
    return RunNotice(
        **{
            "account": ACCOUNT,
            "run": RUN,
            "version": list(RunState).index(state) + 1,
            "state": state,
            "mode": Mode.APPROVE,
            "at": at(hours),
            "reason": "",
            "by": "",
            "expires": at(24),
            "aims": aims,
            "aim_count": len(aims),
            "users": tuple(users),
            "user_count": len(users),
            "steps": steps,
            "step_count": len(steps),
            "taken": 0,
            **fields,
        }
    )


def with_finding(told: Notice, **values: Any) -> Notice:
    """The notice with other values in its finding."""
    found: Mapping[str, Any] = {**told.finding, **values}
    return replace(told, finding=found)
