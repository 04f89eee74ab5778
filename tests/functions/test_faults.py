"""What fails: no finding is resolved or told twice because of it, the rest of the sweep is unharmed, the gap shows."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import cycle, product

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

from chalicelib.aws.member_accounts import MemberAccounts
from chalicelib.ledger import ChangeKind
from chalicelib.local.lambda_runtime import queue_event
from tests.accounts.build import ADMIN
from tests.functions.conftest import EXPECTED, MEMBER, OWN, PEOPLE, World, assignment
from tests.functions.watching import Fault, raising, refusal

OPTIONAL = {"iam:GenerateCredentialReport"}
"""Calls whose failure costs nothing: another report is there already."""
READS = (
    "iam:GenerateCredentialReport",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetCredentialReport",
    "iam:ListMFADevices",
    "iam:ListSSHPublicKeys",
    "iam:ListServiceSpecificCredentials",
    "iam:ListVirtualMFADevices",
    "organizations:DescribeOrganization",
    "codecommit:ListRepositories",
    "codecommit:BatchGetRepositories",
    "kms:GetKeyPolicy",
)
"""Calls without which an account is read in part."""
NEEDED = (
    "dynamodb:PutItem",
    "dynamodb:Query",
    "ssm:GetParameter",
)
"""Calls without which nothing can be done or kept."""
FAULTS: dict[str, Fault] = {
    "throttled": refusal("ThrottlingException"),
    "denied": refusal("AccessDenied", 403),
    "dropped": raising(ConnectionClosedError(endpoint_url="http://gone")),
}
REASONS = {"throttled": "Throttling", "denied": "AccessDenied", "dropped": "closed"}


def test_these_are_the_calls_of_a_sweep(swept: World) -> None:
    made = {call.operation for call in swept.watching.calls}
    written = {"dynamodb:TransactWriteItems", "dynamodb:UpdateItem"}
    assert made - written - {"sts:AssumeRole", "sqs:SendMessageBatch"} == {*READS, *NEEDED}


def pairs(operations: Sequence[str]) -> list[tuple[str, str]]:
    """Each operation with each fault in a thorough run, and otherwise with one of them in turn."""
    if "MFAWATCH_THOROUGH" in os.environ:
        return list(product(operations, FAULTS))
    return list(zip(operations, cycle(FAULTS)))


@pytest.mark.parametrize(("operation", "fault"), pairs(READS))
def test_a_read_that_fails_resolves_nothing_and_shows(swept: World, operation: str, fault: str) -> None:
    run = f"{operation.replace(':', '-')}-{fault}"
    swept.watching.faults[operation] = FAULTS[fault]
    try:
        assert swept.sweep(run) == []
    finally:
        swept.watching.faults.clear()
    for account in (OWN, MEMBER):
        assert swept.told(account) == EXPECTED
        assert {kind for kind, _ in swept.deployment.changes(account, run)} <= {ChangeKind.CHANGED}
        if operation not in OPTIONAL:
            assert any(REASONS[fault] in reason for reason in swept.gaps(account, run))


@pytest.mark.parametrize(("operation", "fault"), pairs(NEEDED))
def test_without_what_is_needed_an_account_is_given_up_loudly(swept: World, operation: str, fault: str) -> None:
    run = f"{operation.replace(':', '-')}-{fault}"
    swept.deployment.start(run, datetime.now(UTC))
    swept.watching.faults[operation] = FAULTS[fault]
    try:
        given_up = swept.deployment.work()
    finally:
        swept.watching.faults.clear()
    assert {json.loads(message["Body"])["account"] for message in given_up} == {OWN, MEMBER}
    assert swept.told(OWN) == swept.told(MEMBER) == EXPECTED
    # What was given up is put back into the queue by an operator: then it is done.
    answer = swept.deployment.call("audit_account", queue_event(given_up))
    assert answer == {"batchItemFailures": []}
    assert swept.report(OWN, run).users == len(PEOPLE)


def test_a_report_that_is_never_made_is_a_gap(swept: World) -> None:
    swept.watching.faults["iam:GetCredentialReport"] = refusal("ReportInProgress", 404)
    try:
        assert swept.sweep("no-report") == []
    finally:
        swept.watching.faults.clear()
    assert any("not made within" in reason for reason in swept.gaps(OWN, "no-report"))
    assert swept.told(OWN).keys() == EXPECTED.keys()


def test_a_member_without_the_role_shows_and_harms_nobody(swept: World) -> None:
    swept.watching.faults["sts:AssumeRole"] = refusal("AccessDenied", 403)
    try:
        assert swept.sweep("no-role") == []
    finally:
        swept.watching.faults.clear()
    [reason] = swept.gaps(MEMBER, "no-role")
    assert f"arn:aws:iam::{MEMBER}:role/mfawatch-audit cannot be assumed: AccessDenied" in reason
    assert swept.told(OWN) == swept.told(MEMBER) == EXPECTED
    assert swept.deployment.changes(MEMBER, "no-role") == []
    assert swept.report(OWN, "no-role").gap_count == 0


def test_sts_that_does_not_answer_is_tried_again_and_given_up_loudly(swept: World) -> None:
    swept.watching.faults["sts:AssumeRole"] = refusal("Throttling")
    try:
        [given_up] = swept.sweep("busy")
    finally:
        swept.watching.faults.clear()
    assert json.loads(given_up["Body"])["account"] == MEMBER
    assert swept.told(MEMBER) == EXPECTED


def test_a_role_of_another_account_resolves_nothing(swept: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever leads to the wrong account: its people must not stand for those of the right one."""
    monkeypatch.setattr(MemberAccounts, "reader_of", lambda self, _: self.open(None))
    assert swept.sweep("confused") == []
    assert any(f"are of account {OWN}" in reason for reason in swept.gaps(MEMBER, "confused"))
    assert swept.told(MEMBER) == EXPECTED


