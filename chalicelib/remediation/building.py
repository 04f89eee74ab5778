"""Steps made from what a snapshot shows, each with what it is conditional on. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from chalicelib.iam.account import (
    AccountSnapshot,
    Credential,
    CredentialKind,
    Group,
    ManagedPolicy,
    PolicyVersion,
    User,
)
from chalicelib.remediation.step import ABSENT, Step, StepKind, digest_of

MOST_VERSIONS = 5
"""Versions of a managed policy that IAM keeps (IAM User Guide, "IAM and AWS STS quotas")."""


def attach(owner: User | Group, policy: ManagedPolicy, reason: str) -> Step:
    """The policy attached to a user or a group."""
    of_user = isinstance(owner, User)
    return Step(
        StepKind.ATTACH_USER_POLICY if of_user else StepKind.ATTACH_GROUP_POLICY,
        user=owner.name if of_user else None,
        group=None if of_user else owner.name,
        policy=policy.arn,
        reason=reason,
        effect=f"{owner.name} carries {policy.arn}" if of_user else f"the members of {owner.name} carry {policy.arn}",
        expected={"attachment": ABSENT, **_default_of(policy)},
    )


def add_to_group(snapshot: AccountSnapshot, user: User, group: Group, reason: str) -> Step:
    """The user in the group."""
    return Step(
        StepKind.ADD_USER_TO_GROUP,
        user=user.name,
        group=group.name,
        reason=reason,
        effect=f"{user.name} carries what group {group.name} carries",
        expected={"membership": ABSENT, "carries": carried_by(snapshot, group)},
    )


def put_inline(owner: User | Group, name: str, document: str, reason: str) -> Step:
    """The inline policy with that document, in the place of what it says now or new."""
    before = next((one.text for one in owner.inline if one.name == name), None)
    of_user = isinstance(owner, User)
    whose = f"user {owner.name}" if of_user else f"group {owner.name}"
    return Step(
        StepKind.PUT_USER_POLICY if of_user else StepKind.PUT_GROUP_POLICY,
        user=owner.name if of_user else None,
        group=None if of_user else owner.name,
        policy=name,
        document=document,
        before=before,
        reason=reason,
        effect=f'the inline policy "{name}" of {whose} says what it should',
        expected={"document": ABSENT if before is None else digest_of(before)},
    )


def set_default(policy: ManagedPolicy, version: str, document: str, reason: str) -> Step:
    """The version, which says that, as the default one."""
    return Step(
        StepKind.SET_DEFAULT_POLICY_VERSION,
        policy=policy.arn,
        version=version,
        reason=reason,
        effect=f"{version} is the default version of {policy.arn}",
        expected={**_default_of(policy), "document": digest_of(document)},
    )


def rewrite(policy: ManagedPolicy, document: str, reason: str) -> Iterator[Step]:
    """The document as a new default version; where there are five, the oldest that is not the default one goes."""
    versions = list(policy.versions)
    if len(versions) >= MOST_VERSIONS:
        oldest = next(one for one in versions if one.id != policy.version)
        yield Step(
            StepKind.DELETE_POLICY_VERSION,
            policy=policy.arn,
            version=oldest.id,
            document=oldest.text,
            reason=f"IAM keeps {MOST_VERSIONS} versions of a policy: {oldest.id} is the oldest but the default one",
            effect=f"there is room for a new version of {policy.arn}; this plan keeps what {oldest.id} said",
            expected={"document": digest_of(oldest.text), **_versions_of(versions), **_default_of(policy)},
        )
        versions.remove(oldest)
    number = max((one.number for one in policy.versions), default=0) + 1
    new = f"v{number}"
    yield Step(
        StepKind.CREATE_POLICY_VERSION,
        policy=policy.arn,
        version=new,
        document=document,
        reason=reason,
        effect=f"{policy.arn} has a version that says what it should",
        expected={**_versions_of(versions), **_default_of(policy)},
    )
    yield set_default(policy, new, document, reason)


def deactivate(user: User, credential: Credential, reason: str) -> Step:
    """The access key, or the SSH key, made inactive."""
    of_ssh = credential.kind is CredentialKind.SSH_KEY
    return Step(
        StepKind.DEACTIVATE_SSH_KEY if of_ssh else StepKind.DEACTIVATE_ACCESS_KEY,
        user=user.name,
        key=credential.id,
        reason=reason,
        effect=f"the {credential.kind} {credential.id} of {user.name} makes no requests",
        expected={"status": "Active"},
    )


def carried_by(snapshot: AccountSnapshot, group: Group) -> str:
    """Names all that a group's members inherit: its inline policies and the default versions of those attached."""
    return carrying(
        ((arn, digest_of(_text_of(snapshot, arn))) for arn in group.attached),
        ((one.name, digest_of(one.text)) for one in group.inline),
    )


def carrying(attached: Iterable[tuple[str, str]], inline: Iterable[tuple[str, str]]) -> str:
    """Names what a group carries: ARN and digest of what is attached, name and digest of what is inline."""
    return digest_of(json.dumps([sorted(attached), sorted(inline)]))


def _text_of(snapshot: AccountSnapshot, arn: str) -> str:
    policy = snapshot.policies.get(arn)
    return policy.stored.text if policy else ""


def _default_of(policy: ManagedPolicy) -> dict[str, str]:
    return {"default": policy.version, "default_document": digest_of(policy.stored.text)}


def _versions_of(versions: Iterable[PolicyVersion]) -> dict[str, str]:
    return {"versions": " ".join(one.id for one in versions)}
