"""How a finding could be mended: the steps to try, in order of preference, and why there are no others. Pure.

Nothing here is proved: `proof` says which of the repairs holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from chalicelib.config import CanonicalPolicy
from chalicelib.controls import canonical_policy_missing
from chalicelib.controls.canonical_policy_drift import drift_of, form_of
from chalicelib.controls.canonical_policy_missing import carries
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot, CredentialKind, Group, ManagedPolicy, User
from chalicelib.iam.details import OF_AWS
from chalicelib.iam.policy import PolicyDocument, parse_policy
from chalicelib.iam.statement import PolicyError
from chalicelib.remediation.building import add_to_group, attach, deactivate, put_inline, rewrite, set_default
from chalicelib.remediation.loose import Tight, tightened
from chalicelib.remediation.quotas import too_much
from chalicelib.remediation.stage import Stage
from chalicelib.remediation.step import Step


@dataclass(frozen=True, slots=True)
class Repair:
    """Steps that are taken together or not at all."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A document for a policy that is not ours."""

    policy: str
    document: str
    changes: tuple[str, ...]


Option = Repair | Proposed | str
"""A repair, a proposal, or why something is no repair."""


def repairs_of(stage: Stage, finding: Finding) -> Iterator[Option]:
    """The repairs to try for a finding, the best first."""
    find = _REPAIRS.get(finding.control)
    if find is None:
        yield _BEYOND.get(finding.control, _FOR_A_PERSON)
        return
    for option in find(stage, finding):
        reason = too_much(stage.snapshot, option.steps) if isinstance(option, Repair) else ""
        yield reason or option


_MISSING = canonical_policy_missing.CONTROL.id

# --- the canonical policy --------------------------------------------------------------------------------------------


def _missing(stage: Stage, finding: Finding) -> Iterator[Option]:
    user = stage.snapshot.users[finding.user or ""]
    wanted = [one for one in stage.settings.canonical_for(user.name) if one.name == finding.distinction]
    if not wanted:
        yield f"the settings do not want {user.name} to carry {finding.distinction}"
    for one in wanted:
        yield from _carrying(stage, user, one)


def _not_enforced(stage: Stage, finding: Finding) -> Iterator[Option]:
    user = stage.snapshot.users[finding.user or ""]
    wanted = stage.settings.canonical_for(user.name)
    for one in wanted:
        if carries(stage.snapshot, user, one):
            yield from _drifted(stage.snapshot, one)
        elif accepted := stage.settings.accepts(_MISSING, user.name, None, stage.snapshot.taken.date()):
            yield f"it is accepted that {user.name} does not carry {one.name}: {accepted.reason}"
        else:
            yield from _carrying(stage, user, one)
    if not wanted:
        yield f"the settings name no canonical policy for {user.name}"
    yield from _loose(stage, finding)


def _drifted(snapshot: AccountSnapshot, wanted: CanonicalPolicy) -> Iterator[str]:
    if reason := _not_canonical(snapshot, wanted):
        yield f"{wanted.name}, which the user carries, is to be mended first: {reason}"


def _carrying(stage: Stage, user: User, wanted: CanonicalPolicy) -> Iterator[Option]:
    """The user carries the policy: by the canonical group, attached, or inline."""
    snapshot = stage.snapshot
    if reason := _not_canonical(snapshot, wanted):
        yield f"{wanted.name} is not what it should be: {reason}"
        return
    group = snapshot.groups.get(stage.settings.remediation.group or "")
    if group is not None and group.name not in user.groups and _group_carries(group, wanted):
        told = f"{user.name} is to carry {wanted.name}, and is not in group {group.name}, which does"
        yield Repair((add_to_group(snapshot, user, group, told),))
    if group is not None and group.name in user.groups:
        yield from _held_by(stage, group, wanted)
    yield from _held_by(stage, user, wanted)


