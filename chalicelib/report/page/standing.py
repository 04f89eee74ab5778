"""Where users stand: open, exempted, enforced, or not known. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chalicelib.controls import mfa_not_enforced
from chalicelib.findings import Finding, Severity, Status
from chalicelib.iam.account import User
from chalicelib.report.page.model import Device, Standing, State

ENFORCES = mfa_not_enforced.CONTROL.id
EXEMPTIONS = mfa_not_enforced.ALONE
"""The controls that find something open although MFA is asked for."""


def state_of(finding: Finding) -> State:
    """How a finding stands."""
    if finding.status is Status.SUPPRESSED:
        return State.SUPPRESSED
    return State.ACCEPTED if finding.severity is Severity.INFO and "accepted" in finding.evidence else State.OPEN


def standing_of(user: User, findings: Iterable[Finding], unjudged: Collection[str], asked: Collection[str]) -> Standing:
    """Where a user stands; `unjudged` are the controls that could not judge the user, `asked` those that were to."""
    found = [finding for finding in findings if finding.control == ENFORCES or finding.control in EXEMPTIONS]
    if any(finding.control == ENFORCES and state_of(finding) is State.OPEN for finding in found):
        return Standing.OPEN
    if found:
        return Standing.EXEMPTED
    if not user.possible():
        return Standing.IDLE
    wanted = {ENFORCES, *EXEMPTIONS}
    unknown = not wanted.isdisjoint(unjudged) or not wanted.issubset(asked)
    return Standing.UNKNOWN if unknown else Standing.ENFORCED


def device_of(user: User) -> Device:
    """Whether the user has an MFA device."""
    return Device.UNKNOWN if user.mfa is None else Device.YES if user.mfa else Device.NO
