"""audit_change: hints that are none, users of nobody's, too many of them, and accounts that are audited as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from chalicelib.cause import Cause
from chalicelib.hints import BUCKET, LOOKS, Hint, hints_of
from chalicelib.hub import Hub
from chalicelib.local.lambda_runtime import queue_event
from chalicelib.scope import Scope
from tests.functions.conftest import OWN, World, assignment
from tests.functions.hearsay import FOREIGN, assignments, hear, logged, nothing_waits, record, set_settings
from tests.functions.realtime import GROUP, POLICY, SETTINGS, RealTime, hearing
from tests.functions.test_faults import POISON
from tests.functions.watching import refusal
from tests.ledger.entries import CAUSE

GOOD = {"id": "id", "look": 1, "account": OWN, "users": [], "groups": [], "policies": [], "cause": CAUSE.to_json()}
NO_HINTS = [*POISON, *(json.dumps({**GOOD, name: 0}) for name in GOOD), assignment("run", OWN)]


@pytest.fixture(scope="module")
def shared() -> Iterator[RealTime]:
    """A deployment whose tests share it: each uses names of its own."""
    with hearing() as found:
        yield found


@pytest.fixture
def rt(shared: RealTime) -> Iterator[RealTime]:
    """It, with nothing in the queues."""
    yield shared
    shared.world.watching.faults.clear()
    nothing_waits(shared.world)
    shared.messages()


@pytest.fixture
def world(rt: RealTime) -> World:
    return rt.world


def hint(name: str, scope: Scope, look: int = 1) -> Hint:
    """A look after an event of that name, which was just now."""
    cause = Cause(name, "iam:AttachUserPolicy", datetime.now(UTC), "olga", "203.0.113.9", "aws-cli")
    return Hint(name, look, scope, cause)


def of(*names: str) -> Scope:
    return Scope(OWN, frozenset(names))


def message(body: str, name: str = "m") -> dict[str, str]:
    return {"MessageId": name, "Body": body}


def look(world: World, *bodies: str) -> list[str]:
    """Hand messages to the function; those that failed."""
    event = queue_event([message(body, str(number)) for number, body in enumerate(bodies)], "mfawatch-changes")
    answer = world.deployment.call("audit_change", event, timeout=0)
    return [bodies[int(failed["itemIdentifier"])] for failed in answer["batchItemFailures"]]


def read(world: World) -> int:
    """How often the account was read since the calls were cleared."""
    return [call.operation for call in world.watching.calls].count("iam:GetAccountAuthorizationDetails")


# --- hints that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", NO_HINTS, ids=range(len(NO_HINTS)))
def test_a_poisoned_message_fails_alone(world: World, body: str) -> None:
    world.watching.calls.clear()
    good = hint(f"beside-{NO_HINTS.index(body)}", of("alice")).to_json()
    assert look(world, body, good) == [body]
    assert read(world) == 1


def test_a_poisoned_message_is_given_up_in_the_end(world: World) -> None:
    world.deployment.sqs.send_message(QueueUrl=world.deployment.changes_url, MessageBody="poison")
    [given_up] = world.deployment.look()
    assert given_up["Body"] == "poison"


def test_a_message_delivered_three_times_is_worked_once_and_each_look_is_one(world: World) -> None:
    first, second = hints_of("thrice", of("alice"), hint("thrice", of()).cause, datetime.now(UTC))
    world.watching.calls.clear()
    for _ in range(3):
        assert look(world, first.to_json(), first.to_json(), second.to_json()) == []
    assert read(world) == 2


def test_an_account_that_is_not_ours_is_neither_entered_nor_told_what_we_have(world: World) -> None:
    world.watching.calls.clear()
    assert look(world, hint("foreign", Scope(FOREIGN, frozenset({"eve"}))).to_json()) == []
    assert not {"sts:AssumeRole", "iam:GetAccountAuthorizationDetails"} & set(world.watching.operations())
    assert "/mfawatch/external-id" not in str([call.parameters for call in world.watching.calls])
    assert list(world.deployment.ledger.load(FOREIGN)) == []


@pytest.mark.parametrize(
    "scope", [of("nobody"), Scope(OWN, frozenset(), frozenset({"no group"}))], ids=["user", "group"]
)
def test_who_is_not_there_changes_nothing(rt: RealTime, scope: Scope) -> None:
    before = rt.ledger()
    assert look(rt.world, hint(f"nobody-{len(scope.groups)}", scope).to_json()) == []
    assert rt.ledger() == before
    assert rt.messages() == []


# --- what fails ------------------------------------------------------------------------------------------------------


def exposed(rt: RealTime, name: str) -> str:
    """A new user without a device who is asked for nothing, made where CloudTrail does not look."""
    iam = rt.world.iam(OWN)
    iam.create_user(UserName=name)
    iam.create_access_key(UserName=name)
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    iam.put_user_policy(UserName=name, PolicyName="admin", PolicyDocument=json.dumps(everything))
    return name


def test_parameters_that_cannot_be_had_at_once_are_read_one_by_one(rt: RealTime) -> None:
    rt.world.watching.faults["ssm:GetParameters"] = refusal("AccessDeniedException")
    assert look(rt.world, hint("one-by-one", of(exposed(rt, "frank"))).to_json()) == []
    assert [one.text for one in rt.messages() if "user frank" in one.text]


def test_where_the_secret_cannot_be_read_the_news_waits(rt: RealTime, monkeypatch: pytest.MonkeyPatch) -> None:
    name = exposed(rt, "grace")
    monkeypatch.setenv("MFAWATCH_SLACK_SECRET", "ssm:/mfawatch/another")
    assert look(rt.world, hint("no-secret", of(name)).to_json()) == []
    assert rt.messages() == []
    assert rt.stored(name, "mfa-not-enforced").run == "no-secret-1"
    monkeypatch.undo()
    later(monkeypatch)
    rt.later()
    assert [one.text for one in rt.messages() if "user grace" in one.text]


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be an hour later for the functions."""
    set_clock(monkeypatch, datetime.now(UTC) + timedelta(hours=1))


