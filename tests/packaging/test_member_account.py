"""The template of a member account: whom its role lets in."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import build_request
from chalicelib.iam.statement import PolicyKind
from tests.packaging.rendering import ACCOUNT, REGION, function, member, resolve, role

HUB = "999988887777"
HUB_ROLE = f"arn:aws:iam::{HUB}:role/mfawatch-audit-account-{REGION}"
CHANGE_ROLE = HUB_ROLE.replace("audit-account", "audit-change")
API_ROLE = HUB_ROLE.replace("audit-account", "api")
EXTERNAL_ID = "an-external-id-of-ours"


def trusted(principal: str, context: dict[str, str]) -> bool:
    """Whether the member role's trust policy lets a role of another account in, that its own account allows it."""
    properties = member()["Resources"]["AuditRole"]["Properties"]
    parameters: dict[str, str] = {"HubAccountId": HUB, "HubRegion": REGION, "ExternalId": EXTERNAL_ID}
    trust: Any = resolve(properties["AssumeRolePolicyDocument"], **parameters)
    everything = parse_policy(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    )
    request = build_request(
        principal, "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/mfawatch-audit", context, resource_account=ACCOUNT
    )
    resource = Policy("trust", parse_policy(trust, PolicyKind.RESOURCE))
    return evaluate(request, PolicySet(identity=(Policy("own", everything),), resource=resource)).may_be_allowed


@pytest.mark.parametrize(
    ("principal", "external_id", "expected"),
    [
        (HUB_ROLE, EXTERNAL_ID, True),
        (CHANGE_ROLE, EXTERNAL_ID, True),
        (API_ROLE, EXTERNAL_ID, True),
        (CHANGE_ROLE, "another", False),
        (HUB_ROLE, "another", False),
        (HUB_ROLE, None, False),
        (HUB_ROLE.replace("audit-account", "sweep"), EXTERNAL_ID, False),
        (HUB_ROLE.replace("audit-account", "hear-change"), EXTERNAL_ID, False),
        (HUB_ROLE.replace(REGION, "eu-west-1"), EXTERNAL_ID, False),
        (HUB_ROLE.replace(HUB, "444455556666"), EXTERNAL_ID, False),
    ],
)
def test_the_member_role_trusts_the_audits_alone(principal: str, external_id: str | None, expected: bool) -> None:
    context = {"aws:PrincipalArn": principal} | ({"sts:ExternalId": external_id} if external_id else {})
    assert trusted(principal, context) is expected


@pytest.mark.parametrize(
    ("name", "arn"), [("audit_account", HUB_ROLE), ("audit_change", CHANGE_ROLE), ("api_handler", API_ROLE)]
)
def test_the_trusted_roles_are_those_that_the_hub_makes(name: str, arn: str) -> None:
    assert arn.endswith(f":role/{resolve(role(name)['RoleName'])}")


def test_the_hub_asks_for_the_role_that_the_member_makes() -> None:
    name = function("audit_account")["Environment"]["Variables"]["MFAWATCH_MEMBER_ROLE"]
    assert member()["Resources"]["AuditRole"]["Properties"]["RoleName"] == name


def test_the_external_id_is_no_secret_that_can_be_read_back() -> None:
    parameter = member()["Parameters"]["ExternalId"]
    assert parameter["NoEcho"] is True
    assert parameter["MinLength"] == 16
