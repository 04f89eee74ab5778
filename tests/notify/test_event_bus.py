"""Events on our own bus: one for each notice, as many in a call as EventBridge takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.alerts.notice import parse_notice
from chalicelib.alerts.run_notice import parse_run_notice
from chalicelib.cause import Cause
from chalicelib.findings import Severity
from chalicelib.ledger import ChangeKind
from chalicelib.notify.event_bus import DETAIL_TYPES, RUN_DETAIL_TYPE, EventBusNotifier
from chalicelib.ports import Notifier
from chalicelib.remediation.run import Aim, RunState
from tests.alerts.build import DETACHED, notice, run_notice, with_finding

BUS = "mfawatch-findings"


class Bus:
    """An EventBridge that keeps what it takes; `errors` are the codes of the next entries, empty for none."""

    def __init__(self, *errors: str) -> None:
        self.errors = list(errors)
        self.calls: list[list[dict[str, Any]]] = []

    def put_events(self, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803 - as boto3 calls it
        self.calls.append(Entries)
        codes = [self.errors.pop(0) if self.errors else "" for _ in Entries]
        results = [{"ErrorCode": code, "ErrorMessage": "no"} if code else {"EventId": "1"} for code in codes]
        return {"FailedEntryCount": len(list(filter(None, codes))), "Entries": results}


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """Clients of EventBridge and of a queue that gets every event of the bus."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    with mock_aws():
        events, sqs = (boto3.client(service, region_name="eu-west-1") for service in ("events", "sqs"))
        events.create_event_bus(Name=BUS)
        url = sqs.create_queue(QueueName="all")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="all", EventBusName=BUS, EventPattern=json.dumps({"source": ["mfawatch"]}))
        events.put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "1", "Arn": arn}])
        yield (
            events,
            lambda: [
                json.loads(one["Body"])
                for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            ],
        )


def test_each_notice_is_an_event(logs: tuple[Any, Any]) -> None:
    events, received = logs
    notices = [notice(kind, version=number) for number, kind in enumerate(DETAIL_TYPES, 1)]
    notifier: Notifier = EventBusNotifier(events, BUS)
    told = notifier.tell(notices, digest=True)
    assert (list(told.taken), told.trouble) == (notices, "")
    found = {parse_notice(event["detail"]).version: event for event in received()}
    assert {version: event["detail-type"] for version, event in found.items()} == {
        number: f"MFA Finding {kind.capitalize()}" for number, kind in enumerate(DETAIL_TYPES, 1)
    }
    assert [parse_notice(found[one.version]["detail"]) for one in notices] == notices
    assert found[1]["resources"] == ["arn:aws:iam::111122223333:user/alice"]


def test_each_notice_of_a_run_is_an_event(logs: tuple[Any, Any]) -> None:
    events, received = logs
    notices = [run_notice(state, undoes=DETACHED) for state in RunState]
    told = EventBusNotifier(events, BUS).tell_runs(notices)
    assert (list(told.taken), told.trouble) == (notices, "")
    found = received()
    assert {event["detail-type"] for event in found} == {RUN_DETAIL_TYPE}
    assert {event["source"] for event in found} == {"mfawatch"}
    assert sorted((parse_run_notice(event["detail"]) for event in found), key=lambda one: one.version) == notices
    assert found[0]["resources"] == ["arn:aws:iam::111122223333:user/alice"]


@pytest.mark.parametrize("letter", ["x", "ж", "字", "\x00", "\ud83d"])
def test_a_run_of_long_words_fits_into_an_event(letter: str) -> None:
    bus, long = Bus(), letter * 100_000
    one = Aim("f" * 32, long, Severity.HIGH, long, long, long)
    texts: Any = {"reason": long, "by": long, "users": [long] * 20, "steps": (long,) * 20}
    notice = run_notice(**texts, aims=(one,) * 20, undoes=Cause(long, long, None, long))
    assert list(EventBusNotifier(bus, BUS).tell_runs([notice]).taken) == [notice]
    [[entry]] = bus.calls
    told = parse_run_notice(json.loads(entry["Detail"]))
    assert len(entry["Detail"].encode()) + sum(len(one.encode()) for one in entry["Resources"]) < 256 * 1024
    assert (told.account, told.run, told.state, told.aims[0].fingerprint) == (
        notice.account,
        notice.run,
        notice.state,
        "f" * 32,
    )
    assert told.reason.endswith("…")


