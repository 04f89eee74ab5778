"""How users stand: each in one of four, by what was found of them and what was not judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.controls.base import NotEvaluated
from chalicelib.findings import Severity, Status
from chalicelib.report.standing import standing_of
from tests.report.audits import audit_with, finding_with

GIT = "codecommit-exemption"


@pytest.mark.parametrize(
    ("found", "skipped", "stands"),
    [
        ([], [], "enforced"),
        ([{}], [], "open"),
        ([{}, {"control": GIT}], [], "open"),
        ([{"control": GIT}], [], "exempted"),
        ([{"control": "git-blocked-by-kms", "severity": Severity.INFO}], [], "exempted"),
        ([{"evidence": {"accepted": "a break-glass user"}}], [], "exempted"),
        ([{"status": Status.SUPPRESSED}], [], "exempted"),
        ([{"control": "user-without-mfa"}], [], "enforced"),
        ([{"user": None, "control": "root-without-mfa"}], [], "enforced"),
        ([], [NotEvaluated(GIT, "alice", "not read")], "not_judged"),
        ([], [NotEvaluated(GIT, "", "needs a read")], "not_judged"),
        ([], [NotEvaluated(GIT, "bob", "not read")], "enforced"),
        ([], [NotEvaluated("user-without-mfa", "alice", "not read")], "enforced"),
        ([{"control": GIT}], [NotEvaluated("mfa-self-takeover", "alice", "not read")], "exempted"),
    ],
)
def test_a_user_stands_in_one_place(found: list[dict[str, Any]], skipped: list[NotEvaluated], stands: str) -> None:
    result = audit_with(
        *(finding_with(**one) for one in found), not_evaluated=tuple(skipped), judged=frozenset({"alice"})
    )
    standing = standing_of(result)
    assert standing is not None
    places = ("enforced", "exempted", "open", "not_judged")
    assert [place for place in places if "alice" in getattr(standing, place)] == [stands]


def test_an_audit_by_some_controls_does_not_say_how_users_stand() -> None:
    result = audit_with()
    assert standing_of(replace(result, controls=tuple(one for one in result.controls if one.id != GIT))) is None
