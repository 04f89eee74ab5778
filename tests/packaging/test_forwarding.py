"""The template that forwards events: where it makes what, and that what it forwards goes to the hub's bus alone."""

from __future__ import annotations

import pytest

from tests.packaging.rendering import ACCOUNT, REGION, forwarding, made, rendered, resolve

HUB = "999988887777"
BUS = f"arn:aws:events:{REGION}:{HUB}:event-bus/mfawatch-events"
OWN_BUS = BUS.replace(HUB, ACCOUNT)
RULES = {"ChangesRule", "GitRule", "DeadQueue", "DeadQueuePolicy"}


@pytest.mark.parametrize(
    ("region", "home", "bus", "expected"),
    [
        ("us-east-1", "us-east-1", BUS, {"EventsRole"} | RULES),
        ("eu-west-1", "us-east-1", BUS, RULES),
        (REGION, "us-east-1", BUS, RULES),
        ("eu-west-1", "eu-west-1", BUS, {"EventsRole"} | RULES),
        ("us-east-1", "us-east-1", OWN_BUS, {"EventsRole"} | RULES),
        ("eu-west-1", "us-east-1", OWN_BUS, RULES),
        (REGION, "us-east-1", OWN_BUS, set()),
        (REGION, REGION, OWN_BUS, {"EventsRole"}),
    ],
)
def test_the_role_is_made_once_and_nothing_is_forwarded_to_where_it_is(
    region: str, home: str, bus: str, expected: set[str]
) -> None:
    found = made(forwarding(), **{"AWS::Region": region, "HomeRegion": home, "EventBusArn": bus})
    assert found.keys() == expected


def test_events_go_to_the_hubs_bus_and_no_further() -> None:
    """By a role whose name is the same in all regions, and that is made before the rules where it is made."""
    resources = forwarding()["Resources"]
    events = resources["EventsRole"]["Properties"]
    [policy] = events["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["events:PutEvents"]
    assert statement["Resource"] == {"Ref": "EventBusArn"}
    rules = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Events::Rule"]
    assert len(rules) == 2
    for rule in rules:
        [target] = rule["Targets"]
        assert target["Arn"] == {"Ref": "EventBusArn"}
        condition, here, elsewhere = target["RoleArn"]["Fn::If"]
        assert (condition, here) == ("IsHome", {"Fn::GetAtt": ["EventsRole", "Arn"]})
        assert resolve(elsewhere) == f"arn:aws:iam::{ACCOUNT}:role/{events['RoleName']}"
    bus = rendered("prod")["Resources"]["EventBus"]["Properties"]["Name"]
    assert BUS.endswith(f":event-bus/{bus}")
    [trust] = events["AssumeRolePolicyDocument"]["Statement"]
    assert resolve(trust["Condition"]) == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{ACCOUNT}:rule/mfawatch-*"},
    }