def test_what_of_a_call_of_runs_failed_is_not_taken() -> None:
    bus, notices = Bus("", "ThrottlingException"), [run_notice(), run_notice(RunState.DONE)]
    told = EventBusNotifier(bus, BUS).tell_runs(notices)
    assert (list(told.taken), told.trouble) == (notices[:1], "EventBridge: ThrottlingException")


def test_every_change_that_is_news_has_a_name() -> None:
    assert set(DETAIL_TYPES) == set(ChangeKind) - {ChangeKind.PERSISTING}
    bus, persisting = Bus(), notice(ChangeKind.PERSISTING)
    assert list(EventBusNotifier(bus, BUS).tell([persisting]).taken) == [persisting]
    assert not bus.calls


def test_ten_events_go_into_a_call() -> None:
    bus, notices = Bus(), [notice(user=f"user-{number}") for number in range(21)]
    assert list(EventBusNotifier(bus, BUS).tell(notices).taken) == notices
    assert [len(call) for call in bus.calls] == [10, 10, 1]


def test_large_events_go_apart_and_too_large_ones_lose_what_makes_them_so() -> None:
    bus = Bus()
    evidence = {"summary": "short", "actions": ["字" * 100] * 300}
    notices = [notice(user=name, evidence=evidence) for name in ("alice", "bob", "carol")]
    notices.append(notice(user="dave", evidence=evidence | {"more": "ж" * 300_000}))
    assert list(EventBusNotifier(bus, BUS).tell(notices).taken) == notices
    assert [len(call) for call in bus.calls] == [2, 2]
    for call in bus.calls:
        assert sum(len(entry["Detail"].encode()) for entry in call) < 256 * 1024
    kept = json.loads(bus.calls[-1][-1]["Detail"])["finding"]["evidence"]
    assert kept == evidence | {"left_out": "too large for an event: more"}


def test_what_of_a_call_failed_is_not_taken() -> None:
    bus, notices = Bus("", "ThrottlingException", "", "InternalFailure"), [notice(user=name) for name in "abcd"]
    told = EventBusNotifier(bus, BUS).tell(notices)
    assert list(told.taken) == [notices[0], notices[2]]
    assert told.trouble == "EventBridge: ThrottlingException"


def test_later_calls_are_made_after_some_failed() -> None:
    bus, notices = Bus("InternalFailure"), [notice(user=f"user-{number}") for number in range(12)]
    told = EventBusNotifier(bus, BUS).tell(notices)
    assert (list(told.taken), told.trouble) == (notices[1:], "EventBridge: InternalFailure")


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutEvents"),
            "EventBridge: AccessDenied: no",
        ),
        ({}, "EventBridge: an answer that is none (KeyError)"),
        ({"Entries": []}, "EventBridge: zip() argument 2 is shorter than argument 1"),
    ],
)
def test_an_answer_that_says_nothing_of_the_events(answer: Any, trouble: str) -> None:
    class Odd:
        def put_events(self, **_: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    told = EventBusNotifier(Odd(), BUS).tell([notice()])
    assert (list(told.taken), told.trouble) == ([], trouble)


def test_half_a_surrogate_pair_is_replaced() -> None:
    bus = Bus()
    EventBusNotifier(bus, BUS).tell([notice(cause=replace(DETACHED, agent="a\ud83d"))])
    [[entry]] = bus.calls
    assert json.loads(entry["Detail"])["cause"]["agent"] == "a?"


def test_half_a_surrogate_pair_in_the_resource_is_replaced() -> None:
    bus = Bus()
    EventBusNotifier(bus, BUS).tell([with_finding(notice(), resource="a\ud83d")])
    [[entry]] = bus.calls
    assert entry["Resources"] == ["a?"]
