"""From findings to a plan: what to do, in which order, and what not to do and why. Pure.

Each finding is mended by the first repair that is proved on the account as the steps before it leave it. What cannot be
proved is refused with the reason; what is not ours to write gets a proposal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.config import Settings
from chalicelib.controls import canonical_policy_drift
from chalicelib.findings import Finding, Severity, Status
from chalicelib.iam.account import AccountSnapshot, CredentialKind, Read
from chalicelib.remediation.planned import Loss, Proposal, Refusal, refusal_of
from chalicelib.remediation.planned import Plan as Plan
from chalicelib.remediation.planned import parse_plan as parse_plan
from chalicelib.remediation.proof import Proof, prove
from chalicelib.remediation.repairs import Proposed, Repair, repairs_of
from chalicelib.remediation.stage import Stage
from chalicelib.remediation.step import Step

ORDER = ("canonical-policy-drift", "canonical-policy-missing", "mfa-not-enforced")
"""What is mended first: a policy before it is attached, and what asks for MFA before the exemptions from it."""

_HANGS_ON = frozenset({CredentialKind.PASSWORD, CredentialKind.ACCESS_KEY})
"""The credentials without which nobody can say whom a repair would cut off."""


def plan_remediation(snapshot: AccountSnapshot, findings: Iterable[Finding], settings: Settings) -> Plan:
    """What to do about the findings, which are those of an audit of this snapshot with these settings."""
    return _Planning(snapshot, settings).plan(sorted(findings, key=_order))


def _order(finding: Finding) -> tuple[int, tuple[int, str, str, str]]:
    place = ORDER.index(finding.control) if finding.control in ORDER else len(ORDER)
    return place, finding.order


class _Planning:
    """A plan while it is made; `stage` is the account after the steps so far."""

    def __init__(self, snapshot: AccountSnapshot, settings: Settings) -> None:
        self.snapshot = snapshot
        self.stage = Stage(snapshot, settings)
        self.steps: list[Step] = []
        self.refusals: list[Refusal] = []
        self.proposals: list[Proposal] = []
        self.losses: dict[Loss, None] = {}
        self.mended: set[str] = set()

    def plan(self, findings: list[Finding]) -> Plan:
        """The plan for the findings, in their order."""
        asked = {finding.fingerprint for finding in findings}
        open_to: list[Finding] = []
        for finding in findings:
            if reason := _why_not(self.stage, finding):
                self.refusals.append(refusal_of(finding, reason))
            else:
                open_to.append(finding)
        # All together, since users with the same policies share a search.
        users = dict.fromkeys(finding.user for finding in open_to if finding.user is not None)
        there = self.stage.verdicts(users).findings
        for finding in open_to:
            if finding.fingerprint not in there:
                self.refusals.append(refusal_of(finding, "it is not there in the state that the plan is made for"))
            elif finding.fingerprint not in self.mended:
                self._mend(finding, asked)
        return Plan(
            account=self.snapshot.account,
            taken=self.snapshot.taken,
            steps=tuple(self.steps),
            # What a later repair mended as well is mended.
            refusals=tuple(one for one in self.refusals if one.finding not in self.mended),
            proposals=tuple(one for one in self.proposals if one.finding not in self.mended),
            losses=tuple(self.losses),
        )

    def _mend(self, finding: Finding, asked: set[str]) -> None:
        reasons: dict[str, None] = {}
        losses: dict[Loss, None] = {}
        proposals: list[Proposal] = []
        for option in repairs_of(self.stage, finding):
            if isinstance(option, Proposed):
                proposals.append(
                    Proposal(
                        finding.fingerprint,
                        finding.control,
                        finding.user,
                        option.policy,
                        option.document,
                        option.changes,
                    )
                )
            elif isinstance(option, str):
                reasons[option] = None
            else:
                proof = prove(self.stage, option.steps, finding)
                if proof.after is not None:
                    self._take(option, proof, proof.after, asked)
                    return
                reasons[proof.reason] = None
                losses.update(dict.fromkeys(proof.losses))
        self.losses |= losses
        self.proposals += proposals
        if proposals:
            reasons["the policy is not ours to write: see the proposal"] = None
        self.refusals.append(refusal_of(finding, "; ".join(reasons) or "there is nothing to do about it"))

    def _take(self, repair: Repair, proof: Proof, after: Stage, asked: set[str]) -> None:
        mended = tuple(sorted(proof.mended & asked))
        self.mended |= proof.mended
        self.steps += [replace(step, findings=mended) for step in repair.steps]
        self.stage = after


# --- what is never tried ---------------------------------------------------------------------------------------------


def _why_not(stage: Stage, finding: Finding) -> str:
    """Why nothing is tried for a finding, in words; empty where something may be."""
    snapshot = stage.snapshot
    if finding.account != snapshot.account:
        return f"it is of account {finding.account}"
    if finding.status is not Status.OPEN:
        return f"it is {finding.status}"
    if Read.AUTHORIZATION_DETAILS not in snapshot.reads:
        return f"the account's policies were not read ({Read.AUTHORIZATION_DETAILS})"
    if finding.uncertain:
        return f"it is uncertain: {'; '.join(finding.uncertain)}"
    if finding.severity is Severity.INFO and "accepted" in finding.evidence:
        return f"it is accepted: {finding.evidence['accepted']}"
    for gap in snapshot.gaps:
        if gap.read is Read.AUTHORIZATION_DETAILS and gap.subject in ("", finding.user, finding.resource):
            return f"it lies in a gap: {gap.read} ({gap.reason})"
    if finding.user is None:
        return "" if finding.control == canonical_policy_drift.CONTROL.id else _about_account(stage, finding)
    return _why_not_of(stage, finding.user)


def _about_account(stage: Stage, finding: Finding) -> str:
    """Why nothing is done about the account as a whole but for its canonical policies."""
    return "; ".join(option for option in repairs_of(stage, finding) if isinstance(option, str))


def _why_not_of(stage: Stage, name: str) -> str:
    """Why nothing is tried for a user."""
    user = stage.snapshot.users.get(name)
    if user is None:
        return f"there is no user {name} in the state that the plan is made for"
    if stage.settings.is_break_glass(name):
        return "a break-glass user is never touched"
    if missing := stage.snapshot.policies_of(user).missing:
        return f"it lies in a gap: {', '.join(missing)} was not read"
    if not user.policies_read:
        return "the user's policies were not read"
    if user.mfa is None:
        return "nobody could say whether the user has an MFA device"
    if unread := sorted(map(str, user.unread & _HANGS_ON)):
        return f"not read whether the user has an active {' or '.join(unread)}"
    return ""
