"""What nobody chooses is not varied: a statement that it settles has its say, or none, before any value is tried."""

from __future__ import annotations

import pytest

from chalicelib.analysis.cells import Caller
from chalicelib.analysis.known import Known
from chalicelib.analysis.origins import ABSENT, DIRECT, FALSE, GIT, SERVICES, Origin
from chalicelib.analysis.surface import Surface
from chalicelib.analysis.universe import actions_named
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.request import MfaState
from chalicelib.iam.statement import PolicyKind, Statement
from tests.accounts.build import (
    ADMIN,
    FINE,
    FOUND,
    NOT_EVALUATED,
    Json,
    Person,
    allow,
    audit_of,
    deny,
    document,
    read,
    verdict,
)
from tests.controls.cases.base import admin, guard
from tests.controls.cases.organization import CHOSEN

OWN = {
    "aws:principalarn": "arn:aws:iam::111122223333:user/alice",
    "aws:principaltag/team": "red",
    "aws:principalorgid": "o-ab12",
}
DIRECTLY = {"Bool": {"aws:ViaAWSService": "false"}}
BY_SERVICES = {"Bool": {"aws:ViaAWSService": "true"}}
S3 = Origin(MfaState.FALSE, "s3")


def denying(when: Json) -> Statement:
    """A deny under these conditions."""
    return parse_policy(document(deny("kms:*", when=when)), PolicyKind.IDENTITY).statements[0]


@pytest.mark.parametrize(
    ("when", "origin", "region", "holds"),
    [
        (None, ABSENT, "", True),
        (DIRECTLY, ABSENT, "", True),
        (DIRECTLY, FALSE, "", True),
        (DIRECTLY, S3, "", False),
        (BY_SERVICES, ABSENT, "", False),
        (BY_SERVICES, S3, "", True),
        (BY_SERVICES, SERVICES, "", True),
        ({"Null": {"kms:ViaService": "true"}}, ABSENT, "", True),
        ({"Null": {"aws:CalledVia": "true"}}, FALSE, "", True),
        ({"StringNotLike": {"kms:ViaService": "codecommit.*"}}, ABSENT, "", True),
        ({"StringLike": {"kms:ViaService": "s3.*"}}, S3, "eu-west-1", True),
        ({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}, S3, "eu-west-1", True),
        ({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}, S3, "us-east-1", False),
        ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, ABSENT, "", True),
        ({"StringNotEquals": {"aws:PrincipalTag/other": "red"}}, ABSENT, "", True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-ab12"}}, ABSENT, "", True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, FALSE, "", True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, ABSENT, "", False),
    ],
)
def test_a_deny_is_settled(when: Json | None, origin: Origin, region: str, holds: bool) -> None:
    known, statement = Known(OWN, origin, region), denying(when or {})
    assert known.denies(statement) is holds
    assert known.excludes(statement) is not holds


@pytest.mark.parametrize(
    ("when", "origin"),
    [
        ({"StringLike": {"kms:ViaService": "s3.*"}}, S3),  # in which region is not said
        ({"StringLike": {"kms:ViaService": "s3.*"}}, SERVICES),
        ({"ForAnyValue:StringEquals": {"aws:CalledVia": "s3.amazonaws.com"}}, S3),  # few services are known to say so
        ({"ForAllValues:StringNotEquals": {"aws:CalledVia": "codecommit.amazonaws.com"}}, GIT),
        ({"Bool": {"aws:SecureTransport": "true"}}, ABSENT),
        ({"StringEquals": {"aws:PrincipalTag/team": "${aws:SourceVpce}"}}, ABSENT),
        ({"StringNotEquals": {"aws:ResourceOrgID": "o-ab12"}}, ABSENT),
    ],
)
def test_what_can_be_chosen_settles_nothing(when: Json, origin: Origin) -> None:
    known, statement = Known(OWN, origin), denying(when)
    assert not known.denies(statement)
    assert not known.excludes(statement)


def test_what_a_session_was_given_settles_nothing() -> None:
    known = Known(OWN, ABSENT, free=("aws:principaltag/",))
    for when in ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, {"Null": {"aws:PrincipalTag/other": "false"}}):
        assert not known.denies(denying(when))
        assert not known.excludes(denying(when))


