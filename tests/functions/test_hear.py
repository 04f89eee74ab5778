"""hear_change and hear_git: what becomes of a record, whoever wrote it and however often it comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from chalicelib.functions.hear import MOST_FAILED, NotHeard
from chalicelib.hints import asked_for
from chalicelib.scope import Scope
from tests.functions.conftest import MEMBER, OWN, SETTINGS, World, deployed
from tests.functions.hearsay import (
    FOREIGN,
    activity_of,
    assignments,
    envelope,
    git,
    hear,
    hear_all,
    hints,
    log_of,
    logged,
    nothing_waits,
    record,
    set_settings,
)
from tests.functions.watching import after, raising, refusal

POLICY = f"arn:aws:iam::{OWN}:policy/RequireMfa"
DETACHED = {"userName": "dave", "policyArn": POLICY}
ORGANIZATION = f"arn:aws:organizations::{OWN}:root/o-exampleorgid/r-exam"


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    """A deployment for two accounts, with nothing in them: nobody looks."""
    with deployed(SETTINGS) as found:
        yield found


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """It, with nothing in the queues."""
    yield shared
    shared.watching.faults.clear()
    nothing_waits(shared)


@pytest.fixture
def with_organization(world: World) -> Iterator[World]:
    """The settings say that all accounts of the organisation are ours."""
    set_settings(world, "organization = true")
    yield world
    set_settings(world, SETTINGS)


# --- what becomes of a record ----------------------------------------------------------------------------------------


def test_users_are_looked_at_twice_and_nothing_is_asked_of_the_settings_for_it(world: World) -> None:
    value = record("iam DetachUserPolicy", parameters=DETACHED)
    world.watching.calls.clear()
    assert hear(world, value) == {"EventsAboutUsers": 1}
    assert world.watching.operations() == ["sqs:SendMessageBatch"]
    first, second = hints(world)
    assert [one.run.id for one in (first, second)] == [f"{value['eventID']}-1", f"{value['eventID']}-2"]
    assert first.scope == second.scope == Scope(OWN, frozenset({"dave"}))
    assert (first.cause.event, first.cause.agent) == ("iam:DetachUserPolicy", "aws-cli/2.27.1")
    assert assignments(world) == []


def test_the_queue_is_asked_to_wait_and_not_the_function(world: World) -> None:
    world.watching.calls.clear()
    hear(world, record("iam DetachUserPolicy", parameters=DETACHED))
    [sent] = [call.parameters["Entries"] for call in world.watching.calls if call.operation == "sqs:SendMessageBatch"]
    delays = [entry["DelaySeconds"] for entry in sent]
    assert 0 < delays[0] <= 10 < delays[1] <= 90


@pytest.mark.parametrize(
    ("event", "parameters", "expected"),
    [
        ("iam RemoveUserFromGroup", {"userName": "bob", "groupName": "people"}, {"users": {"bob"}}),
        ("iam DetachGroupPolicy", {"groupName": "people", "policyArn": POLICY}, {"groups": {"people"}}),
        ("iam CreatePolicyVersion", {"policyArn": POLICY}, {"policies": {POLICY}}),
    ],
)
def test_groups_and_policies_are_resolved_by_who_looks(
    world: World, event: str, parameters: Any, expected: Mapping[str, set[str]]
) -> None:
    hear(world, record(event, parameters=parameters))
    [scope] = {one.scope for one in hints(world)}
    found = {name: getattr(scope, name) for name in ("users", "groups", "policies") if getattr(scope, name)}
    assert found == expected


def test_an_account_is_audited_once_for_many_events(world: World) -> None:
    many = [record("iam CreateRole", parameters={"roleName": f"role-{number}"}) for number in range(12)]
    assert hear(world, many[0]) == {"EventsAboutAccounts": 1}
    assert hear_all(world, many[1:]) == {"EventsAboutAccounts": 11}
    runs = {one.run.id for one in assignments(world)}
    assert len(runs) <= 2, "the span of time may have ended in between"
    assert all(run.startswith("events-") for run in runs)
    assert all(logged(world, value) for value in many)


def test_what_concerns_nobody_and_what_nobody_knows_is_counted_and_no_more(world: World) -> None:
    made = record("iam CreateVirtualMFADevice", parameters={"virtualMFADeviceName": "phone"})
    unknown = [record("iam ListUsers"), record("s3 PutObject"), record("iam SomethingNew")]
    assert hear(world, made) == {"EventsAboutNobody": 1}
    assert [hear(world, value) for value in unknown] == [{"EventsIgnored": 1}] * 3
    assert nothing_waits(world)
    assert not any(logged(world, value) for value in [made, *unknown])


def test_what_is_no_record_is_nothing(world: World) -> None:
    nothing: list[Any] = [None, {}, [], "GitPush", {"eventName": "CreateUser"}]
    assert [hear(world, detail) for detail in nothing] == [{}] * len(nothing)


def test_an_attempt_is_kept_and_nobody_looks(world: World) -> None:
    value = record("iam DeleteUserPolicy", denied="user bob")
    assert hear(world, value) == {"AttemptsRefused": 1}
    found = logged(world, value)
    assert found is not None
    assert (found.refused, found.users, found.cause.event) == (True, ("bob",), "iam:DeleteUserPolicy")
    assert nothing_waits(world)


def test_an_attempt_on_all_accounts_is_filed_where_it_was_made(world: World) -> None:
    value = record("organizations DisablePolicyType", denied=ORGANIZATION)
    assert hear(world, value) == {"AttemptsRefused": 1}
    found = logged(world, value)
    assert found is not None
    assert found.refused
    assert nothing_waits(world)


@pytest.mark.parametrize(
    "value",
    [
        record("iam CreateRole", FOREIGN),
        record("iam DeleteUserPolicy", FOREIGN, denied="user bob"),
        record("organizations DisablePolicyType", FOREIGN, denied=ORGANIZATION),
        git(account=FOREIGN),
        git(account=FOREIGN, errorCode="AccessDenied"),
        record("cloudtrail StopLogging", FOREIGN, parameters={"name": "main"}),
    ],
    ids=["account", "attempt", "attempt-on-all", "git", "refused-git", "sight"],
)
def test_an_account_that_is_not_ours_leaves_no_trace(world: World, value: Any) -> None:
    assert hear(world, value, "hear_git" if "Git" in value["eventName"] else "hear_change") == {"EventsNotOurs": 1}
    assert nothing_waits(world)
    assert list(log_of(world, FOREIGN)) == []
    known = world.deployment.ledger.known(FOREIGN)
    assert (list(known.findings), known.observed.git, known.observed.sight) == ([], (), ())


def test_users_of_an_account_that_is_not_ours_are_left_to_who_looks(world: World) -> None:
    assert hear(world, record("iam CreateUser", FOREIGN, parameters={"userName": "eve"})) == {"EventsAboutUsers": 1}
    answers = [world.deployment.look(), world.deployment.outbox.due(datetime.now(UTC) + timedelta(days=1), 10)]
    assert answers == [[], []]
    assert list(world.deployment.ledger.load(FOREIGN)) == []


def test_what_our_own_roles_did_is_known_as_such(world: World) -> None:
    role = f"arn:aws:iam::{OWN}:role/mfawatch-audit-account-us-east-1"
    session = {"type": "AssumedRole", "arn": f"arn:aws:sts::{OWN}:assumed-role/mfawatch-audit-account-us-east-1/s"}
    issued = session | {"accountId": OWN, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}}}
    for who, own in (
        (issued, True),
        (session, True),
        ({**session, "arn": session["arn"].replace("-us", "-eu")}, False),
    ):
        hear(world, record("iam DetachUserPolicy", parameters=DETACHED, record={"userIdentity": who}))
        assert {one.cause.own for one in hints(world)} == {own}


# --- all accounts ----------------------------------------------------------------------------------------------------

UPDATED = {"policyId": "p-example1"}


def test_a_policy_of_the_organisation_concerns_all_accounts_of_the_settings(world: World) -> None:
    value = record("organizations UpdatePolicy", parameters=UPDATED)
    assert hear(world, value) == {"EventsAboutAccounts": 1}
    assert [one.account for one in assignments(world)] == [OWN, MEMBER]
    assert all(logged(world, value, account) for account in (OWN, MEMBER))


def test_with_an_organisation_it_concerns_each_active_account_of_it(with_organization: World) -> None:
    world = with_organization
    organizations = world.client("organizations", OWN)
    organizations.create_organization(FeatureSet="ALL")
    made = [
        organizations.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]["AccountId"]
        for name in ("one", "two", "three")
    ]
    organizations.close_account(AccountId=made[2])
    assert hear(world, record("organizations UpdatePolicy", parameters=UPDATED)) == {"EventsAboutAccounts": 1}
    assert [one.account for one in assignments(world)] == sorted([OWN, *made[:2]])
    aimed = record("organizations DetachPolicy", parameters={"policyId": "p-1", "targetId": made[0]})
    assert hear(world, aimed) == {"EventsAboutAccounts": 1}
    assert [one.account for one in assignments(world)] == [made[0]]


def test_an_organisation_that_cannot_be_listed_fails_and_is_asked_again(with_organization: World) -> None:
    world = with_organization
    value = record("organizations UpdatePolicy", parameters=UPDATED)
    world.watching.faults["organizations:ListAccounts"] = refusal("AccessDeniedException")
    with pytest.raises(NotHeard, match="1 records"):
        hear(world, value)
    assert nothing_waits(world)
    world.watching.faults.clear()
    assert hear(world, value) == {"EventsAboutAccounts": 1}


# --- the auditor's sight ---------------------------------------------------------------------------------------------


def test_what_switches_auditing_off_is_observed_and_the_account_audited(world: World) -> None:
    began = datetime.now(UTC)
    stop = record("cloudtrail StopLogging", at=began, parameters={"name": "main"})
    start = record("cloudtrail StartLogging", at=began + timedelta(seconds=5), parameters={"name": "main"})
    for value in (start, stop, stop):
        assert hear(world, value) == {"EventsAboutAccounts": 1}
    [seen] = world.deployment.ledger.known(OWN).observed.sight
    assert (seen.name, seen.off) == ("main", False)
    assert {one.account for one in assignments(world)} == {OWN}


def test_a_refused_try_to_blind_is_an_attempt_and_no_loss(world: World) -> None:
    value = record("cloudtrail StopLogging", denied=f"arn:aws:cloudtrail:eu-west-1:{OWN}:trail/other")
    assert hear(world, value) == {"AttemptsRefused": 1}
    assert "other" not in {one.name for one in world.deployment.ledger.known(OWN).observed.sight}
    assert nothing_waits(world)


# --- again, and what fails -------------------------------------------------------------------------------------------


def test_the_same_event_asks_for_the_same_looks_and_the_same_audit(world: World) -> None:
    user = record("iam DetachUserPolicy", parameters=DETACHED)
    role = record("iam CreateRole", parameters={"roleName": "ci"})
    for value in (user, role, user, role):
        hear(world, value)
    assert {one.run.id for one in hints(world)} == {f"{user['eventID']}-{look}" for look in (1, 2)}
    assert len({one.run.id for one in assignments(world)}) == 1


def test_an_event_that_comes_again_much_later_is_known_by_when_it_was_heard_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a log file tells of it: the audit is the one that was."""
    value = record("iam CreateRole", parameters={"roleName": "late"})
    hear(world, value)
    [first] = assignments(world)
    later = datetime.now(UTC) + timedelta(minutes=20)
    monkeypatch.setattr("chalicelib.hub.Hub.clock", staticmethod(lambda: later))
    hear(world, value)
    assert assignments(world) == [first]


