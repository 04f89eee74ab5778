"""Each control, on accounts that raise it and on accounts that must not."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from chalicelib.config import Exemption, Settings
from chalicelib.controls import CONTROLS
from chalicelib.controls.base import Control
from chalicelib.findings import Finding, Severity, Status
from chalicelib.iam.account import Read
from tests.accounts.build import (
    ACCOUNT,
    ADMIN,
    FINE,
    FOUND,
    NOT_EVALUATED,
    Person,
    Root,
    allow,
    audit_of,
    deny,
    document,
    found,
    role,
    verdict,
)
from tests.controls.cases import CASES, Case
from tests.controls.cases.base import admin, guard
from tests.controls.cases.organization import CHOSEN, deny_but_with, deny_but_with_both
from tests.controls.cases.roles import ALL_OF_STS, FREE, ROAMING, TOO_MANY, chain, role_arn, trusting
from tests.events.git_records import observed

each = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.control}: {case.name}")
each_control = pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)


def accepting_roles(*patterns: str) -> Settings:
    """Settings that accept that roles are assumed: those of the patterns, or any where a pattern is empty."""
    roles = tuple(filter(None, patterns))
    return Settings(exemptions=(Exemption("role-assumable-without-mfa", "agreed", ("*",), roles=roles),))


def finding_of(case: Case) -> Finding | None:
    """What the control says of the case's subject."""
    seen = None if case.records is None else observed(*case.records)
    result = audit_of(case.person, settings=case.settings, observed=seen, **case.traits)
    finding = found(result, None if case.about_root else "alice").get(case.control)
    if finding is None:
        assert verdict(result, case.control, "" if case.about_root else "alice") == FINE
    return finding


@each
def test_says_what_the_table_says(case: Case) -> None:
    finding = finding_of(case)
    assert (str(finding.severity) if finding else None) == case.severity
    if finding:
        assert bool(finding.uncertain) is case.uncertain
        assert {key: finding.evidence.get(key) for key in case.told} == case.told


@pytest.mark.parametrize("case", [c for c in CASES if c.severity], ids=lambda case: f"{case.control}: {case.name}")
def test_a_finding_names_its_subject(case: Case) -> None:
    finding = finding_of(case)
    assert finding is not None
    assert finding.status is Status.OPEN
    assert finding.account == ACCOUNT
    assert finding.user == (None if case.about_root else "alice")
    subject = "root" if case.about_root else "user/alice"
    assert finding.resource == (case.resource or f"arn:aws:iam::{ACCOUNT}:{subject}")
    assert re.fullmatch(r"[0-9a-f]{32}", finding.fingerprint)


@each_control
def test_every_control_tells_what_it_is(control: Control) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", control.id)
    assert control.title
    assert len(control.why) > 80
    assert control.fix.endswith(".")
    assert control.needs <= set(Read)


def test_ids_and_titles_are_unique() -> None:
    for names in ([control.id for control in CONTROLS], [control.title for control in CONTROLS]):
        assert max(Counter(names).values()) == 1


@each_control
def test_every_control_has_cases_that_raise_it_and_cases_that_must_not(control: Control) -> None:
    severities = {bool(case.severity) for case in CASES if case.control == control.id}
    assert severities == {True, False}


def test_every_case_is_of_a_control() -> None:
    assert {case.control for case in CASES} <= {control.id for control in CONTROLS}


def test_a_role_is_not_called_closed_while_not_all_conditions_were_tried() -> None:
    """A deny that always holds, beside one that values lift which are not tried: the search cannot tell them apart."""
    always = document(deny("sts:AssumeRole", when={"Null": {"aws:SecureTransport": "false"}}))
    both, each = deny_but_with_both("sts:AssumeRole"), deny_but_with("sts:AssumeRole", *CHOSEN)
    for policies, expected in (
        ([always, both], NOT_EVALUATED),
        ([both], NOT_EVALUATED),
        ([always], FINE),
        ([always, each], FINE),
        ([each], FOUND),
    ):
        result = audit_of(admin(FREE, *policies), roles=chain("ops"))
        assert verdict(result, "role-assumable-without-mfa", "alice") == expected


def test_other_peoples_credentials_are_not_called_safe_while_not_all_conditions_were_tried() -> None:
    """Two values of one key let the request through, and none of those that are tried."""
    people = [Person(inline=[document(allow("iam:DeleteAccessKey")), guard("iam:DeleteAccessKey")]), Person("bob")]
    result = audit_of(*people, scps=[[ADMIN, deny_but_with_both("iam:DeleteAccessKey")], [ADMIN]])
    assert verdict(result, "mfa-not-enforced", "alice") == NOT_EVALUATED


