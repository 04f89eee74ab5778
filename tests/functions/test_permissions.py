"""Each function may do what it does, and nothing else: its calls, decided by the policy of its role."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from chalicelib.hub import Hub
from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet, trust_in_account
from chalicelib.iam.request import build_request
from chalicelib.local.lambda_runtime import queue_event
from chalicelib.pipeline import run_audit
from chalicelib.scope import Scope
from chalicelib.sweep import Run
from tests.functions.conftest import OWN, World, add_device, assignment, populate, running
from tests.functions.watching import Call, refusal
from tests.packaging.rendering import member, resolve, role

REGION = "us-east-1"
BY_LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""What Lambda does in a function's name (Lambda Developer Guide): its log, its trace, and the messages of its queue."""
MEMBER_ROLE = "the member role"
ROLES = ("decide", "sweep", "audit_account", MEMBER_ROLE)
LOOKS = "audit_change"
"""Whose audits are of some users alone."""


# --- what a call asks for --------------------------------------------------------------------------------------------


Asked = tuple[str, str, str]
"""Action, resource, and of the ledger the partition."""


def permissions(call: Call, account: str, organization: str) -> Iterator[Asked]:
    """What AWS decides about a call in an account (Service Authorization Reference)."""
    for action, resource, of in _decided(call, account, organization):
        yield action, resource, _partition(of) if resource.endswith(":table/mfawatch-ledger") else ""


def _partition(asked: Any) -> str:
    """The partition of an item, or the one that a query names first, as DynamoDB requires."""
    if key := asked.get("Key") or asked.get("Item"):
        return str(key["account"]["S"])
    [first, *_] = re.findall(r"= (:\w+)", asked["KeyConditionExpression"])
    return str(asked["ExpressionAttributeValues"][first]["S"])


def _decided(call: Call, account: str, organization: str) -> Iterator[tuple[str, str, Any]]:
    """Action, resource, and what the call says of it."""
    service, operation = call.operation.split(":")
    asked = call.parameters
    place = f"arn:aws:{service}:{call.region}:{account}"
    if operation == "TransactWriteItems":
        for item in asked["TransactItems"]:
            [(verb, one)] = item.items()
            yield f"dynamodb:{verb}Item", f"{place}:table/{one['TableName']}", one
    elif operation == "SendMessageBatch":
        yield "sqs:SendMessage", f"{place}:{asked['QueueUrl'].rpartition('/')[2]}", asked
    elif operation == "BatchGetRepositories":
        yield from ((call.operation, f"{place}:{name}", asked) for name in asked["repositoryNames"])
    else:
        yield call.operation, _resource(call, place, account, organization), asked


def _resource(call: Call, place: str, account: str, organization: str) -> str:
    asked = call.parameters
    match call.operation.split(":")[0]:
        case "iam":
            return f"arn:aws:iam::{account}:user/{asked['UserName']}" if "UserName" in asked else "*"
        case "dynamodb":
            return f"{place}:table/{asked['TableName']}"
        case "ssm":
            return f"{place}:parameter{asked['Name']}"
        case "sts":
            return str(asked.get("RoleArn", "*"))
        case "kms":
            return str(asked["KeyId"])
        case "organizations":
            return _in_organization(asked, organization)
    return "*"


def _in_organization(asked: Any, organization: str) -> str:
    owner, id_ = organization.split("/")
    if policy := asked.get("PolicyId"):
        whose, of = ("aws", "") if policy == "p-FullAWSAccess" else (owner, f"{id_}/")
        return f"arn:aws:organizations::{whose}:policy/{of}service_control_policy/{policy}"
    target = asked.get("ChildId") or asked.get("TargetId")
    if target is None:
        return "*"
    kind = "root" if target.startswith("r-") else "ou" if target.startswith("ou-") else "account"
    return f"arn:aws:organizations::{owner}:{kind}/{id_}/{target}"


# --- all that the functions do ---------------------------------------------------------------------------------------