@pytest.mark.parametrize("fault", [refusal("AccessDenied"), raising(ConnectionClosedError(endpoint_url="http://gone"))])
def test_a_queue_that_takes_nothing_fails_and_the_same_event_makes_up_for_it(world: World, fault: Any) -> None:
    value = record("iam CreateRole", parameters={"roleName": "ci"})
    world.watching.faults["sqs:SendMessageBatch"] = fault
    with pytest.raises(Exception, match=r"AccessDenied|closed"):
        hear(world, value)
    world.watching.faults.clear()
    assert hear(world, value) == {"EventsAboutAccounts": 1}
    [work] = assignments(world)
    found = logged(world, value)
    assert found is not None
    assert asked_for(work.run, found.heard_at), "its cause is found"


def test_one_record_that_fails_silences_no_other_and_is_told(world: World) -> None:
    user = record("iam DetachUserPolicy", parameters=DETACHED)
    world.watching.faults["dynamodb:PutItem"] = refusal("ValidationException")
    values = [record("iam CreateRole"), user, record("iam CreateRole"), record("iam ListUsers")]
    with pytest.raises(NotHeard, match="2 records: ClientError"):
        hear_all(world, values)
    assert {one.run.id for one in hints(world)} == {f"{user['eventID']}-{look}" for look in (1, 2)}


