"""ASFF: Security Hub takes what it is given, and finds in it what the finding says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from chalicelib.audit import judge
from chalicelib.findings import Severity, Status
from chalicelib.local.example import read_example
from chalicelib.report.asff import asff_findings, render_asff
from tests.hostile import each_trap
from tests.report.audits import audit_with, example, finding_with, texts, trapped, unsafe

REGION = "eu-central-1"

LIMITS = {
    "Id": 512,
    "ProductArn": 2048,
    "GeneratorId": 512,
    "Title": 256,
    "Description": 1024,
    "Remediation.Recommendation.Text": 512,
    "Resources[].Id": 512,
    "Resources[].Type": 256,
    "Resources[].Region": 16,
    "Severity.Original": 64,
    "FindingProviderFields.Severity.Original": 64,
    "ProductFields{}": 2048,
}
"""As the API reference has them; botocore's model knows none of these lengths."""


@cache
def shape() -> Any:
    """The request of BatchImportFindings."""
    service = botocore.session.get_session().get_service_model("securityhub")
    return service.operation_model("BatchImportFindings").input_shape


def problems(value: Any, model: Any, path: str = "") -> Iterator[str]:
    """What Security Hub would refuse beyond what botocore's validator looks at: enumerations, patterns, lengths."""
    if model.type_name == "structure":
        for name, item in value.items():
            yield from problems(item, model.members[name], f"{path}.{name}".lstrip("."))
    elif model.type_name == "list":
        for item in value:
            yield from problems(item, model.member, f"{path}[]")
    elif model.type_name == "map":
        yield from (f"{path}: key {key}" for key in value if len(key) > 128 or not key.strip())
        for item in value.values():
            yield from problems(item, model.value, f"{path}{{}}")
    elif model.type_name == "string":
        if model.enum and value not in model.enum:
            yield f"{path}: {value} is none of {model.enum}"
        if not value.strip() or len(value) > LIMITS.get(path, 2**20):
            yield f"{path}: {len(value)} characters"


def assert_taken(found: list[dict[str, Any]]) -> None:
    """Security Hub would take each of them."""
    for finding in found:
        report = ParamValidator().validate({"Findings": [finding]}, shape())
        assert not report.has_errors(), report.generate_report()
        assert not list(problems(finding, shape().members["Findings"].member))
        assert len(finding["ProductFields"]) <= 50
        assert len(json.dumps(finding)) < 240_000


def test_security_hub_takes_the_example_account() -> None:
    found = asff_findings(example(), region=REGION)
    assert_taken(found)
    assert [item["Id"] for item in found] == [finding.fingerprint for finding in example().findings]
    assert json.loads(render_asff(example(), region=REGION)) == found


@each_trap
def test_security_hub_takes_hostile_names(name: str) -> None:
    found = asff_findings(trapped(name), region=REGION)
    assert len(found) > 5
    assert_taken(found)
    assert not [text for text in texts(found) if unsafe(text)]


