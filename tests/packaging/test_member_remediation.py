"""The template of a member account that may be put right: whom its role lets in, and that it is the hub's own there."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import build_request
from chalicelib.iam.statement import PolicyKind
from tests.packaging.rendering import ACCOUNT, REGION, function, member, member_remediation, rendered, resolve, role

HUB = "999988887777"
HUB_ROLE = f"arn:aws:iam::{HUB}:role/mfawatch-remediate-{REGION}"
EXTERNAL_ID = "an-external-id-of-ours"
HUBS_ALONE = {
    "WriteOwnLog", "Trace", "ReadSettings", "TakeRemediations", "EnterMembers", "FindOrganization",
    "ReadOrganizationPolicies", "ReadFindings", "KeepJournalAndOutbox", "LetGoOfAccounts", "RememberWorkDone",
    "SendRemediations",
}  # fmt: skip
"""Statements about the hub's own things, and about the organisation, which the hub asks with its own credentials."""


def properties() -> Any:
    return member_remediation()["Resources"]["RemediationRole"]["Properties"]


@pytest.mark.parametrize(
    ("principal", "external_id", "expected"),
    [
        (HUB_ROLE, EXTERNAL_ID, True),
        (HUB_ROLE, "another", False),
        (HUB_ROLE, None, False),
        (HUB_ROLE.replace("remediate", "audit-account"), EXTERNAL_ID, False),
        (HUB_ROLE.replace("remediate", "audit-change"), EXTERNAL_ID, False),
        (HUB_ROLE.replace(REGION, "eu-west-1"), EXTERNAL_ID, False),
        (HUB_ROLE.replace(HUB, "444455556666"), EXTERNAL_ID, False),
    ],
)
def test_the_role_trusts_the_remediator_alone(principal: str, external_id: str | None, expected: bool) -> None:
    parameters = {"HubAccountId": HUB, "HubRegion": REGION, "ExternalId": EXTERNAL_ID}
    trust: Any = resolve(properties()["AssumeRolePolicyDocument"], **parameters)
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    context = {"aws:PrincipalArn": principal} | ({"sts:ExternalId": external_id} if external_id else {})
    arn = f"arn:aws:iam::{ACCOUNT}:role/mfawatch-remediate"
    request = build_request(principal, "sts:AssumeRole", arn, context, resource_account=ACCOUNT)
    policies = PolicySet(
        identity=(Policy("own", parse_policy(everything)),),
        resource=Policy("trust", parse_policy(trust, PolicyKind.RESOURCE)),
    )
    assert evaluate(request, policies).may_be_allowed is expected


def test_the_trusted_role_is_the_one_that_the_hub_makes() -> None:
    assert HUB_ROLE.endswith(f":role/{resolve(role('remediate')['RoleName'])}")


def test_the_hub_asks_for_the_role_that_the_member_makes() -> None:
    name = function("remediate")["Environment"]["Variables"]["MFAWATCH_REMEDIATION_ROLE"]
    assert properties()["RoleName"] == name


def test_the_member_lets_do_what_the_hub_lets_do_at_home() -> None:
    """Statement for statement, by the same parameters and conditions."""
    [own] = properties()["Policies"]
    [of_hub] = role("remediate")["Policies"]
    at_home = [one for one in of_hub["PolicyDocument"]["Statement"] if one.get("Sid") not in HUBS_ALONE]
    assert own["PolicyDocument"]["Statement"] == at_home
    template, hub = member_remediation(), rendered("prod")
    assert template["Conditions"] == {
        name: one for name, one in hub["Conditions"].items() if name.startswith("HasRemediation")
    }
    parameters = {name: one for name, one in template["Parameters"].items() if name.startswith("Remediation")}
    assert parameters == {name: one for name, one in hub["Parameters"].items() if name.startswith("Remediation")}
    others = {name: one for name, one in template["Parameters"].items() if name not in parameters}
    assert others == member()["Parameters"]
