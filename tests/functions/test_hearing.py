"""What becomes of events that come twice, by the thousand, or about what no user carries by an ARN."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.cause import Cause
from chalicelib.events.heard import Heard
from chalicelib.hints import hints_of
from chalicelib.hub import Hub
from chalicelib.local.caller import key_of
from chalicelib.local.trail import event_of
from chalicelib.scope import Scope
from chalicelib.warm import Warm
from tests.accounts.build import ADMIN
from tests.functions.conftest import OWN
from tests.functions.realtime import SETTINGS, RealTime, hearing
from tests.functions.watching import refusal

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
FUNCTION = f"arn:aws:lambda:us-east-1:{OWN}:function:mfawatch-audit-change"
CANONICAL = '[[canonical]]\nname = "git"\nversion = "v1"\n'
NOW = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def rt() -> Iterator[RealTime]:
    with hearing(CANONICAL + SETTINGS) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_waits(rt: RealTime) -> None:
    """Tests leave messages behind."""
    for url in (rt.world.deployment.accounts_url, rt.world.deployment.changes_url):
        while waiting(rt, url):
            pass


def at(monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    """Let it be so many minutes later for the functions."""
    monkeypatch.setattr(Hub, "clock", staticmethod(lambda: datetime.now(UTC) + timedelta(minutes=minutes)))


def waiting(rt: RealTime, url: str) -> list[dict[str, Any]]:
    """The messages of a queue, which are taken out of it."""
    sqs = rt.world.deployment.sqs
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in found]


def test_what_a_log_file_tells_later_is_no_further_audit_of_the_account(
    rt: RealTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    [event] = rt.happen(lambda found: found.iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST))
    runs = set()
    for minutes in (0, 1, 7, 15):
        at(monkeypatch, minutes)
        rt.world.deployment.hear(event)
        runs |= {message["run"] for message in waiting(rt, rt.world.deployment.accounts_url)}
    assert len(runs) == 1


@pytest.mark.parametrize("name", ["AssumeRole", "GetSessionToken"])
def test_nobody_is_looked_at_after_a_use_of_a_session_that_a_log_file_tells(rt: RealTime, name: str) -> None:
    rt.trail.refuse(key_of(OWN, "carol"), "sts", name, "")
    [record] = rt.trail.records()
    assert rt.world.deployment.hear(event_of(record | {"errorCode": "", "errorMessage": ""})) == {"EventsIgnored": 1}
    assert waiting(rt, rt.world.deployment.changes_url) == []


def stop(rt: RealTime, name: str) -> dict[str, Any]:
    rt.trail.refuse(key_of(OWN, "carol"), "cloudtrail", name, "")
    [record] = rt.trail.records()
    parameters = {"name": f"arn:aws:cloudtrail:us-east-1:{OWN}:trail/main"}
    return event_of(record | {"errorCode": "", "eventTime": "2026-06-01T06:00:00Z", "requestParameters": parameters})


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_events_in_one_second_the_one_that_switches_off_counts(rt: RealTime, order: int) -> None:
    for event in [stop(rt, "StartLogging"), stop(rt, "StopLogging")][::order]:
        rt.world.deployment.hear(event)
    [loss] = rt.world.deployment.ledger.known(OWN).observed.sight
    assert loss.off


def test_an_inline_policy_that_is_canonical_is_looked_at_itself(rt: RealTime) -> None:
    put = {"UserName": "carol", "PolicyName": "git", "PolicyDocument": json.dumps(ADMIN)}
    for name, accounts in (("git", 1), ("admin", 0)):
        rt.world.deployment.hear(*rt.happen(lambda found: found.iam.put_user_policy(**put | {"PolicyName": name})))  # noqa: B023
        assert len(waiting(rt, rt.world.deployment.accounts_url)) == accounts
        assert {one["users"][0] for one in waiting(rt, rt.world.deployment.changes_url)} == {"carol"}


def test_a_key_made_after_the_credential_report_counts_in_the_whole_account(rt: RealTime) -> None:
    quiet = rt.world.iam(OWN)
    quiet.create_user(UserName="erin")
    quiet.put_user_policy(UserName="erin", PolicyName="admin", PolicyDocument=json.dumps(ADMIN))
    quiet.generate_credential_report()
    rt.world.watching.faults["iam:GenerateCredentialReport"] = refusal("Throttling")
    rt.world.deployment.hear(*rt.happen(lambda found: found.iam.create_access_key(UserName="erin")))
    waiting(rt, rt.world.deployment.changes_url)
    rt.deliver(rt.happen(lambda found: found.iam.create_role(RoleName="s", AssumeRolePolicyDocument=TRUST)))
    assert rt.ledger()["erin", "mfa-not-enforced"] == ("high", "open")


def test_a_record_of_the_end_of_all_calendars_is_looked_at_like_any() -> None:
    cause = Cause("e", "iam:TagUser", at=datetime.max.replace(tzinfo=UTC))
    assert [hint.delay for hint in hints_of("e", Scope(OWN, frozenset({"alice"})), cause, NOW)] == [10, 90]


class Organization:
    """An organisation whose policies change each time that somebody asks."""

    def __init__(self) -> None:
        self.asked = 0

    def service_control_policies(self, _: str) -> dict[str, Any]:
        self.asked += 1
        return {"asked": self.asked}


@pytest.mark.parametrize(
    ("event", "minutes", "expected"),
    [
        ("organizations:DetachPolicy", 1, 2),
        ("organizations:DetachPolicy", -1, 2),
        ("organizations:DetachPolicy", -60, 1),
        ("iam:CreateRole", 1, 1),
    ],
)
def test_policies_of_an_organisation_are_not_kept_beyond_a_change(event: str, minutes: int, expected: int) -> None:
    organization, warm = Organization(), Warm(policies_seconds=300)
    heard = Heard(OWN, NOW, "", False, (), Cause("e", event, at=NOW + timedelta(minutes=minutes)))

    def hub(later: int) -> Hub:
        found = Hub({}, FUNCTION, warm)
        vars(found).update(
            organization=organization, event_log=Log([heard]), clock=lambda: NOW + timedelta(minutes=later)
        )
        return found

    for later in (0, 2):
        found = hub(later)._kept_policies(OWN)
    assert found == {"asked": expected}


class Log:
    """A log of events that gives those of a span of time."""

    def __init__(self, events: list[Heard]) -> None:
        self._events = events

    def heard(self, _: str, since: datetime, until: datetime) -> list[Heard]:
        return [one for one in self._events if since <= one.at < until]
