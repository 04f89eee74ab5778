"""How an account's users stand: of whom MFA is asked, who is exempted, who is open, and whom nobody judged. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.audit import Audit
from chalicelib.controls.mfa_not_enforced import ALONE
from chalicelib.controls.mfa_not_enforced import CONTROL as NOT_ENFORCED
from chalicelib.findings import Finding, Status

_DECIDING = ALONE | {NOT_ENFORCED.id}
"""The controls that say what is possible without MFA."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The names of the users; each stands in one of the four."""

    enforced: frozenset[str]
    """Without MFA nothing but its enrolment is possible, or there is no credential to do it with."""
    exempted: frozenset[str]
    """MFA is asked for, and something is exempted from it; or somebody has accepted that it is not asked for."""
    open: frozenset[str]
    """MFA is not asked for."""
    not_judged: frozenset[str]
    """Something could not be read or decided, and nothing was found."""


def standing_of(audit: Audit) -> Standing | None:
    """How the users stand by an audit; None where it did not ask all that decides it."""
    if _DECIDING - {control.id for control in audit.controls}:
        return None
    told = [finding for finding in audit.findings if finding.user and finding.control in _DECIDING]
    not_enforced = {str(one.user) for one in told if one.control == NOT_ENFORCED.id and not _accepted(one)}
    exempted = {str(one.user) for one in told} - not_enforced
    skipped = {one.subject for one in audit.not_evaluated if one.control in _DECIDING}
    rest = audit.judged - not_enforced - exempted
    not_judged = rest if "" in skipped else rest & skipped
    return Standing(rest - not_judged, frozenset(exempted), frozenset(not_enforced), not_judged)


def _accepted(finding: Finding) -> bool:
    return finding.status is Status.SUPPRESSED or bool(finding.evidence.get("accepted"))
