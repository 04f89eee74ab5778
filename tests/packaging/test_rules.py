"""The rules of the deployment and of what forwards to it: what they let through, to whom, and what becomes of the rest.

Patterns are matched by moto's EventBridge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from moto.events.models import EventPattern

from chalicelib.events.effects import EFFECTS
from chalicelib.events.patterns import (
    CHANGES,
    CODECOMMIT,
    FORWARDED,
    GIT,
    IAM,
    KMS,
    LONGEST,
    OPERATIONS,
    RECORDS,
    TOO_MANY,
    WHOLE,
    changes_of,
)
from chalicelib.iam.actions import AccessLevel, catalogue
from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import build_request
from chalicelib.iam.statement import PolicyKind
from tests.packaging.rendering import (
    ACCOUNT,
    HEARING,
    NAMES,
    REGION,
    Json,
    forwarding,
    function,
    made,
    rendered,
    resolve,
    role,
    transformed,
)

READING_TOO = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
CALL, SIGN_IN, SIGNIN, SERVICE = RECORDS
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/mfawatch-events"
DEAD = {"Fn::GetAtt": ["EventsDeadQueue", "Arn"]}
ORGANIZATION = {"OrganizationId": "o-exampleorgid"}


def rules() -> dict[str, Json]:
    """The rules of the deployment that hear events, by name."""
    found = [one["Properties"] for one in transformed()["Resources"].values() if one["Type"] == "AWS::Events::Rule"]
    return {one["Name"]: one for one in found if "EventPattern" in one}


def forwarders() -> dict[str, Json]:
    """The rules that forward, by name."""
    found = [one["Properties"] for one in forwarding()["Resources"].values() if one["Type"] == "AWS::Events::Rule"]
    return {one["Name"]: one for one in found}


def event(source: str, name: str, kind: str = CALL, **more: Any) -> Json:
    """A record in EventBridge's envelope."""
    detail = {"eventSource": source, "eventName": name, "userIdentity": {"type": "IAMUser"}} | more
    return {"source": f"aws.{source.removesuffix('.amazonaws.com')}", "detail-type": kind, "detail": detail}


def taken(rules: Sequence[Json], event: Json) -> Iterator[Json]:
    """The rules that let an event through, on a bus that has it; reading ones only reach a rule that asks for them."""
    for rule in rules:
        seen = rule["State"] == READING_TOO or not event["detail"].get("readOnly")
        if seen and EventPattern(None, rule["EventPattern"]).matches_event(event):  # type: ignore[arg-type]
            yield rule


def hearers(event: Json, *, forwarded: bool) -> list[str]:
    """The functions that hear an event on the bus of the account, or on that of what is forwarded."""
    on_bus = [one for one in rules().values() if (one.get("EventBusName") == {"Ref": "EventBus"}) is forwarded]
    logical = {value: key for key, value in NAMES.items()}
    return [logical[one["Targets"][0]["Arn"]["Fn::GetAtt"][0]] for one in taken(on_bus, event)]


