"""Where users stand: whether MFA is enforced for them, exempted, open, or not known. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from chalicelib.audit import Audit
from chalicelib.controls import mfa_not_enforced
from chalicelib.findings import Finding, Severity, Status

ENFORCES = mfa_not_enforced.CONTROL.id
EXEMPTIONS = mfa_not_enforced.ALONE
"""The controls that find something open although MFA is asked for."""


class Standing(StrEnum):
    """Where a user stands, one of these and no other; the gravest first."""

    OPEN = "open"
    """More than enrolling a device is allowed without MFA, and nobody has accepted it."""
    EXEMPTED = "exempted"
    """MFA is asked for, but for an exemption, or for what somebody has accepted."""
    UNKNOWN = "not judged"
    """Something that the verdict hangs on was not read, not evaluable or not tried."""
    ENFORCED = "enforced"
    """MFA is asked for, without any exemption that the controls know."""
    IDLE = "no credential"
    """There is no credential to make a request with."""

    @property
    def words(self) -> str:
        """What it means, for a reader."""
        return _WORDS[self]


_WORDS = {
    Standing.OPEN: "can do more than enrol a device without MFA",
    Standing.EXEMPTED: "MFA is asked for, but not for everything: an exemption, or a finding that was accepted",
    Standing.UNKNOWN: "something that the verdict hangs on could not be read or evaluated",
    Standing.ENFORCED: "nothing beyond enrolling a device works without MFA",
    Standing.IDLE: "no active credential: nothing to make a request with",
}


class State(StrEnum):
    """How a finding stands for who reads of it."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """By the settings."""
    SUPPRESSED = "suppressed"
    """By a person, in the ledger, until a date."""


def state_of(finding: Finding) -> State:
    """How a finding stands."""
    if finding.status is Status.SUPPRESSED:
        return State.SUPPRESSED
    return State.ACCEPTED if finding.severity is Severity.INFO and "accepted" in finding.evidence else State.OPEN


def standings_of(audit: Audit) -> Mapping[str, Standing]:
    """The name of each user who was judged → where they stand."""
    findings: dict[str | None, list[Finding]] = {}
    for finding in audit.findings:
        findings.setdefault(finding.user, []).append(finding)
    unjudged: dict[str, set[str]] = {}
    for skipped in audit.not_evaluated:
        unjudged.setdefault(skipped.subject, set()).add(skipped.control)
    wanted = {ENFORCES, *EXEMPTIONS}
    # Of a control that was not asked nobody knows what it would have found.
    of_all = unjudged.get("", set()) | (wanted - {control.id for control in audit.controls})
    return {
        name: _standing(findings.get(name, ()), wanted & (of_all | unjudged.get(name, set())), name in audit.idle)
        for name in sorted(audit.judged)
    }


def _standing(findings: Iterable[Finding], unjudged: Collection[str], idle: bool) -> Standing:
    found = [one for one in findings if one.control == ENFORCES or one.control in EXEMPTIONS]
    holes = [one for one in found if one.control == ENFORCES]
    if any(state_of(one) is State.OPEN for one in holes):
        return Standing.OPEN
    if holes or (found and ENFORCES not in unjudged):
        return Standing.EXEMPTED
    if idle:
        return Standing.IDLE
    return Standing.UNKNOWN if unjudged else Standing.ENFORCED
