"""What is proved of steps before they are offered.

On the account as it will be, judged by the controls, the findings are gone and none is new or graver; nothing is
allowed without MFA that was not before; whatever anybody could do with MFA is still possible; and nobody is cut off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from chalicelib.analysis.administrator import SESSION
from chalicelib.analysis.cells import Caller
from chalicelib.analysis.differences import WITH_MFA, Difference
from chalicelib.analysis.origins import DIRECT, GIT_SERVICE, SERVICES, VIA_SERVICE
from chalicelib.analysis.scopes import ENROLMENT, GIT_KEYS, HARMLESS
from chalicelib.controls import mfa_not_enforced
from chalicelib.findings import Finding, Severity
from chalicelib.iam.account import AccountSnapshot, Role
from chalicelib.iam.patterns import ActionPatterns, fold
from chalicelib.iam.request import Request
from chalicelib.remediation.applying import NotApplicableError, apply_steps
from chalicelib.remediation.people import cut_off
from chalicelib.remediation.planned import Loss
from chalicelib.remediation.stage import Stage, Verdicts
from chalicelib.remediation.step import Step

_ENROLLING = frozenset(map(fold, (*ENROLMENT, *HARMLESS, *SESSION)))


@dataclass(frozen=True, slots=True)
class Proof:
    """The account after the steps and the findings that are gone then; or why the steps must not be taken."""

    after: Stage | None = None
    mended: frozenset[str] = frozenset()
    reason: str = ""
    losses: tuple[Loss, ...] = ()


def prove(before: Stage, steps: Sequence[Step], aim: Finding) -> Proof:
    """What comes of the steps, which are there to mend a finding."""
    try:
        snapshot = apply_steps(before.snapshot, steps)
    except NotApplicableError as error:
        return Proof(reason=str(error))
    if role := _role_touched(before.snapshot, snapshot):
        return Proof(reason=f"role {role.name} carries the policy, and roles are never touched")
    names = touched(before.snapshot, snapshot)
    if reason := _not_evaluable(before.snapshot, snapshot, names):
        return Proof(reason=reason)
    losses = list(_losses(before.snapshot, snapshot, names))
    if any(isinstance(loss, Loss) for loss in losses):
        found = tuple(loss for loss in losses if isinstance(loss, Loss))
        told = ", ".join(f"{loss.action} on {loss.resource} ({loss.user})" for loss in found[:3])
        return Proof(reason=f"it would take away what is possible with MFA: {told}", losses=found)
    doubts = (*(loss for loss in losses if isinstance(loss, str)), *_widened(before.snapshot, snapshot, names))
    if reason := next(iter(doubts), "") or cut_off(before.snapshot, snapshot, names, before.settings):
        return Proof(reason=reason)
    return _judged(before, before.after(snapshot, names), names, aim)


def touched(before: AccountSnapshot, after: AccountSnapshot) -> tuple[str, ...]:
    """The names of the users whose policies or credentials are others."""
    policies = _other_policies(before, after)
    groups = {
        name
        for name, group in after.groups.items()
        if before.groups.get(name) is not group or not policies.isdisjoint(group.attached)
    }
    return tuple(
        name
        for name, user in after.users.items()
        if before.users.get(name) is not user
        or not policies.isdisjoint((*user.attached, user.boundary))
        or not groups.isdisjoint(user.groups)
    )


def _other_policies(before: AccountSnapshot, after: AccountSnapshot) -> set[str]:
    """The managed policies whose default version says something else."""
    return {arn for arn, policy in after.policies.items() if before.policies[arn].stored is not policy.stored}


def _role_touched(before: AccountSnapshot, after: AccountSnapshot) -> Role | None:
    policies = _other_policies(before, after)
    return next(
        (role for role in after.roles.values() if not policies.isdisjoint((*role.attached, role.boundary))), None
    )


def _not_evaluable(before: AccountSnapshot, after: AccountSnapshot, names: Iterable[str]) -> str:
    """Whose policies cannot be compared, in words; empty where all can."""
    for name in names:
        for found in (before.policies_of(before.users[name]), after.policies_of(after.users[name])):
            if found.missing or not before.users[name].policies_read:
                return f"what {name} carries was not read: {', '.join(found.missing)}"
            if found.broken:
                return found.broken[0].complaint
    return ""


# --- surfaces --------------------------------------------------------------------------------------------------------


def _losses(before: AccountSnapshot, after: AccountSnapshot, names: Iterable[str]) -> Iterator[Loss | str]:
    """What is possible with MFA before and not after; or that this could not be told."""
    for name in names:
        missed = _compared(before, after, name).missed((WITH_MFA,))
        yield from (Loss(name, request.name, request.resource) for request in missed.requests)
        if missed.untried:
            yield f"not all that {name} can do with MFA could be compared: {missed.untried}"


def _widened(before: AccountSnapshot, after: AccountSnapshot, names: Iterable[str]) -> Iterator[str]:
    """What is allowed without MFA after and not before, in words; or that this could not be told."""
    for name in names:
        missed = _compared(after, before, name).missed((*DIRECT, SERVICES), but=partial(_may_be_opened, name))
        for request in missed.requests:
            yield f"it would open {request.name} on {request.resource} to {name} without MFA"
        if missed.untried:
            yield f"not all that {name} can do without MFA could be compared: {missed.untried}"


def _may_be_opened(name: str, request: Request) -> bool:
    """Whether the request is one that a user's first MFA device takes, for themselves; or one that is never made.

    No two users have one name, whatever their paths. Of KMS CodeCommit asks what Git needs, and nothing else.
    """
    if str(request.context.get(VIA_SERVICE, "")).startswith(f"{GIT_SERVICE}."):
        return not ActionPatterns(GIT_KEYS).matches(request.action)
    kind, _, path = request.resource.rpartition(":")[2].partition("/")
    own = kind in ("*", "mfa") or (kind == "user" and path.rpartition("/")[2] == name)
    return request.action in _ENROLLING and own


def _compared(one: AccountSnapshot, other: AccountSnapshot, name: str) -> Difference:
    user = one.users[name]
    return Difference(Caller(one, user), one.policies_of(user).policies, other.policies_of(other.users[name]).policies)


# --- findings --------------------------------------------------------------------------------------------------------


def _judged(before: Stage, after: Stage, names: Collection[str], aim: Finding) -> Proof:
    users = dict.fromkeys((*names, *([aim.user] if aim.user else [])))
    was, will_be = before.verdicts(users), after.verdicts(users)
    if aim.fingerprint in will_be.findings or not will_be.has_judged(aim.control, aim.user):
        still = will_be.findings.get(aim.fingerprint)
        told = f": {still.evidence['summary']}" if still and "summary" in still.evidence else ""
        return Proof(reason=f"the finding would still be there{told}")
    gone = {
        key: one
        for key, one in was.findings.items()
        if key not in will_be.findings and will_be.has_judged(one.control, one.user)
    }
    for finding in will_be.findings.values():
        if reason := _why_worse(finding, was, gone):
            return Proof(reason=reason)
    return Proof(after, frozenset(gone))


def _why_worse(finding: Finding, was: Verdicts, gone: dict[str, Finding]) -> str:
    """Why the finding makes the account worse than it was; empty where it does not."""
    same = was.findings.get(finding.fingerprint)
    whose = f" of {finding.user}" if finding.user else ""
    if same is not None:
        graver = finding.severity.rank > same.severity.rank
        return f"{finding.control}{whose} would become {finding.severity}" if graver else ""
    if "accepted" in finding.evidence or _was_said_before(finding, gone) or _is_enrolment(finding):
        return ""
    return f"{finding.control}{whose} would be new"


def _was_said_before(finding: Finding, gone: dict[str, Finding]) -> bool:
    """Whether a finding that is gone said it: where nothing asks for MFA, one finding says so for all."""
    return finding.control in mfa_not_enforced.ALONE and any(
        one.control == mfa_not_enforced.CONTROL.id
        and one.user == finding.user
        and one.severity.rank >= finding.severity.rank
        for one in gone.values()
    )


def _is_enrolment(finding: Finding) -> bool:
    """Whether it says no more than that a user can enrol an MFA device, which is how one gets MFA."""
    return finding.control == "mfa-self-takeover" and finding.severity is Severity.LOW