def test_without_a_variable_that_a_destination_needs_the_others_hear(
    rt: RealTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = exposed(rt, "heidi")
    set_settings(rt.world, f'[[alerts]]\nto = "sns"\n{SETTINGS}')
    monkeypatch.delenv("MFAWATCH_TOPIC_ARN")
    try:
        assert look(rt.world, hint("no-topic", of(name)).to_json()) == []
    finally:
        set_settings(rt.world, SETTINGS)
    assert [one.text for one in rt.messages() if "user heidi" in one.text]
    waiting = rt.world.deployment.outbox.due(datetime.now(UTC) + timedelta(days=1), 1000)
    assert {(one.destination, one.attempts) for one in waiting if one.notice.user == name} == {("sns", 1)}


def test_settings_that_are_none_fail_the_look_and_it_is_taken_later(rt: RealTime) -> None:
    found = hint("no-settings", of("alice")).to_json()
    set_settings(rt.world, "[[alerts")
    try:
        assert look(rt.world, found) == [found]
    finally:
        set_settings(rt.world, SETTINGS)
    assert look(rt.world, found) == []


# --- whole accounts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("group", Scope(OWN, frozenset(), frozenset({GROUP}))),
        ("policy", Scope(OWN, frozenset(), policies=frozenset({POLICY}))),
        ("users", of("alice", "bob")),
    ],
)
def test_too_many_users_are_a_whole_account(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, scope: Scope
) -> None:
    monkeypatch.setattr("chalicelib.pipeline.MOST_USERS", 1)
    world.watching.calls.clear()
    asked = hint(f"many-{name}", scope)
    assert look(world, asked.to_json()) == []
    assert "iam:ListAccessKeys" not in world.watching.operations()
    [work] = assignments(world)
    assert work.account == OWN
    kept = logged(world, {"eventID": asked.cause.event_id})
    assert kept is not None
    assert (kept.cause, kept.effect) == (asked.cause, "iam:AttachUserPolicy")
    assert work.run.started - timedelta(minutes=2) <= kept.heard_at < work.run.started


def test_a_second_look_at_an_account_is_a_later_audit_or_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.pipeline.MOST_USERS", 1)
    for number in (1, 2):
        assert look(world, hint("twice", of("alice", "bob"), number).to_json()) == []
    kept = logged(world, {"eventID": "twice"})
    assert kept is not None
    last = max(one.run.started for one in assignments(world))
    assert last > kept.heard_at + LOOKS[1] - LOOKS[0]


def test_of_as_many_as_are_read_one_by_one_each_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.pipeline.MOST_USERS", 2)
    assert look(world, hint("two", Scope(OWN, frozenset(), frozenset({GROUP}))).to_json()) == []
    assert assignments(world) == []


def test_a_canonical_policy_is_judged_with_the_whole_account_and_its_users_are_looked_at_now(world: World) -> None:
    """Whether it is what the settings say is no matter of its users."""
    set_settings(world, f'{SETTINGS}\n[[canonical]]\nname = "RequireMfa"\nversion = "v1"')
    scopes = {
        "canonical": Scope(OWN, frozenset(), policies=frozenset({POLICY})),
        "another": Scope(OWN, frozenset(), policies=frozenset({POLICY.replace("RequireMfa", "Another")})),
        "carrier": of("dave"),
    }
    try:
        for name, scope in scopes.items():
            world.watching.calls.clear()
            assert look(world, hint(f"{name}-policy", scope).to_json()) == []
            assert bool(assignments(world)) is (name == "canonical")
            assert read(world) == 1
    finally:
        set_settings(world, SETTINGS)