def _held_by(stage: Stage, owner: User | Group, wanted: CanonicalPolicy) -> Iterator[Option]:
    """The policy attached to a user or a group that lacks it, or put there where it is an inline policy."""
    told = f"{owner.name} is to carry {wanted.name}, and does not"
    if managed := _managed(stage.snapshot, wanted):
        yield Repair((attach(owner, managed, told),))
    elif wanted.name.startswith("arn:") or not _is_inline(stage, wanted):
        yield f"there is no managed policy {wanted.name} to attach"
    elif wanted.expected is None:
        yield f"the settings do not say what {wanted.name} says"
    else:
        yield Repair((put_inline(owner, wanted.name, _text(wanted.expected), told),))


def _is_inline(stage: Stage, wanted: CanonicalPolicy) -> bool:
    """Whether the canonical policy is put into users and groups: somebody has it so, or the settings say so."""
    owners: tuple[User | Group, ...] = (*stage.snapshot.users.values(), *stage.snapshot.groups.values())
    return stage.settings.remediation.inline or any(one.name == wanted.name for owner in owners for one in owner.inline)


def _managed(snapshot: AccountSnapshot, wanted: CanonicalPolicy) -> ManagedPolicy | None:
    return next((policy for arn, policy in snapshot.policies.items() if wanted.names(arn)), None)


def _group_carries(group: Group, wanted: CanonicalPolicy) -> bool:
    return any(map(wanted.names, group.attached)) or any(one.name == wanted.name for one in group.inline)


def _not_canonical(snapshot: AccountSnapshot, wanted: CanonicalPolicy) -> str:
    """Why the managed policy is not the canonical one, in words; empty where it is, or where there is none."""
    managed = _managed(snapshot, wanted)
    return "; ".join(drift_of(wanted, managed, managed.stored)) if managed else ""


def _drift(stage: Stage, finding: Finding) -> Iterator[Option]:
    """The canonical document again: in the version that says it, or in a new one."""
    wanted = next((one for one in stage.settings.canonical if one.name == finding.distinction), None)
    if wanted is None:
        yield f"the settings do not name {finding.distinction}"
        return
    told = f"{wanted.name} is not the canonical policy any more"
    managed = stage.snapshot.policies.get(finding.resource)
    if managed is not None:
        yield from _managed_again(managed, wanted, told)
        return
    owner = _owner_of(stage.snapshot, finding.resource)
    if owner is None:
        if wanted.expected is not None:
            yield Proposed(finding.resource, _text(wanted.expected), (f"{wanted.name} is to be created",))
        yield f"{wanted.name} does not exist in the account: who made it is to make it again"
    elif wanted.expected is not None:
        yield Repair((put_inline(owner, wanted.name, _text(wanted.expected), told),))


def _managed_again(managed: ManagedPolicy, wanted: CanonicalPolicy, told: str) -> Iterator[Option]:
    if OF_AWS in managed.arn:
        yield f"{managed.arn} is AWS's own: nobody else can change it"
        return
    versions = [one for one in managed.versions if wanted.version in (None, one.id)]
    for version in reversed(versions):
        if wanted.expected is None or _says(version.text, wanted.expected):
            if version.id != managed.version:
                yield Repair((set_default(managed, version.id, version.text, told),))
            return
    if wanted.version is not None:
        yield f"version {wanted.version}, which the settings want, does not say what it should, or is gone"
    elif wanted.expected is not None:
        yield Repair(tuple(rewrite(managed, _text(wanted.expected), told)))


def _says(text: str, expected: PolicyDocument) -> bool:
    try:
        return form_of(parse_policy(text)) == form_of(expected)
    except PolicyError:
        return False


def _owner_of(snapshot: AccountSnapshot, arn: str) -> User | Group | None:
    owners: tuple[User | Group, ...] = (*snapshot.groups.values(), *snapshot.users.values())
    return next((owner for owner in owners if owner.arn == arn), None)


def _text(document: PolicyDocument) -> str:
    return json.dumps(document.to_json())


# --- loose policies --------------------------------------------------------------------------------------------------


