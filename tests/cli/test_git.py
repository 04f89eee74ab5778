"""mfawatch git: both hops, the error in the user's words, and the change that mends it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.accounts import DEMO
from tests.accounts.build import (
    ACCOUNT,
    ADMIN,
    FULL_ACCESS,
    Json,
    Person,
    allow,
    deny,
    document,
    exports,
    key_arn,
    repositories,
)
from tests.cli.conftest import Result, Run, demo_options, write_exports
from tests.controls.cases.base import guard

GIT = ("codecommit:GitPull", "codecommit:GitPush")
WHERE = ("--repository", "shop", "--region", "eu-west-1")
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VIA = {"StringNotLike": {"kms:ViaService": ["codecommit.*.amazonaws.com"]}}


def ask(run: Run, folder: Path, person: Person, *options: str) -> Result:
    """What is said of alice and the repository shop."""
    return run("git", *write_exports(exports(person), folder), "--user", "alice", *WHERE, *options)


def answers(run: Run, folder: Path, person: Person, *options: str) -> list[Any]:
    """The same as JSON values."""
    found: list[Any] = ask(run, folder, person, "--format", "json", *options).json
    return found


def test_both_hops_of_the_demo_account(run: Run) -> None:
    out = run("git", *demo_options(DEMO), "--user", "finn", *WHERE, "--operation", "push").out
    first, *hops = out.splitlines()
    assert first == "git push on arn:aws:codecommit:eu-west-1:111122223333:shop: fails"
    assert hops[0].startswith("  Allowed: codecommit:GitPush on ")
    assert hops[1].startswith("  ExplicitlyDenied: kms:Decrypt on ")
    assert "not authorized for the KMS default master key" in out
    assert "with an explicit deny" in out


@pytest.mark.parametrize(
    ("policy", "works"),
    [
        (guard(), (False, False)),
        (guard(*GIT), (False, False)),
        (guard(*GIT, when=VIA), (True, True)),
        (guard("codecommit:GitPull", when=VIA), (True, False)),
        (guard(*GIT, "kms:Decrypt"), (True, False)),
    ],
)
def test_pull_and_push(policy: Any, works: tuple[bool, bool], run: Run, tmp_path: Path) -> None:
    found = answers(run, tmp_path, Person(inline=[ADMIN, policy]))
    assert [one["operation"] for one in found] == ["pull", "push"]
    assert tuple(one["works"] for one in found) == works


def test_a_session_with_mfa_works_under_the_strict_deny(run: Run, tmp_path: Path) -> None:
    person = Person(inline=[ADMIN, guard()])
    assert all(one["works"] for one in answers(run, tmp_path, person, "--credential", "mfa-session"))
    assert not any(one["works"] for one in answers(run, tmp_path, person, "--credential", "session"))


def test_how_it_is_done_with_mfa_is_told_where_that_works(run: Run, tmp_path: Path) -> None:
    told = ask(run, tmp_path, Person(inline=[ADMIN, guard()])).out
    assert "\ngit pull and push with MFA work:\n  # with a session" in told
    assert "\n  git remote set-url origin codecommit::eu-west-1://default-mfa@shop\n" in told
    reader = Person(inline=[document(allow("codecommit:GitPull", "kms:*")), guard()])
    assert "\ngit pull with MFA works:\n" in ask(run, tmp_path, reader).out
    assert [bool(one["commands"]) for one in answers(run, tmp_path, reader)] == [True, False]


def test_nothing_of_that_is_told_where_it_does_not_or_was_asked(run: Run, tmp_path: Path) -> None:
    nobody = Person(inline=[guard()])
    assert "with MFA" not in ask(run, tmp_path, nobody).out
    admin = Person(inline=[ADMIN, guard()])
    assert "with MFA" not in ask(run, tmp_path, admin, "--credential", "mfa-session").out


def test_the_change_makes_it_work_and_opens_nothing_more(run: Run, tmp_path: Path) -> None:
    [told] = answers(run, tmp_path, Person(inline=[ADMIN, guard()]), "--operation", "pull")
    [change] = told["changes"]
    assert told["obstacle"] is None
    assert change["statement"]["NotAction"][-1:] == ["codecommit:GitPull"]
    assert change["statement"]["Condition"]["StringNotLike"] == {"kms:ViaService": ["codecommit.*.amazonaws.com"]}
    mended = Person(inline=[ADMIN, document(change["statement"])])
    [pull, push] = answers(run, tmp_path, mended)
    assert (pull["works"], push["works"]) == (True, False)


@pytest.mark.parametrize(
    ("person", "told"),
    [
        (Person(inline=[guard(*GIT, when=VIA)]), "it takes an Allow of codecommit:GitPull"),
        (Person(inline=[ADMIN, document(deny("codecommit:*", when=None))]), "no exemption can be put"),
        (Person(inline=[ADMIN, document(deny("codecommit:*"))]), "no exemption can be put"),
    ],
)
def test_what_no_exemption_mends_is_said(person: Person, told: str, run: Run, tmp_path: Path) -> None:
    [answer] = answers(run, tmp_path, person, "--operation", "pull")
    assert told in answer["obstacle"]


@pytest.mark.parametrize(
    ("level", "told"),
    [
        (
            [ADMIN, guard()],
            f"service control policy scp-1 ({ACCOUNT}) Statement[0] denies it; that is the organisation's",
        ),
        (
            [ADMIN, guard(*GIT)],
            f"service control policy scp-1 ({ACCOUNT}) Statement[0] denies it; that is the organisation's",
        ),
        ([document(allow("s3:*"))], "it takes an Allow of codecommit:GitPull on arn:aws:codecommit:eu-west-1:"),
        ([document(allow("codecommit:*"))], "it takes an Allow of kms:Decrypt on arn:aws:kms:eu-west-1:"),
    ],
)
def test_what_the_organisation_denies_no_change_to_the_users_policies_mends(
    level: list[Any], told: str, run: Run, tmp_path: Path
) -> None:
    folder = write_exports(exports(Person(inline=[ADMIN, guard(*GIT, when=VIA)]), scps=[FULL_ACCESS, level]), tmp_path)
    found = run("git", *folder, "--user", "alice", *WHERE, "--operation", "pull", "--format", "json").json
    [answer] = found
    assert answer["changes"] == []
    assert told in answer["obstacle"]
    assert answer["obstacle"].endswith("no change to the user's own policies mends it")


def test_a_customer_managed_key_takes_an_allow(run: Run, tmp_path: Path) -> None:
    person = Person(inline=[document(allow("codecommit:*")), guard(*GIT, when=VIA)])
    [told] = answers(run, tmp_path, person, "--operation", "pull", "--key", KEY)
    assert not told["works"]
    assert f"it takes an Allow of kms:Decrypt on {KEY}" in told["obstacle"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ((), "Git prints that the user is not authorized for the KMS default master key of the repository: "),
        (("--key", KEY), f"the repository's own key: CodeCommit may not kms:Decrypt with {KEY} on the user's behalf, "),
    ],
)
def test_the_error_tells_of_the_key_that_the_repository_has(
    options: tuple[str, ...], word: str, run: Run, tmp_path: Path
) -> None:
    [told] = answers(run, tmp_path, Person(inline=[ADMIN, guard(*GIT)]), "--operation", "pull", *options)
    [error] = told["error"]
    assert word in error
    assert ("default master key" in error) == (not options)
    assert error.endswith("with an explicit deny")


def test_the_policy_of_the_key_counts(run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "key.json"
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    policy.write_text(json.dumps(document(statement)))
    person = Person(inline=[document(allow("codecommit:*")), guard(*GIT, when=VIA)])
    [told] = answers(run, tmp_path, person, "--operation", "pull", "--key", KEY, "--key-policy", str(policy))
    assert told["works"]


def test_a_credential_that_the_user_lacks_is_noted(run: Run, tmp_path: Path) -> None:
    assert "note: the user has no active SSH key" in ask(run, tmp_path, Person(inline=[ADMIN])).out
    assert "no active" not in ask(run, tmp_path, Person(inline=[ADMIN]), "--credential", "access-key").out


@pytest.mark.parametrize(
    "options",
    [
        ("--repository", "", "--region", "eu-west-1"),
        ("--repository", "../x", "--region", "eu-west-1"),
        ("--repository", "shop", "--region", "mars"),
        ("--repository", "arn:aws:s3:::shop"),
        ("--repository", "arn:aws-cn:codecommit:cn-north-1:111122223333:shop"),
        ("--repository", "shop", "--region", "eu-west-1", "--key", "alias/x"),
        ("--repository", "shop", "--region", "us-east-1", "--key", KEY),
        ("--repository", "shop", "--region", "eu-west-1", "--key-policy", "k.json"),
    ],
)
def test_what_is_no_repository_and_no_key_is_refused(options: tuple[str, ...], run: Run) -> None:
    run("git", *demo_options(DEMO), "--user", "finn", *options).assert_refused("mfawatch git")


# --- repositories whose keys were read -------------------------------------------------------------------------------

MANAGED = key_arn("aws-managed-codecommit")
KEEPER = f"arn:aws:iam::{ACCOUNT}:role/keeper"
NO_ALLOW_OF_KMS = Person(inline=[document(allow("codecommit:*")), guard(*GIT, when=VIA)])
EVERYBODY = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"})
NOBODY = document({"Effect": "Allow", "Principal": {"AWS": KEEPER}, "Action": "kms:*", "Resource": "*"})


def pull(run: Run, folder: Path, answer: Json, *options: str) -> Any:
    """What is said of a pull where that is known of the repositories."""
    answers = exports(NO_ALLOW_OF_KMS, repository_keys=answer)
    where = ("--user", "alice", *WHERE, "--operation", "pull", "--format", "json")
    return run("git", *write_exports(answers, folder), *where, *options).json[0]


@pytest.mark.parametrize(
    ("answer", "key", "works"),
    [
        (repositories({"shop": KEY}, {KEY: EVERYBODY}), KEY, True),
        (repositories({"shop": KEY}, {KEY: NOBODY}), KEY, False),
        (repositories({"shop": None}), MANAGED, True),
        (repositories({"shop": KEY}), KEY, True),
        (repositories({"shop": KEY}, {KEY: "{"}), KEY, True),
        (repositories({"shop": "alias/ours"}), MANAGED, True),
        (repositories({"other": KEY}, {KEY: NOBODY}), MANAGED, True),
    ],
)
def test_a_repository_is_decided_by_the_key_that_it_has(
    answer: Json, key: str, works: bool, run: Run, tmp_path: Path
) -> None:
    told = pull(run, tmp_path, answer)
    assert (told["hops"][1]["resource"], told["works"]) == (key, works)


def test_the_key_that_is_named_counts_and_so_does_its_policy(run: Run, tmp_path: Path) -> None:
    answer = repositories({"shop": None, "other": KEY}, {KEY: EVERYBODY})
    told = pull(run, tmp_path, answer, "--key", KEY)
    assert (told["hops"][1]["resource"], told["works"]) == (KEY, True)
    policy = tmp_path / "key.json"
    policy.write_text(json.dumps(NOBODY))
    assert not pull(run, tmp_path, answer, "--key", KEY, "--key-policy", str(policy))["works"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (repositories({"shop": KEY}), f"note: the policy of key {KEY} was not read: it is taken to allow"),
        (repositories({"other": None}), ":shop is encrypted with: it is taken to be the AWS managed key"),
        (None, ":shop is encrypted with: it is taken to be the AWS managed key"),
    ],
)
def test_what_is_assumed_of_the_key_is_noted(answer: Json | None, told: str, run: Run, tmp_path: Path) -> None:
    answers = exports(NO_ALLOW_OF_KMS, repository_keys=answer)
    assert told in run("git", *write_exports(answers, tmp_path), "--user", "alice", *WHERE).out


def test_nothing_is_noted_of_a_key_that_is_known(run: Run, tmp_path: Path) -> None:
    answers = exports(NO_ALLOW_OF_KMS, repository_keys=repositories({"shop": None}))
    assert (
        "note:"
        not in run(
            "git", *write_exports(answers, tmp_path), "--user", "alice", *WHERE, "--credential", "access-key"
        ).out
    )