def test_where_nothing_works_nobody_goes_on_for_ever(world: World) -> None:
    world.watching.faults["dynamodb:PutItem"] = refusal("AccessDenied")
    world.watching.calls.clear()
    values = [record("iam CreateRole") for _ in range(5 * MOST_FAILED)]
    with pytest.raises(NotHeard, match=f"{MOST_FAILED} records"):
        hear_all(world, values)
    assert [call.operation for call in world.watching.calls].count("dynamodb:PutItem") == MOST_FAILED


# --- Git -------------------------------------------------------------------------------------------------------------


def test_a_first_operation_without_mfa_is_counted_and_looked_at_soon(world: World) -> None:
    value = git("first")
    assert hear(world, value, "hear_git") == {"GitWithoutMfa": 1}
    [hint] = hints(world)
    assert (hint.run.id, hint.scope) == (f"{value['eventID']}-1", Scope(OWN, frozenset({"first"})))
    assert hear(world, git("first"), "hear_git") == {"GitWithoutMfa": 1}
    assert nothing_waits(world)
    found = activity_of(world, "first")
    assert found is not None
    assert found.pulls == 2


def test_what_no_user_did_is_a_matter_of_the_account_and_its_cause_is_kept(world: World) -> None:
    value = git("", sourceIPAddress="198.51.100.7")
    assert hear(world, value, "hear_git") == {"GitWithoutMfa": 1}
    [work] = assignments(world)
    assert work.account == OWN
    found = logged(world, value)
    assert found is not None
    assert (found.refused, found.cause.address) == (False, "198.51.100.7")
    assert hear(world, git(""), "hear_git") == {"GitWithoutMfa": 1}
    assert nothing_waits(world)


