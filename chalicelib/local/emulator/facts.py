"""What no call can set in an account, and the emulator therefore has to be told."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from chalicelib.iam.credential_report import ROOT
from chalicelib.iam.exports import Exports

OF_AWS = ":iam::aws:policy/"
"""Stands in the ARNs of AWS's own policies alone."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one account."""

    root: Mapping[str, str] = field(default_factory=dict)
    """The root user's row of the credential report, column → value; a column that is not in it has its usual value."""
    aws_policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """AWS's own policies whose documents are not today's: ARN → the policy as in the authorization details."""


def facts_of(exports: Exports) -> dict[str, Facts]:
    """The facts that an account's answers tell, by the account's number; none where they do not tell the account."""
    root = dict(report_rows(exports.credential_report).get(ROOT, {}))
    details: Any = exports.authorization_details or {}
    arns = [root.get("arn", ""), *(user["Arn"] for user in details.get("UserDetailList", []))]
    accounts = [arn.split(":")[4] for arn in arns if arn]
    virtual: Any = exports.virtual_mfa_devices or {}
    owners = [device.get("User") or {} for device in virtual.get("VirtualMFADevices", [])]
    if root and any(owner.get("Arn", "").endswith(":root") for owner in owners):
        root["mfa_active"] = "true"
    policies = {policy["Arn"]: policy for policy in details.get("Policies", []) if OF_AWS in policy["Arn"]}
    return {accounts[0]: Facts(root, policies)} if accounts else {}


def report_rows(report: str | None) -> dict[str, dict[str, str]]:
    """User → row of a credential report, as CSV or in the AWS CLI's JSON."""
    text = (report or "").removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        text = base64.b64decode(json.loads(text)["Content"]).decode()
    return {row["user"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


def text_of(document: object) -> str:
    """The text of a policy document, which answers tell as JSON or encoded for a URL."""
    return unquote(document) if isinstance(document, str) else json.dumps(document)
