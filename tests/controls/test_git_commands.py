"""Findings about Git carry how it is used with MFA, where it works with MFA."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.diff import diff
from chalicelib.findings import Finding, parse_finding
from chalicelib.ledger import ChangeKind
from tests.accounts.build import ACCOUNT, ADMIN, TAKEN, Json, Person, audit_of, deny, document, found
from tests.controls.cases.base import MFA, guard
from tests.controls.cases.keys import FORM_A, GIT
from tests.events.git_records import observed, record
from tests.ledger.build import at, audit, ledger_after

OTHER_USER = "bob"
NEVER = document(deny(*GIT, when={"Bool": {MFA: "true"}}))
"""Denies Git with MFA."""


def findings(*policies: Json) -> dict[str, Finding]:
    """Alice's, who has pushed to the repository app."""
    alice = Person(inline=[ADMIN, *policies], ssh_keys=["Active"])
    return found(audit_of(alice, observed=observed(record(eventTime=TAKEN.isoformat()))), "alice")


@pytest.mark.parametrize(
    ("control", "policy", "repository"),
    [
        ("codecommit-exemption", FORM_A, "codecommit::REGION://default-mfa@REPOSITORY"),
        ("git-blocked-by-kms", guard(*GIT), "codecommit::REGION://default-mfa@REPOSITORY"),
        ("git-operation-without-mfa", FORM_A, "codecommit::eu-west-1://default-mfa@app"),
        ("git-operation-without-mfa", guard(), "codecommit::eu-west-1://default-mfa@app"),
    ],
)
def test_the_commands_are_there_where_git_works_with_mfa(control: str, policy: Json, repository: str) -> None:
    commands = findings(policy)[control].commands
    assert f"git remote set-url origin {repository}" in commands
    assert any(line.startswith("mfawatch session --profile default") for line in commands)
    assert findings(policy, NEVER)[control].commands == ()


def test_no_other_finding_has_any() -> None:
    assert not [one.control for one in findings().values() if one.commands and "git" not in one.control]


def test_who_is_no_user_of_the_account_any_more_is_given_none() -> None:
    seen = observed(record(eventTime=TAKEN.isoformat()))
    result = audit_of(Person(OTHER_USER, inline=[ADMIN]), observed=seen)
    assert found(result, "alice")["git-operation-without-mfa"].commands == ()


def test_the_ledger_takes_other_commands_for_no_change_and_findings_without_any_for_whole() -> None:
    one = findings(FORM_A)["codecommit-exemption"]
    (change,) = diff(audit(replace(one, commands=()), hours=1), ledger_after(audit(one)), "two", at(1))
    assert change.kind is ChangeKind.PERSISTING
    values = one.to_json()
    assert parse_finding(ACCOUNT, values) == one
    del values["commands"]
    assert parse_finding(ACCOUNT, values) == replace(one, commands=())
