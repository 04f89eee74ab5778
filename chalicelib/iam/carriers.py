"""Whom of an account groups and managed policies lead to: from the answer of GetAccountAuthorizationDetails. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from chalicelib.iam.patterns import fold


def users_among(
    details: Mapping[str, Any], users: Iterable[str], groups: Iterable[str] = (), policies: Iterable[str] = ()
) -> frozenset[str]:
    """The names, as the account has them, of those users of these names who are in it, the members of the groups, and
    whoever carries one of the policies, by ARN: attached, through a group, or as a boundary. Where a role carries it,
    that is everybody: from a role one goes on to others, and nobody has asked yet who may assume it.

    Names compare without regard to case, as IAM keeps them apart (IAM User Guide, "IAM and AWS STS quotas"). What is
    not of the shape that AWS's answers have leads to nobody: whoever reads the answer as a whole says so.
    """
    names, wanted, arns = ({fold(one) for one in some} for some in (users, groups, policies))
    everybody = any(_carries(role, arns) for role in _objects(details, "RoleDetailList"))
    wanted |= {
        fold(_text(group, "GroupName")) for group in _objects(details, "GroupDetailList") if _carries(group, arns)
    }
    return frozenset(
        name
        for user in _objects(details, "UserDetailList")
        if (name := _text(user, "UserName"))
        and (everybody or fold(name) in names or _belongs(user, wanted) or _carries(user, arns))
    )


def _belongs(user: Mapping[str, Any], groups: Collection[str]) -> bool:
    return any(isinstance(name, str) and fold(name) in groups for name in _list(user, "GroupList"))


def _carries(item: Mapping[str, Any], arns: Collection[str]) -> bool:
    boundary = item.get("PermissionsBoundary")
    found = [_text(policy, "PolicyArn") for policy in _objects(item, "AttachedManagedPolicies")]
    found += [_text(boundary, "PermissionsBoundaryArn")] if isinstance(boundary, Mapping) else []
    return any(fold(arn) in arns for arn in found)


def _objects(values: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    return (item for item in _list(values, name) if isinstance(item, Mapping))


def _list(values: Mapping[str, Any], name: str) -> Iterable[Any]:
    found = values.get(name)
    return found if isinstance(found, list | tuple) else ()


def _text(values: Mapping[str, Any], name: str) -> str:
    found = values.get(name)
    return found if isinstance(found, str) else ""
