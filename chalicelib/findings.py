"""Findings: one control failing for one resource, with what proves it. Pure values, the same for the same state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chalicelib.iam.decision import Decision
from chalicelib.iam.request import MFA_AGE, MFA_PRESENT, MfaState


class Severity(StrEnum):
    """How bad it is. Compare with `rank`: the higher, the worse."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """The place in the order of gravity, from 0."""
        return list(Severity).index(self)


class Status(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that AWS would allow without MFA. `mfawatch explain` decides it again."""

    principal: str
    action: str
    resource: str
    mfa: MfaState
    context: Mapping[str, str] = field(default_factory=dict)
    """The condition values it needs beside the caller's own and MFA's."""

    def to_json(self) -> dict[str, Any]:
        """The witness as JSON values."""
        return {
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "mfa": str(self.mfa),
            "context": dict(self.context),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One control failing for one resource.

    `distinction` is whatever tells two findings of one control on one resource apart; it and nothing that changes with
    time, order or gravity goes into the fingerprint. `evidence` holds JSON values.
    """

    control: str
    account: str
    resource: str
    severity: Severity
    title: str
    fix: str
    user: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    witness: Witness | None = None
    distinction: str = ""
    status: Status = Status.OPEN
    commands: tuple[str, ...] = ()
    """How the person behind the user does the same with MFA, line by line as in a shell; empty where none is told."""

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that name the finding for as long as it lasts."""
        parts = json.dumps([self.control, self.account, self.resource, self.distinction])
        return hashlib.sha256(parts.encode()).hexdigest()[:32]

    @property
    def uncertain(self) -> tuple[str, ...]:
        """Why the finding may be wrong; empty where nothing is in doubt."""
        return tuple(self.evidence.get("uncertain", ()))

    @property
    def order(self) -> tuple[int, str, str, str]:
        """Sorts the gravest first, then by user, control and fingerprint."""
        return -self.severity.rank, self.user or "", self.control, self.fingerprint

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return {
            "fingerprint": self.fingerprint,
            "control": self.control,
            "severity": str(self.severity),
            "status": str(self.status),
            "resource": self.resource,
            "distinction": self.distinction or None,
            "user": self.user,
            "title": self.title,
            "evidence": dict(self.evidence),
            "witness": self.witness.to_json() if self.witness else None,
            "fix": self.fix,
            "commands": list(self.commands),
        }


class OfFinding:
    """Whatever holds a finding's JSON values, and what is read off them."""

    __slots__ = ()
    finding: Mapping[str, Any]

    @property
    def control(self) -> str:
        """The id of the control that raised it."""
        return str(self.finding["control"])

    @property
    def user(self) -> str | None:
        """The user's name; None for a finding about the account."""
        found = self.finding["user"]
        return None if found is None else str(found)

    @property
    def severity(self) -> Severity:
        """How bad it is, or was when it was resolved."""
        return Severity(self.finding["severity"])


def parse_finding(account: str, values: Mapping[str, Any]) -> Finding:
    """The finding of an account by its JSON values, as `Finding.to_json` gives them."""
    witness = values["witness"]
    return Finding(
        control=values["control"],
        account=account,
        resource=values["resource"],
        severity=Severity(values["severity"]),
        title=values["title"],
        fix=values["fix"],
        user=values["user"],
        evidence=values["evidence"],
        witness=Witness(**{**witness, "mfa": MfaState(witness["mfa"])}) if witness else None,
        distinction=values["distinction"] or "",
        status=Status(values["status"]),
        commands=tuple(values.get("commands", ())),
    )


def witness_of(decision: Decision, context: Mapping[str, str]) -> Witness:
    """The witness of a decision; `context` has the values that the request needs beside the caller's own."""
    request = decision.request
    mfa = request.context.get(MFA_PRESENT)
    needed = {key: value for key, value in context.items() if key not in (MFA_PRESENT, MFA_AGE)}
    return Witness(
        principal=request.principal.arn,
        action=request.name,
        resource=request.resource,
        mfa=MfaState.ABSENT if mfa is None else MfaState(str(mfa)),
        context=dict(sorted(needed.items())),
    )
