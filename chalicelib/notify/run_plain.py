"""A run of a remediation as plain text: for mail, and wherever nothing better is taken. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.alerts.run_notice import RunNotice
from chalicelib.notify.plain import LONGEST, cause_in_words, subject_of
from chalicelib.notify.run_facts import (
    APPROVERS,
    FIGHT,
    LEFT,
    aim_lines,
    changed_users,
    commands,
    decided,
    run_headline,
    step_lines,
    what_happened,
)
from chalicelib.remediation.run import RunState
from chalicelib.report.text import clean

MOST_LINES = 20
"""Findings, and steps, of which there is a line each."""


def run_subject(notice: RunNotice) -> str:
    """The headline as the subject of a mail."""
    return subject_of(run_headline(notice))


def run_body(notice: RunNotice) -> str:
    """All of the notice, line by line; each line is safe to print."""
    return "\n".join(clean(line, most=LONGEST) for line in _lines(notice))


def _lines(notice: RunNotice) -> Iterator[str]:
    yield run_headline(notice)
    yield f"account {notice.account}"
    yield ""
    if happened := what_happened(notice):
        yield happened
    if notice.state is RunState.STOPPED:
        yield LEFT
    decision, who = decided(notice)
    if who:
        yield f"{decision} {who} at {notice.at.isoformat()}"
    if notice.undoes:
        yield f"Undone {cause_in_words(notice.undoes)}"
        yield FIGHT
    if notice.state is RunState.WAITING:
        yield f"It can be approved until {notice.expires.isoformat()}. {APPROVERS}"
    yield from _plan(notice)
    # Where this is read nobody can press anything.
    for command in commands(notice, buttons=False):
        yield f"{command.label}: {command.line}"
    yield f"run {notice.run}"


def _plan(notice: RunNotice) -> Iterator[str]:
    users, more = changed_users(notice)
    if users:
        yield f"Users changed: {', '.join(users)}{f' and {more} more' if more else ''}"
    yield "Findings:"
    yield from (f"  {line}" for line in aim_lines(notice, MOST_LINES))
    yield "Steps:"
    yield from (f"  {line}" for line in step_lines(notice, MOST_LINES))
