"""GetAccountAuthorizationDetails in pages, with the policies that AWS tells of.

moto 5.2 gives all in one answer, whatever MaxItems says; leaves out a policy's name and id; does not count where one is
a boundary; tells AWS's policies that nobody has. AWS tells of its own policies those in use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy
from moto.iam.responses import IamResponse

from chalicelib.local.emulator.changes import Changes
from chalicelib.local.emulator.pages import page_of

LISTS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}
"""What the filter names → where it stands in the answer."""


def add_authorization_details(changes: Changes) -> None:
    """Put the operation in the place of moto's."""
    changes.replace(IamResponse, "get_account_authorization_details", _details)


def _details(self: IamResponse) -> ActionResult:
    wanted = self._get_param("Filter") or list(LISTS)
    page = page_of(self, [(kind, one) for kind, one in _entities(self.backend) if kind in wanted])
    found: dict[str, Any] = {name: [] for name in LISTS.values()}
    for kind, one in page.items:
        found[LISTS[kind]].append(one)
    return ActionResult({**found, **page.rest})


def _entities(backend: IAMBackend) -> Iterator[tuple[str, Any]]:
    for user in list(backend.users.values()):
        yield "User", user
    for group in list(backend.groups.values()):
        yield "Group", group
    for role in list(backend.roles.values()):
        yield "Role", role
    bounding = _bounding(backend)
    for policy in list(backend.managed_policies.values()):
        if not isinstance(policy, AWSManagedPolicy):
            yield "LocalManagedPolicy", _told(policy, bounding[policy.arn])
        elif policy.attachment_count or bounding[policy.arn]:
            yield "AWSManagedPolicy", _told(policy, bounding[policy.arn])


def _told(policy: ManagedPolicy, bounding: int) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": policy.attachment_count,
        "PermissionsBoundaryUsageCount": bounding,
        "IsAttachable": policy.is_attachable,
        "CreateDate": policy.create_date,
        "UpdateDate": policy.update_date,
        "PolicyVersionList": policy.policy_version_list,
    }


def _bounding(backend: IAMBackend) -> Counter[str]:
    """Policy ARN → of how many users and roles it is the boundary."""
    bounded = [*backend.users.values(), *backend.roles.values()]
    found = [getattr(one, "permissions_boundary", None) for one in bounded]
    return Counter(boundary["PermissionsBoundaryArn"] for boundary in found if boundary)
