"""What mends a finding, planned on the account as it is now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus

from chalicelib.api.call import Call
from chalicelib.api.live import read_whole
from chalicelib.api.problems import Problem
from chalicelib.audit import Audit, judge
from chalicelib.controls import CONTROLS
from chalicelib.findings import Finding, parse_finding
from chalicelib.iam.account import AccountSnapshot
from chalicelib.ledger import Stored
from chalicelib.remediation.limit import limited
from chalicelib.remediation.plan import Plan, plan_remediation
from chalicelib.remediation.repairs import MENDABLE
from chalicelib.remediation_settings import Mode


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan for one finding, the account that it is made for, and how far the settings let it go."""

    plan: Plan
    audit: Audit
    """What the control says, of the finding and nothing else."""
    snapshot: AccountSnapshot
    mode: Mode

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What it is made for."""
        return self.audit.findings


def plan_for(call: Call, stored: Stored) -> Planned:
    """Plan what mends a finding of the ledger. The account is read as the function reads it that would carry it out.

    Raises:
        Problem: the account cannot be read, or the finding is not there any more.
    """
    settings = call.hub.settings
    snapshot = read_whole(call, stored.account, [stored.user] if stored.user else [])
    audit = _of_one(snapshot, stored, call)
    if not audit.findings and not audit.not_evaluated:
        raise Problem(HTTPStatus.CONFLICT, "the finding is not there any more: there is nothing to mend", "gone")
    plan = plan_remediation(snapshot, audit.findings, settings)
    plan = limited(plan, snapshot, audit.findings, settings.remediation.max_users)
    return Planned(plan, audit, snapshot, settings.remediation.mode_of(stored.account, stored.control))


def _of_one(snapshot: AccountSnapshot, stored: Stored, call: Call) -> Audit:
    """What the finding's control says now of whom it is about, without what else it says."""
    controls = [one for one in CONTROLS if one.id == stored.control]
    audit = judge(snapshot, controls, [stored.user] if stored.user else None, call.hub.settings)
    found = [one for one in audit.findings if one.fingerprint == stored.fingerprint]
    if stored.control not in MENDABLE:
        # Why it is not mended is said whether it can be judged by what was read or not.
        found = found or [parse_finding(stored.account, stored.finding)]
    return replace(audit, findings=tuple(found))
