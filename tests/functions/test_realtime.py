"""From a call in the account to a message in Slack, through the functions as they are deployed."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.alerts.entry import Entry
from chalicelib.cause import Cause
from chalicelib.events.git_activity import GitActivity
from chalicelib.events.heard import Heard
from chalicelib.functions.hear import NotHeard
from chalicelib.hub import Hub
from chalicelib.ledger import Stored
from chalicelib.local.lambda_runtime import queue_event
from chalicelib.local.slack_server import Fault, Posted, broken, busy, gone
from tests.accounts.build import ADMIN
from tests.functions.conftest import OWN, add_device
from tests.functions.realtime import GROUP, OPERATOR, POLICY, RealTime, device_of, hearing
from tests.functions.watching import after, refusal

ENFORCED, DEVICE, TAKEOVER, GIT = (
    "mfa-not-enforced",
    "user-without-mfa",
    "mfa-self-takeover",
    "git-operation-without-mfa",
)


@dataclass(frozen=True)
class Step:
    """Something that happens, how the ledger changes by it, and how the messages begin: "re: " for an answer."""

    name: str
    do: Callable[[RealTime], Any]
    changes: Mapping[tuple[str, str], tuple[str, str]]
    told: Sequence[str] = ()


OPEN, OVER = ("high", "open"), ("high", "resolved")

STEPS = (
    Step(
        "the policy is detached from dave",
        lambda rt: rt.iam.detach_user_policy(UserName="dave", PolicyArn=POLICY),
        {("dave", ENFORCED): OPEN, ("dave", TAKEOVER): ("low", "resolved")},
        ["🔴 High · user dave · MFA is not enforced: can do without MFA: managing permissions, as iam:"],
    ),
    Step(
        "and attached again",
        lambda rt: rt.iam.attach_user_policy(UserName="dave", PolicyArn=POLICY),
        {("dave", ENFORCED): OVER, ("dave", TAKEOVER): ("low", "open")},
        ["re: ✅ Resolved · user dave · MFA is not enforced"],
    ),
    Step(
        "carol pushes by SSH",
        lambda rt: rt.git("carol"),
        {("carol", GIT): OPEN},
        ["🔴 High · user carol · Git was used without MFA: git push to app with an SSH key, without MFA: 1 push"],
    ),
    Step("and again, and pulls", lambda rt: git_twice(rt, "carol"), {}),
    Step("carol is refused", lambda rt: rt.git("carol", refused=True), {}),
    Step(
        "dave enrols a device",
        lambda rt: add_device(rt.iam, "dave"),
        {("dave", DEVICE): ("medium", "resolved")},
        ["re: ✅ Resolved · user dave · User without an MFA device"],
    ),
    Step(
        "alice loses hers",
        lambda rt: rt.iam.deactivate_mfa_device(UserName="alice", SerialNumber=device_of(rt.iam, "alice")),
        {("alice", DEVICE): ("medium", "open")},
        ["🟠 Medium · user alice · User without an MFA device: no MFA device; active: access key"],
    ),
    Step(
        "the policy gets a default version that asks for nothing",
        lambda rt: rt.iam.create_policy_version(PolicyArn=POLICY, PolicyDocument=json.dumps(ADMIN), SetAsDefault=True),
        {
            **{(name, ENFORCED): OPEN for name in ("alice", "bob", "dave")},
            **{(name, TAKEOVER): ("low", "resolved") for name in ("alice", "bob", "dave")},
        },
        ["🔴 High · 3 users · MFA is not enforced"],
    ),
    Step(
        "and the old one again",
        lambda rt: rt.iam.set_default_policy_version(PolicyArn=POLICY, VersionId="v1"),
        {
            **{(name, ENFORCED): OVER for name in ("alice", "bob", "dave")},
            **{(name, TAKEOVER): ("low", "open") for name in ("alice", "bob", "dave")},
        },
        ["re: ✅ Resolved · 3 users · MFA is not enforced"],
    ),
    Step(
        "bob leaves the group",
        lambda rt: rt.iam.remove_user_from_group(GroupName=GROUP, UserName="bob"),
        {("bob", ENFORCED): OPEN, ("bob", TAKEOVER): ("low", "resolved")},
        ["🔴 High · user bob · MFA is not enforced, again"],
    ),
    Step(
        "a refused try to delete bob's policy",
        lambda rt: refused(rt, "DeleteUserPolicy", "bob"),
        {},
    ),
    Step(
        "bob is deleted",
        lambda rt: delete(rt, "bob"),
        {("bob", ENFORCED): OVER},
        ["re: ✅ Resolved · user bob · MFA is not enforced"],
    ),
)


def git_twice(rt: RealTime, user: str) -> None:
    """Push, and pull."""
    rt.git(user)
    rt.git(user, "pull")


def refused(rt: RealTime, call: str, user: str) -> None:
    """A call that AWS refuses, as CloudTrail records it: without its parameters."""
    message = f"User: {OPERATOR.arn} is not authorized to perform: iam:{call} on resource: user {user}"
    rt.trail.refuse(OPERATOR, "iam", call, message)


def delete(rt: RealTime, user: str) -> None:
    """Delete a user with all that belongs to them."""
    for one in rt.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
        rt.iam.delete_access_key(UserName=user, AccessKeyId=one["AccessKeyId"])
    serial = device_of(rt.iam, user)
    rt.iam.deactivate_mfa_device(UserName=user, SerialNumber=serial)
    rt.iam.delete_user_policy(UserName=user, PolicyName="admin")
    rt.iam.delete_user(UserName=user)


def after_step(before: Mapping[Any, Any], step: Step) -> dict[Any, Any]:
    """The ledger as it must be after a step."""
    return dict(before) | dict(step.changes)


def began(messages: Sequence[Posted]) -> list[str]:
    """The messages by what a notification shows of them."""
    return [f"re: {one.text}" if one.thread_ts else one.text for one in messages]


def assert_told(messages: Sequence[Posted], expected: Sequence[str]) -> None:
    found = began(messages)
    assert len(found) == len(expected), found
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


def contents(rt: RealTime) -> list[tuple[Any, ...]]:
    """What the ledger says, but for moments and the names of runs."""
    return sorted(
        (one.user or "", one.control, one.status, one.severity, one.digest, history_of(rt, one))
        for one in rt.world.deployment.ledger.load(OWN)
    )


def history_of(rt: RealTime, one: Stored) -> tuple[str, ...]:
    found = rt.world.deployment.ledger.history(OWN, one.fingerprint)
    return tuple(f"{event.kind} {event.cause.event if event.cause else ''}" for event in found)


# --- one after the other ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Course:
    """All steps, each event once and in order, then all events again; and what is left of it: emulators come singly."""

    told: Sequence[Sequence[str]]
    contents: Sequence[tuple[Any, ...]]
    causes: Sequence[Cause]
    """Of what happened to dave's gravest finding."""
    attempts: Sequence[Heard]
    activity: GitActivity
    waiting: Sequence[Entry]
    told_again: Sequence[Posted]
    contents_again: Sequence[tuple[Any, ...]]


