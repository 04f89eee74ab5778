"""What gets past the MFA deny, and the cause that is named for it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chalicelib.analysis.causes import Cause
from tests.accounts.build import FINE, FOUND, allow, audit_of, cause, found, verdict
from tests.analysis.accounts import CAUSES, ENFORCED, HIDDEN, Case, admin, guard, only


def each(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """One test for each case, by its name."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


@each(CAUSES)
def test_names_the_cause(case: Case) -> None:
    result = audit_of(case.person, **case.traits)
    assert cause(result) == case.cause
    finding = found(result, "alice")["mfa-not-enforced"]
    assert str(finding.severity) == case.severity
    assert bool(finding.uncertain) is case.uncertain


@each(ENFORCED)
def test_accuses_nobody_for_whom_it_is_enforced(case: Case) -> None:
    result = audit_of(case.person, **case.traits)
    assert cause(result) == case.cause
    assert verdict(result, "mfa-not-enforced", "alice") == FINE


@each(HIDDEN)
def test_finds_what_hides_behind_resources_and_conditions(case: Case) -> None:
    result = audit_of(case.person, **case.traits)
    assert cause(result) == case.cause
    assert str(found(result, "alice")["mfa-not-enforced"].severity) == case.severity


def test_every_cause_has_a_case() -> None:
    assert {case.cause for case in CAUSES} == set(map(str, Cause))


@each(CAUSES)
def test_evidence_names_the_deny_that_was_meant(case: Case) -> None:
    evidence = found(audit_of(case.person, **case.traits), "alice")["mfa-not-enforced"].evidence
    assert evidence["counterfactual"]
    assert ("guard" in evidence) is (case.cause != "no-deny")


def test_a_deny_that_one_reading_of_the_documentation_lifts_is_an_uncertain_finding() -> None:
    """Whether Null counts an empty tag as missing is not documented: the deny holds by one reading alone."""
    spared = guard(when={"Null": {"aws:PrincipalTag/team": "true"}})
    result = audit_of(admin(spared, tags={"team": ""}))
    assert found(result, "alice")["mfa-not-enforced"].uncertain


def test_a_deny_for_all_values_of_a_key_is_judged() -> None:
    """ForAllValues holds for no value at all, by one reading; a crash is no answer."""
    spared = guard(when={"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}})
    assert verdict(audit_of(admin(spared)), "mfa-not-enforced", "alice") == FOUND


def test_an_allow_of_a_service_that_the_catalogue_does_not_know_is_not_called_fine() -> None:
    """AWS adds services: what a pattern allows of one that this version does not know is not nothing."""
    assert verdict(audit_of(only(allow("brandnew:*"))), "mfa-not-enforced", "alice") != FINE


def test_an_action_that_the_catalogue_does_not_know_is_an_uncertain_finding() -> None:
    result = audit_of(only(allow("brandnew:DoThing")))
    assert found(result, "alice")["mfa-not-enforced"].uncertain


def test_a_way_that_is_known_comes_before_one_that_nobody_read() -> None:
    """With a console password for sure and perhaps a key, the password proves the hole."""
    person = admin(password="true", keys=("N/A", "N/A"))
    finding = found(audit_of(person), "alice")["mfa-not-enforced"]
    assert finding.evidence["way"] == "console session without MFA"
    assert not finding.uncertain


@pytest.mark.parametrize(
    ("on", "action"),
    [
        ("arn:aws:s3:::home/alice/*", "s3:PutBucketPolicy"),
        ("arn:aws:s3:::home/alice/*", "s3:CreateBucket"),
    ],
)
def test_no_bucket_has_a_slash_in_its_name(on: str, action: str) -> None:
    """Allowed on objects alone, an action on buckets can never be called."""
    assert verdict(audit_of(only(allow(action, on=on))), "mfa-not-enforced", "alice") == FINE
