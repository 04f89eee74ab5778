"""Audits put together by hand, and the ledger that they leave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.audit import Audit
from chalicelib.controls import CONTROLS
from chalicelib.controls.base import NotEvaluated
from chalicelib.diff import diff
from chalicelib.findings import Finding, Severity, Witness
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.request import MfaState
from chalicelib.ledger import Change, Event, Stored, event_of
from tests.accounts.build import ACCOUNT, TAKEN

ROOT = "root-without-mfa"
ENFORCED = "mfa-not-enforced"
TAKEOVER = "mfa-self-takeover"
DEVICE = "user-without-mfa"
BROKEN = "policy-not-evaluable"

WHOLE = frozenset({Read.AUTHORIZATION_DETAILS, Read.CREDENTIAL_REPORT})
HOUR = timedelta(hours=1)


def at(hours: float = 0) -> datetime:
    """So many hours after the first audit."""
    return TAKEN + hours * HOUR


def arn_of(user: str | None) -> str:
    """The ARN of a user, or of the root user."""
    return f"arn:aws:iam::{ACCOUNT}:{f'user/{user}' if user else 'root'}"


def finding(
    control: str = ENFORCED,
    user: str | None = "alice",
    severity: Severity = Severity.HIGH,
    *,
    distinction: str = "",
    account: str = ACCOUNT,
    action: str = "s3:PutObject",
    evidence: Mapping[str, Any] | None = None,
) -> Finding:
    """A finding about a user, or about the root user."""
    return Finding(
        control=control,
        account=account,
        resource=arn_of(user),
        severity=severity,
        title="A title",
        fix="Mend it.",
        user=user,
        evidence={"cause": "no-deny"} if evidence is None else evidence,
        witness=Witness(arn_of(user), action, "*", MfaState.ABSENT),
        distinction=distinction,
    )


def audit(
    *findings: Finding,
    hours: float = 0,
    users: Collection[str] = ("alice", "bob"),
    asked: Collection[str] | None = None,
    controls: Collection[str] | None = None,
    not_evaluated: Iterable[tuple[str, str]] = (),
    gaps: Iterable[tuple[Read, str]] = (),
    reads: Collection[Read] = WHOLE,
    report_hours: float | None = None,
    account: str = ACCOUNT,
) -> Audit:
    """An audit that found these, of an account with these users; `hours` after the first one."""
    judged = frozenset(users) if asked is None else frozenset(users) & frozenset(asked)
    return Audit(
        account=account,
        generated_at=at(hours),
        findings=tuple(sorted(findings, key=lambda one: one.order)),
        gaps=tuple(Gap(read, subject, "throttled") for read, subject in gaps),
        not_evaluated=tuple(NotEvaluated(control, subject, "not read") for control, subject in not_evaluated),
        controls=tuple(
            control
            for control in CONTROLS
            if (controls is None or control.id in controls) and (asked is None or not control.about_account)
        ),
        users=len(judged),
        asked=None if asked is None else frozenset(asked),
        judged=judged,
        reads=frozenset(reads),
        report_generated=None if report_hours is None else at(report_hours),
    )


def kinds(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    """Kind, control and user of each change."""
    return [(str(one.kind), one.after.control, one.after.user or "") for one in changes]


def news(changes: Iterable[Change]) -> list[Change]:
    """The changes that the history tells of."""
    return [change for change in changes if change.is_news]


@dataclass
class Memory:
    """A ledger as it should be: the simplest `FindingStore` there is, for comparison."""

    findings: dict[str, Stored] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def load(self, account: str, users: Collection[str] | None = None) -> Sequence[Stored]:
        return [
            one for one in self.findings.values() if one.account == account and (users is None or one.user in users)
        ]

    def apply(self, changes: Sequence[Change]) -> Sequence[Change]:
        won = [change for change in changes if self._fits(change)]
        self.findings |= {change.fingerprint: change.after for change in won}
        self.events += [event_of(change) for change in news(won)]
        return won

    def _fits(self, change: Change) -> bool:
        now, before = self.findings.get(change.fingerprint), change.before
        if now is None or before is None:
            return now is before
        return now.version == before.version and now.last_seen <= change.after.known_at

    def history(self, account: str, fingerprint: str) -> Sequence[Event]:
        return [event for event in self.events if event.fingerprint == fingerprint]


def ledger_after(*audits: Audit) -> list[Stored]:
    """What the ledger holds after these audits, one after the other."""
    store = Memory()
    for number, one in enumerate(audits):
        store.apply(diff(one, list(store.findings.values()), f"run-{number}", one.generated_at))
    return list(store.findings.values())