@pytest.mark.parametrize(
    ("on", "accepting", "accepted"),
    [
        ("*", "arn:aws:iam::111122223333:role/*", False),
        ("*", "arn:aws:iam::*:role/*", False),
        ("arn:aws:iam::*:role/deploy", "arn:aws:iam::111122223333:role/deploy", False),
        ("arn:aws:iam::*:role/deploy", "arn:aws:iam::????????????:role/deploy", False),
        ("arn:aws:iam::*:role/deploy", "arn:aws:iam::?:role/deploy", False),
        ("arn:aws:iam::*:role/team-*", "arn:aws:iam::*:role/team-?", False),
        ("arn:aws:iam::*:role/deploy", "arn:aws:iam::*:role/deploy", True),
        ("arn:aws:iam::*:role/deploy", "arn:aws:iam::*:role/d*", True),
        ("arn:aws:iam::*:role/team-*", "arn:aws:iam::*:role/team-*", True),
    ],
)
def test_roles_that_only_a_pattern_names_are_accepted_as_a_whole(on: str, accepting: str, accepted: bool) -> None:
    person = Person(inline=[document(allow("sts:AssumeRole", on=on)), ROAMING])
    finding = found(audit_of(person, settings=accepting_roles(accepting)), "alice")["role-assumable-without-mfa"]
    assert ("accepted" in finding.evidence) is accepted
    assert (finding.severity is Severity.INFO) is accepted


def test_who_accepts_the_roles_that_are_known_accepts_none_that_only_a_pattern_names() -> None:
    result = audit_of(ALL_OF_STS, roles=chain("ops"), settings=accepting_roles("arn:aws:iam::111122223333:role/ops"))
    told = [(str(f.severity), f.evidence["roles"][0]["role"]) for f in result.findings if f.user == "alice"]
    assert told == [("medium", "*"), ("info", "arn:aws:iam::111122223333:role/ops")]
    assert len({finding.fingerprint for finding in result.findings}) == len(result.findings)


def test_roles_that_could_not_be_tried_are_accepted_by_no_name() -> None:
    roles = [*chain("a"), role("b", document(trusting(role_arn("a")), *TOO_MANY))]
    person = Person(inline=[FREE])
    for accepting, accepted in (("arn:aws:iam::111122223333:role/*", False), ("", True)):
        result = audit_of(person, roles=roles, settings=accepting_roles(accepting))
        assert ("accepted" in found(result, "alice")["role-assumable-without-mfa"].evidence) is accepted


# --- fingerprints ----------------------------------------------------------------------------------------------------


def test_two_broken_policies_of_a_user_are_two_findings() -> None:
    result = audit_of(Person(inline=["{", "["]))
    assert len({finding.fingerprint for finding in result.findings}) == 2


def test_findings_of_an_account_never_share_a_fingerprint() -> None:
    result = audit_of(
        Person(inline=[ADMIN, "{"], virtual=False, mfa="false"),
        Person("bob", inline=[ADMIN, "{"], virtual=False, mfa="false"),
        root=Root(mfa="false", keys=("true", "false")),
    )
    assert len({finding.fingerprint for finding in result.findings}) == len(result.findings) == 8


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Person(inline=[document(allow("s3:Get*"))]), id="another severity"),
        pytest.param(Person(inline=[ADMIN], tags={"team": "red"}), id="a tag"),
        pytest.param(Person(inline=[ADMIN], password="true"), id="another way"),
        pytest.param(Person(inline=[ADMIN], keys=("N/A", "N/A")), id="less known"),
    ],
)
def test_a_fingerprint_outlasts_what_changes(other: Person) -> None:
    before, after = (found(audit_of(person), "alice")["mfa-not-enforced"] for person in (Person(inline=[ADMIN]), other))
    assert before.fingerprint == after.fingerprint


def test_the_gravest_finding_comes_first() -> None:
    result = audit_of(
        Person("zoe", inline=[ADMIN]),
        Person("anna", virtual=False, mfa="false", devices=0),
        Person("bob", inline=[ADMIN]),
        root=Root(mfa="false"),
    )
    assert [(str(f.severity), f.user) for f in result.findings] == [
        ("critical", None),
        ("high", "bob"),
        ("high", "zoe"),
        ("medium", "anna"),
    ]