def test_a_whole_account_that_cannot_be_handed_over_is_handed_over_the_next_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.pipeline.MOST_USERS", 1)
    asked = hint("unsent", of("alice", "bob")).to_json()
    world.watching.faults["sqs:SendMessageBatch"] = refusal("AccessDenied")
    assert look(world, asked) == [asked]
    world.watching.faults.clear()
    assert look(world, asked) == []
    [work] = assignments(world)
    kept = logged(world, {"eventID": "unsent"})
    assert kept is not None
    assert work.run.started - timedelta(minutes=2) <= kept.heard_at < work.run.started


# --- the cause of what an audit of a whole account finds -------------------------------------------------------------


def causes(rt: RealTime, user: str) -> set[Cause | None]:
    """The causes in the histories of a user's findings."""
    ledger = rt.world.deployment.ledger
    found = ledger.load(OWN, [user])
    assert found
    return {event.cause for one in found for event in ledger.history(OWN, one.fingerprint)}


def audited(rt: RealTime, *values: dict[str, Any]) -> None:
    """Hear records at one moment, and audit the account after them."""
    for value in values:
        hear(rt.world, value)
    works = assignments(rt.world)
    assert len({work.run for work in works}) == 1
    answer = rt.world.deployment.call("audit_account", queue_event([message(works[0].to_json())]), timeout=0)
    assert answer == {"batchItemFailures": []}


SPANS = count(1)


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The beginning of a span of time that is this test's alone; the functions' clock stands still at it."""
    now = datetime.now(UTC).timestamp() // BUCKET.total_seconds() * BUCKET.total_seconds()
    found = datetime.fromtimestamp(now, UTC) + next(SPANS) * 5 * BUCKET
    set_clock(monkeypatch, found)
    return found


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(Hub, "clock", staticmethod(lambda: now))


def test_an_audit_after_one_event_tells_it(rt: RealTime, moment: datetime) -> None:
    user = exposed(rt, "ivan")
    value = record("iam CreateRole", at=moment, record={"sourceIPAddress": "198.51.100.1"})
    audited(rt, record("iam DeleteUserPolicy", at=moment, denied="user bob"), value, value)
    [cause] = causes(rt, user)
    assert cause is not None
    assert (cause.event_id, cause.event, cause.address) == (value["eventID"], "iam:CreateRole", "198.51.100.1")
    rt.later()
    assert [one for one in rt.messages() if "user ivan" in one.text]


def test_an_audit_after_several_events_tells_them_together(rt: RealTime, moment: datetime) -> None:
    user = exposed(rt, "judy")
    events = [f"iam:{name}" for name in ("CreateRole", "DeleteRole", "UpdateRole", "TagRole")]
    audited(rt, *(record(one.replace(":", " "), at=moment + timedelta(seconds=n)) for n, one in enumerate(events)))
    [cause] = causes(rt, user)
    assert cause is not None
    assert cause.event == f"{', '.join(events[:3])} and 1 more"
    assert cause.at == moment + timedelta(seconds=3)


def test_what_was_heard_in_the_span_before_is_no_cause_and_what_was_made_before_is(
    rt: RealTime, moment: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear(rt.world, record("iam DeleteRole", at=moment))
    assignments(rt.world)
    set_clock(monkeypatch, moment + BUCKET)
    user = exposed(rt, "kim")
    audited(rt, record("iam UpdateRole", at=moment - timedelta(minutes=20)))
    [cause] = causes(rt, user)
    assert cause is not None
    assert cause.event == "iam:UpdateRole"


def test_an_audit_after_a_policy_with_many_carriers_tells_what_the_hint_told(
    rt: RealTime, moment: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.pipeline.MOST_USERS", 1)
    user = exposed(rt, "mallory")
    asked = hint(f"carriers-at-{moment:%H%M}", Scope(OWN, frozenset(), policies=frozenset({POLICY})))
    assert look(rt.world, asked.to_json()) == []
    audited(rt)
    assert causes(rt, user) == {asked.cause}


def test_a_sweep_has_no_cause(rt: RealTime, moment: datetime) -> None:
    user = exposed(rt, "leo")
    hear(rt.world, record("iam CreateRole", at=moment))
    assignments(rt.world)
    assert rt.world.sweep("a-sweep") == []
    assert causes(rt, user) == {None}
