"""From the schedule to the ledger, and again after a change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.ledger import ChangeKind
from chalicelib.local.lambda_runtime import schedule_event
from chalicelib.sweep import AssignmentError, parse_assignment
from tests.accounts.build import TAKEN
from tests.functions.conftest import EXPECTED, MEMBER, OWN, World, add_device
from tests.functions.watching import refusal


def test_a_sweep_finds_what_is_there_in_each_account(world: World) -> None:
    assert world.sweep() == []
    for account in (OWN, MEMBER):
        assert world.told(account) == EXPECTED
        [report] = world.deployment.ledger.reports(account, 10)
        assert (report.run, report.users, report.changes) == ("run-1", 4, {"opened": 5})
    assumed = [call.parameters for call in world.watching.calls if call.operation == "sts:AssumeRole"]
    assert {(one["RoleArn"], one["ExternalId"], one["RoleSessionName"]) for one in assumed} == {
        (f"arn:aws:iam::{MEMBER}:role/mfawatch-audit", "an-external-id", "mfawatch-run-1")
    }


def test_the_next_sweep_tells_what_changed_and_nothing_else(world: World) -> None:
    world.sweep()
    iam = world.iam(MEMBER)
    add_device(iam, "bare")
    iam.deactivate_mfa_device(UserName="fine", SerialNumber=f"arn:aws:iam::{MEMBER}:mfa/fine")
    assert world.sweep("second") == []
    assert {(kind, one.user, one.control) for kind, one in world.deployment.changes(MEMBER, "second")} == {
        (ChangeKind.RESOLVED, "bare", "user-without-mfa"),
        (ChangeKind.OPENED, "fine", "user-without-mfa"),
    }
    assert world.deployment.changes(OWN, "second") == []


def test_without_settings_the_own_account_is_swept(world: World) -> None:
    set_settings(world, "# none")
    world.sweep()
    assert world.told(OWN) == EXPECTED
    assert world.told(MEMBER) == {}


def test_the_active_accounts_of_the_organisation_are_swept(world: World) -> None:
    organizations = world.client("organizations", OWN)
    organizations.create_organization(FeatureSet="ALL")
    ids = [
        organizations.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]["AccountId"]
        for name in ("one", "two")
    ]
    organizations.close_account(AccountId=ids[1])
    set_settings(world, "organization = true")
    world.sweep()
    ledger = world.deployment.ledger
    assert {account for account in (OWN, *ids) if ledger.reports(account, 1)} == {OWN, ids[0]}


@pytest.mark.parametrize("code", ["AccessDeniedException", "AWSOrganizationsNotInUseException"])
def test_an_organisation_that_cannot_be_listed_fails_the_sweep_after_what_is_known(world: World, code: str) -> None:
    set_settings(world, f'organization = true\naccounts = ["{MEMBER}"]')
    world.watching.faults["organizations:ListAccounts"] = refusal(code)
    with pytest.raises(RuntimeError, match=code):
        world.sweep()
    assert world.deployment.work() == []
    assert world.told(OWN) == world.told(MEMBER) == EXPECTED


def test_settings_that_are_none_name_the_parameter_and_the_line(world: World) -> None:
    set_settings(world, 'accounts = ["1"]')
    with pytest.raises(ValueError, match=r"^/mfawatch/settings: line 1: accounts\[0\]"):
        world.sweep()


def test_a_canonical_policy_comes_from_the_bundle(world: World) -> None:
    set_settings(world, '[[canonical]]\nname = "p1"\ndocument = "policies/require-mfa.json"\nusers = ["open"]')
    world.sweep()
    assert ("open", "canonical-policy-missing") in world.told(OWN)
    set_settings(world, '[[canonical]]\nname = "p1"\ndocument = "elsewhere.json"')
    with pytest.raises(ValueError, match=r"elsewhere\.json.*policies/require-mfa\.json"):
        world.sweep()


def test_a_sweep_by_hand_is_a_run_of_its_own(world: World) -> None:
    """Whoever calls the function gives what docs/deploy.md says, without the id of a schedule's event."""
    event = {**schedule_event("", TAKEN), "id": ""}
    first, second = (world.deployment.call("sweep", event)["run"] for _ in range(2))
    assert first != second


def set_settings(world: World, text: str) -> None:
    """Change the settings of the deployment."""
    world.client("ssm", OWN).put_parameter(Name="/mfawatch/settings", Value=text, Type="String", Overwrite=True)


STARTED = "2026-06-01T06:00:00+00:00"
GOOD = {"run": "r", "started": STARTED, "account": OWN}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no JSON"),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        ("{}", "started"),
        (json.dumps(GOOD | {"account": "1"}), "account"),
        (json.dumps(GOOD | {"account": 123456789012}), "account"),
        (json.dumps(GOOD | {"account": f"{OWN}\n"}), "account"),
        (json.dumps(GOOD | {"run": "a b"}), "run"),
        (json.dumps(GOOD | {"run": ""}), "run"),
        (json.dumps(GOOD | {"started": "yesterday"}), "started"),
        (json.dumps(GOOD)[:-1] + ', "account": "999999999999"}', "account"),
    ],
)
def test_what_is_no_assignment_is_told(text: str, reason: str) -> None:
    with pytest.raises(AssignmentError, match=reason):
        parse_assignment(text)


def test_an_assignment_comes_back_as_it_was() -> None:
    found = parse_assignment(json.dumps(GOOD))
    again: Any = json.loads(found.to_json())
    assert again == GOOD