def test_git_with_mfa_is_counted_by_a_metric_alone(world: World) -> None:
    attributes = {"attributes": {"mfaAuthenticated": "true"}}
    who = {"type": "IAMUser", "arn": f"arn:aws:iam::{OWN}:user/mfa", "accountId": OWN, "userName": "mfa"}
    value = git(userIdentity=who | {"accessKeyId": "ASIAEXAMPLE", "sessionContext": attributes}, additionalEventData={})
    world.watching.calls.clear()
    assert hear(world, value, "hear_git") == {"GitWithMfa": 1}
    assert world.watching.calls == []
    assert activity_of(world, "mfa") is None


def test_a_refused_operation_is_an_attempt_and_is_not_counted(world: World) -> None:
    value = git("refused", errorCode="AccessDenied")
    assert hear(world, value, "hear_git") == {"AttemptsRefused": 1}
    found = logged(world, value)
    assert found is not None
    assert (found.refused, found.users, found.effect) == (True, ("refused",), "git pull without MFA")
    assert activity_of(world, "refused") is None
    assert nothing_waits(world)


def test_an_operation_is_counted_once_whichever_function_is_told_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long after it: others have come in between, more than the ledger knows by name."""
    value = git("often")
    for name, times in (("mfawatch-hear-git", 3), ("mfawatch-hear-log-file", 2)):
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", name)
        for _ in range(times):
            hear(world, value, "hear_git")
        hear_all(world, [git("often") for _ in range(25)], "hear_git")
    found = activity_of(world, "often")
    assert found is not None
    assert found.pulls == 1 + 2 * 25
    assert {one.run.id for one in hints(world)} == {f"{value['eventID']}-1"}


@pytest.mark.parametrize("user", ["unsent", ""])
def test_who_cannot_send_after_counting_sends_the_next_time_and_counts_once(world: World, user: str) -> None:
    before = activity_of(world, user or None)
    value = git(user, additionalEventData={"protocol": "HTTP", "dataTransferred": True, "repositoryName": "unsent"})
    value["userIdentity"]["accessKeyId"] = "AKIAUNSENT"
    world.watching.faults["sqs:SendMessageBatch"] = refusal("AccessDenied")
    with pytest.raises(Exception, match="AccessDenied"):
        hear(world, value, "hear_git")
    world.watching.faults.clear()
    assert hear(world, value, "hear_git") == {"GitWithoutMfa": 1}
    assert len(hints(world)) + len(assignments(world)) == 1
    known = world.deployment.ledger.known(OWN).observed.git
    [found] = [one for one in known if one.repository.endswith(":unsent") and one.user == (user or None)]
    assert found.pulls == 1
    assert before is None or before.repository != found.repository


class Killed(BaseException):
    """The function is gone."""


def test_who_is_killed_at_any_call_of_counting_sends_the_next_time_and_counts_once(world: World) -> None:
    at_call, finished = 0, False
    while not finished:
        user = f"killed-{at_call}"
        value = git(user)
        world.watching.faults["*"] = after(at_call, raising(Killed()))
        try:
            hear(world, value, "hear_git")
            finished = True
        except Killed:
            pass
        world.watching.faults.clear()
        assert hear(world, value, "hear_git") == {"GitWithoutMfa": 1}
        assert {one.run.id for one in hints(world)} == {f"{value['eventID']}-1"}
        found = activity_of(world, user)
        assert found is not None
        assert found.pulls == 1, at_call
        at_call += 1
    assert at_call > 5


# --- hostile records -------------------------------------------------------------------------------------------------

LONG = "x" * 20_000
HOSTILE: dict[str, Any] = {
    "a time at the end of all times": record("iam CreateUser", record={"eventTime": "9999-12-31T23:59:59Z"}),
    "a time at the beginning": record("iam CreateUser", record={"eventTime": "0001-01-01T00:00:00Z"}),
    "no time": record("iam CreateRole", record={"eventTime": None}),
    "a long id": record("iam CreateRole", record={"eventID": LONG}),
    "a long shared id": record("iam DetachUserPolicy", parameters=DETACHED, record={"sharedEventID": LONG}),
    "an id with everything": record("iam CreateRole", record={"eventID": "a b#\u202e\n\ud800"}),
    "no id": record("iam DetachUserPolicy", parameters=DETACHED, record={"eventID": None}),
    "an id that is none": record("iam CreateRole", record={"eventID": {"a": 1}}),
    "a long agent": record("iam CreateRole", record={"userAgent": LONG, "sourceIPAddress": LONG}),
    "a user like a key": record("iam CreateUser", parameters={"userName": "a#~git#"}),
    "a user who is a list": record("iam CreateUser", parameters={"userName": ["a"]}),
    "half a character": record("iam CreateRole", record={"userAgent": "\ud800"}),
    "an account that is none": record("iam CreateRole", record={"recipientAccountId": "1", "userIdentity": None}),
    "nobody": record("iam CreateRole", record={"userIdentity": None, "requestParameters": None}),
    "a policy of another world": record("iam CreatePolicyVersion", parameters={"policyArn": "arn:aws:iam::x:policy/#"}),
    "git by a user like a key": git("a#~git#b"),
    "git by a long user": git("ü" * 300),
    "git in no repository": git(additionalEventData=None, resources="none"),
    "git by nobody": git(userIdentity=None),
    "git with a long id": git(eventID=LONG),
    "git with no id": git(eventID=None),
    "git at the end of all times": git(eventTime="9999-12-31T23:59:59Z"),
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_record_is_heard_and_harms_nobody(world: World, value: Any) -> None:
    """Twice, and beside another one."""
    good = record("iam DetachUserPolicy", parameters=DETACHED)
    for function in ("hear_change", "hear_git"):
        told = hear_all(world, [value, good], function)
        assert sum(told.values()) == 2
    assert f"{good['eventID']}-1" in {one.run.id for one in hints(world)}
    assert all(one.account in (OWN, MEMBER) for one in assignments(world))
    log_of(world)
    world.deployment.ledger.known(OWN)


def test_an_envelope_that_lies_about_the_account_is_not_asked(world: World) -> None:
    event = envelope(record("iam CreateRole", FOREIGN)) | {"account": OWN}
    assert world.deployment.call("hear_change", event) == {"EventsNotOurs": 1}
