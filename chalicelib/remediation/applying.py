"""A step applied to a snapshot: the account as it will be. Pure.

What a user carries stands in no order in IAM: where a step adds to it, the names are sorted. Of what the step expects,
that is checked here on which its effect hangs; the digests are for whoever applies it to AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import reduce

from chalicelib.iam.account import (
    AccountSnapshot,
    Credential,
    CredentialKind,
    Group,
    ManagedPolicy,
    PolicyVersion,
    StoredPolicy,
    User,
)
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.statement import PolicyError
from chalicelib.remediation.step import Step, StepKind


class NotApplicableError(ValueError):
    """The snapshot is not as the step needs it; the message says what is not."""


def apply_steps(snapshot: AccountSnapshot, steps: Iterable[Step]) -> AccountSnapshot:
    """The account after all of the steps, one after the other.

    Raises:
        NotApplicableError: one of them cannot be taken.
    """
    return reduce(apply_step, steps, snapshot)


def apply_step(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    """The account after the step.

    Raises:
        NotApplicableError: it cannot be taken.
    """
    return _APPLY[step.kind](snapshot, step)


def stored(name: str, text: str) -> StoredPolicy:
    """A document as the account would hold it."""
    try:
        return StoredPolicy(name, parse_policy(text), None, text)
    except PolicyError as error:
        return StoredPolicy(name, None, error, text)


# --- what is there ---------------------------------------------------------------------------------------------------


def _sorted(policies: Iterable[StoredPolicy]) -> tuple[StoredPolicy, ...]:
    return tuple(sorted(policies, key=lambda one: one.name))


def _owner(snapshot: AccountSnapshot, step: Step) -> User | Group:
    """The user, or the group, that the step changes."""
    found: User | Group | None = (
        snapshot.users.get(step.user) if step.user is not None else snapshot.groups.get(step.group or "")
    )
    if found is None:
        raise NotApplicableError(f"there is no {step.target}")
    return found


def _user(snapshot: AccountSnapshot, step: Step) -> User:
    found = snapshot.users.get(step.user or "")
    if found is None:
        raise NotApplicableError(f"there is no {step.target}")
    return found


def _managed(snapshot: AccountSnapshot, step: Step) -> ManagedPolicy:
    found = snapshot.policies.get(step.policy or "")
    if found is None:
        raise NotApplicableError(f"there is no policy {step.policy}")
    return found


def _need(value: str | None, what: str) -> str:
    if value is None:
        raise NotApplicableError(f"the step names no {what}")
    return value


def _with(snapshot: AccountSnapshot, owner: User | Group) -> AccountSnapshot:
    if isinstance(owner, User):
        return replace(snapshot, users={**snapshot.users, owner.name: owner})
    return replace(snapshot, groups={**snapshot.groups, owner.name: owner})


def _added(names: tuple[str, ...], name: str, what: str) -> tuple[str, ...]:
    if name in names:
        raise NotApplicableError(f"{what} is there already")
    return tuple(sorted((*names, name)))


def _removed(names: tuple[str, ...], name: str, what: str) -> tuple[str, ...]:
    if name not in names:
        raise NotApplicableError(f"{what} is not there")
    return tuple(sorted(one for one in names if one != name))


# --- the kinds of step -----------------------------------------------------------------------------------------------


def _attach(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    owner, arn = _owner(snapshot, step), _managed(snapshot, step).arn
    attached = _added(owner.attached, arn, f"{arn} on {step.target}")
    return _with(snapshot, replace(owner, attached=attached))


def _detach(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    owner, arn = _owner(snapshot, step), _need(step.policy, "policy")
    attached = _removed(owner.attached, arn, f"{arn} on {step.target}")
    return _with(snapshot, replace(owner, attached=attached))


def _join(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    user, group = _user(snapshot, step), _need(step.group, "group")
    if group not in snapshot.groups:
        raise NotApplicableError(f"there is no group {group}")
    return _with(snapshot, replace(user, groups=_added(user.groups, group, f"{step.target} in group {group}")))


def _leave(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    user, group = _user(snapshot, step), _need(step.group, "group")
    return _with(snapshot, replace(user, groups=_removed(user.groups, group, f"{step.target} in group {group}")))


def _put(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    owner, name = _owner(snapshot, step), _need(step.policy, "policy")
    there = next((one.text for one in owner.inline if one.name == name), None)
    if there != step.before:
        raise NotApplicableError(f'the inline policy "{name}" of {step.target} is not what it was')
    others = (one for one in owner.inline if one.name != name)
    new = stored(name, _need(step.document, "document"))
    return _with(snapshot, replace(owner, inline=_sorted((*others, new))))


def _delete(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    owner, name = _owner(snapshot, step), _need(step.policy, "policy")
    if not any(one.name == name and one.text == step.document for one in owner.inline):
        raise NotApplicableError(f'the inline policy "{name}" of {step.target} is not what it was')
    return _with(snapshot, replace(owner, inline=_sorted(one for one in owner.inline if one.name != name)))


def _create_version(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    policy, version = _managed(snapshot, step), _need(step.version, "version")
    if any(one.id == version for one in policy.versions):
        raise NotApplicableError(f"version {version} of {policy.arn} is there already")
    new = PolicyVersion(version, _need(step.document, "document"))
    return _with_versions(snapshot, policy, (*policy.versions, new))


def _delete_version(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    policy, version = _managed(snapshot, step), _need(step.version, "version")
    if version == policy.version:
        raise NotApplicableError(f"{version} is the default version of {policy.arn}")
    left = tuple(one for one in policy.versions if one != PolicyVersion(version, step.document or ""))
    if len(left) == len(policy.versions):
        raise NotApplicableError(f"version {version} of {policy.arn} is not what it was")
    return _with_versions(snapshot, policy, left)


def _with_versions(
    snapshot: AccountSnapshot, policy: ManagedPolicy, versions: tuple[PolicyVersion, ...]
) -> AccountSnapshot:
    new = replace(policy, versions=tuple(sorted(versions, key=lambda one: one.number)))
    return replace(snapshot, policies={**snapshot.policies, policy.arn: new})


def _set_default(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    policy, version = _managed(snapshot, step), _need(step.version, "version")
    text = next((one.text for one in policy.versions if one.id == version), None)
    if text is None:
        raise NotApplicableError(f"there is no version {version} of {policy.arn}")
    new = replace(policy, version=version, stored=stored(policy.stored.name, text))
    return replace(snapshot, policies={**snapshot.policies, policy.arn: new})


def _bound(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    user, arn = _user(snapshot, step), _managed(snapshot, step).arn
    if user.boundary != step.before:
        raise NotApplicableError(f"the boundary of {step.target} is not what it was")
    return _with(snapshot, replace(user, boundary=arn))


def _unbound(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
    user = _user(snapshot, step)
    if user.boundary is None or user.boundary != step.policy:
        raise NotApplicableError(f"the boundary of {step.target} is not what it was")
    return _with(snapshot, replace(user, boundary=None))


def _switching(kind: CredentialKind, *, active: bool) -> Callable[[AccountSnapshot, Step], AccountSnapshot]:
    def switch(snapshot: AccountSnapshot, step: Step) -> AccountSnapshot:
        user, key = _user(snapshot, step), _need(step.key, "key")
        was, new = Credential(kind, key, not active), Credential(kind, key, active)
        if was not in user.credentials:
            raise NotApplicableError(f"the {kind} {key} of {step.target} is not what it was")
        credentials = tuple(new if one == was else one for one in user.credentials)
        return _with(snapshot, replace(user, credentials=credentials))

    return switch


_APPLY: Mapping[StepKind, Callable[[AccountSnapshot, Step], AccountSnapshot]] = {
    StepKind.ATTACH_USER_POLICY: _attach,
    StepKind.DETACH_USER_POLICY: _detach,
    StepKind.ATTACH_GROUP_POLICY: _attach,
    StepKind.DETACH_GROUP_POLICY: _detach,
    StepKind.ADD_USER_TO_GROUP: _join,
    StepKind.REMOVE_USER_FROM_GROUP: _leave,
    StepKind.PUT_USER_POLICY: _put,
    StepKind.DELETE_USER_POLICY: _delete,
    StepKind.PUT_GROUP_POLICY: _put,
    StepKind.DELETE_GROUP_POLICY: _delete,
    StepKind.CREATE_POLICY_VERSION: _create_version,
    StepKind.DELETE_POLICY_VERSION: _delete_version,
    StepKind.SET_DEFAULT_POLICY_VERSION: _set_default,
    StepKind.PUT_USER_BOUNDARY: _bound,
    StepKind.DELETE_USER_BOUNDARY: _unbound,
    StepKind.DEACTIVATE_ACCESS_KEY: _switching(CredentialKind.ACCESS_KEY, active=False),
    StepKind.ACTIVATE_ACCESS_KEY: _switching(CredentialKind.ACCESS_KEY, active=True),
    StepKind.DEACTIVATE_SSH_KEY: _switching(CredentialKind.SSH_KEY, active=False),
    StepKind.ACTIVATE_SSH_KEY: _switching(CredentialKind.SSH_KEY, active=True),
}