def test_a_message_delivered_three_times_is_worked_once(swept: World) -> None:
    message = {"MessageId": "m", "Body": assignment("thrice", OWN)}
    swept.watching.calls.clear()
    answers = [
        swept.deployment.call("audit_account", queue_event([message, {**message, "MessageId": "n"}])) for _ in range(3)
    ]
    assert answers == [{"batchItemFailures": []}] * 3
    operations = [call.operation for call in swept.watching.calls]
    assert operations.count("iam:GetAccountAuthorizationDetails") == 1
    assert swept.report(OWN, "thrice").users == len(PEOPLE)


POISON = ["", "{", "null", "[]", '{"run": "r", "account": "1"}', '{"run": 1}', "\ud800", "x" * 10_000]


@pytest.mark.parametrize("body", POISON)
def test_a_poisoned_message_fails_alone(swept: World, body: str) -> None:
    messages = [
        {"MessageId": "bad", "Body": body},
        {"MessageId": "good", "Body": assignment(f"beside-{POISON.index(body)}", OWN)},
    ]
    answer = swept.deployment.call("audit_account", queue_event(messages))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert swept.report(OWN, f"beside-{POISON.index(body)}").users == len(PEOPLE)


def test_a_poisoned_message_is_given_up_in_the_end(swept: World) -> None:
    swept.deployment.sqs.send_message(QueueUrl=swept.deployment.accounts_url, MessageBody="poison")
    [given_up] = swept.deployment.work()
    assert given_up["Body"] == "poison"


def test_an_account_that_no_sweep_goes_through_is_not_entered(swept: World) -> None:
    """Whoever can write to the queue must not learn the external id by an account of their own."""
    swept.watching.calls.clear()
    message = {"MessageId": "m", "Body": assignment("foreign", "666666666666")}
    answer = swept.deployment.call("audit_account", queue_event([message]))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert "sts:AssumeRole" not in swept.watching.operations()
    assert swept.deployment.ledger.reports("666666666666", 1) == []


def test_a_report_that_is_lost_accuses_nobody_until_it_stays_lost(swept: World) -> None:
    """A user without any credential, of whom nothing is known for a while but that there may be one."""
    iam = swept.iam(OWN)
    iam.create_user(UserName="idle")
    iam.put_user_policy(UserName="idle", PolicyName="p", PolicyDocument=json.dumps(ADMIN))
    swept.sweep("idle-with-report")
    swept.watching.faults["iam:GetCredentialReport"] = refusal("AccessDenied", 403)
    try:
        swept.sweep("idle-once-without")
        assert ("idle", "mfa-not-enforced") not in swept.told(OWN)
        swept.sweep("idle-twice-without")
        assert ("idle", "mfa-not-enforced") in swept.told(OWN)
    finally:
        swept.watching.faults.clear()
        iam.delete_user_policy(UserName="idle", PolicyName="p")
        iam.delete_user(UserName="idle")
        swept.sweep("without-idle")
    assert swept.told(OWN) == EXPECTED


@pytest.mark.parametrize("fault", FAULTS)
def test_a_queue_that_takes_nothing_fails_the_sweep_and_the_same_event_makes_up_for_it(
    swept: World, fault: str
) -> None:
    run = f"no-queue-{fault}"
    at = datetime.now(UTC)
    swept.watching.faults["sqs:SendMessageBatch"] = FAULTS[fault]
    try:
        with pytest.raises((ClientError, BotoCoreError)):
            swept.deployment.start(run, at)
    finally:
        swept.watching.faults.clear()
    swept.deployment.start(run, at)  # as Lambda does with an event whose function failed
    assert swept.deployment.work() == []
    assert swept.report(OWN, run).users == swept.report(MEMBER, run).users == len(PEOPLE)


@pytest.mark.parametrize("fault", FAULTS)
def test_work_that_cannot_be_remembered_is_done_once_in_the_ledger(swept: World, fault: str) -> None:
    """The message comes again, and is refused until the first worker's time is over."""
    run = f"forgetful-{fault}"
    message = {"MessageId": "m", "Body": assignment(run, OWN)}
    swept.watching.faults["dynamodb:UpdateItem"] = FAULTS[fault]
    try:
        first = swept.deployment.call("audit_account", queue_event([message]), timeout=0)
    finally:
        swept.watching.faults.clear()
    assert first == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    again = swept.deployment.call("audit_account", queue_event([message]))
    assert again == {"batchItemFailures": []}
    assert swept.deployment.changes(OWN, run) == []
    assert swept.told(OWN) == EXPECTED


@pytest.mark.parametrize("fault", FAULTS)
def test_work_that_fails_and_cannot_be_forgotten_is_done_again(swept: World, fault: str) -> None:
    run = f"stuck-{fault}"
    message = {"MessageId": "m", "Body": assignment(run, OWN)}
    swept.watching.faults |= {"dynamodb:Query": refusal("AccessDenied"), "dynamodb:DeleteItem": FAULTS[fault]}
    try:
        first = swept.deployment.call("audit_account", queue_event([message]), timeout=0)
    finally:
        swept.watching.faults.clear()
    assert first == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    again = swept.deployment.call("audit_account", queue_event([message]))
    assert again == {"batchItemFailures": []}
    assert swept.report(OWN, run).users == len(PEOPLE)
