"""The credential report as AWS writes it.

moto's has no root user and is of 2015; it says not_supported and the day of the user's creation where AWS says N/A.
Source: IAM User Guide, "Getting credential reports for your AWS account".

AWS makes one in four hours; here each GenerateCredentialReport makes one, so that what was mended shows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.iam.exceptions import ReportNotPresentException
from moto.iam.models import AccessKey, IAMBackend, User
from moto.iam.responses import IamResponse

from chalicelib.iam.credential_report import ROOT
from chalicelib.local.emulator.changes import Changes
from chalicelib.local.emulator.facts import Facts

_KEY = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
COLUMNS = (
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    *(f"access_key_1_{name}" for name in _KEY),
    *(f"access_key_2_{name}" for name in _KEY),
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
)
_NONE = "N/A"
_REPORT = "credential_report_made"
"""The backend's attribute for the last report: when it was made, and its text."""


def add_credential_report(changes: Changes, facts: Mapping[str, Facts]) -> None:
    """Put the operations in the place of moto's."""

    def generate(self: IamResponse) -> ActionResult:
        backend = self.backend
        known = facts.get(backend.account_id, Facts())
        state = "COMPLETE" if _REPORT in vars(backend) else "STARTED"
        vars(backend)[_REPORT] = utcnow(), _report(backend, known.root)
        return ActionResult({"State": state})

    changes.replace(IamResponse, "generate_credential_report", generate)
    changes.replace(IamResponse, "get_credential_report", _get)


def _get(self: IamResponse) -> ActionResult:
    if _REPORT not in vars(self.backend):
        raise ReportNotPresentException("Credential report not present")
    made, content = vars(self.backend)[_REPORT]
    return ActionResult({"Content": content, "ReportFormat": "text/csv", "GeneratedTime": made})


def _report(backend: IAMBackend, root: Mapping[str, str]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval=_NONE, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerow(_root_row(backend) | dict(root))
    writer.writerows(_row(user) for user in list(backend.users.values()))
    return text.getvalue()


def _root_row(backend: IAMBackend) -> dict[str, str]:
    """The root user as AWS asks for it: with MFA and without keys."""
    return {
        "user": ROOT,
        "arn": f"arn:{backend.partition}:iam::{backend.account_id}:root",
        "user_creation_time": "2026-01-01T00:00:00+00:00",
        "password_enabled": "not_supported",
        "password_last_used": "no_information",
        "password_last_changed": "not_supported",
        "password_next_rotation": "not_supported",
        "mfa_active": "true",
        "access_key_1_active": "false",
        "access_key_2_active": "false",
        "cert_1_active": "false",
        "cert_2_active": "false",
    }


def _row(user: User) -> dict[str, str]:
    found = {
        "user": user.name,
        "arn": user.arn,
        "user_creation_time": _time(user.create_date),
        "password_enabled": _flag(user.password),
        "mfa_active": _flag(user.mfa_devices),
        "access_key_1_active": "false",
        "access_key_2_active": "false",
        "cert_1_active": "false",
        "cert_2_active": "false",
    }
    if user.password:
        found["password_last_used"] = _time(user.password_last_used) if user.password_last_used else "no_information"
        found["password_last_changed"] = _time(user.create_date)  # moto does not note when a password was set
    for number, key in enumerate(user.access_keys[:2], start=1):
        found |= _key(f"access_key_{number}", key)
    for number, certificate in enumerate(list(user.signing_certificates.values())[:2], start=1):
        found[f"cert_{number}_active"] = _flag(certificate.status == "Active")
        found[f"cert_{number}_last_rotated"] = _time(certificate.upload_date)
    return found


def _key(name: str, key: AccessKey) -> dict[str, str]:
    found = {f"{name}_active": _flag(key.status == "Active"), f"{name}_last_rotated": _time(key.create_date)}
    if key.last_used is None:
        return found
    return found | {
        f"{name}_last_used_date": _time(key.last_used.timestamp),
        f"{name}_last_used_region": key.last_used.region,
        f"{name}_last_used_service": key.last_used.service,
    }


def _flag(value: Any) -> str:
    return "true" if value else "false"


def _time(moment: datetime) -> str:
    """moto's moments are of UTC and do not say so."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")
