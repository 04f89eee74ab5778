"""Accounts and steps that can be taken in them, drawn for searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from chalicelib.iam.account import AccountSnapshot, CredentialKind, Group, User
from chalicelib.iam.exports import Exports
from chalicelib.remediation.building import attach, deactivate, put_inline, rewrite, set_default
from chalicelib.remediation.step import ABSENT, PRESENT, Step, StepKind, digest_of
from tests.accounts.build import ADMIN, GUARD, Person, exports, group, managed
from tests.remediation.accounts import LOOSE, WORK

DOCUMENTS = st.sampled_from([ADMIN, GUARD, LOOSE, WORK])
NAMES = ("one", "two", "three")
SOME = st.lists(st.sampled_from(NAMES), unique=True)


@st.composite
def policies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Three managed policies with one to five versions each."""
    found = []
    for name in NAMES:
        versions = draw(st.lists(DOCUMENTS, min_size=1, max_size=5))
        found.append(managed(name, *versions, default=draw(st.integers(1, len(versions)))))
    return found


@st.composite
def accounts(draw: st.DrawFn) -> Exports:
    """Two people and two groups that carry some of three policies, and inline ones."""
    people = [
        Person(
            name,
            inline=draw(st.lists(DOCUMENTS, max_size=2)),
            attached=draw(SOME),
            groups=draw(st.lists(st.sampled_from(["staff", "night"]), unique=True)),
            boundary=draw(st.sampled_from(["", *NAMES])),
            ssh_keys=draw(st.lists(st.sampled_from(["Active", "Inactive"]), max_size=2)),
        )
        for name in ("alice", "bob")
    ]
    groups = [group(name, *draw(st.lists(DOCUMENTS, max_size=2)), attached=draw(SOME)) for name in ("staff", "night")]
    return exports(*people, groups=groups, policies=draw(policies()))


def steps_in(snapshot: AccountSnapshot, text: str) -> list[Step]:
    """Every step that can be taken in the account, with that text as the document that is written."""
    owners: list[User | Group] = [*snapshot.users.values(), *snapshot.groups.values()]
    found = [step for owner in owners for step in (*_attaching(snapshot, owner), *_inline(owner, text))]
    for user in snapshot.users.values():
        found += [*_joining(snapshot, user), *_bounding(snapshot, user), *_keys(user)]
    for policy in snapshot.policies.values():
        others = [one for one in policy.versions if one.id != policy.version]
        found += [set_default(policy, one.id, one.text, "") for one in others]
        found += list(rewrite(policy, text, ""))[:1]
        found += [
            Step(StepKind.DELETE_POLICY_VERSION, policy=policy.arn, version=one.id, document=one.text) for one in others
        ]
    return found


def _named(owner: User | Group) -> dict[str, Any]:
    return {"user": owner.name} if isinstance(owner, User) else {"group": owner.name}


def _attaching(snapshot: AccountSnapshot, owner: User | Group) -> list[Step]:
    away = StepKind.DETACH_USER_POLICY if isinstance(owner, User) else StepKind.DETACH_GROUP_POLICY
    return [
        Step(away, **_named(owner), policy=arn, expected={"attachment": PRESENT})
        if arn in owner.attached
        else attach(owner, policy, "")
        for arn, policy in snapshot.policies.items()
    ]


def _inline(owner: User | Group, text: str) -> list[Step]:
    gone = StepKind.DELETE_USER_POLICY if isinstance(owner, User) else StepKind.DELETE_GROUP_POLICY
    deleting = [
        Step(gone, **_named(owner), policy=one.name, document=one.text, expected={"document": digest_of(one.text)})
        for one in owner.inline
    ]
    return [put_inline(owner, name, text, "") for name in ("inline-0", "new")] + deleting


def _joining(snapshot: AccountSnapshot, user: User) -> list[Step]:
    return [
        Step(StepKind.REMOVE_USER_FROM_GROUP, user=user.name, group=name, expected={"membership": PRESENT})
        if name in user.groups
        else Step(StepKind.ADD_USER_TO_GROUP, user=user.name, group=name, expected={"membership": ABSENT})
        for name in snapshot.groups
    ]


def _bounding(snapshot: AccountSnapshot, user: User) -> list[Step]:
    seen: Mapping[str, str] = {"boundary": user.boundary or ABSENT}
    put = [
        Step(StepKind.PUT_USER_BOUNDARY, user=user.name, policy=arn, before=user.boundary, expected=seen)
        for arn in snapshot.policies
    ]
    gone = Step(StepKind.DELETE_USER_BOUNDARY, user=user.name, policy=user.boundary, expected=seen)
    return [*put, *([gone] if user.boundary else [])]


def _keys(user: User) -> list[Step]:
    found = []
    for one in user.credentials:
        if one.kind in (CredentialKind.ACCESS_KEY, CredentialKind.SSH_KEY):
            step = deactivate(user, one, "")
            found.append(step if one.active else step.inverse())
    return found
