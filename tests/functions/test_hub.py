"""What the functions keep from one invocation to the next, and whom they ask: built from their environment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from chalicelib.config import parse_settings
from chalicelib.deployment import DeploymentError
from chalicelib.hub import Hub, Identity, identity_of
from chalicelib.iam.account import Gap, Read
from chalicelib.notify.event_bus import EventBusNotifier
from chalicelib.notify.security_hub import SecurityHubNotifier
from chalicelib.notify.slack import SlackNotifier
from chalicelib.notify.sns import SnsNotifier
from chalicelib.warm import POLICIES_SECONDS, Warm

FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:mfawatch-audit-change"
MEMBER = "444455556666"
ENVIRONMENT = {
    "MFAWATCH_SETTINGS_PARAMETER": "/mfawatch/settings",
    "MFAWATCH_SLACK_SECRET": "ssm:/mfawatch/slack",
    "MFAWATCH_MEMBER_ROLE": "mfawatch-audit",
    "MFAWATCH_LEDGER_TABLE": "mfawatch-ledger",
    "MFAWATCH_TOPIC_ARN": "arn:aws:sns:eu-central-1:111122223333:mfawatch-alerts",
    "MFAWATCH_FINDINGS_BUS": "mfawatch-findings",
}


class Session:
    """Makes clients that answer nothing, and knows which."""

    region_name = "eu-central-1"

    def __init__(self) -> None:
        self.made: list[tuple[str, str | None, bool]] = []

    def client(self, service: str, region_name: str | None = None, **options: Any) -> Any:
        self.made.append((service, region_name, "aws_session_token" in options))
        return Client()


class Client:
    """A client with nobody behind it."""

    class meta:  # noqa: N801 - as boto3 has it
        class events:  # noqa: N801
            @staticmethod
            def register(*_: Any, **__: Any) -> None:
                """Nobody listens."""

    def get_paginator(self, _: str) -> Client:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Items": []}]


def hub(warm: Warm | None = None, environment: Mapping[str, str] = ENVIRONMENT) -> Hub:
    """A function of this environment."""
    return Hub(environment, FUNCTION, warm or Warm(session=Session()))


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (FUNCTION, Identity("111122223333", "aws", "eu-central-1")),
        (f"{FUNCTION}:live", Identity("111122223333", "aws", "eu-central-1")),
        (
            "arn:aws-cn:lambda:cn-north-1:444455556666:function:x",
            Identity("444455556666", "aws-cn", "cn-north-1"),
        ),
    ],
)
def test_a_function_knows_by_its_arn_where_it_runs(arn: str, expected: Identity) -> None:
    assert identity_of(arn) == expected


def test_our_own_roles_are_those_of_the_functions_here_and_the_ones_that_they_assume() -> None:
    assert hub().own_roles(MEMBER) == {
        f"arn:aws:iam::{MEMBER}:role/mfawatch-audit",
        "arn:aws:iam::111122223333:role/mfawatch-audit-account-eu-central-1",
        "arn:aws:iam::111122223333:role/mfawatch-audit-change-eu-central-1",
        "arn:aws:iam::111122223333:role/mfawatch-api-eu-central-1",
        "arn:aws:iam::111122223333:role/mfawatch-remediate-eu-central-1",
    }
    able = hub(environment={**ENVIRONMENT, "MFAWATCH_REMEDIATION_ROLE": "mfawatch-remediate"})
    assert set(able.own_roles(MEMBER)) - set(hub().own_roles(MEMBER)) == {
        f"arn:aws:iam::{MEMBER}:role/mfawatch-remediate"
    }


# --- whom it tells ---------------------------------------------------------------------------------------------------


def test_each_destination_has_its_notifier() -> None:
    found = hub()
    slack = found.notifier_of("slack:C0SECURITY")
    assert isinstance(slack, SlackNotifier)
    assert (slack.channel, slack.destination) == ("C0SECURITY", "slack:C0SECURITY")
    assert slack.api == "https://slack.com/api/"
    assert isinstance(found.notifier_of("sns"), SnsNotifier)
    assert isinstance(found.notifier_of("event-bus"), EventBusNotifier)
    assert isinstance(found.notifier_of("security-hub"), SecurityHubNotifier)


@pytest.mark.parametrize("destination", ["", "pager", "slacker:C0SECURITY"])
def test_a_destination_of_no_kind_is_nobody(destination: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Target"):
        hub().notifier_of(destination)


@pytest.mark.parametrize(
    ("destination", "variable"), [("sns", "MFAWATCH_TOPIC_ARN"), ("event-bus", "MFAWATCH_FINDINGS_BUS")]
)
def test_what_the_environment_lacks_is_named(destination: str, variable: str) -> None:
    with pytest.raises(DeploymentError, match=variable):
        hub(environment={**ENVIRONMENT, variable: ""}).notifier_of(destination)


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_clients_are_made_once_but_for_those_of_members() -> None:
    session = Session()
    warm = Warm(session=session)
    credentials = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "aws_session_token": "c"}
    for _ in range(2):
        warm.client("iam")
        warm.client("codecommit", "us-east-1")
        warm.client("iam", **credentials)
    assert session.made == [
        ("iam", "eu-central-1", False),
        ("codecommit", "us-east-1", False),
        ("iam", "eu-central-1", True),
        ("iam", "eu-central-1", True),
    ]
    assert warm.client("iam") is warm.client("iam")
    assert warm.client("iam", **credentials) is not warm.client("iam", **credentials)


class Organization:
    """Answers about service control policies, and counts; the first of its answers may be a gap."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def service_control_policies(self, account: str) -> Any:
        self.asked.append(account)
        return self.answers.pop(0) if self.answers else {"Levels": [len(self.asked)]}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The clock, which a test sets."""

    class Clock:
        at = datetime(2026, 6, 1, tzinfo=UTC)

    monkeypatch.setattr(Hub, "clock", staticmethod(lambda: Clock.at))
    return Clock


def asking(warm: Warm, organization: Organization, *, after_event: bool) -> Any:
    """How an invocation asks for the policies of accounts."""
    found = hub(warm)
    found.__dict__["organization"] = organization
    return found._kept_policies if after_event else found.read_policies


def test_looks_after_events_take_the_policies_of_minutes_ago_and_sweeps_read_them(now: Any) -> None:
    warm, organization = Warm(session=Session()), Organization()
    first = asking(warm, organization, after_event=True)(MEMBER)
    now.at += timedelta(seconds=POLICIES_SECONDS - 1)
    assert asking(warm, organization, after_event=True)(MEMBER) == first
    assert asking(warm, organization, after_event=False)(MEMBER) != first
    assert asking(warm, organization, after_event=True)(MEMBER) == {"Levels": [2]}
    assert asking(warm, organization, after_event=True)("another") == {"Levels": [3]}
    now.at += timedelta(seconds=POLICIES_SECONDS)
    assert asking(warm, organization, after_event=True)(MEMBER) == {"Levels": [4]}


def test_what_could_not_be_read_is_not_kept(now: Any) -> None:
    gap = Gap(Read.SERVICE_CONTROL_POLICIES, "", "Throttling")
    warm, organization = Warm(session=Session()), Organization(gap)
    assert asking(warm, organization, after_event=True)(MEMBER) == gap
    assert asking(warm, organization, after_event=True)(MEMBER) == {"Levels": [2]}
    assert now.at


# --- parameters ------------------------------------------------------------------------------------------------------


class Parameters:
    """Parameter Store, as Powertools reads it."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.asked: list[list[str]] = []

    def get_parameters_by_name(self, parameters: Mapping[str, Any], **options: Any) -> None:
        assert options == {"decrypt": True, "max_age": 60, "raise_on_error": False}
        self.asked.append(sorted(parameters))
        if self.failure:
            raise self.failure


