"""The example account filled into the emulator is the example account."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from chalicelib import bootstrap
from chalicelib.audit import judge
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.exports import Exports, read_exports
from chalicelib.local.emulator import emulator, facts_of, fill
from chalicelib.local.emulator.facts import text_of
from chalicelib.local.emulator.traffic import Calls
from chalicelib.local.example import example_exports, read_example
from tests.local.conftest import client_at

EXAMPLE = "111122223333"


@pytest.fixture(scope="module")
def calls() -> Calls:
    """The calls that filling takes."""
    return Counter()


@pytest.fixture(scope="module")
def answers(calls: Calls) -> tuple[Exports, datetime]:
    """The answers of the emulator, filled with the example account, to the reader of live accounts."""
    exports, counted = example_exports(), Counter[tuple[str, str]]()
    with (
        pytest.MonkeyPatch.context() as patch,
        emulator(account=EXAMPLE, facts=facts_of(exports), calls=counted) as url,
    ):
        patch.setenv("AWS_ACCESS_KEY_ID", "any")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        fill(client_at(url, "iam"), exports)
        calls.update(counted)
        return bootstrap.iam_reader(region="eu-west-1", endpoint_url=url).read_account()


@pytest.fixture(scope="module")
def read(answers: tuple[Exports, datetime]) -> AccountSnapshot:
    return read_exports(*answers)


def test_it_is_judged_as_its_files_are(read: AccountSnapshot) -> None:
    live, files = judge(read), judge(read_example())
    assert len(files.findings) > 40
    assert {one.user for one in files.findings} >= {None, "anna", "robot-mirror"}
    assert sorted((str(one.user), one.control, one.severity) for one in live.findings) == sorted(
        (str(one.user), one.control, one.severity) for one in files.findings
    )


def test_the_evidence_is_the_same(read: AccountSnapshot) -> None:
    live, files = judge(read), judge(read_example())
    assert {one.fingerprint: one.evidence for one in live.findings} == {
        one.fingerprint: one.evidence for one in files.findings
    }


def test_the_credentials_are_the_same(read: AccountSnapshot) -> None:
    files = read_example()
    assert read.gaps == ()
    assert read.root == files.root
    assert read.users.keys() == files.users.keys()
    for name, user in files.users.items():
        found = read.users[name]
        assert found.mfa == user.mfa, name
        told = [
            {(one.kind, one.active) for one in whose.credentials if one.kind not in whose.unread}
            for whose in (found, user)
        ]
        assert told[0] <= told[1], name  # SSH keys are asked for where they matter


# --- the authorization details ---------------------------------------------------------------------------------------

NEW = frozenset({"UserId", "GroupId", "RoleId", "PolicyId", "CreateDate", "UpdateDate", "RoleLastUsed", "Description"})
"""What is the emulator's own, and what the files leave out."""
DOCUMENTS = frozenset({"Document", "PolicyDocument", "AssumeRolePolicyDocument"})


def told(value: Any, name: str = "") -> Any:
    """What answers tell of an account, for comparison: without what differs, the lists in one order."""
    if name in DOCUMENTS:
        return json.loads(text_of(value))
    if isinstance(value, dict):
        return {key: told(one, key) for key, one in value.items() if key not in NEW and one != []}
    if isinstance(value, list):
        return sorted((told(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return "Policy" if name == "PermissionsBoundaryType" else value


@pytest.mark.parametrize("name", ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"])
def test_the_details_are_the_same(answers: tuple[Exports, datetime], name: str) -> None:
    live: Any = answers[0].authorization_details
    files: Any = example_exports().authorization_details
    assert len(files[name]) > 1
    assert told(live[name]) == told(files[name])


# --- how it is filled ------------------------------------------------------------------------------------------------


def test_filling_takes_some_calls_for_each_user(read: AccountSnapshot, calls: Calls) -> None:
    assert len(read.users) < sum(calls.values()) < 12 * len(read.users)


@pytest.mark.usefixtures("answers")
def test_it_is_the_iam_api_that_is_called(calls: Calls) -> None:
    assert {service for service, _ in calls} == {"iam", "sts"}
    assert [operation for service, operation in calls if service == "sts"] == ["GetCallerIdentity"]  # to use a key
