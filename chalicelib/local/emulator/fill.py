"""Fills an account of the emulator from the answers of another, through the IAM API alone, as an operator would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.iam.exports import Exports
from chalicelib.local.emulator.facts import OF_AWS, text_of
from chalicelib.local.emulator.fill_credentials import Credentials

_ANYTHING = '{"Version": "2012-10-17", "Statement": []}'
"""Stands in for versions of a policy that were deleted."""


def fill(iam: Any, exports: Exports) -> None:
    """Make what the answers tell, through an IAM client of the empty account whose answers they are.

    Names, paths, documents, versions, memberships, attachments, boundaries and tags come out as told, and of each
    user the credentials and devices with their status; ids and dates are new. What no call can set is in `facts_of`.
    """
    details: Any = exports.authorization_details or {}
    filler = _Filler(iam)
    for policy in details.get("Policies", []):
        if OF_AWS not in policy["Arn"]:
            filler.policy(policy)
    for group in details.get("GroupDetailList", []):
        filler.group(group)
    for role in details.get("RoleDetailList", []):
        filler.role(role)
    for user in details.get("UserDetailList", []):
        filler.user(user)
    Credentials(iam, exports).fill([user["UserName"] for user in details.get("UserDetailList", [])])


@dataclass(frozen=True, slots=True)
class _Filler:
    """Makes the entities of the authorization details."""

    iam: Any

    def policy(self, told: dict[str, Any]) -> None:
        """A customer's policy, its versions under their numbers: those that are gone are made, and deleted."""
        versions = {int(one["VersionId"].lstrip("v")): text_of(one["Document"]) for one in told["PolicyVersionList"]}
        made = self.iam.create_policy(
            PolicyName=told["PolicyName"],
            Path=told.get("Path", "/"),
            PolicyDocument=versions.get(1, _ANYTHING),
            **_tags(told),
        )
        named = {"PolicyArn": made["Policy"]["Arn"]}
        for number in range(2, max(versions) + 1):
            document, is_first = versions.get(number, _ANYTHING), number == min(versions)
            self.iam.create_policy_version(**named, PolicyDocument=document, SetAsDefault=is_first)
            if number not in versions:
                self.iam.delete_policy_version(**named, VersionId=f"v{number}")
            elif is_first:
                self.iam.delete_policy_version(**named, VersionId="v1")
        if told["DefaultVersionId"] != f"v{min(versions)}":
            self.iam.set_default_policy_version(**named, VersionId=told["DefaultVersionId"])

    def group(self, told: dict[str, Any]) -> None:
        """A group with its policies."""
        named = {"GroupName": told["GroupName"]}
        self.iam.create_group(**named, Path=told.get("Path", "/"))
        for policy in told.get("GroupPolicyList", []):
            self.iam.put_group_policy(**named, **_inline(policy))
        for policy in told.get("AttachedManagedPolicies", []):
            self.iam.attach_group_policy(**named, PolicyArn=policy["PolicyArn"])

    def role(self, told: dict[str, Any]) -> None:
        """A role with whom it trusts and its policies."""
        named = {"RoleName": told["RoleName"]}
        trust = text_of(told["AssumeRolePolicyDocument"])
        path = told.get("Path", "/")
        self.iam.create_role(**named, Path=path, AssumeRolePolicyDocument=trust, **_boundary(told), **_tags(told))
        for policy in told.get("RolePolicyList", []):
            self.iam.put_role_policy(**named, **_inline(policy))
        for policy in told.get("AttachedManagedPolicies", []):
            self.iam.attach_role_policy(**named, PolicyArn=policy["PolicyArn"])

    def user(self, told: dict[str, Any]) -> None:
        """A user with the groups and policies."""
        named = {"UserName": told["UserName"]}
        self.iam.create_user(**named, Path=told.get("Path", "/"), **_boundary(told), **_tags(told))
        for group in told.get("GroupList", []):
            self.iam.add_user_to_group(**named, GroupName=group)
        for policy in told.get("UserPolicyList", []):
            self.iam.put_user_policy(**named, **_inline(policy))
        for policy in told.get("AttachedManagedPolicies", []):
            self.iam.attach_user_policy(**named, PolicyArn=policy["PolicyArn"])


def _inline(told: dict[str, Any]) -> dict[str, Any]:
    return {"PolicyName": told["PolicyName"], "PolicyDocument": text_of(told["PolicyDocument"])}


def _boundary(told: dict[str, Any]) -> dict[str, Any]:
    boundary = told.get("PermissionsBoundary")
    return {"PermissionsBoundary": boundary["PermissionsBoundaryArn"]} if boundary else {}


def _tags(told: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": told["Tags"]} if told.get("Tags") else {}
