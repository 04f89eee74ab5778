"""Findings of the ledger, as they are answered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from chalicelib.api.models.values import Account, Date, Day, Moment, Reason, Told, Wanted
from chalicelib.findings import Severity, Status


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


class SuppressionTold(Told):
    """That somebody has accepted a finding."""

    until: Date
    severity: Annotated[Severity, Field(description="As grave as it was then; what is graver is not accepted.")]
    reason: str
    by: str | None


class FindingTold(Told):
    """One control that fails for one resource."""

    account: str
    fingerprint: str
    control: str
    severity: Severity
    status: Status
    resource: str
    user: str | None
    title: str
    evidence: Annotated[dict[str, Any], Field(description="The statements and facts that prove it.")]
    witness: WitnessTold | None
    fix: str
    distinction: str | None = None
    commands: Annotated[list[str], Field(default_factory=list)]
    first_seen: Moment
    last_seen: Moment
    resolved_at: Moment | None
    suppression: SuppressionTold | None
