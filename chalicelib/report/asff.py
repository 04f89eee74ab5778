"""The findings in AWS Security Hub's format (ASFF), as BatchImportFindings takes them.

Source of the fields and their limits: the Security Hub API reference, AwsSecurityFinding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.audit import Audit
from chalicelib.findings import Finding, Severity, Status
from chalicelib.report.sentences import sentence, subject, words
from chalicelib.report.text import clean

TYPES = ("Software and Configuration Checks/AWS Security Best Practices",)

_SEVERITIES = {
    Severity.INFO: ("INFORMATIONAL", 0),
    Severity.LOW: ("LOW", 1),
    Severity.MEDIUM: ("MEDIUM", 40),
    Severity.HIGH: ("HIGH", 70),
    Severity.CRITICAL: ("CRITICAL", 90),
}
_STATES = {
    Status.OPEN: ("FAILED", "NEW", "ACTIVE"),
    Status.SUPPRESSED: ("FAILED", "SUPPRESSED", "ACTIVE"),
    Status.RESOLVED: ("PASSED", "RESOLVED", "ARCHIVED"),
}
"""Status → what the check says, where the investigation stands, and whether the record is still of use."""

_TITLE, _DESCRIPTION, _RECOMMENDATION, _ID, _KEY, _VALUE = 256, 1024, 512, 512, 128, 2048
_MOST_FIELDS = 50
_MOST_BYTES = 200_000
"""A finding may have 240 KB; this much of it for the fields."""

_ACCOUNT = re.compile(r"[0-9]{12}")
_PARTITIONS = frozenset({"aws", "aws-cn", "aws-us-gov"})
_RESOURCE_TYPES = {
    ("iam", "user"): "AwsIamUser",
    ("iam", "group"): "AwsIamGroup",
    ("iam", "role"): "AwsIamRole",
    ("iam", "policy"): "AwsIamPolicy",
    ("kms", "key"): "AwsKmsKey",
}


def asff_findings(audit: Audit, *, region: str, product_arn: str = "") -> list[dict[str, Any]]:
    """The findings, for Security Hub in a region; as the account's own product unless another is named.

    A ValueError says that the account is not known: Security Hub takes nothing without it.
    """
    return [
        asff_finding(
            finding,
            account=finding.account or audit.account,
            region=region,
            product_arn=product_arn,
            created=audit.generated_at,
            updated=audit.generated_at,
        )
        for finding in audit.findings
    ]


def render_asff(audit: Audit, *, region: str, product_arn: str = "") -> str:
    """The same as a JSON array; `aws securityhub batch-import-findings --findings` takes 100 of its items at a time."""
    return json.dumps(asff_findings(audit, region=region, product_arn=product_arn), indent=2)


def asff_finding(
    finding: Finding,
    *,
    account: str,
    region: str,
    created: datetime,
    updated: datetime,
    product_arn: str = "",
    importer: str = "",
) -> dict[str, Any]:
    """A finding of an account, for Security Hub in a region.

    `importer` is the account that imports it, where that is another one: Security Hub takes the findings of an
    account's own product from that account alone, and as its own. What they are about tells the account they are of.

    A ValueError says that an account is not known.
    """
    importer = importer or account
    for one in (account, importer):
        if not _ACCOUNT.fullmatch(one):
            raise ValueError(f"ASFF needs the account's 12 digits; the account is {clean(one) or 'not known'}")
    partition = _partition(finding.resource)
    label, normalized = _SEVERITIES[finding.severity]
    compliance, workflow, record = _STATES[finding.status]
    return {
        "SchemaVersion": "2018-10-08",
        "Id": finding.fingerprint,
        "ProductArn": product_arn or f"arn:{partition}:securityhub:{region}:{importer}:product/{importer}/default",
        "GeneratorId": _cut(f"mfawatch/{finding.control}", _ID),
        "AwsAccountId": importer,
        "Types": [*TYPES],
        "CreatedAt": _moment(created),
        "UpdatedAt": _moment(updated),
        "Severity": {"Label": label, "Normalized": normalized, "Original": str(finding.severity)},
        "Title": _cut(f"{finding.title}: {subject(finding)}", _TITLE),
        "Description": _cut(f"{subject(finding)}: {sentence(finding)}", _DESCRIPTION),
        "Remediation": {"Recommendation": {"Text": _cut(finding.fix, _RECOMMENDATION)}},
        "ProductFields": _fields(finding, account),
        "Resources": [_resource(finding.resource, account, partition, region)],
        "Compliance": {"Status": compliance},
        "Workflow": {"Status": workflow},
        "RecordState": record,
        "FindingProviderFields": {
            "Severity": {"Label": label, "Original": str(finding.severity)},
            "Types": [*TYPES],
        },
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cut(text: str, most: int) -> str:
    """The text on one line, its end replaced where it is too long."""
    shown = clean(text, most=most)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _partition(arn: str) -> str:
    partition = arn.split(":")[1] if arn.startswith("arn:") else ""
    return partition if re.fullmatch(r"[a-z][a-z0-9-]*", partition) else "aws"


def _resource(arn: str, account: str, partition: str, region: str) -> dict[str, Any]:
    kind = _resource_type(arn)
    name = f"AWS::::Account:{account}" if kind == "AwsAccount" else _cut(arn, _ID)
    # Security Hub refuses a partition that it does not list.
    known = {"Partition": partition} if partition in _PARTITIONS else {}
    return {"Type": kind, "Id": name, **known, "Region": region}


def _resource_type(arn: str) -> str:
    """The type as Security Hub calls it; the root user stands for the account."""
    _, _, service, _, _, name = (arn.split(":", 5) + [""] * 6)[:6]
    if not arn or name == "root":
        return "AwsAccount"
    return _RESOURCE_TYPES.get((service, name.partition("/")[0]), "Other")


def _fields(finding: Finding, account: str) -> dict[str, str]:
    """Witness and evidence as flat texts, as many as there is room for."""
    fields: dict[str, str] = {}
    room = _MOST_BYTES
    for path, value in [("account", account), *_leaves(finding)]:
        key, text = _cut(f"mfawatch/{path}", _KEY), _cut(value, _VALUE)
        room -= len(json.dumps([key, text]))
        if len(fields) == _MOST_FIELDS or room < 0:
            break
        fields.setdefault(key, text)
    return fields


def _leaves(finding: Finding) -> Iterator[tuple[str, str]]:
    yield "control", finding.control
    if finding.user:
        yield "user", finding.user
    if finding.witness:
        yield from _flat("witness", finding.witness.to_json())
    for key, value in finding.evidence.items():
        yield from _flat(str(key), value)


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Path and text of each value inside a JSON value; none for what is empty, which Security Hub refuses."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(f"{path}/{key}", item)
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _flat(f"{path}/{index}", item)
    elif text := words(value).strip():
        yield path, text
