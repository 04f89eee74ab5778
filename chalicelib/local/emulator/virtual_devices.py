"""ListVirtualMFADevices without what only CreateVirtualMFADevice tells.

moto 5.2 gives the seed of each device away in the list, and says that there is another page where a page is just full.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.iam.models import User
from moto.iam.responses import IamResponse

from chalicelib.local.emulator.changes import Changes
from chalicelib.local.emulator.pages import page_of


def add_virtual_devices(changes: Changes) -> None:
    """Put the operation in the place of moto's."""
    changes.replace(IamResponse, "list_virtual_mfa_devices", _list)


def _list(self: IamResponse) -> ActionResult:
    status = self._get_param("AssignmentStatus") or "Any"
    devices = [
        device
        for device in list(self.backend.virtual_mfa_devices.values())
        if status in ("Any", "Assigned" if device.user else "Unassigned")
    ]
    page = page_of(self, devices)
    told: list[dict[str, Any]] = [{"SerialNumber": device.serial_number} for device in page.items]
    for one, device in zip(told, page.items, strict=True):
        if device.user:
            one |= {"User": _told(device.user), "EnableDate": device.enable_date}
    return ActionResult({"VirtualMFADevices": told, **page.rest})


def _told(user: User) -> dict[str, Any]:
    found = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": user.create_date,
        "PasswordLastUsed": user.password_last_used,
    }
    return {name: value for name, value in found.items() if value is not None}