def test_a_finding_is_told_in_full() -> None:
    [finding] = [f for f in example().findings if (f.user, f.control) == ("quentin", "mfa-not-enforced")]
    [told] = asff_findings(audit_with(finding), region=REGION)
    fields = told.pop("ProductFields")
    assert told == {
        "SchemaVersion": "2018-10-08",
        "Id": finding.fingerprint,
        "ProductArn": f"arn:aws:securityhub:{REGION}:111122223333:product/111122223333/default",
        "GeneratorId": "mfawatch/mfa-not-enforced",
        "AwsAccountId": "111122223333",
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "CreatedAt": "2026-06-01T06:00:00.000Z",
        "UpdatedAt": "2026-06-01T06:00:00.000Z",
        "Severity": {"Label": "HIGH", "Normalized": 70, "Original": "high"},
        "Title": "MFA is not enforced: user quentin",
        "Description": told["Description"],
        "Remediation": {"Recommendation": {"Text": finding.fix}},
        "Resources": [
            {"Type": "AwsIamUser", "Id": finding.resource, "Partition": "aws", "Region": REGION},
        ],
        "Compliance": {"Status": "FAILED"},
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
        "FindingProviderFields": {
            "Severity": {"Label": "HIGH", "Original": "high"},
            "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        },
    }
    assert told["Description"].startswith("user quentin: bool-without-if-exists: ")
    assert finding.witness
    assert fields["mfawatch/witness/action"] == finding.witness.action
    assert fields["mfawatch/way"] == "access key"
    assert fields["mfawatch/statements/0/sid"] == "RunTheShop"


@pytest.mark.parametrize(
    ("severity", "label", "normalized"),
    [
        (Severity.INFO, "INFORMATIONAL", 0),
        (Severity.LOW, "LOW", 1),
        (Severity.MEDIUM, "MEDIUM", 40),
        (Severity.HIGH, "HIGH", 70),
        (Severity.CRITICAL, "CRITICAL", 90),
    ],
)
def test_severities_are_security_hubs(severity: Severity, label: str, normalized: int) -> None:
    [told] = asff_findings(audit_with(finding_with(severity=severity)), region=REGION)
    assert told["Severity"] == {"Label": label, "Normalized": normalized, "Original": str(severity)}
    assert_taken([told])


@pytest.mark.parametrize(
    ("status", "states"),
    [
        (Status.OPEN, ("FAILED", "NEW", "ACTIVE")),
        (Status.SUPPRESSED, ("FAILED", "SUPPRESSED", "ACTIVE")),
        (Status.RESOLVED, ("PASSED", "RESOLVED", "ARCHIVED")),
    ],
)
def test_the_status_says_where_a_finding_stands(status: Status, states: tuple[str, str, str]) -> None:
    [told] = asff_findings(audit_with(finding_with(status=status)), region=REGION)
    assert (told["Compliance"]["Status"], told["Workflow"]["Status"], told["RecordState"]) == states
    assert_taken([told])


@pytest.mark.parametrize(
    ("arn", "kind", "name", "partition"),
    [
        ("arn:aws:iam::111122223333:user/a/b", "AwsIamUser", "arn:aws:iam::111122223333:user/a/b", "aws"),
        ("arn:aws-cn:iam::111122223333:user/a", "AwsIamUser", "arn:aws-cn:iam::111122223333:user/a", "aws-cn"),
        ("arn:aws-eusc:iam::111122223333:user/a", "AwsIamUser", "arn:aws-eusc:iam::111122223333:user/a", None),
        ("arn:aws:iam::111122223333:root", "AwsAccount", "AWS::::Account:111122223333", "aws"),
        ("", "AwsAccount", "AWS::::Account:111122223333", "aws"),
        ("arn:aws:iam::111122223333:policy/p", "AwsIamPolicy", "arn:aws:iam::111122223333:policy/p", "aws"),
        ("arn:aws:iam::111122223333:role/r", "AwsIamRole", "arn:aws:iam::111122223333:role/r", "aws"),
        ("arn:aws:kms:eu-west-1:111122223333:key/k", "AwsKmsKey", "arn:aws:kms:eu-west-1:111122223333:key/k", "aws"),
        ("arn:aws:codecommit:eu-west-1:111122223333:r", "Other", "arn:aws:codecommit:eu-west-1:111122223333:r", "aws"),
        ("no ARN", "Other", "no ARN", "aws"),
    ],
)
def test_resources_are_security_hubs(arn: str, kind: str, name: str, partition: str | None) -> None:
    [told] = asff_findings(audit_with(finding_with(resource=arn)), region=REGION)
    [resource] = told["Resources"]
    assert (resource["Type"], resource["Id"], resource.get("Partition")) == (kind, name, partition)
    assert_taken([told])


def test_another_product_is_named() -> None:
    arn = "arn:aws:securityhub:eu-central-1::product/acme/mfawatch"
    [told] = asff_findings(audit_with(finding_with()), region=REGION, product_arn=arn)
    assert told["ProductArn"] == arn


def test_the_product_lies_in_the_resources_partition() -> None:
    finding = finding_with(resource="arn:aws-us-gov:iam::111122223333:user/a")
    [told] = asff_findings(audit_with(finding), region="us-gov-west-1")
    assert told["ProductArn"] == "arn:aws-us-gov:securityhub:us-gov-west-1:111122223333:product/111122223333/default"


def test_times_are_told_in_utc() -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    result = audit_with(finding_with(), generated_at=datetime(2026, 6, 1, 2, 0, tzinfo=there))
    assert asff_findings(result, region=REGION)[0]["CreatedAt"] == "2026-05-31T20:30:00.000Z"


def test_the_account_is_the_audits_where_the_finding_has_none() -> None:
    [told] = asff_findings(audit_with(finding_with(account="")), region=REGION)
    assert told["AwsAccountId"] == "111122223333"


@pytest.mark.parametrize(("account", "told"), [("", "not known"), ("12345", "12345"), ("a\n" * 12, "a<000a>a")])
def test_an_account_that_is_not_known_is_said(account: str, told: str) -> None:
    result = audit_with(finding_with(account=""), account=account)
    with pytest.raises(ValueError, match="ASFF needs the account's 12 digits") as error:
        asff_findings(result, region=REGION)
    assert told in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_an_account_without_findings_need_not_be_known() -> None:
    assert render_asff(audit_with(account=""), region=REGION) == "[]"


def test_what_is_too_long_is_cut_where_it_says_so() -> None:
    long = "x" * 9000
    evidence = {"summary": long, **{f"{i}-{long}": long for i in range(90)}}
    finding = finding_with(evidence, user=long, resource=f"arn:aws:iam::111122223333:user/{long}", fix=long)
    [told] = asff_findings(audit_with(finding), region=REGION)
    assert_taken([told])
    user = told["ProductFields"]["mfawatch/user"]
    for text in (told["Title"], told["Description"], told["Resources"][0]["Id"], user):
        assert text.endswith("…")
        assert len(text) in LIMITS.values()


def test_a_finding_of_wide_characters_stays_below_the_limit() -> None:
    evidence = {f"{i}-{'字' * 200}": "\U0001f600" * 9000 for i in range(90)}
    assert_taken(asff_findings(audit_with(finding_with(evidence)), region=REGION))


def test_empty_values_are_left_out() -> None:
    evidence: dict[str, Any] = {"a": None, "b": "", "c": [], "d": {}, "e": [{"f": " "}], "g": 0, "h": False}
    [told] = asff_findings(audit_with(finding_with(evidence)), region=REGION)
    assert set(told["ProductFields"]) == {f"mfawatch/{key}" for key in ("account", "control", "user", "g", "h")}
    assert_taken([told])


def test_the_same_audit_has_the_same_bytes() -> None:
    assert render_asff(example(), region=REGION) == render_asff(judge(read_example()), region=REGION)