@pytest.fixture(scope="module")
def course() -> Course:
    with hearing() as rt:
        told = [step_by_step(rt, step) for step in STEPS]
        deployment, now = rt.world.deployment, datetime.now(UTC)
        before = contents(rt)
        history = deployment.ledger.history(OWN, rt.stored("dave", ENFORCED).fingerprint)
        heard = deployment.event_log.heard(OWN, now - timedelta(hours=1), now)
        [activity] = deployment.ledger.known(OWN, ["carol"]).observed.git
        again = [event for event in rt.history for _ in range(3)]
        random.Random(1).shuffle(again)
        rt.deliver(again)
        return Course(
            told=told,
            contents=before,
            causes=[event.cause for event in history if event.cause],
            attempts=[one for one in heard if one.refused],
            activity=activity,
            waiting=deployment.outbox.due(now + timedelta(days=30), 100),
            told_again=rt.messages(),
            contents_again=contents(rt),
        )


def step_by_step(rt: RealTime, step: Step) -> Sequence[str]:
    """Take a step; what was told of it."""
    before = rt.ledger()
    rt.deliver(rt.happen(step.do))
    messages = rt.messages()
    assert_told(messages, step.told)
    assert rt.ledger() == after_step(before, step), step.name
    return began(messages)


def test_each_change_is_in_the_ledger_and_told_once(course: Course) -> None:
    assert len(course.told) == len(STEPS)
    assert course.waiting == []


def test_the_history_says_after_which_event_and_whose_it_was(course: Course) -> None:
    assert [cause.event for cause in course.causes] == [
        "iam:DetachUserPolicy",
        "iam:AttachUserPolicy",
        "iam:CreatePolicyVersion",
        "iam:SetDefaultPolicyVersion",
    ]
    assert {(cause.actor, cause.address, cause.agent) for cause in course.causes} == {
        (OPERATOR.arn, OPERATOR.address, OPERATOR.agent)
    }