USES = [*sorted(TOO_MANY), *((CODECOMMIT, name) for name in OPERATIONS)]
HEARD_BY: list[tuple[Json, list[str]]] = [
    *((event(*one), ["hear_change"]) for one in EFFECTS if one not in USES),
    *((event(*one), []) for one in sorted(TOO_MANY)),
    *((event(source, "CreateSomethingNew"), ["hear_change"]) for source in sorted(WHOLE)),
    *((event(CODECOMMIT, name, readOnly=True), ["hear_git"]) for name in OPERATIONS),
    *((event(CODECOMMIT, name, readOnly=False), ["hear_git"]) for name in OPERATIONS),
    (event(CODECOMMIT, "CreateCommit"), []),
    (event(KMS, "PutKeyPolicy", userIdentity={"invokedBy": "cloudformation.amazonaws.com"}), ["hear_change"]),
    (event(KMS, "CreateGrant", userIdentity={"type": "IAMUser"}), ["hear_change"]),
    (event(KMS, "CreateGrant", userIdentity={"invokedBy": "autoscaling.amazonaws.com"}), []),
    (event(KMS, "Decrypt", readOnly=True), []),
    (event("signin.amazonaws.com", "ConsoleLogin", SIGN_IN), ["hear_change"]),
    (event("signin.amazonaws.com", "ConsoleLogin", SIGNIN), ["hear_change"]),
    (event("signin.amazonaws.com", "CheckMfa", SIGN_IN), []),
    (event("sso.amazonaws.com", "UpdateSsoConfiguration", SERVICE), ["hear_change"]),
    (event(IAM, "GenerateCredentialReport"), []),
    (event(IAM, "ListUsers", readOnly=True), []),
    (event("s3.amazonaws.com", "DeletePolicy"), []),
    (event(IAM, "DeactivateMFADevice", "Scheduled Event"), []),
    (event(IAM, "DeactivateMFADevice") | {"source": "our.app"}, []),
    (event(CODECOMMIT, "GitPush") | {"source": "our.app"}, []),
]


@pytest.mark.parametrize(
    ("event", "expected"),
    [pytest.param(*case, id=f"{number}-{case[0]['detail']['eventName']}") for number, case in enumerate(HEARD_BY)],
)
def test_who_hears_of_an_event(event: Json, expected: list[str]) -> None:
    """In the account itself, and in the same way in others and in other regions, whose rules forward it."""
    assert hearers(event, forwarded=False) == expected
    forwarded = list(taken(list(forwarders().values()), event))
    assert len(forwarded) == len(expected)
    if forwarded:
        assert hearers(event, forwarded=True) == expected


def test_what_looks_like_a_record_and_is_none_is_not_heard_where_it_is_put() -> None:
    """Whoever may put events on the bus can choose any source but AWS's own."""
    for name in ("DeactivateMFADevice", "GitPush"):
        assert not hearers(event(IAM, name) | {"source": "our.app"}, forwarded=True)


def test_all_that_writes_in_iam_is_heard() -> None:
    """Also what AWS adds to IAM after this was written."""
    reads = {AccessLevel.LIST, AccessLevel.READ}
    writes = [one.name[4:] for one in catalogue() if one.name.startswith("iam:") and one.access_level not in reads]
    assert len(writes) > 100
    for name in (*writes, "CreateSomethingNew"):
        assert hearers(event(IAM, name), forwarded=False) == ["hear_change"]


def test_uses_are_left_out_of_changes() -> None:
    changes = [one for one in EFFECTS if one not in USES]
    assert changes_of(changes) == changes_of([*changes, *USES]) == CHANGES


def test_the_patterns_are_those_of_the_code_everywhere() -> None:
    assert {name: rule["EventPattern"] for name, rule in rules().items()} == {
        "mfawatch-hear-change": CHANGES,
        "mfawatch-hear-change-forwarded": FORWARDED,
        "mfawatch-hear-git": GIT,
        "mfawatch-hear-git-forwarded": GIT,
    }
    assert {name: rule["EventPattern"] for name, rule in forwarders().items()} == {
        "mfawatch-changes": CHANGES,
        "mfawatch-git": GIT,
    }


def test_eventbridge_takes_the_patterns() -> None:
    """Its limits: the length, and for $or the combinations of values, which are 1,000 (EventBridge User Guide)."""
    for rule in (*rules().values(), *forwarders().values()):
        assert len(json.dumps(rule["EventPattern"])) <= LONGEST
    outer = len(CHANGES["source"]) * len(CHANGES["detail-type"])
    inner = [len(one["eventSource"]) * len(one["eventName"]) for one in CHANGES["detail"]["$or"]]
    assert outer * len(inner) <= 1000


