"""Messages by SNS: subject, body and the attributes that subscriptions filter by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto import mock_aws

from chalicelib.findings import Severity
from chalicelib.ledger import ChangeKind
from chalicelib.notify.sns import SnsNotifier
from chalicelib.ports import Notifier
from chalicelib.remediation.run import RunState
from tests.alerts.build import DETACHED, notice, run_notice
from tests.ledger.build import DEVICE, ENFORCED


@dataclass
class Mail:
    """A topic, and a queue that gets what is published."""

    sns: Any
    sqs: Any
    topic: str
    queue: str

    def subscribe(self, filter_policy: object) -> None:
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        attributes = {"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {}
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)

    def received(self) -> list[Any]:
        found = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(one["Body"]) for one in found]


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mail]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    with mock_aws():
        sns, sqs = (boto3.client(service, region_name="eu-west-1") for service in ("sns", "sqs"))
        topic = sns.create_topic(Name="mfawatch-alerts")["TopicArn"]
        yield Mail(sns, sqs, topic, sqs.create_queue(QueueName="mail")["QueueUrl"])


def test_a_message(mail: Mail) -> None:
    mail.subscribe(None)
    notifier: Notifier = SnsNotifier(mail.sns, mail.topic)
    notices = [notice(control=ENFORCED, cause=DETACHED), notice(control=DEVICE, severity=Severity.MEDIUM)]
    told = notifier.tell(notices)
    assert (sorted(told.taken, key=str), told.trouble) == (sorted(notices, key=str), "")
    [posted] = mail.received()
    assert posted["Subject"] == "mfawatch: High - user alice - A title, and 1 more"
    assert "\n  after iam:DetachUserPolicy by arn:aws:iam::111122223333:user/carol" in posted["Message"]
    assert {name: one["Value"] for name, one in posted["MessageAttributes"].items()} == {
        "severity": "high",
        "control": '["mfa-not-enforced", "user-without-mfa"]',
        "account": '["111122223333"]',
        "kind": '["opened"]',
    }


@pytest.mark.parametrize(
    ("policy", "subjects"),
    [
        ({"severity": ["critical", "high"]}, ["alice"]),
        ({"control": [DEVICE]}, ["bob"]),
        ({"account": ["999999999999"]}, []),
        ({"kind": ["resolved"]}, ["carol"]),
    ],
)
def test_a_subscription_filters(mail: Mail, policy: object, subjects: list[str]) -> None:
    mail.subscribe(policy)
    notices = [
        notice(user="alice"),
        notice(user="bob", control=DEVICE, severity=Severity.MEDIUM),
        notice(ChangeKind.RESOLVED, user="carol", version=2, severity=Severity.LOW),
    ]
    SnsNotifier(mail.sns, mail.topic).tell(notices)
    assert [one["Subject"].split(" - ")[1] for one in mail.received()] == [f"user {name}" for name in subjects]


def test_a_digest(mail: Mail) -> None:
    mail.subscribe(None)
    SnsNotifier(mail.sns, mail.topic).tell([notice(user="alice"), notice(account="999999999999")], digest=True)
    [posted] = mail.received()
    assert posted["Subject"] == "mfawatch: Digest - 2 accounts - 2 findings, the gravest high"
    assert json.loads(posted["MessageAttributes"]["account"]["Value"]) == ["111122223333", "999999999999"]


def test_a_run(mail: Mail) -> None:
    mail.subscribe({"kind": ["remediation-waiting"]})
    waiting, done = run_notice(), run_notice(RunState.DONE, run="20260601T060000Z-another")
    told = SnsNotifier(mail.sns, mail.topic).tell_runs([waiting, done])
    assert (sorted(told.taken, key=str), told.trouble) == (sorted([waiting, done], key=str), "")
    [posted] = mail.received()
    assert posted["Subject"] == "mfawatch: Waiting for approval - user alice - A title"
    assert f"\nTo approve it: mfawatch approve {waiting.run} --account {waiting.account}\n" in posted["Message"]
    assert {name: one["Value"] for name, one in posted["MessageAttributes"].items()} == {
        "severity": "high",
        "control": '["mfa-not-enforced"]',
        "account": '["111122223333"]',
        "kind": '["remediation-waiting"]',
    }


class Refusing:
    """An SNS that takes some messages and then fails."""

    def __init__(self, error: Exception, taken: int) -> None:
        self.error, self.left, self.published = error, taken, list[dict[str, Any]]()

    def publish(self, **options: Any) -> Any:
        if not self.left:
            raise self.error
        self.left -= 1
        self.published.append(options)
        return {"MessageId": "1"}


THROTTLED = ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "Publish")


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (THROTTLED, "SNS: Throttling: Rate exceeded"),
        (ConnectTimeoutError(endpoint_url="https://sns.example"), "SNS: Connect timeout on endpoint URL"),
        (KeyError("x"), "SNS: an answer that is none (KeyError)"),
    ],
)
def test_what_goes_wrong_is_told(error: Exception, trouble: str) -> None:
    notices = [notice(user="alice"), notice(user="bob")]
    told = SnsNotifier(Refusing(error, 1), "arn").tell(notices)
    assert list(told.taken) == notices[:1]
    assert told.trouble.startswith(trouble)


def test_what_goes_wrong_with_a_run_is_told() -> None:
    runs = [run_notice(run=f"20260601T060000Z-{number}") for number in range(2)]
    told = SnsNotifier(Refusing(THROTTLED, 1), "arn").tell_runs(runs)
    assert (list(told.taken), told.trouble) == (runs[:1], "SNS: Throttling: Rate exceeded")
    left = [True, False]
    told = SnsNotifier(Refusing(THROTTLED, 2), "arn", lambda: left.pop(0)).tell_runs(runs)
    assert (list(told.taken), told.trouble, told.retry_after) == (runs[:1], "SNS: there is no time left", 0)


def test_of_several_notices_of_a_run_the_last_is_mailed_and_what_passes_by_itself_is_not() -> None:
    sns = Refusing(THROTTLED, 1)
    states = (RunState.WAITING, RunState.READY, RunState.RUNNING, RunState.DONE)
    runs = [run_notice(state) for state in states]
    assert list(SnsNotifier(sns, "arn").tell_runs(runs).taken) == runs
    assert list(SnsNotifier(sns, "arn").tell_runs(runs[:2]).taken) == runs[:2]
    assert [one["Subject"] for one in sns.published] == ["mfawatch: Put right and verified - user alice - A title"]


def test_a_message_has_as_many_bytes_as_sns_takes() -> None:
    sns = Refusing(THROTTLED, 1)
    notices = [notice(control=f"{number}-" + "x" * 60, evidence={"summary": "ж" * 5000}) for number in range(300)]
    assert len(SnsNotifier(sns, "arn").tell(notices).taken) == 300
    [posted] = sns.published
    attributes = posted["MessageAttributes"].values()
    size = len(posted["Message"].encode()) + sum(len(one["StringValue"].encode()) for one in attributes)
    assert size < 256 * 1024
    assert len(posted["Message"]) > 50_000


def test_no_message_is_begun_when_there_is_no_time(mail: Mail) -> None:
    left = [True, False]
    alice, bob = notice(user="alice"), notice(user="bob")
    told = SnsNotifier(mail.sns, mail.topic, lambda: left.pop(0)).tell([alice, bob])
    assert (list(told.taken), told.trouble, told.retry_after) == ([alice], "SNS: there is no time left", 0)