def test_the_same_events_again_at_the_end_change_nothing_and_tell_nothing(course: Course) -> None:
    assert course.told_again == []
    assert course.contents_again == course.contents


def test_what_was_refused_is_kept_as_an_attempt(course: Course) -> None:
    assert [(one.cause.event, one.users) for one in course.attempts] == [
        ("codecommit:GitPush", ("carol",)),
        ("iam:DeleteUserPolicy", ("bob",)),
    ]


def test_a_busy_user_is_one_finding_that_counts(course: Course) -> None:
    assert (course.activity.pushes, course.activity.pulls) == (2, 1)


@pytest.mark.skipif("MFAWATCH_THOROUGH" not in os.environ, reason="takes long: see `make thorough`")
def test_duplicated_and_shuffled_events_come_to_the_same(course: Course) -> None:
    shuffled = random.Random(5)
    with hearing() as rt:
        for step, expected in zip(STEPS, course.told, strict=True):
            events = [event for event in rt.happen(step.do) for _ in range(10)]
            shuffled.shuffle(events)
            rt.deliver(events)
            assert began(rt.messages()) == expected, step.name
        assert contents(rt) == course.contents


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_an_alert_about_one_user_takes_few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.warm.SECONDS", 60)
    with hearing() as rt:
        calls = rt.world.watching.calls
        counts = []
        for step in STEPS[:2]:
            calls.clear()
            rt.deliver(rt.happen(step.do))
            names = [call.operation for call in calls]
            counts.append(names.index("dynamodb:TransactWriteItems") + 1)
        # What is told in Slack is told after that, without a call of AWS in between.
        assert max(counts) <= 12, counts


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.fixture
def rt() -> Iterator[RealTime]:
    with hearing() as found:
        yield found