def test_rules_are_named_as_what_watches_them_expects() -> None:
    """Somebody who disables a rule of a name that begins so blinds the auditor."""
    found = [one["Properties"] for one in transformed()["Resources"].values() if one["Type"] == "AWS::Events::Rule"]
    assert len(found) == 6
    for rule in (*found, *forwarders().values()):
        assert isinstance(rule["Name"], str)
        assert rule["Name"].startswith("mfawatch-")


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("mfawatch-hear-change", "ENABLED"),
        ("mfawatch-hear-change-forwarded", "ENABLED"),
        ("mfawatch-hear-git", READING_TOO),
        ("mfawatch-hear-git-forwarded", READING_TOO),
        ("mfawatch-changes", "ENABLED"),
        ("mfawatch-git", READING_TOO),
    ],
)
def test_a_pull_is_seen_too(name: str, state: str) -> None:
    """It is a reading event, which a rule sees in one state alone."""
    assert (rules() | forwarders())[name]["State"] == state


# --- what is not handed over -----------------------------------------------------------------------------------------


def test_what_a_rule_cannot_hand_over_is_kept() -> None:
    for rule in rules().values():
        [target] = rule["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": DEAD}
    for rule in forwarders().values():
        [target] = rule["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadQueue", "Arn"]}}


@pytest.mark.parametrize(
    ("template", "queue", "rules"),
    [(rendered("prod"), "EventsDeadQueue", rules()), (forwarding(), "DeadQueue", forwarders())],
    ids=["deployment", "forwarding"],
)
def test_dead_letters_come_from_the_rules_and_nobody_else(template: Json, queue: str, rules: dict[str, Json]) -> None:
    [policy] = [
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::SQS::QueuePolicy" and one["Properties"]["Queues"] == [{"Ref": queue}]
    ]
    plain, sent = resolve(policy["PolicyDocument"]["Statement"])
    assert (plain["Effect"], plain["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (sent["Effect"], sent["Action"], sent["Resource"]) == ("Allow", "sqs:SendMessage", plain["Resource"])
    assert sent["Principal"] == {"Service": "events.amazonaws.com"}
    assert sent["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    arns = sent["Condition"]["ArnEquals"]["aws:SourceArn"]
    on_bus = {name: "mfawatch-events/" if "EventBusName" in rule else "" for name, rule in rules.items()}
    assert sorted(arns) == sorted(f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{bus}{name}" for name, bus in on_bus.items())
    made_queue = template["Resources"][queue]["Properties"]
    assert (made_queue["SqsManagedSseEnabled"], made_queue["MessageRetentionPeriod"]) == (True, 14 * 86400)


@pytest.mark.parametrize("name", HEARING)
def test_what_a_function_cannot_hear_is_kept(name: str) -> None:
    assert function(name)["EventInvokeConfig"] == {
        "MaximumRetryAttempts": 2,
        "DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": DEAD}},
    }


def test_only_the_rules_the_bucket_and_the_api_invoke_the_functions() -> None:
    """A function that anything may invoke in another's name would believe any record."""
    found = transformed()["Resources"].values()
    permissions = [one["Properties"] for one in found if one["Type"] == "AWS::Lambda::Permission"]
    assert len(permissions) == len(rules()) + 2 + 1 + 2
    for permission in permissions:
        assert permission["Action"] == "lambda:InvokeFunction"
        assert "SourceArn" in permission
        by_api = permission["FunctionName"] in ({"Ref": "APIHandler"}, {"Fn::GetAtt": ["Authorize", "Arn"]})
        principals = {"apigateway.amazonaws.com"} if by_api else {"events.amazonaws.com", "s3.amazonaws.com"}
        assert permission["Principal"] in principals


# --- log files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"TrailBucket": ""}, None),
        ({"TrailBucket": "trail", "TrailBucketAccount": ""}, ACCOUNT),
        ({"TrailBucket": "trail", "TrailBucketAccount": "444455556666"}, "444455556666"),
    ],
)
def test_the_bucket_of_the_trail_may_tell_of_log_files(parameters: dict[str, str], expected: str | None) -> None:
    """With its account, as a bucket that was deleted can be made anew by anybody."""
    found = made(rendered("prod"), ScheduleState="ENABLED", OrganizationId="", **parameters)
    permissions = [one for name, one in found.items() if name == "HearLogFilePermission"]
    assert len(permissions) == (expected is not None)
    for one in permissions:
        properties = resolve(one["Properties"], **parameters)
        assert (properties["Principal"], properties["SourceArn"]) == ("s3.amazonaws.com", "arn:aws:s3:::trail")
        assert (properties["FunctionName"], properties["SourceAccount"]) == ({"Ref": "HearLogFile"}, expected)


