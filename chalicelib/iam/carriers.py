"""Whom of an account groups and managed policies lead to: from the answer of GetAccountAuthorizationDetails. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from chalicelib.iam.patterns import fold


def users_among(
    details: Mapping[str, Any], users: Iterable[str], groups: Iterable[str] = (), policies: Iterable[str] = ()
) -> frozenset[str]:
    """The names, as the account has them, of those users of these names who are in it, the members of the groups, and
    whoever carries one of the policies, by ARN: attached, through a group, or as a boundary. Where a role carries it,
    that is everybody: from a role one goes on to others, and nobody has asked yet who may assume it.

    Names compare without regard to case, as IAM keeps them apart (IAM User Guide, "IAM and AWS STS quotas").
    """
    names, wanted, arns = ({fold(one) for one in some} for some in (users, groups, policies))
    everybody = any(_carries(role, arns) or _is_bound(role, arns) for role in details.get("RoleDetailList", ()))
    wanted |= {fold(group["GroupName"]) for group in details.get("GroupDetailList", ()) if _carries(group, arns)}
    return frozenset(
        str(user["UserName"])
        for user in details.get("UserDetailList", ())
        if everybody
        or fold(user["UserName"]) in names
        or not wanted.isdisjoint(map(fold, user.get("GroupList", ())))
        or _carries(user, arns)
        or _is_bound(user, arns)
    )


def _carries(item: Mapping[str, Any], arns: Collection[str]) -> bool:
    return any(fold(policy.get("PolicyArn", "")) in arns for policy in item.get("AttachedManagedPolicies", ()))


def _is_bound(item: Mapping[str, Any], arns: Collection[str]) -> bool:
    return fold(item.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")) in arns