def at(monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    """Let it be so many minutes later for the functions."""
    monkeypatch.setattr(Hub, "clock", staticmethod(lambda: datetime.now(UTC) + timedelta(minutes=minutes)))


@pytest.mark.parametrize("fault", [broken(), gone(), busy(240)], ids=["outage", "gone", "busy"])
def test_an_outage_loses_nothing(rt: RealTime, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    rt.slack.outage = fault
    rt.deliver(rt.happen(STEPS[0].do))
    rt.deliver(rt.happen(STEPS[6].do))
    assert rt.messages() == []
    asked = rt.slack.requests
    rt.later()
    assert rt.slack.requests == asked  # it is left alone for a while
    rt.slack.outage = None
    at(monkeypatch, 5)
    rt.later()
    assert_told(rt.messages(), [*STEPS[0].told, *STEPS[6].told])
    at(monkeypatch, 60)
    rt.later()
    assert rt.messages() == []


def test_what_came_and_went_in_an_outage_is_told_once_and_calmly(rt: RealTime, monkeypatch: pytest.MonkeyPatch) -> None:
    rt.slack.outage = broken()
    rt.deliver(rt.happen(STEPS[0].do))
    rt.deliver(rt.happen(STEPS[1].do))
    rt.slack.outage = None
    at(monkeypatch, 10)
    rt.later()
    assert_told(rt.messages(), ["✅ Opened and resolved before it was told · user dave · MFA is not enforced"])


class Killed(BaseException):
    """The function dies: nothing of it catches this."""


def test_a_worker_killed_at_any_call_loses_nothing(rt: RealTime, monkeypatch: pytest.MonkeyPatch) -> None:
    at_call, killed = 0, True
    while killed:
        step = STEPS[at_call % 2]
        before = rt.ledger()
        hint = hinted(rt, rt.happen(step.do))
        killed = kill_at(rt, hint, at_call)
        # It comes again, and what still waits after that is told minutes later.
        assert rt.world.deployment.call("audit_change", hint) == {"batchItemFailures": []}
        at(monkeypatch, 60)
        rt.later()
        monkeypatch.undo()
        found = rt.messages()
        # Only who was killed between telling and writing that down is told of twice.
        assert 1 <= len(found) <= 2, (at_call, began(found))
        assert {one.text for one in found} == {found[0].text}
        assert found[0].text.startswith(("🔴 High · user dave", "✅ Resolved · user dave")[at_call % 2]), at_call
        assert rt.ledger() == after_step(before, step), at_call
        at_call += 1
    assert at_call > 10


def hinted(rt: RealTime, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The first look at what events are about, as the queue hands it to the worker."""
    for event in events:
        rt.world.deployment.hear(event)
    sqs, url = rt.world.deployment.sqs, rt.world.deployment.changes_url
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    [first] = [message for message in messages if json.loads(message["Body"])["look"] == 1]
    return queue_event([first], "mfawatch-changes")


def kill_at(rt: RealTime, hint: Mapping[str, Any], at_call: int) -> bool:
    """Kill the worker of a hint at its call of that number; whether it made so many."""

    def kill() -> Any:
        raise Killed

    rt.world.watching.faults["*"] = after(at_call, kill)
    try:
        rt.world.deployment.call("audit_change", hint, timeout=0)
    except Killed:
        return True
    finally:
        rt.world.watching.faults.clear()
    return False


@pytest.mark.parametrize("operation", ["dynamodb:GetItem", "dynamodb:PutItem", "sqs:SendMessageBatch"])
def test_a_push_is_told_of_though_it_was_heard_only_in_part(rt: RealTime, operation: str) -> None:
    events = rt.happen(lambda found: found.git("carol"))
    rt.world.watching.faults[operation] = refusal("InternalError", 500)
    with pytest.raises((NotHeard, ClientError)):
        rt.world.deployment.hear(events[0])
    with suppress(NotHeard, ClientError):  # what is no news any more is not handed over
        rt.world.deployment.hear(events[1])
    rt.world.watching.faults.clear()
    rt.deliver(events)
    assert_told(rt.messages(), STEPS[2].told)
    [activity] = rt.world.deployment.ledger.known(OWN, ["carol"]).observed.git
    assert (activity.pushes, activity.idle_pushes) == (1, 0)


def test_a_key_that_was_deleted_is_not_back_by_an_older_credential_report(rt: RealTime) -> None:
    """AWS makes a report in four hours; whole accounts are audited whenever a role is changed."""
    [key] = rt.iam.list_access_keys(UserName="dave")["AccessKeyMetadata"]
    rt.deliver(rt.happen(STEPS[0].do))
    rt.world.watching.faults["iam:GenerateCredentialReport"] = refusal("Throttling")
    rt.deliver(rt.happen(lambda found: found.iam.delete_access_key(UserName="dave", AccessKeyId=key["AccessKeyId"])))
    rt.later()
    rt.messages()
    before = rt.ledger()
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    rt.deliver(rt.happen(lambda found: found.iam.create_role(RoleName="ci", AssumeRolePolicyDocument=trust)))
    rt.later()
    assert rt.messages() == []
    assert rt.ledger() == before


def test_what_waits_is_not_told_after_what_came_later(rt: RealTime, monkeypatch: pytest.MonkeyPatch) -> None:
    rt.deliver(rt.happen(STEPS[0].do))
    rt.messages()
    rt.slack.outage = broken()
    rt.deliver(rt.happen(STEPS[1].do))
    rt.slack.outage = None
    rt.deliver(rt.happen(STEPS[0].do))
    at(monkeypatch, 90)
    rt.later()
    assert_told(rt.messages(), ["🔴 High · user dave · MFA is not enforced, again"])


def test_a_partner_tells_of_no_event(rt: RealTime) -> None:
    [event, *_] = rt.happen(STEPS[0].do)
    assert rt.world.deployment.hear({**event, "source": "aws.partner/example.com/any"}) == {}
    assert rt.world.deployment.hear(event) == {"EventsAboutUsers": 1}


def test_deliver_begins_no_message_that_it_has_no_time_for(rt: RealTime, monkeypatch: pytest.MonkeyPatch) -> None:
    rt.slack.outage = broken()
    rt.deliver(rt.happen(STEPS[0].do))
    rt.deliver(rt.happen(STEPS[6].do))
    rt.slack.outage = None
    at(monkeypatch, 10)
    monkeypatch.setattr(Hub, "_has_time", lambda hub: hub.tells_until is not None and not rt.slack.posted[rt.seen :])
    rt.later()
    assert_told(rt.messages(), STEPS[0].told)
    at(monkeypatch, 15)
    rt.later()
    assert_told(rt.messages(), STEPS[6].told)


def test_who_uses_git_is_not_named_for_what_somebody_else_changed(rt: RealTime) -> None:
    rt.happen(lambda found: found.iam.delete_user_policy(UserName="carol", PolicyName="git"))  # the event is lost
    rt.deliver(rt.happen(lambda found: found.git("carol")))
    history = rt.world.deployment.ledger.history
    causes = [history(OWN, rt.stored("carol", one).fingerprint)[-1].cause for one in (ENFORCED, GIT)]
    assert [cause and cause.event for cause in causes] == [None, "codecommit:GitPush"]
