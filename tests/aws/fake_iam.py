"""An IAM client that answers from an account's exported answers, a few items a page, and fails where it is told to."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.iam.exports import Exports

Json = dict[str, Any]
MADE = datetime(2026, 6, 1, 5, 0, tzinfo=UTC)


def refused(operation: str, code: str) -> ClientError:
    """The error by which AWS refuses an operation."""
    return ClientError({"Error": {"Code": code, "Message": f"not now: {operation}"}}, operation)


@dataclass
class FakeIam:
    """Answers as IAM does. `failing` has an error code for an operation; `after` the page from which on it fails."""

    answers: Exports
    page: int = 1000
    failing: Mapping[str, str] = field(default_factory=dict)
    after: int = 0
    pending: int = 1
    """How often the report is not there yet."""
    now: Mapping[str, Any] = field(default_factory=dict)
    """User → what is otherwise than the report says: password, keys (their status), devices (how many)."""
    calls: Counter[str] = field(default_factory=Counter)

    def _called(self, operation: str, page: int = 0) -> None:
        self.calls[operation] += 1
        if operation in self.failing and page >= self.after:
            raise refused(operation, self.failing[operation])

    def _paged(self, operation: str, lists: Mapping[str, Sequence[Any]], parameters: Mapping[str, Any]) -> Json:
        start = int(parameters.get("Marker", 0))
        self._called(operation, start)
        size = min(self.page, parameters["MaxItems"])
        # One list after the other, as IAM fills its pages.
        flat = [(name, item) for name, items in lists.items() for item in items]
        here = flat[start * size : (start + 1) * size]
        answer: Json = {name: [item for of, item in here if of == name] for name in lists}
        more = len(flat) > (start + 1) * size
        return answer | {"IsTruncated": more} | ({"Marker": str(start + 1)} if more else {})

    def get_account_authorization_details(self, **parameters: Any) -> Json:
        """Users, groups, roles and policies."""
        found = json.loads(json.dumps(self.answers.authorization_details))
        names = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
        return self._paged("GetAccountAuthorizationDetails", {name: found.get(name, []) for name in names}, parameters)

    def list_virtual_mfa_devices(self, **parameters: Any) -> Json:
        """The virtual devices that somebody uses."""
        assert parameters["AssignmentStatus"] == "Assigned"
        found: Any = self.answers.virtual_mfa_devices
        return self._paged("ListVirtualMFADevices", {"VirtualMFADevices": found["VirtualMFADevices"]}, parameters)

    def list_service_specific_credentials(self, **parameters: Any) -> Json:
        """The Git credentials of all users, or of one."""
        assert parameters.get("AllUsers") is not ("UserName" in parameters)
        found: Any = self.answers.service_credentials
        whose = [parameters["UserName"]] if "UserName" in parameters else found
        items = [item for name in whose for item in found.get(name, {}).get("ServiceSpecificCredentials", [])]
        return self._paged("ListServiceSpecificCredentials", {"ServiceSpecificCredentials": items}, parameters)

    def list_mfa_devices(self, **parameters: Any) -> Json:
        """The devices of one user."""
        found: Any = self.answers.mfa_devices
        items = found.get(parameters["UserName"], {}).get("MFADevices", []) or self._virtual(parameters["UserName"])
        items = items[: self.now.get(parameters["UserName"], {}).get("devices", len(items))]
        return self._paged("ListMFADevices", {"MFADevices": items}, parameters)

    def list_ssh_public_keys(self, **parameters: Any) -> Json:
        """The SSH keys of one user."""
        found: Any = self.answers.ssh_public_keys
        return self._paged(
            "ListSSHPublicKeys", {"SSHPublicKeys": found[parameters["UserName"]]["SSHPublicKeys"]}, parameters
        )

    def generate_credential_report(self) -> Json:
        """Starts the report."""
        self._called("GenerateCredentialReport")
        return {"State": "STARTED"}

    def get_credential_report(self) -> Json:
        """The report, once it is made."""
        self._called("GetCredentialReport")
        if self.pending > 0:
            self.pending -= 1
            raise refused("GetCredentialReport", "ReportInProgress")
        assert self.answers.credential_report is not None
        return {"Content": self.answers.credential_report.encode(), "GeneratedTime": MADE}

    # --- one user, as the report would have it -----------------------------------------------------------------------

    def get_login_profile(self, UserName: str) -> Json:  # noqa: N803 - as boto3 has it
        """The password of one user."""
        self._called("GetLoginProfile")
        if not self.now.get(UserName, {}).get("password", self._row(UserName)["password_enabled"] == "true"):
            raise refused("GetLoginProfile", "NoSuchEntity")
        return {"LoginProfile": {"UserName": UserName, "CreateDate": MADE}}

    def list_access_keys(self, **parameters: Any) -> Json:
        """The access keys of one user."""
        name = parameters["UserName"]
        row = self._row(name)
        states = ["Active" if row[f"access_key_{number}_active"] == "true" else "Inactive" for number in (1, 2)]
        keys = [
            {"UserName": name, "AccessKeyId": f"AKIA{name.upper()}{number}", "Status": status, "CreateDate": MADE}
            for number, status in enumerate(self.now.get(name, {}).get("keys", states))
        ]
        return self._paged("ListAccessKeys", {"AccessKeyMetadata": keys}, parameters)

    def _row(self, user: str) -> dict[str, str]:
        assert self.answers.credential_report is not None
        [row] = [row for row in csv.DictReader(io.StringIO(self.answers.credential_report)) if row["user"] == user]
        return row

    def _virtual(self, user: str) -> list[Json]:
        found: Any = self.answers.virtual_mfa_devices
        devices = [one for one in found["VirtualMFADevices"] if one.get("User", {}).get("UserName") == user]
        return [{"UserName": user, "SerialNumber": one["SerialNumber"], "EnableDate": MADE} for one in devices]