def warm_with(parameters: Parameters) -> Warm:
    warm = Warm(session=Session())
    warm.__dict__["parameters"] = parameters
    return warm


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, [["/mfawatch/settings", "/mfawatch/slack"]]),
        ({"MFAWATCH_SLACK_SECRET": "secretsmanager:mfawatch/slack"}, [["/mfawatch/settings"]]),
        ({"MFAWATCH_SLACK_SECRET": ""}, [["/mfawatch/settings"]]),
    ],
)
def test_what_a_run_needs_is_read_in_one_call(environment: dict[str, str], expected: list[list[str]]) -> None:
    parameters = Parameters()
    hub(warm_with(parameters), {**ENVIRONMENT, **environment}).read_ahead()
    assert parameters.asked == expected


def test_where_nothing_is_named_nothing_is_read() -> None:
    parameters = Parameters()
    Hub({}, FUNCTION, warm_with(parameters)).read_ahead()
    assert parameters.asked == []


@pytest.mark.parametrize("failure", [GetParameterError("no"), ValueError("no"), KeyError("Parameters")])
def test_what_cannot_be_read_ahead_is_missed_where_it_is_needed(failure: Exception) -> None:
    parameters = Parameters(failure)
    hub(warm_with(parameters)).read_ahead()
    assert len(parameters.asked) == 1


# --- whose account it is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ours", "theirs"),
    [
        ("", ["111122223333"], [MEMBER]),
        (f'accounts = ["{MEMBER}"]', [MEMBER], ["111122223333", "999999999999"]),
        ("organization = true", ["111122223333", MEMBER, "999999999999"], []),
    ],
)
def test_whose_accounts_are_ours(text: str, ours: list[str], theirs: list[str]) -> None:
    found = hub()
    found.__dict__["settings"] = parse_settings(text, {}, ())
    assert all(found.is_ours(account) for account in ours)
    assert not any(found.is_ours(account) for account in theirs)
