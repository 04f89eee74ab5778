"""Where users stand, by what was found about them and what could not be judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.config import Settings
from chalicelib.controls import mfa_not_enforced
from chalicelib.findings import Severity, Status
from chalicelib.standing import EXEMPTIONS, Standing, State, standings_of, state_of
from tests.accounts.build import ADMIN, GUARD, Person, audit, deny_all_but, document, exports

PEOPLE = {
    "open": (Person("open", inline=[ADMIN]), Standing.OPEN),
    "enforced": (Person("enforced", inline=[document(deny_all_but())]), Standing.ENFORCED),
    "exempted": (
        Person("exempted", inline=[ADMIN, document(deny_all_but("codecommit:PutFile"))]),
        Standing.EXEMPTED,
    ),
    "idle": (Person("idle", inline=[ADMIN], keys=("false", "false")), Standing.IDLE),
    "broken": (Person("broken", inline=[GUARD, "{"]), Standing.UNKNOWN),
    # What was found tells of an exemption; whether MFA is asked for at all nobody could judge.
    "exempted-and-broken": (
        Person("exempted-and-broken", inline=[ADMIN, document(deny_all_but("codecommit:PutFile")), "{"]),
        Standing.UNKNOWN,
    ),
}


@pytest.mark.parametrize(("person", "wanted"), PEOPLE.values(), ids=list(PEOPLE))
def test_where_a_user_stands(person: Person, wanted: Standing) -> None:
    assert standings_of(audit(exports(person))) == {person.name: wanted}


def test_what_was_not_asked_is_not_known() -> None:
    found = audit(exports(PEOPLE["enforced"][0]))
    some = tuple(control for control in found.controls if control.id not in EXEMPTIONS)
    assert standings_of(replace(found, controls=some)) == {"enforced": Standing.UNKNOWN}


def test_who_is_accepted_is_exempted() -> None:
    found = audit(exports(PEOPLE["open"][0]))
    [hole] = [one for one in found.findings if one.control == mfa_not_enforced.CONTROL.id]
    assert standings_of(found.with_suppressed({hole.fingerprint})) == {"open": Standing.EXEMPTED}
    accepted = replace(hole, severity=Severity.INFO, evidence={**hole.evidence, "accepted": "known"})
    assert standings_of(replace(found, findings=(accepted,))) == {"open": Standing.EXEMPTED}
    assert (state_of(hole), state_of(accepted)) == (State.OPEN, State.ACCEPTED)
    assert state_of(replace(hole, status=Status.SUPPRESSED)) is State.SUPPRESSED


def test_a_break_glass_user_is_exempted() -> None:
    found = audit(exports(PEOPLE["open"][0]), Settings(break_glass_users=("open",)))
    assert standings_of(found) == {"open": Standing.EXEMPTED}
