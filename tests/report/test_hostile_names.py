"""Names are whatever somebody typed: none of it reaches a reader's terminal raw."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.analysis.decide import decide_for_user
from chalicelib.iam.exports import read_exports
from chalicelib.iam.request import MfaState
from chalicelib.report.decision import decision_to_json, render_decision
from chalicelib.report.fitted import fitted
from chalicelib.report.surface import render_surface, surface_of
from chalicelib.report.table_audit import render_audit
from chalicelib.report.text import clean
from tests.accounts.build import (
    ADMIN,
    TAKEN,
    Person,
    allow,
    audit,
    deny_all_but,
    document,
    exports,
    group,
    managed,
    swap,
)
from tests.hostile import CONSOLE, each
from tests.report.terminal import terminal


def assert_safe(text: str, lines: int | None = None) -> None:
    """Nothing but printable characters, spaces and the newlines of the layout."""
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
    assert lines is None or len(text.splitlines()) == lines


def people(name: str) -> Sequence[Person]:
    """Users of whom every part of a table tells something, with the name in every place that the table shows."""
    return [
        Person(name, inline=[ADMIN], tags={name: name}, virtual=False, mfa="false"),
        Person(f"{name}-2", inline=["{"], groups=[name]),
        Person(f"{name}-3", attached=[name], groups=[f"{name}-gone"]),
        Person(f"{name}-4", inline=[document({"Sid": name, "Effect": name, "Action": name, "Resource": name})]),
        Person(f"{name}-5", inline=[document({"Sid": name, **allow("s3:*", on=f"arn:aws:s3:::{name}/*")})]),
        Person(f"{name}-6", inline=[ADMIN, document(deny_all_but("s3:*") | {"Sid": name})]),
        Person(f"{name}-7", inline=[document(allow("s3:*", when={"StringEquals": {f"aws:RequestTag/{name}": name}}))]),
        Person(f"{name}-8", in_details=False, virtual=False),
        Person(f"{name}-9", in_report=False, ssh_keys=None, virtual=False),
    ]


def answers(name: str) -> Any:
    """The account of these people; the report cannot hold every name, and is left out."""
    return swap(
        exports(*people(name), groups=[group(name, "{")], policies=[managed(name, {name: name})]),
        credential_report=None,
        service_credentials={"ServiceSpecificCredentials": [], "IsTruncated": True},
        ssh_public_keys={f"{name}-ghost": {"SSHPublicKeys": []}},
    )


@each
def test_a_table_holds_no_hostile_name(name: str) -> None:
    result = audit(answers(name))
    assert {f.control for f in result.findings} >= {"mfa-not-enforced", "policy-not-evaluable"}
    assert_safe(render_audit(result))
    with terminal(80) as to:
        assert_safe(render_audit(result, to=to))


@each
def test_a_surface_holds_no_hostile_name_and_no_line_that_is_a_name(name: str) -> None:
    snapshot = read_exports(answers(name), TAKEN)
    text = render_surface(surface_of(snapshot, snapshot.users[f"{name}-5"]))
    plain = read_exports(answers("a"), TAKEN)
    assert_safe(text, lines=len(render_surface(surface_of(plain, plain.users["a-5"])).splitlines()))
    with terminal(60) as to:
        assert_safe(fitted(text.split("\n"), to))


@each
def test_json_holds_hostile_names_as_escapes(name: str) -> None:
    text = json.dumps(audit(answers(name)).to_json())
    assert_safe(text, lines=1)
    assert name in json.loads(text)["findings"][0]["user"]


@each
def test_an_explanation_holds_no_hostile_name(name: str) -> None:
    snapshot = read_exports(answers(name), TAKEN)
    for user in snapshot.users.values():
        decided = decide_for_user(
            snapshot,
            user,
            "s3:GetObject",
            f"arn:aws:s3:::{name}",
            MfaState.ABSENT,
            context={f"aws:{name}": [name, name]},
        )
        assert_safe(render_decision(decided))
        assert_safe(json.dumps(decision_to_json(decided)), lines=1)


@pytest.mark.parametrize("name", CONSOLE.values(), ids=list(CONSOLE))
def test_markup_is_shown_as_it_was_typed(name: str) -> None:
    assert name in render_audit(audit(swap(exports(Person(name, inline=[ADMIN])), credential_report=None)))


@each
def test_clean_keeps_one_line_and_shows_what_it_replaced(name: str) -> None:
    assert_safe(clean(name), lines=1)
    assert clean(name).startswith("a<") or "<" in clean(name)


def test_clean_keeps_what_people_write() -> None:
    for text in ("alice", "Zoë Müller-Łuczak", "山田 太郎", "привет", "naïve – “quoted” … €", "עברית", "e\u0301"):
        assert clean(text) == text


def test_clean_cuts_what_is_too_long() -> None:
    assert clean("x" * 10_000) == "x" * 2000 + "…"
    assert len(clean("\x1b" * 10_000, most=50)) <= 51
