"""Permissions boundaries of users, which moto 5.2 does not know; it knows those of roles."""

from __future__ import annotations

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import User
from moto.iam.responses import IamResponse

from chalicelib.local.emulator.changes import Changes

_create_user = IamResponse.create_user


def add_user_boundaries(changes: Changes) -> None:
    """Add the operations, and the parameter of CreateUser."""
    added = changes.add(
        IamResponse,
        put_user_permissions_boundary=_put,
        delete_user_permissions_boundary=_delete,
    )
    if added:
        changes.replace(IamResponse, "create_user", _create)


def _put(self: IamResponse) -> ActionResult:
    _bound(self, self._get_param("PermissionsBoundary"))
    return EmptyResult()


def _delete(self: IamResponse) -> ActionResult:
    user = self.backend.get_user(self._get_param("UserName"))
    vars(user).pop("permissions_boundary", None)
    return EmptyResult()


def _create(self: IamResponse) -> ActionResult:
    if boundary := self._get_param("PermissionsBoundary"):
        self.backend.get_policy(boundary)
    made = _create_user(self)
    if boundary:
        _bound(self, boundary)
    return made


def _bound(self: IamResponse, arn: str) -> User:
    """Set the boundary where moto's serializer looks for it."""
    user = self.backend.get_user(self._get_param("UserName"))
    self.backend.get_policy(arn)
    vars(user)["permissions_boundary"] = {
        "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
        "PermissionsBoundaryArn": arn,
    }
    return user