def _loose(stage: Stage, finding: Finding) -> Iterator[Option]:
    """The policies of the user that ask for MFA and let too much pass, each in its tight form."""
    user = stage.snapshot.users[finding.user or ""]
    found = False
    for option in tightened(stage.snapshot, user, finding):
        found = True
        if isinstance(option, str):
            yield option
        elif any(one.expected is not None or one.version is not None for one in _canonical(stage, option)):
            yield f"{option.name} is to say what the settings want it to, and nothing else"
        elif _is_ours(stage, option):
            yield Repair(tuple(_rewritten(option)))
        else:
            yield Proposed(option.name, option.document, option.changes)
    if not found:
        yield "no policy of the user asks for MFA and could be made tight"


def _is_ours(stage: Stage, tight: Tight) -> bool:
    """Whether the policy is ours to write: a canonical one, or one that the settings name as owned."""
    if isinstance(tight.owner, ManagedPolicy) and OF_AWS in tight.policy:
        return False
    return stage.settings.remediation.owns(tight.policy) or any(_canonical(stage, tight))


def _canonical(stage: Stage, tight: Tight) -> Iterator[CanonicalPolicy]:
    """The canonical policies that it is."""
    for one in stage.settings.canonical:
        if one.names(tight.policy) if isinstance(tight.owner, ManagedPolicy) else one.name == tight.policy:
            yield one


def _rewritten(tight: Tight) -> Iterator[Step]:
    told = "; ".join(tight.changes)
    if isinstance(tight.owner, ManagedPolicy):
        yield from rewrite(tight.owner, tight.document, told)
    else:
        yield put_inline(tight.owner, tight.policy, tight.document, told)


# --- keys ------------------------------------------------------------------------------------------------------------


def _keys(stage: Stage, finding: Finding) -> Iterator[Option]:
    user = stage.snapshot.users[finding.user or ""]
    active = [one for one in user.credentials if one.active]
    if not stage.settings.remediation.deactivate_keys:
        yield "a device is enrolled by its owner alone, and the settings do not let keys be deactivated"
        return
    for kind in (CredentialKind.PASSWORD, CredentialKind.GIT_CREDENTIAL):
        if any(one.kind is kind for one in active):
            yield f"the user's {kind} is not taken away"
            return
    if user.unread:
        yield f"not read: {', '.join(sorted(map(str, user.unread)))}"
        return
    if any(len(one.id) < _SHORTEST_ID for one in active):
        yield "the ids of the user's keys were not read"
        return
    told = f"{user.name} has no MFA device"
    yield Repair(tuple(deactivate(user, one, told) for one in active))


_SHORTEST_ID = 4
"""Characters of an id at least; the credential report numbers the keys instead."""

_REPAIRS: Mapping[str, Callable[[Stage, Finding], Iterator[Option]]] = {
    "canonical-policy-missing": _missing,
    "canonical-policy-drift": _drift,
    "mfa-not-enforced": _not_enforced,
    "codecommit-exemption-too-broad": _loose,
    "kms-exception-any-service": _loose,
    "kms-exception-direct": _loose,
    "kms-exception-admin": _loose,
    "user-without-mfa": _keys,
}
MENDABLE = frozenset(_REPAIRS)
"""The controls whose findings there are repairs for."""
_FOR_A_PERSON = "it is for a person to mend"
_BEYOND: Mapping[str, str] = {
    "root-without-mfa": "the root user is never touched",
    "root-access-key": "the root user is never touched",
    "role-assumable-without-mfa": "roles are never touched",
    "codecommit-exemption": "whether Git is to work without MFA is for a person to say",
    "git-blocked-by-kms": "whether Git is to work without MFA is for a person to say",
    "git-operation-without-mfa": "it tells of what was done, which nothing undoes",
    "mfa-self-takeover": "which of the exemptions are needed is for a person to say",
    "policy-not-evaluable": "what the document is meant to say is for a person to say",
    "auditing-switched-off": "who switched it off is to switch it on again",
}
