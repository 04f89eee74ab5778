"""Where the deployment tells people and machines what it found, and who may say so."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import build_request
from chalicelib.iam.statement import PolicyKind
from tests.packaging.rendering import ACCOUNT, REGION, TELLING, Json, rendered, resolve, resources, role

ALERTS = f"arn:aws:sns:{REGION}:{ACCOUNT}:mfawatch-alerts"
EVERYTHING = parse_policy({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


def topic_policy(topic: str) -> list[Json]:
    [policy] = [one for one in resources("AWS::SNS::TopicPolicy").values() if one["Topics"] == [{"Ref": topic}]]
    found: list[Json] = policy["PolicyDocument"]["Statement"]
    return found


def test_the_topics_are_encrypted_with_one_key() -> None:
    topics = resources("AWS::SNS::Topic")
    assert topics == {
        "AlarmsTopic": {"TopicName": "mfawatch-alarms", "KmsMasterKeyId": {"Ref": "AlarmsKey"}},
        "AlertsTopic": {"TopicName": "mfawatch-alerts", "KmsMasterKeyId": {"Ref": "AlarmsKey"}},
    }
    assert resources("AWS::KMS::Key").keys() == {"AlarmsKey"}
    for topic in topics:
        plain = topic_policy(topic)[-1]
        assert (plain["Effect"], plain["Principal"], plain["Resource"]) == ("Deny", "*", {"Ref": topic})
        assert plain["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_cloudwatch_can_publish_under_the_topics_key() -> None:
    [key] = resources("AWS::KMS::Key").values()
    by_service = [one for one in key["KeyPolicy"]["Statement"] if "Service" in one["Principal"]]
    assert [(one["Principal"]["Service"], one["Action"]) for one in by_service] == [
        ("cloudwatch.amazonaws.com", ["kms:Decrypt", "kms:GenerateDataKey*"])
    ]
    assert resolve(by_service[0]["Condition"]) == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    publish = resolve(topic_policy("AlarmsTopic"))[0]
    assert publish["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert publish["Condition"]["ArnLike"]["aws:SourceArn"].endswith(f":{ACCOUNT}:alarm:mfawatch-*")


@pytest.mark.parametrize(
    ("principal", "expected"),
    [(name, True) for name in TELLING] + [(name, False) for name in ("audit_account", "hear_change", "decide")],
)
def test_alerts_come_from_who_tells_them(principal: str, expected: bool) -> None:
    """Whatever else a role of the account is allowed; from others an alert would be a forgery."""
    statements: Any = resolve(topic_policy("AlertsTopic"))
    for statement in statements:
        statement["Resource"] = ALERTS
    policy = parse_policy({"Version": "2012-10-17", "Statement": statements}, PolicyKind.RESOURCE)
    arn = f"arn:aws:iam::{ACCOUNT}:role/{resolve(role(principal)['RoleName'])}"
    context = {"aws:PrincipalArn": arn, "aws:SecureTransport": "true"}
    request = build_request(arn, "sns:Publish", ALERTS, context, resource_account=ACCOUNT)
    policies = PolicySet(identity=(Policy("own", EVERYTHING),), resource=Policy("topic", policy))
    assert evaluate(request, policies).may_be_allowed is expected


def test_the_slack_secret_is_where_the_roles_may_read() -> None:
    """Of other places the roles could read nothing."""
    parameter = rendered("prod")["Parameters"]["SlackSecret"]
    assert parameter["Default"] == "ssm:/mfawatch/slack"
    assert parameter["AllowedValues"] == ["ssm:/mfawatch/slack", "secretsmanager:mfawatch/slack"]
    assert "NoEcho" not in parameter  # it names the place


def test_findings_have_a_bus_that_nobody_else_puts_on() -> None:
    buses = {name: bus["Name"] for name, bus in resources("AWS::Events::EventBus").items()}
    assert buses == {"EventBus": "mfawatch-events", "FindingsBus": "mfawatch-findings"}
    of = [policy["EventBusName"] for policy in resources("AWS::Events::EventBusPolicy").values()]
    assert of == [{"Ref": "EventBus"}]


@pytest.mark.parametrize("parameter", ["TrailBucket", "TrailBucketAccount", "TrailKeyArn", "OrganizationId"])
def test_what_need_not_be_told_is_empty(parameter: str) -> None:
    found = rendered("prod")["Parameters"][parameter]
    assert found["Default"] == ""
    assert re.fullmatch(found["AllowedPattern"], "")
    assert not re.fullmatch(found["AllowedPattern"], "*")