@pytest.mark.parametrize(
    ("when", "expected"), [(DIRECTLY, DIRECT), (BY_SERVICES, (SERVICES,)), ({}, (*DIRECT, SERVICES))]
)
def test_a_guard_closes_the_origins_that_it_names(when: Json, expected: tuple[Origin, ...]) -> None:
    snapshot = read(admin(guard(when=when)))
    user = snapshot.users["alice"]
    surface = Surface(Caller(snapshot, user), snapshot.policies_of(user).policies)
    assert tuple(one for one in (*DIRECT, SERVICES) if surface.closes("kms:Decrypt", one)) == expected


BOTH = [document(deny(when={"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": f"o-{n}/*"}})) for n in (1, 2)]
"""Two values of one key let requests through, and none of those that are tried has two."""
EACH = [{"StringNotEquals": {key: ["one", "two"]}} for key in CHOSEN]
"""A condition for each of eight keys to choose: of the values there are more combinations than are tried."""
SHUT = document(deny(when={"Null": {"aws:SecureTransport": "false"}}))


def enforced(*policies: Json) -> str:
    """What mfa-not-enforced says of an administrator who carries these."""
    return verdict(audit_of(Person(inline=[ADMIN, *policies])), "mfa-not-enforced", "alice")


@pytest.mark.parametrize(
    ("further", "expected"),
    [
        ([], NOT_EVALUATED),
        ([guard(when=DIRECTLY)], FINE),
        ([guard(when={"Null": {"aws:CalledVia": "true"}})], FINE),
        ([guard(when=BY_SERVICES)], NOT_EVALUATED),
    ],
)
def test_what_a_guard_settles_is_not_searched(further: list[Json], expected: str) -> None:
    assert enforced(*BOTH, *further) == expected


@pytest.mark.parametrize(
    ("sparing", "expected"),
    [
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/alice"}}, FINE),
        ({"Bool": {"aws:ViaAWSService": "true"}}, FINE),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/bob"}}, NOT_EVALUATED),
    ],
)
def test_what_a_statement_asks_that_never_matches_is_not_varied(sparing: Json, expected: str) -> None:
    spared = [document(*({**s, "Condition": {**s["Condition"], **sparing}} for s in one["Statement"])) for one in BOTH]
    assert enforced(SHUT, *spared) == expected


def test_values_that_no_condition_tells_apart_are_one() -> None:
    """Twenty networks in one list are two cases: within, and without."""
    networks = [f"203.0.{number}.0/24" for number in range(20)]
    points = [f"vpce-{number}" for number in range(20)]
    office = document(
        deny(when={"NotIpAddress": {"aws:SourceIp": networks}, "StringNotEquals": {"aws:SourceVpce": points}})
    )
    assert enforced(office, SHUT) == FINE
    assert enforced(office) == FOUND


def test_the_best_values_of_each_key_tell_whether_anything_gets_through() -> None:
    denies = [document(deny(when=when)) for when in EACH]
    allows = [document(allow("s3:*", when={"StringEquals": {"aws:SourceVpce": ["one", "two"]}}))]
    assert enforced(*denies) == FOUND
    assert enforced(*denies, SHUT) == FINE
    for barred, expected in ((["one"], FOUND), (["one", "two"], FINE)):
        contrary = document(deny("s3:*", when={"StringEquals": {"aws:SourceVpce": barred}}))
        result = audit_of(Person(inline=[*allows, *denies, contrary]))
        assert verdict(result, "mfa-not-enforced", "alice") == expected


def test_the_region_of_a_service_is_no_matter_of_one_key() -> None:
    """The deny lifts in two regions, of which the service that calls may do so in one alone."""
    spared = {**BY_SERVICES, "StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}
    elsewhere = {
        "StringNotLike": {"kms:ViaService": "*.eu-west-1.amazonaws.com"},
        "Bool": {"aws:ViaAWSService": "true"},
    }
    closing = [document(deny("kms:CreateKey", when=when)) for when in (spared, elsewhere)]
    snapshot = read(Person(inline=[document(allow("kms:CreateKey")), *closing]))
    user = snapshot.users["alice"]
    surface = Surface(Caller(snapshot, user), snapshot.policies_of(user).policies)
    [entry, *_] = surface.entries(actions_named(("kms:CreateKey",)), (SERVICES,)).entries
    assert entry.needs["aws:requestedregion"] == "eu-west-1"
