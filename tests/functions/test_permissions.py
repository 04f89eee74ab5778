"""Each function may do what it does, and nothing else: its calls, decided by the policy of its role."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet, trust_in_account
from chalicelib.iam.request import build_request
from tests.functions.asked import BUCKET, REGION, TRAIL_KEY, Asked
from tests.functions.everything import MEMBER_ROLE, ROLES, Everything
from tests.functions.remedies import PARAMETERS
from tests.packaging.rendering import resolve, role
from tests.packaging.test_roles import MEMBER, policy_of

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


@pytest.fixture(scope="module")
def everything() -> Everything:
    return Everything()


def statements(name: str, everything: Everything) -> list[Any]:
    """The policy of a function's role, or of a member's role, in the account where it stands."""
    parameters = PARAMETERS | {
        "AWS::Region": REGION,
        "AWS::AccountId": everything.account(name),
        "TrailBucket": BUCKET,
        "TrailKeyArn": TRAIL_KEY,
    }
    found: list[Any] = policy_of(MEMBER if name == MEMBER_ROLE else name, **parameters)["Statement"]
    return found


def allowed(asked: Asked, some: list[Any], account: str) -> bool:
    """Whether these statements allow what was asked for."""
    action, resource, context = asked
    # Whom the member's role trusts is tested with its template.
    trust = trust_in_account(account) if action == "sts:AssumeRole" else None
    own = Policy("own", parse_policy({"Version": "2012-10-17", "Statement": some}))
    request = build_request(f"arn:aws:iam::{account}:role/mfawatch", action, resource, dict(context))
    return evaluate(request, PolicySet(identity=(own,), resource=trust)).allowed


@pytest.mark.parametrize("name", ROLES)
def test_every_call_is_allowed(name: str, everything: Everything) -> None:
    assert everything.asked[name] or name == "decide"
    some, account = statements(name, everything), everything.account(name)
    assert [one for one in sorted(everything.asked[name]) if not allowed(one, some, account)] == []


@pytest.mark.parametrize("name", ROLES)
def test_every_action_of_every_statement_is_used(name: str, everything: Everything) -> None:
    account = everything.account(name)
    unused = [
        (statement["Sid"], action)
        for statement in statements(name, everything)
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        if action not in BY_LAMBDA
        and not any(one[0] == action and allowed(one, [statement], account) for one in everything.asked[name])
    ]
    assert unused == []


def test_the_failure_of_a_sweep_is_sent_by_the_same_action_as_its_accounts() -> None:
    """Lambda sends the event of a sweep that failed to the queue of dead sweeps, in the function's name."""
    found = role("sweep")["Policies"][0]["PolicyDocument"]["Statement"]
    [sending] = [one for one in found if one["Action"] == ["sqs:SendMessage"]]
    assert [resolve(one).rpartition(":")[2] for one in sending["Resource"]] == [
        "mfawatch-accounts",
        "mfawatch-sweeps-dead",
    ]
