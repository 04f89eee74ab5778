"""The answer about repositories → which key each is encrypted with, and what stays unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.audit import judge
from chalicelib.controls import CONTROLS
from chalicelib.iam.account import AccountSnapshot, Gap, Read
from chalicelib.iam.answers import ExportError
from chalicelib.iam.exports import read_exports
from chalicelib.iam.repository_keys import key_of
from tests.accounts.build import (
    ACCOUNT,
    ADMIN,
    GUARD,
    TAKEN,
    Json,
    Person,
    document,
    exports,
    key_arn,
    repositories,
    repository_arn,
)
from tests.controls.cases.base import SSH
from tests.controls.cases.keys import FORM_A
from tests.controls.cases.repositories import EVERYWHERE, MANAGED, NOBODY, ONE, OWN_KEYS_DENIED

APP, KEY = repository_arn("app"), key_arn("1234abcd-12ab-34cd-56ef-1234567890ab")
BY_AWS = key_arn("aws-managed-codecommit")


def read(answer: Json | None, *people: Person, **more: Any) -> AccountSnapshot:
    """The account with this answer about its repositories."""
    return read_exports(replace(exports(*(people or [Person()]), repository_keys=answer), **more), TAKEN)


def gaps(snapshot: AccountSnapshot) -> dict[str, str]:
    """Subject → reason of the gaps about repositories."""
    return {gap.subject: gap.reason for gap in snapshot.gaps if gap.read is Read.REPOSITORY_KEYS}


@pytest.mark.parametrize(
    ("key_id", "key"),
    [
        ("", BY_AWS),
        ("alias/aws/codecommit", BY_AWS),
        (f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/aws/codecommit", BY_AWS),
        (KEY, KEY),
        (KEY.rpartition("/")[2], KEY),
        ("mrk-1234abcd", key_arn("mrk-1234abcd")),
        (key_arn("theirs", account="999988887777"), key_arn("theirs", account="999988887777")),
        ("alias/ours", None),
        (f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/ours", None),
        ("arn:aws:kms:eu-west-1:999988887777:alias/aws/codecommit", None),
        ("arn:aws:s3:::bucket", None),
        ("no key", None),
    ],
)
def test_what_a_key_id_means(key_id: str, key: str | None) -> None:
    assert key_of(APP, key_id) == key
    snapshot = read(repositories({"app": key_id}, {KEY: NOBODY}))
    assert dict(snapshot.repositories) == ({APP: key} if key else {})
    assert (APP in gaps(snapshot)) is (key is None)


def test_what_is_known_has_no_gap() -> None:
    snapshot = read(repositories({"app": KEY, "lib": None}, {KEY: NOBODY}, "eu-west-1", "us-east-1"))
    assert gaps(snapshot) == {}
    assert Read.REPOSITORY_KEYS in snapshot.reads
    assert snapshot.regions_read == {"eu-west-1", "us-east-1"}
    assert snapshot.key_policies[KEY].document is not None


def test_a_key_whose_policy_is_not_there_is_a_gap() -> None:
    assert gaps(read(repositories({"app": KEY, "lib": KEY, "own": None}))) == {KEY: "its policy was not read"}


def test_whoever_read_the_answers_says_why_a_policy_is_not_there() -> None:
    gap = Gap(Read.REPOSITORY_KEYS, KEY, "AccessDeniedException")
    assert gaps(read(repositories({"app": KEY}), gaps=(gap,))) == {KEY: "AccessDeniedException"}


@pytest.mark.parametrize("text", ["{", "[]", '{"Statement": [{"Effect": "Allow"}]}', "no policy"])
def test_a_policy_that_cannot_be_evaluated_is_a_gap(text: str) -> None:
    snapshot = read(repositories({"app": KEY}, {KEY: text}))
    assert snapshot.key_policies[KEY].document is None
    assert "cannot be evaluated" in gaps(snapshot)[KEY]


WRONG: list[tuple[Json, str]] = [
    ({"Regions": ["eu-west-1"]}, "Repositories: must be an array"),
    ({"Repositories": []}, "Regions: must be an array"),
    ({"Regions": [""], "Repositories": []}, "Regions[0]: '' is not a region"),
    ({"Regions": [1], "Repositories": []}, "Regions[0]: must be a region, not a number"),
    ({"Regions": [], "Repositories": [{}]}, "Repositories[0].Arn: must be the ARN of a repository, not null"),
    ({"Regions": [], "Repositories": [{"Arn": KEY}]}, f"Repositories[0].Arn: '{KEY}' is not the ARN of a repository"),
    (
        {"Regions": [], "Repositories": [{"Arn": APP.replace(ACCOUNT, "999988887777")}]},
        f"Repositories[0].Arn: is of account 999988887777, the rest is of account {ACCOUNT}",
    ),
    ({"Regions": [], "Repositories": [{"Arn": APP}, {"Arn": APP}]}, f"Repositories[1]: repository {APP} stands twice"),
    ({"Regions": [], "Repositories": [{"Arn": APP, "kmsKeyId": 1}]}, "kmsKeyId: must be a string"),
    ({"Regions": [], "Repositories": [], "KeyPolicies": []}, "KeyPolicies: must be an object"),
    ({"Regions": [], "Repositories": [], "KeyPolicies": {"x": "{}"}}, "KeyPolicies: 'x' is no ARN of a KMS key"),
    ({"Regions": [], "Repositories": [], "KeyPolicies": {KEY: {}}}, "must be a string with something in it"),
]


@pytest.mark.parametrize(("answer", "told"), WRONG)
def test_what_is_no_answer_is_refused(answer: Json, told: str) -> None:
    with pytest.raises(ExportError) as caught:
        read(answer)
    assert caught.value.read is Read.REPOSITORY_KEYS
    assert told in str(caught.value)


# --- whether the gap is told -----------------------------------------------------------------------------------------

MATTERS = [
    ("Git is open to somebody", [Person("anna", inline=[ADMIN, GUARD]), Person(inline=[ADMIN, FORM_A])], True),
    ("KMS stops it", [OWN_KEYS_DENIED], True),
    ("Git is all that the user's credential is good for", [Person(inline=[ADMIN], **SSH)], True),
    ("Git is closed", [Person(inline=[ADMIN, GUARD])], False),
    ("nobody allowed Git", [Person(inline=[document(), FORM_A])], False),
    ("all is open, and Git the least of it", [Person(inline=[ADMIN])], False),
    ("there is no credential", [Person(inline=[ADMIN, FORM_A], keys=("false", "false"))], False),
]


@pytest.mark.parametrize(("people", "matters"), [case[1:] for case in MATTERS], ids=[case[0] for case in MATTERS])
def test_that_keys_were_not_read_is_told_where_a_verdict_hangs_on_them(people: list[Person], matters: bool) -> None:
    told = [(gap, effect) for gap, effect in judge(read(None, *people)).effects() if gap.read is Read.REPOSITORY_KEYS]
    effect = "repositories are taken to be encrypted with the AWS managed key"
    assert told == ([(Gap(Read.REPOSITORY_KEYS, "", "not read"), effect)] if matters else [])


def test_controls_that_do_not_ask_of_git_do_not_tell() -> None:
    asked = [control for control in CONTROLS if control.id == "user-without-mfa"]
    result = judge(read(None, Person(inline=[ADMIN, FORM_A])), asked)
    assert Read.REPOSITORY_KEYS not in {gap.read for gap in result.gaps}


def test_what_nobody_asked_for_because_git_is_closed_is_no_gap() -> None:
    snapshot = read(None, Person(inline=[ADMIN, FORM_A]), as_needed=frozenset({Read.REPOSITORY_KEYS}))
    assert gaps(snapshot) == {}


# --- what lies in a gap ----------------------------------------------------------------------------------------------

UNREAD = [
    (repositories({"app": KEY}), [], {"codecommit-exemption"}),
    (repositories({"app": KEY}, {KEY: MANAGED}), [], {"codecommit-exemption"}),
    (repositories({"app": KEY}, {KEY: MANAGED}, *EVERYWHERE), [], set()),
    (repositories({"app": KEY}, {}, *EVERYWHERE), [], set()),
    (repositories({}, {}, *EVERYWHERE), ["eu-west-1"], {"codecommit-exemption"}),
    (repositories({"app": "alias/ours"}, {}, *EVERYWHERE), [], {"codecommit-exemption"}),
    (repositories({}, {}, *EVERYWHERE), [], set()),
    (None, [""], {"codecommit-exemption"}),
]


def skipped(answer: Json | None, failed: list[str], person: Person) -> set[str]:
    """The controls that do not judge the user."""
    failures = tuple(Gap(Read.REPOSITORY_KEYS, subject, "Throttling") for subject in failed)
    result = judge(read(answer, person, gaps=failures))
    told = {"not read which key every repository is encrypted with", f"the policy of key {KEY} was not read"}
    assert {item.reason for item in result.not_evaluated} <= told
    return {item.control for item in result.not_evaluated}


@pytest.mark.parametrize(("answer", "failed", "controls"), UNREAD)
def test_blocked_git_is_not_called_fine_while_a_key_that_was_asked_for_is_unread(
    answer: Json | None, failed: list[str], controls: set[str]
) -> None:
    assert skipped(answer, failed, OWN_KEYS_DENIED) == controls


@pytest.mark.parametrize(
    ("answer", "failed", "controls"),
    [
        (repositories({"app": KEY}), [], {"git-blocked-by-kms"}),
        (repositories({"app": KEY}, {KEY: "{"}), [], {"git-blocked-by-kms"}),
        (repositories({}, {}, "us-east-1"), ["eu-west-1"], {"git-blocked-by-kms"}),
        (repositories({}, {}, "us-east-1"), ["eu-central-1"], set()),
        (repositories({"app": None, "lib": KEY}), [], set()),
    ],
)
def test_git_on_a_repository_whose_key_is_unread_may_be_blocked(
    answer: Json, failed: list[str], controls: set[str]
) -> None:
    assert skipped(answer, failed, ONE) == controls


def test_git_that_works_on_any_repository_hangs_on_no_key() -> None:
    assert skipped(repositories({"app": KEY}), ["us-east-1"], Person(inline=[ADMIN, FORM_A])) == set()