class Everything:
    """What the functions ask for when they do all that they do, by function or role."""

    def __init__(self) -> None:
        self.asked: dict[str, set[Asked]] = {name: set() for name in (*ROLES, LOOKS)}
        with running() as world:
            self.member, organization = found_organization(world)
            self.done(world, "sweep", lambda: world.deployment.start("one", datetime.now(UTC)), organization)
            self.done(world, "audit_account", world.deployment.work, organization)
            for account in (OWN, self.member):
                add_device(world.iam(account), "bare")  # a finding is resolved
            self.done(world, "sweep", lambda: world.deployment.start("two", datetime.now(UTC)), organization)
            self.done(world, "audit_account", world.deployment.work, organization)
            message = {"MessageId": "m", "Body": assignment("three", OWN)}
            world.watching.faults["dynamodb:Query"] = refusal("AccessDeniedException")
            for _ in range(2):  # work that fails is forgotten, work that is done is remembered
                self.done(world, "audit_account", lambda: work(world, message), organization)
                world.watching.faults.clear()
            for account in (OWN, self.member):
                self.done(world, LOOKS, partial(look, account), organization)

    def done(self, world: World, name: str, does: Any, organization: str) -> None:
        """Note what the function asks for while it does something."""
        before = len(world.watching.calls)
        does()
        for call in world.watching.calls[before:]:
            account = self.member if call.member else OWN
            self.asked[MEMBER_ROLE if call.member else name].update(permissions(call, account, organization))

    def account(self, name: str) -> str:
        """The account of a function or role."""
        return self.member if name == MEMBER_ROLE else OWN


def look(account: str) -> None:
    """Audit one user."""
    hub = Hub(os.environ, f"arn:aws:lambda:us-east-1:{OWN}:function:mfawatch")
    run_audit(Scope(account, frozenset({"bare"})), Run("four", hub.clock()), hub.settings, hub.ports("four"))


def work(world: World, message: Any) -> None:
    """Hand one message to the workers."""
    world.deployment.call("audit_account", queue_event([message]))


def found_organization(world: World) -> tuple[str, str]:
    """An organisation with a member below a unit and a policy on it: the member, and owner/id of the organisation."""
    client = world.client("organizations", OWN)
    made = client.create_organization(FeatureSet="ALL")["Organization"]
    root = client.list_roots()["Roots"][0]["Id"]
    client.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    unit = client.create_organizational_unit(ParentId=root, Name="unit")["OrganizationalUnit"]["Id"]
    status = client.create_account(Email="one@example.com", AccountName="one")["CreateAccountStatus"]
    account = str(status["AccountId"])
    client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    content = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}]}
    policy = client.create_policy(
        Content=json.dumps(content), Description="d", Name="no-reading", Type="SERVICE_CONTROL_POLICY"
    )["Policy"]["PolicySummary"]["Id"]
    client.attach_policy(PolicyId=policy, TargetId=unit)
    populate(world, account)
    settings = "organization = true"
    world.client("ssm", OWN).put_parameter(Name="/mfawatch/settings", Value=settings, Type="String", Overwrite=True)
    return account, f"{OWN}/{made['Id']}"


@pytest.fixture(scope="module")
def everything() -> Everything:
    return Everything()


def document(name: str, everything: Everything) -> Any:
    """The policy of a function's role, or of the member role, in the account where it stands."""
    of_role = member()["Resources"]["AuditRole"]["Properties"] if name == MEMBER_ROLE else role(name)
    [policy] = of_role["Policies"]
    parameters = {"AWS::Region": REGION, "AWS::AccountId": everything.account(name)}
    return resolve(policy["PolicyDocument"], **parameters)


@pytest.mark.parametrize("name", [*ROLES, LOOKS])
def test_every_call_is_allowed(name: str, everything: Everything) -> None:
    account = everything.account(name)
    own = Policy(name, parse_policy(document(name, everything)))
    assert everything.asked[name] or name == "decide"
    for action, resource, partition in sorted(everything.asked[name]):
        # Whom the member's role trusts is tested with its template.
        trust = trust_in_account(account) if action == "sts:AssumeRole" else None
        context = {"dynamodb:LeadingKeys": partition} if partition else {}
        request = build_request(f"arn:aws:iam::{account}:role/mfawatch", action, resource, context)
        decided = evaluate(request, PolicySet(identity=(own,), resource=trust))
        assert decided.allowed, f"{action} on {resource}: {decided.reason}"


@pytest.mark.parametrize("name", ROLES)
def test_every_action_of_a_policy_is_used(name: str, everything: Everything) -> None:
    named = {action for statement in document(name, everything)["Statement"] for action in statement["Action"]}
    used = {action for action, *_ in everything.asked[name]}
    assert named - BY_LAMBDA == used - {"sts:GetCallerIdentity"}


def test_the_failure_of_a_sweep_is_sent_by_the_same_action_as_its_accounts() -> None:
    """Lambda sends the event of a sweep that failed to the queue of dead sweeps, in the function's name."""
    statements = role("sweep")["Policies"][0]["PolicyDocument"]["Statement"]
    [sending] = [one for one in statements if one["Action"] == ["sqs:SendMessage"]]
    assert [resolve(one).rpartition(":")[2] for one in sending["Resource"]] == [
        "mfawatch-accounts",
        "mfawatch-sweeps-dead",
    ]
