"""An account in which everybody is asked for MFA in one of several ways, and what somebody does to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.policies import read_policy
from tests.accounts.build import ADMIN, allow, deny_all_but, document
from tests.functions.conftest import add_device

CANONICAL = "RequireMfa"
INLINE = "require-mfa"
GROUP = "staff"
SETTINGS = f"""
[[canonical]]
name = "{CANONICAL}"
document = "policies/require-mfa.json"
users = ["alice", "bob", "dave", "erin", "dora"]

[[canonical]]
name = "{INLINE}"
document = "policies/require-mfa.json"
users = ["carol"]

[remediation]
mode = "auto"
group = "{GROUP}"
inline = true
"""
GUARD = read_policy("require-mfa")
LOOSE = json.dumps(document(deny_all_but("iam:*", "s3:*", "kms:*")))
LIMIT = json.dumps(document(*ADMIN["Statement"], *json.loads(GUARD)["Statement"]))
WIDE = json.dumps(document(allow("*")))


def policy_arn(account: str, name: str = CANONICAL) -> str:
    """The ARN of a policy of the account."""
    return f"arn:aws:iam::{account}:policy/{name}"


def populate(iam: Any, account: str) -> None:
    """alice carries the policy by a group, bob and erin attached, carol inline, dave by his boundary alone.

    The policy has an older version, which is loose.
    """
    iam.create_policy(PolicyName=CANONICAL, PolicyDocument=LOOSE)
    arn = policy_arn(account)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=GUARD, SetAsDefault=True)
    for name in ("Limit", "Wide"):
        iam.create_policy(PolicyName=name, PolicyDocument=LIMIT if name == "Limit" else WIDE)
    iam.create_group(GroupName=GROUP)
    iam.attach_group_policy(GroupName=GROUP, PolicyArn=arn)
    for name in ("alice", "bob", "carol", "erin"):
        make(iam, name)
    iam.add_user_to_group(GroupName=GROUP, UserName="alice")
    iam.put_user_policy(UserName="carol", PolicyName=INLINE, PolicyDocument=GUARD)
    for name in ("bob", "erin"):
        iam.attach_user_policy(UserName=name, PolicyArn=arn)


def make(iam: Any, name: str) -> None:
    """An administrator with an access key and a device."""
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="admin", PolicyDocument=json.dumps(ADMIN))
    iam.create_access_key(UserName=name)
    add_device(iam, name)


@dataclass(frozen=True)
class Drift:
    """What somebody does, and the kinds of the steps that put it right."""

    name: str
    does: Callable[[Any, str], Any]
    steps: Sequence[str]
    before: Callable[[Any, str], Any] = lambda iam, account: None
    heard: int = 1
    """How many of its events are heard, the last ones: each says where to look, and what is there is read."""


def _detach_from_group(iam: Any, account: str) -> None:
    iam.detach_group_policy(GroupName=GROUP, PolicyArn=policy_arn(account))


def _new_default(iam: Any, account: str) -> None:
    iam.create_policy_version(PolicyArn=policy_arn(account), PolicyDocument=LOOSE, SetAsDefault=True)


def _deleted(iam: Any, account: str) -> None:
    arn = policy_arn(account)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=LOOSE, SetAsDefault=True)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")


def _bounded(iam: Any, account: str) -> None:
    make(iam, "dave")
    iam.put_user_permissions_boundary(UserName="dave", PermissionsBoundary=policy_arn(account, "Limit"))


def _new_boundary(iam: Any, account: str) -> None:
    iam.put_user_permissions_boundary(UserName="dave", PermissionsBoundary=policy_arn(account, "Wide"))


def _renamed(iam: Any, _account: str) -> None:
    iam.update_group(GroupName=GROUP, NewGroupName="people")
    make(iam, "dora")
    iam.add_user_to_group(GroupName="people", UserName="dora")
    iam.remove_user_from_group(GroupName="people", UserName="alice")


def _replaced(iam: Any, account: str) -> None:
    arn = policy_arn(account)
    iam.detach_group_policy(GroupName=GROUP, PolicyArn=arn)
    for name in ("bob", "erin"):
        iam.detach_user_policy(UserName=name, PolicyArn=arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    iam.create_policy(PolicyName=CANONICAL, PolicyDocument=WIDE)
    iam.attach_group_policy(GroupName=GROUP, PolicyArn=arn)
    for name in ("bob", "erin"):
        iam.attach_user_policy(UserName=name, PolicyArn=arn)


DRIFTS = [
    Drift(
        "detached from a user",
        lambda iam, account: iam.detach_user_policy(UserName="bob", PolicyArn=policy_arn(account)),
        ["add-user-to-group"],
    ),
    Drift("detached from the group", _detach_from_group, ["attach-group-policy"]),
    Drift(
        "a user leaves the group",
        lambda iam, _: iam.remove_user_from_group(GroupName=GROUP, UserName="alice"),
        ["add-user-to-group"],
    ),
    Drift(
        "an inline policy is deleted",
        lambda iam, _: iam.delete_user_policy(UserName="carol", PolicyName=INLINE),
        ["put-user-policy"],
    ),
    Drift("a new default version", _new_default, ["set-default-policy-version"]),
    Drift(
        "an older version becomes the default one",
        lambda iam, account: iam.set_default_policy_version(PolicyArn=policy_arn(account), VersionId="v1"),
        ["set-default-policy-version"],
    ),
    Drift("the version is deleted", _deleted, ["create-policy-version", "set-default-policy-version"]),
    Drift("another boundary", _new_boundary, ["add-user-to-group"], _bounded),
    Drift("a new user", lambda iam, _: make(iam, "dora"), ["add-user-to-group"]),
    Drift("the group is renamed", _renamed, ["attach-user-policy"]),
    Drift(
        "replaced by a policy of the same name",
        _replaced,
        ["create-policy-version", "set-default-policy-version"],
        heard=4,
    ),
]
