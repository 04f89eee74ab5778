"""What hangs on the organisation that the account belongs to: read from its policies, or else supposed."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.analysis.decide import decide_for_user
from chalicelib.analysis.suppositions import ANOTHER, NOT_READ
from chalicelib.audit import judge
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.exports import read_exports
from chalicelib.iam.request import MfaState
from tests.accounts.build import (
    ADMIN,
    FULL_ACCESS,
    TAKEN,
    Json,
    Person,
    audit_of,
    deny,
    document,
    exports,
    found,
    levels,
    read,
    role,
    swap,
)
from tests.controls.cases.base import admin, guard
from tests.controls.cases.roles import FREE, trusting

OURS, THEIRS = "o-ab12", "o-zz99"
"""The id in the ARNs of the policies that accounts are built with, and another one."""
BELOW: dict[str, Any] = {"scps": [FULL_ACCESS, FULL_ACCESS]}
NOTHING_READ: dict[str, Any] = {"scps": None}
OF_AWS = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"


def org(operator: str, value: str = OURS, key: str = "aws:PrincipalOrgID") -> Json:
    """A condition on an organisation's id."""
    return {operator: {key: value}}


def told(person: Person, control: str, **traits: Any) -> list[str] | None:
    """What is uncertain about a finding; None without any."""
    finding = found(audit_of(person, **traits), "alice").get(control)
    return None if finding is None else list(finding.uncertain)


@pytest.mark.parametrize(
    ("when", "traits", "expected"),
    [
        # the organisation's id was read
        (org("StringEquals"), BELOW, None),
        (org("StringNotEquals", THEIRS), BELOW, None),
        (org("Null", "false"), BELOW, None),
        (org("StringEquals", THEIRS), BELOW, []),
        (org("StringNotEquals"), BELOW, []),
        (org("Null", "true"), BELOW, []),
        # nothing was read: it may be any, or none
        (org("StringEquals"), NOTHING_READ, [NOT_READ]),
        (org("StringNotEquals"), NOTHING_READ, [NOT_READ]),
        (org("StringEqualsIfExists"), NOTHING_READ, [NOT_READ]),
        (org("Null", "false"), NOTHING_READ, [NOT_READ]),
        (org("ForAnyValue:StringLike", "o-ab12/*", "aws:PrincipalOrgPaths"), NOTHING_READ, [NOT_READ]),
        # nothing hangs on it
        ({**org("StringEquals"), "StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}, NOTHING_READ, []),
    ],
)
def test_a_guard_for_one_organisation(when: Json, traits: dict[str, Any], expected: list[str] | None) -> None:
    assert told(admin(guard(when=when)), "mfa-not-enforced", **traits) == expected


@pytest.mark.parametrize(
    ("statements", "traits", "expected"),
    [
        ([org("StringNotEqualsIfExists", key="aws:ResourceOrgID")], BELOW, []),
        ([org("StringNotEquals", key="aws:ResourceOrgID")], BELOW, []),
        ([org("StringEquals", key="aws:ResourceOrgID"), org("Null", "true", "aws:ResourceOrgID")], BELOW, [ANOTHER]),
        ([org("StringNotEquals", key="aws:ResourceOrgID")], NOTHING_READ, [NOT_READ]),
    ],
)
def test_a_deny_for_resources_of_one_organisation(
    statements: list[Json], traits: dict[str, Any], expected: list[str]
) -> None:
    person = admin(document(*(deny(when=when) for when in statements)))
    assert told(person, "mfa-not-enforced", **traits) == expected


@pytest.mark.parametrize(("traits", "expected"), [(BELOW, []), (NOTHING_READ, [NOT_READ])])
def test_a_role_that_trusts_the_organisation(traits: dict[str, Any], expected: list[str]) -> None:
    trusted = [role("ops", document(trusting("*", org("StringEquals"))))]
    assert told(Person(inline=[FREE]), "role-assumable-without-mfa", roles=trusted, **traits) == expected


def test_a_role_that_trusts_another_organisation() -> None:
    trusted = [role("ops", document(trusting("*", org("StringEquals", THEIRS))))]
    assert told(Person(inline=[FREE]), "role-assumable-without-mfa", roles=trusted, **BELOW) is None


def below_policies_of_aws(person: Person) -> AccountSnapshot:
    """An account of an organisation that has no service control policy of its own: no ARN holds its id."""
    answer = levels(FULL_ACCESS, FULL_ACCESS)
    for level in answer["Levels"]:
        for policy in level["Policies"]:
            policy["PolicySummary"]["Arn"] = OF_AWS
    return read_exports(swap(exports(person), service_control_policies=answer), TAKEN)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (org("Null", "false"), None),
        (org("Null", "true"), []),
        (org("StringEquals"), [NOT_READ]),
        (org("StringNotEquals"), [NOT_READ]),
    ],
)
def test_an_account_of_some_organisation(when: Json, expected: list[str] | None) -> None:
    finding = found(judge(below_policies_of_aws(admin(guard(when=when)))), "alice").get("mfa-not-enforced")
    assert (None if finding is None else list(finding.uncertain)) == expected


def test_a_request_carries_the_organisations_id() -> None:
    for snapshot, expected in (
        (read(admin(), **BELOW), OURS),
        (read(admin()), None),
        (below_policies_of_aws(admin()), None),
        (read(admin(), scps=[[ADMIN, "{"], [ADMIN]]), OURS),
    ):
        decided = decide_for_user(snapshot, snapshot.users["alice"], "s3:ListAllMyBuckets", "*", MfaState.ABSENT)
        assert decided.decision.request.context.get("aws:principalorgid") == expected
