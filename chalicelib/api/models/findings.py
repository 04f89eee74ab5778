"""Findings of the ledger, as they are asked for and answered."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.api.models.values import Account, Date, Day, Moment, Reason, Told, Values, Wanted
from chalicelib.findings import Severity, Status
from chalicelib.ledger import ChangeKind


class SuppressionWanted(Wanted):
    """Accept a finding for a while."""

    account: Account
    until: Annotated[Day, Field(description="The last day (UTC) on which it is accepted: within a year.")]
    reason: Reason


class WitnessTold(Told):
    """A request that AWS would allow without MFA: `POST /v1/decisions` decides it again."""

    principal: str
    action: str
    resource: str
    mfa: Annotated[str, Field(description="What the request says of MFA: absent, or false.")]
    context: dict[str, str]


class Found(Told):
    """One control that fails for one resource."""

    fingerprint: str
    control: str
    severity: Severity
    status: Status
    resource: str
    user: str | None
    title: str
    evidence: Annotated[Values, Field(description="The statements and facts that prove it.")]
    witness: WitnessTold | None
    fix: str
    distinction: str | None = None
    commands: Annotated[
        list[str],
        Field(default_factory=list, description="How the person does the same with MFA, line by line as in a shell."),
    ]


class SuppressionTold(Told):
    """That somebody has accepted a finding."""

    until: Date
    severity: Annotated[Severity, Field(description="As grave as it was then; what is graver is not accepted.")]
    reason: str
    by: str | None


class FindingTold(Found):
    """A finding, and where it stands."""

    account: str
    first_seen: Moment
    last_seen: Moment
    resolved_at: Moment | None
    suppression: SuppressionTold | None


class CauseTold(Told):
    """The event after which an audit looked, as CloudTrail recorded it."""

    event_id: str
    event: str
    at: Moment | None
    actor: str
    address: str
    agent: str
    own: Annotated[bool, Field(description="Whether it was mfawatch itself.")]
    about: str


class EventTold(Told):
    """Something that happened to a finding."""

    at: Moment
    kind: ChangeKind
    run: Annotated[str, Field(description="The run that told of it, or who decided it.")]
    status: Status
    severity: Severity
    parts: Annotated[list[str], Field(description="What differs, of a finding that changed.")]
    cause: CauseTold | None


class FindingWithHistory(FindingTold):
    """A finding, and what happened to it, the oldest first."""

    history: list[EventTold]


class FindingsTold(Told):
    """A page of findings."""

    findings: list[FindingTold]
    next: Annotated[
        str | None,
        Field(
            description="Ask again with this as `cursor`, and the same filters, for what comes after; null at the end."
        ),
    ]
