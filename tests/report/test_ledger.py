"""The ledger in a terminal: what is open, what changed, whom nobody judged, and how old the report was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.controls.base import NotEvaluated
from chalicelib.diff import diff
from chalicelib.findings import Severity, Status
from chalicelib.iam.account import Gap, Read
from chalicelib.ledger import Stored
from chalicelib.report.ledger import render_changes, render_open
from chalicelib.report.table_audit import render_audit
from chalicelib.runs import RunReport, report_of
from chalicelib.sweep import Run
from tests.accounts.build import TAKEN
from tests.ledger.build import DEVICE, ENFORCED, TAKEOVER, at, audit, finding
from tests.report.terminal import terminal

ALICE, BOB = finding(), finding(DEVICE, "bob", Severity.MEDIUM)


def opened() -> list[Stored]:
    """Both findings, as they are opened."""
    return [change.after for change in diff(audit(ALICE, BOB), [], "one", TAKEN)]


def report(**what: Any) -> RunReport:
    """What the run said."""
    return report_of(replace(audit(ALICE, BOB), **what), [], Run("one", TAKEN), TAKEN)


def test_a_resolved_finding_says_so() -> None:
    changes = diff(audit(BOB, finding(TAKEOVER), hours=1), opened(), "two", at(1))
    text = render_changes([(change.kind, change.after) for change in changes if change.is_news])
    rows = [line.split(maxsplit=4) for line in text.splitlines()]
    assert rows[0] == ["CHANGE", "SEVERITY", "USER", "CONTROL", "WHAT"]
    assert {row[0] for row in rows[1:3]} == {"resolved", "opened"}
    assert [row[4].startswith("was: ") for row in rows[1:3]] == [row[0] == "resolved" for row in rows[1:3]]
    assert text.endswith("\n\nChanged: 1 opened, 1 resolved.")


def test_colour_is_for_a_terminal_and_red_for_nothing_that_is_gone() -> None:
    changes = [(change.kind, change.after) for change in diff(audit(hours=1), opened(), "two", at(1))]
    with terminal(120, TERM="xterm-256color") as to:
        assert "\x1b[" not in render_changes(changes)
        coloured = render_changes(changes, to=to)
        assert "\x1b[32mresolved" in coloured
        assert "31m" not in coloured
        assert "\x1b[" not in render_changes(changes, to=to, plain=True)


def test_what_is_open_is_told_and_what_was_accepted_is_counted() -> None:
    one, other = opened()
    text = render_open([one, replace(other, status=Status.SUPPRESSED)], report())
    assert "no-deny: s3:PutObject" in text
    assert "1 high; 1 of 2 users concerned." in text
    assert "Not told: 1 that somebody has accepted for now." in text
    assert "Not told" not in render_open([one, replace(other, status=Status.RESOLVED)], report())


def test_gaps_and_whom_nobody_judged_are_told_as_an_audit_tells_them() -> None:
    what: dict[str, Any] = {
        "gaps": (Gap(Read.SSH_PUBLIC_KEYS, "carl", "AccessDenied"),),
        "not_evaluated": (NotEvaluated(ENFORCED, "carl", "not read"), NotEvaluated(TAKEOVER, "carl", "not read")),
    }
    text = render_open(opened(), report(**what))
    expected = render_audit(replace(audit(ALICE, BOB), **what))
    told = text.partition("Not read:")[2]
    assert told == expected.partition("Not read:")[2].partition("\n\nalice")[0]
    assert f"not read (carl): {ENFORCED}, {TAKEOVER}" in told


@pytest.mark.parametrize(
    ("hours", "told"),
    [(0.5, "30 min"), (3, "3 h"), (72, "3 days"), (0.1, ""), (-1, ""), (None, "")],
)
def test_a_report_that_was_not_made_for_the_run_is_told_with_its_age(hours: float | None, told: str) -> None:
    text = render_open(opened(), report(report_generated=None if hours is None else at(-hours)))
    assert ("The credential report was" in text) == bool(told)
    assert not told or f"The credential report was {told} old: " in text
