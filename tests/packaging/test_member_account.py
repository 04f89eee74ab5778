"""The template of a member account: whom its role lets in, what it forwards, and that it can stand in many regions."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import build_request
from chalicelib.iam.statement import PolicyKind
from tests.packaging.rendering import ACCOUNT, REGION, Json, function, made, member, rendered, resolve, role

HUB = "999988887777"
HUB_ROLE = f"arn:aws:iam::{HUB}:role/mfawatch-audit-account-{REGION}"
EXTERNAL_ID = "an-external-id-of-ours"
BUS = f"arn:aws:events:{REGION}:{HUB}:event-bus/mfawatch-events"
RULES = {"CodeCommitRule", "KmsRule", "SignInRule"}


@pytest.mark.parametrize(
    ("region", "home", "bus", "expected"),
    [
        ("us-east-1", "us-east-1", "", {"AuditRole"}),
        ("eu-west-1", "us-east-1", "", set()),
        ("us-east-1", "us-east-1", BUS, {"AuditRole", "EventsRole", "IamRule"} | RULES),
        ("eu-west-1", "us-east-1", BUS, RULES),
        ("eu-west-1", "eu-west-1", BUS, {"AuditRole", "EventsRole"} | RULES),
        ("us-east-1", "eu-west-1", BUS, {"IamRule"} | RULES),
    ],
)
def test_the_roles_are_made_once_and_iam_is_watched_where_it_reports(
    region: str, home: str, bus: str, expected: set[str]
) -> None:
    assert made(member(), **{"AWS::Region": region, "HomeRegion": home, "EventBusArn": bus}).keys() == expected


def rules() -> dict[str, Json]:
    found: dict[str, Json] = member()["Resources"]
    return {name: one["Properties"] for name, one in found.items() if one["Type"] == "AWS::Events::Rule"}


def test_events_go_to_the_hubs_bus_and_no_further() -> None:
    """By a role whose name is the same in all regions, and that is made before the rules where it is made."""
    events = member()["Resources"]["EventsRole"]["Properties"]
    [policy] = events["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["events:PutEvents"]
    assert statement["Resource"] == {"Ref": "EventBusArn"}
    for rule in rules().values():
        [target] = rule["Targets"]
        assert target["Arn"] == {"Ref": "EventBusArn"}
        condition, here, elsewhere = target["RoleArn"]["Fn::If"]
        assert (condition, here) == ("IsHome", {"Fn::GetAtt": ["EventsRole", "Arn"]})
        assert resolve(elsewhere) == f"arn:aws:iam::{ACCOUNT}:role/{events['RoleName']}"
        assert rule["Name"].startswith("mfawatch-")
    [bus] = [one for one in rendered("prod")["Resources"].values() if one["Type"] == "AWS::Events::EventBus"]
    assert BUS.endswith(f":event-bus/{bus['Properties']['Name']}")
    [trust] = events["AssumeRolePolicyDocument"]["Statement"]
    assert resolve(trust["Condition"]) == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{ACCOUNT}:rule/mfawatch-*"},
    }


def test_a_pull_is_forwarded_too() -> None:
    """It is a reading event, which a rule sees in one state alone."""
    assert rules()["CodeCommitRule"]["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    assert {"GitPull", "GitPush"} <= set(rules()["CodeCommitRule"]["EventPattern"]["detail"]["eventName"])
    assert {rule["State"] for name, rule in rules().items() if name != "CodeCommitRule"} == {"ENABLED"}


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
        (HUB_ROLE, "another", False),
        (HUB_ROLE, None, False),
        (HUB_ROLE.replace("audit-account", "sweep"), EXTERNAL_ID, False),
        (HUB_ROLE.replace(REGION, "eu-west-1"), EXTERNAL_ID, False),
        (HUB_ROLE.replace(HUB, "444455556666"), EXTERNAL_ID, False),
    ],
)
def test_the_member_role_trusts_the_audit_alone(principal: str, external_id: str | None, expected: bool) -> None:
    context = {"aws:PrincipalArn": principal} | ({"sts:ExternalId": external_id} if external_id else {})
    assert trusted(principal, context) is expected


def test_the_trusted_role_is_the_one_that_the_hub_makes() -> None:
    assert HUB_ROLE.endswith(f":role/{resolve(role('audit_account')['RoleName'])}")


def test_the_hub_asks_for_the_role_that_the_member_makes() -> None:
    name = function("audit_account")["Environment"]["Variables"]["MFAWATCH_MEMBER_ROLE"]
    assert member()["Resources"]["AuditRole"]["Properties"]["RoleName"] == name


def test_the_external_id_is_no_secret_that_can_be_read_back() -> None:
    parameter = member()["Parameters"]["ExternalId"]
    assert parameter["NoEcho"] is True
    assert parameter["MinLength"] == 16