# --- the bus of what is forwarded ------------------------------------------------------------------------------------

MEMBERS_ROLE = "arn:aws:iam::444455556666:role/mfawatch-events"
OWN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/mfawatch-events"


def may_put(principal: str, organization: str | None, own: Json, bus: Json | None) -> bool:
    """Whether a principal with a policy of its own may put events on the bus with its policy."""
    context = {"aws:PrincipalArn": principal} | ({"aws:PrincipalOrgID": organization} if organization else {})
    request = build_request(principal, "events:PutEvents", BUS, context, resource_account=ACCOUNT)
    policies = PolicySet(
        identity=(Policy("own", parse_policy(own)),),
        resource=Policy("bus", parse_policy(bus, PolicyKind.RESOURCE)) if bus else None,
    )
    return evaluate(request, policies).may_be_allowed


@pytest.mark.parametrize(
    ("principal", "organization", "expected"),
    [
        (MEMBERS_ROLE, "o-exampleorgid", True),
        (MEMBERS_ROLE, "o-anotherorgid", False),
        (MEMBERS_ROLE, None, False),
        (MEMBERS_ROLE.replace("mfawatch-events", "admin"), "o-exampleorgid", False),
        (MEMBERS_ROLE.replace("role/", "role/people/"), "o-exampleorgid", False),
    ],
)
def test_members_put_events_on_the_bus(principal: str, organization: str | None, expected: bool) -> None:
    """By the role that their template makes, and nobody else."""
    statement = resolve(rendered("prod")["Resources"]["EventBusPolicy"]["Properties"]["Statement"], **ORGANIZATION)
    assert statement["Resource"] == {"Fn::GetAtt": ["EventBus", "Arn"]}
    policy = {"Version": "2012-10-17", "Statement": statement | {"Resource": BUS, "Sid": "members"}}
    may = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    assert may_put(principal, organization, may, policy) is expected


@pytest.mark.parametrize(("principal", "expected"), [(OWN_ROLE, True), (MEMBERS_ROLE, False)])
def test_the_other_regions_of_the_account_need_no_organisation(principal: str, expected: bool) -> None:
    """In one account the policy of the role that forwards is enough, and the bus needs none."""
    [policy] = forwarding()["Resources"]["EventsRole"]["Properties"]["Policies"]
    assert may_put(principal, None, resolve(policy["PolicyDocument"], EventBusArn=BUS), None) is expected


@pytest.mark.parametrize("given", [{"OrganizationId": ""}, ORGANIZATION])
def test_the_bus_lets_members_in_where_an_organisation_is_named(given: dict[str, str]) -> None:
    there = made(rendered("prod"), ScheduleState="ENABLED", TrailBucket="", **given)
    assert "EventBus" in there
    assert ("EventBusPolicy" in there) is bool(given["OrganizationId"])
    assert "Condition" not in rendered("prod")["Outputs"]["EventBusArn"]


def test_the_roles_of_functions_are_not_the_ones_that_forward() -> None:
    assert OWN_ROLE.rpartition("/")[2] not in {resolve(role(name)["RoleName"]) for name in NAMES}
