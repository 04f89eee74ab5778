"""Git credentials: the operations on service-specific credentials that moto 5.2 lacks.

Source: IAM API reference, "CreateServiceSpecificCredential" and the like.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.iam.exceptions import IAMException, LimitExceededException, NoSuchEntity
from moto.iam.models import User
from moto.iam.responses import IamResponse
from moto.iam.utils import random_alphanumeric

from chalicelib.local.emulator.changes import Changes
from chalicelib.local.emulator.pages import page_of

SERVICES = ("codecommit.amazonaws.com", "cassandra.amazonaws.com", "bedrock.amazonaws.com")
LIMIT = 2
"""Credentials that a user may have for a service (IAM User Guide, "IAM and AWS STS quotas")."""
_SECRET = ("ServicePassword", "ServiceCredentialSecret")


class _NotSupportedError(IAMException):
    code = "NotSupportedService"


def add_git_credentials(changes: Changes) -> None:
    """Add the operations."""
    changes.add(
        IamResponse,
        list_service_specific_credentials=_list,
        create_service_specific_credential=_create,
        update_service_specific_credential=_update,
        delete_service_specific_credential=_delete,
        reset_service_specific_credential=_reset,
    )


def _of(user: User) -> list[dict[str, Any]]:
    """The user's credentials; they go when the user goes."""
    found: list[dict[str, Any]] = vars(user).setdefault("service_specific_credentials", [])
    return found


def _list(self: IamResponse) -> ActionResult:
    name, service = self._get_param("UserName"), self._get_param("ServiceName")
    users = list(self.backend.users.values()) if self._get_param("AllUsers") else [_user(self, name)]
    found = [one for user in users for one in _of(user) if service in (None, one["ServiceName"])]
    page = page_of(self, found)
    told = [{key: value for key, value in one.items() if key not in _SECRET} for one in page.items]
    return ActionResult({"ServiceSpecificCredentials": told, **page.rest})


def _create(self: IamResponse) -> ActionResult:
    user, service = _user(self, self._get_param("UserName")), self._get_param("ServiceName")
    if service not in SERVICES:
        raise _NotSupportedError(f"No such service {service} is supported for Service Specific Credentials")
    alike = [one for one in _of(user) if one["ServiceName"] == service]
    if len(alike) >= LIMIT:
        raise LimitExceededException(f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {LIMIT}")
    number = f"+{len(alike)}" if alike else ""
    made = {
        "CreateDate": utcnow(),
        "ServiceName": service,
        "ServiceUserName": f"{user.name}{number}-at-{user.account_id}",
        "ServicePassword": random_alphanumeric(44),
        "ServiceSpecificCredentialId": f"ACCA{random_alphanumeric(17).upper()}",
        "UserName": user.name,
        "Status": "Active",
    }
    _of(user).append(made)
    return ActionResult({"ServiceSpecificCredential": made})


def _update(self: IamResponse) -> ActionResult:
    _one(self)[1]["Status"] = self._get_param("Status")
    return EmptyResult()


def _delete(self: IamResponse) -> ActionResult:
    user, found = _one(self)
    _of(user).remove(found)
    return EmptyResult()


def _reset(self: IamResponse) -> ActionResult:
    _, found = _one(self)
    found["ServicePassword"] = random_alphanumeric(44)
    return ActionResult({"ServiceSpecificCredential": found})


def _one(self: IamResponse) -> tuple[User, dict[str, Any]]:
    """The credential that the request names, and its user."""
    wanted, name = self._get_param("ServiceSpecificCredentialId"), self._get_param("UserName")
    users = [_user(self, name)] if name else list(self.backend.users.values())
    for user in users:
        for one in _of(user):
            if one["ServiceSpecificCredentialId"] == wanted:
                return user, one
    raise NoSuchEntity(f"Service specific credential {wanted} cannot be found.")


def _user(self: IamResponse, name: str | None) -> User:
    """The named user, or the caller where none is named."""
    found = self.backend.get_user(name) if name else self.backend.get_user_from_access_key_id(self.get_access_key())
    if found is None:
        raise NoSuchEntity("The user with name None cannot be found.")
    return found
