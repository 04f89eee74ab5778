"""deliver: what waits in the outbox is told, by one invocation, to each destination, and nobody waits for another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.alerts.entry import Entry
from chalicelib.aws.finding_items import typed
from chalicelib.aws.outbox import entry_item
from chalicelib.functions.deliver import HELD
from chalicelib.local.slack_server import TOKEN, broken
from tests.functions.conftest import OWN, World
from tests.functions.realtime import RealTime, hearing
from tests.functions.watching import Call, refusal
from tests.ledger.entries import entry

SLACK, SNS, BUS, HUB = "slack:C0SECURITY", "sns", "event-bus", "security-hub"
WEEK = timedelta(days=7)
SETTINGS = "\n".join(
    f'[[alerts]]\nto = "{to}"\nseverity = "high"' + ('\nchannel = "C0SECURITY"' if to == "slack" else "")
    for to in ("slack", "sns", "event-bus", "security-hub")
)


@pytest.fixture(scope="module")
def shared() -> Iterator[RealTime]:
    """A deployment that tells all destinations of what is grave."""
    with hearing(SETTINGS) as found:
        yield found


@pytest.fixture
def rt(shared: RealTime) -> Iterator[RealTime]:
    """It, with nothing in the outbox."""
    shared.world.watching.calls.clear()
    yield shared
    shared.world.watching.faults.clear()
    shared.slack.outage = None
    outbox = shared.world.deployment.outbox
    outbox.done(outbox.due(datetime.now(UTC) + WEEK, 1000))
    shared.messages()


def put(world: World, *entries: Entry) -> None:
    """Entries that were due a minute ago."""
    for one in entries:
        due = datetime.now(UTC) - timedelta(minutes=1) + (one.due - one.notice.at)
        item = entry_item(replace(one, notice=replace(one.notice, at=due), due=due))
        world.deployment.dynamodb.put_item(TableName="mfawatch-ledger", Item=typed(item))


def waiting(world: World) -> dict[tuple[str, str | None], int]:
    """Destination and user of what waits → how often it was tried."""
    found = world.deployment.outbox.due(datetime.now(UTC) + WEEK, 1000)
    return {(one.destination, one.notice.user): one.attempts for one in found}


def told(rt: RealTime, operation: str) -> list[Mapping[str, Any]]:
    """What a service was called with."""
    calls: list[Call] = rt.world.watching.calls
    return [call.parameters for call in calls if call.operation == operation]


def test_where_nothing_waits_it_takes_one_call(rt: RealTime) -> None:
    assert rt.later() == {"told": {}, "waiting": {}}
    assert rt.world.watching.operations() == ["dynamodb:Query"]


def test_each_destination_hears_and_the_outbox_is_empty(rt: RealTime) -> None:
    put(rt.world, *(entry("alice", to) for to in (SLACK, SNS, BUS, HUB)))
    assert rt.later() == {"told": {SLACK: 1, SNS: 1, BUS: 1, HUB: 1}, "waiting": {}}
    assert [one.text for one in rt.messages() if "user alice" in one.text]
    [published] = told(rt, "sns:Publish")
    assert "alice" in published["Message"]
    [put_events] = told(rt, "events:PutEvents")
    assert put_events["Entries"][0]["EventBusName"] == "mfawatch-findings"
    [imported] = told(rt, "securityhub:BatchImportFindings")
    assert imported["Findings"][0]["AwsAccountId"] == OWN
    assert waiting(rt.world) == {}
    asked = rt.slack.requests
    assert rt.later() == {"told": {}, "waiting": {}}
    assert rt.slack.requests == asked


def test_what_a_sweep_finds_is_told_by_it(rt: RealTime) -> None:
    iam = rt.world.iam(OWN)
    iam.create_user(UserName="swept")
    iam.create_access_key(UserName="swept")
    allowed = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    iam.put_user_policy(UserName="swept", PolicyName="admin", PolicyDocument=json.dumps(allowed))
    assert rt.world.sweep() == []
    assert rt.messages() == []
    assert set(rt.later()["told"]) == {SLACK, SNS, BUS, HUB}
    assert [one.text for one in rt.messages() if "user swept" in one.text]


def test_what_is_not_due_waits(rt: RealTime) -> None:
    due = entry("alice")
    put(rt.world, replace(due, due=due.due + timedelta(hours=3)), entry("bob"))
    assert rt.later()["told"] == {SLACK: 1}
    assert waiting(rt.world) == {(SLACK, "alice"): 0}


def test_what_another_invocation_has_claimed_is_left_to_it(rt: RealTime) -> None:
    put(rt.world, entry("alice"), entry("bob"))
    outbox, now = rt.world.deployment.outbox, datetime.now(UTC)
    [mine, *_] = outbox.claim(outbox.due(now, 1), now + HELD)
    assert rt.later()["told"] == {SLACK: 1}
    assert list(waiting(rt.world)) == [(SLACK, mine.notice.user)]


def test_of_two_at_once_one_tells(rt: RealTime) -> None:
    """The other one has seen the same entries, and comes second to each."""
    put(rt.world, entry("alice"), entry("bob"))
    answers: list[Any] = []

    def first() -> None:
        rt.world.watching.faults.clear()
        answers.append(rt.later())

    rt.world.watching.faults["dynamodb:UpdateItem"] = first
    answers.append(rt.later())
    assert answers == [{"told": {SLACK: 2}, "waiting": {}}, {"told": {}, "waiting": {}}]
    assert len(rt.messages()) == 1


def test_trouble_at_one_destination_is_nobody_elses(rt: RealTime) -> None:
    rt.slack.outage = broken()
    rt.world.watching.faults["sns:Publish"] = refusal("NotFound", 404)
    put(rt.world, *(entry("alice", to) for to in (SLACK, SNS, BUS, HUB)))
    assert rt.later() == {"told": {BUS: 1, HUB: 1}, "waiting": {SLACK: 1, SNS: 1}}
    assert waiting(rt.world) == {(SLACK, "alice"): 1, (SNS, "alice"): 1}


@pytest.mark.parametrize("destination", ["pager", "", "SNS"])
def test_a_destination_that_nobody_knows_any_more_waits_and_silences_no_other(rt: RealTime, destination: str) -> None:
    put(rt.world, entry("alice", destination), entry("bob"))
    found = rt.later()
    assert found["told"] == {SLACK: 1}
    assert found["waiting"] == {destination: 1}


def test_a_digest_is_one_message(rt: RealTime) -> None:
    put(rt.world, *(entry(name, digest=True) for name in ("alice", "bob", "carol")))
    assert rt.later()["told"] == {SLACK: 3}
    assert len(rt.messages()) == 1


@pytest.mark.parametrize("operation", ["dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"])
def test_an_outbox_that_cannot_be_worked_fails_loudly_and_loses_nothing(rt: RealTime, operation: str) -> None:
    put(rt.world, entry("alice"))
    rt.world.watching.faults[operation] = refusal("AccessDeniedException")
    with pytest.raises(Exception, match="AccessDenied"):
        rt.later()
    rt.world.watching.faults.clear()
    assert list(waiting(rt.world)) == [(SLACK, "alice")]


def test_the_secret_may_be_kept_by_secrets_manager(rt: RealTime, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = rt.world.client("secretsmanager", OWN)
    secrets.create_secret(Name="mfawatch/slack", SecretString=TOKEN)
    monkeypatch.setenv("MFAWATCH_SLACK_SECRET", "secretsmanager:mfawatch/slack")
    put(rt.world, entry("alice"))
    assert rt.later()["told"] == {SLACK: 1}
    assert [one["SecretId"] for one in told(rt, "secretsmanager:GetSecretValue")] == ["mfawatch/slack"]
    assert len(rt.messages()) == 1
