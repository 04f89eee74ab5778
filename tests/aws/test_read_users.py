"""A few users, read as they are now: the verdicts of the whole account, without what may be hours old."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest

from chalicelib.audit import Audit, judge
from chalicelib.aws.iam_reader import IamReader
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.carriers import users_among
from chalicelib.iam.exports import read_exports
from chalicelib.ports import TooManyUsers
from tests.accounts.build import (
    ADMIN,
    FINE,
    FOUND,
    GUARD,
    NOT_EVALUATED,
    TAKEN,
    Person,
    exports,
    group,
    managed,
    managed_arn,
    swap,
    verdict,
)
from tests.aws.fake_iam import FakeIam
from tests.aws.test_iam_reader import PEOPLE, told, whole

NAMES = [person.name for person in PEOPLE]
OF_ONE = (
    "GetAccountAuthorizationDetails",
    "GetLoginProfile",
    "ListAccessKeys",
    "ListMFADevices",
    "ListSSHPublicKeys",
    "ListServiceSpecificCredentials",
)


def audit_users(iam: FakeIam, *names: str) -> Audit:
    """The audit of some users by what is read for them."""
    found = IamReader(iam, now=lambda: TAKEN, pause=lambda _: None).read_users(names)
    return judge(read_exports(*found), users=names)


@pytest.mark.parametrize("names", [*([name] for name in NAMES), NAMES[:3], NAMES], ids=str)
def test_users_are_judged_as_in_the_whole_account(names: Sequence[str]) -> None:
    answers = exports(*PEOPLE)
    expected = {one for one in told(whole(answers)) if one[0] in names}
    result = audit_users(FakeIam(answers), *names)
    assert told(result) == expected
    assert {gap.read for gap in result.gaps} <= {Read.SERVICE_CONTROL_POLICIES, Read.REPOSITORY_KEYS}
    assert not [item for item in result.not_evaluated if item.reason.startswith("needs")]


def test_it_takes_four_calls_a_user_beside_the_policies_and_one_where_git_is_open() -> None:
    iam = FakeIam(exports(*PEOPLE))
    audit_users(iam, "fine", "open")
    expected = {"GetAccountAuthorizationDetails": 1} | dict.fromkeys(OF_ONE[1:], 2)
    assert dict(iam.calls) == expected | {"ListSSHPublicKeys": 1}


def test_what_the_report_says_counts_for_nothing() -> None:
    """The key was made an hour ago, the password deleted, and the device lost: the report knows nothing of it."""
    person = next(one for one in PEOPLE if one.name == "fine")
    iam = FakeIam(exports(person))
    iam.now = {"fine": {"password": False, "keys": ["Active"], "devices": 0}}
    [finding] = [one for one in audit_users(iam, "fine").findings if one.control == "user-without-mfa"]
    assert finding.evidence["credentials"] == ["access key"]
    assert not finding.uncertain


@pytest.mark.parametrize("name", ["FINE", "Fine", "fine"])
def test_names_are_known_whatever_their_case(name: str) -> None:
    iam = FakeIam(exports(*PEOPLE))
    found, _ = IamReader(iam, now=lambda: TAKEN).read_users([name])
    assert found.asked == frozenset({"fine"})


def test_a_user_who_is_gone_is_asked_about_no_more() -> None:
    iam = FakeIam(exports(*PEOPLE))
    result = audit_users(iam, "nobody")
    assert dict(iam.calls) == {"GetAccountAuthorizationDetails": 1}
    assert result.judged == frozenset()


FAILURES = [(operation, code) for operation in OF_ONE for code in ("AccessDenied", "Throttling", "NoSuchEntity")]
FAILURES.remove(("GetLoginProfile", "NoSuchEntity"))  # says that there is no password


@pytest.mark.parametrize(("operation", "code"), FAILURES)
def test_a_call_that_fails_makes_nobody_fine(operation: str, code: str) -> None:
    answers = exports(*PEOPLE)
    iam = FakeIam(answers, failing={operation: code})
    result = audit_users(iam, *NAMES)
    for finding in whole(answers).findings:
        if finding.user:
            assert verdict(result, finding.control, finding.user) in (FOUND, NOT_EVALUATED), finding
    assert any(code in gap.reason for gap in result.gaps)


def test_no_login_profile_is_no_password() -> None:
    iam: Any = FakeIam(exports(*PEOPLE), failing={"GetLoginProfile": "NoSuchEntity"})
    found, taken = IamReader(iam, now=lambda: TAKEN).read_users(NAMES)
    assert {gap.read for gap in read_exports(found, taken).gaps} <= {
        Read.SERVICE_CONTROL_POLICIES,
        Read.REPOSITORY_KEYS,
    }
    assert verdict(audit_users(iam, "fine"), "user-without-mfa", "fine") == FINE


# --- users of groups and policies ------------------------------------------------------------------------------------

STAFF = [
    Person("one", inline=[ADMIN], groups=["Staff"]),
    Person("two", inline=[ADMIN], groups=["Staff"], attached=["Guard"]),
    Person("three", inline=[ADMIN], boundary="Guard"),
    Person("four", inline=[ADMIN]),
]
OF_STAFF = exports(*STAFF, groups=[group("Staff")], policies=[managed("Guard", GUARD)])


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"groups": ["staff"]}, {"one", "two"}),
        ({"policies": [managed_arn("Guard")]}, {"two", "three"}),
        ({"users": ["FOUR"], "groups": ["Staff"], "policies": [managed_arn("Guard")]}, {"one", "two", "three", "four"}),
        ({"groups": ["Nobody"], "policies": [managed_arn("None")]}, set()),
    ],
)
def test_members_and_carriers_are_read_and_named(scope: dict[str, Any], expected: set[str]) -> None:
    iam = FakeIam(OF_STAFF)
    found, _ = IamReader(iam, now=lambda: TAKEN).read_users(**{"users": (), **scope})
    assert set(found.asked or ()) == expected
    assert iam.calls["ListAccessKeys"] == len(expected)


@pytest.mark.parametrize(("most", "reads"), [(1, False), (2, True), (None, True)])
def test_too_many_are_told_before_any_of_them_is_read(most: int | None, reads: bool) -> None:
    iam = FakeIam(OF_STAFF)
    with nullcontext() if reads else pytest.raises(TooManyUsers, match="2 users"):
        IamReader(iam, now=lambda: TAKEN).read_users([], ["Staff"], most=most)
    assert bool(iam.calls["ListAccessKeys"]) is reads


ODD_ITEMS: list[Any] = [
    None,
    "alice",
    {},
    {"UserName": None, "GroupName": None, "Arn": None},
    {"UserName": ["one"], "GroupName": {}, "Arn": ["an", "arn"], "GroupList": "Staff"},
    {"UserName": "one", "GroupName": "Staff", "Arn": 1, "AttachedManagedPolicies": [None, "Guard"]},
    {
        "UserName": "one",
        "GroupName": "Staff",
        "Arn": "x",
        "PermissionsBoundary": "Guard",
        "GroupList": [None, ["Staff"]],
    },
]


@pytest.mark.parametrize("odd", ODD_ITEMS, ids=str)
@pytest.mark.parametrize("name", ["UserDetailList", "GroupDetailList"])
def test_odd_answers_are_gaps_and_make_nobody_fine(name: str, odd: Any) -> None:
    details = OF_STAFF.authorization_details
    assert isinstance(details, dict)
    iam = FakeIam(swap(OF_STAFF, authorization_details={**details, name: [*details[name], odd]}))
    reader = IamReader(iam, now=lambda: TAKEN, organization=lambda _: Gap(Read.SERVICE_CONTROL_POLICIES, "", "no"))
    found, taken = reader.read_users(["four"], ["Staff"], [managed_arn("Guard")])
    assert [gap.reason for gap in found.gaps if gap.read is Read.AUTHORIZATION_DETAILS]
    result = judge(read_exports(found, taken), users=found.asked)
    assert verdict(result, "mfa-not-enforced", "four") != FINE


def test_an_answer_about_one_user_that_is_none_is_a_gap() -> None:
    class Odd(FakeIam):
        def list_access_keys(self, **parameters: Any) -> Any:
            super().list_access_keys(**parameters)
            return {"AccessKeyMetadata": ["a key"], "IsTruncated": False}

    found, taken = IamReader(Odd(OF_STAFF), now=lambda: TAKEN).read_users(["four"])
    assert Read.ACCESS_KEYS in {gap.read for gap in read_exports(found, taken).gaps}


@pytest.mark.parametrize(
    "role",
    [
        {"AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::111122223333:policy/p"}]},
        {"PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/p"}},
    ],
    ids=["attached", "boundary"],
)
def test_what_a_role_carries_concerns_everybody(role: dict[str, Any]) -> None:
    details = {"UserDetailList": [{"UserName": "alice"}, {"UserName": "bob"}], "RoleDetailList": [role]}
    assert users_among(details, [], policies=["arn:aws:iam::111122223333:policy/p"]) == {"alice", "bob"}
    assert users_among(details, [], policies=["arn:aws:iam::111122223333:policy/q"]) == set()
