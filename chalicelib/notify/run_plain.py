"""A run of a remediation as plain text: for mail, and wherever nothing better is taken. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.alerts.run_notice import RunNotice
from chalicelib.notify.plain import LONGEST, cause_in_words, subject_of
from chalicelib.notify.run_facts import changed_users, plan_command, rollback_command, run_headline, steps_in_words
from chalicelib.remediation.run import RunState
from chalicelib.report.text import clean


def run_subject(notice: RunNotice) -> str:
    """The headline as the subject of a mail."""
    return subject_of(run_headline(notice))


def run_body(notice: RunNotice) -> str:
    """All of the notice, line by line; each line is safe to print."""
    return "\n".join(clean(line, most=LONGEST) for line in _lines(notice))


def _lines(notice: RunNotice) -> Iterator[str]:
    yield run_headline(notice)
    yield f"run {notice.run}, account {notice.account}"
    if notice.by:
        yield f"by {notice.by}"
    if notice.reason:
        yield f"reason: {notice.reason}"
    if notice.undoes:
        yield f"undone {cause_in_words(notice.undoes)}"
    yield f"it changes {changed_users(notice)}: {notice.taken} of {steps_in_words(notice.step_count)} taken"
    yield from (f"  {number}. {step}" for number, step in enumerate(notice.steps, 1))
    if notice.step_count > len(notice.steps):
        yield f"  and {notice.step_count - len(notice.steps)} more"
    if notice.state is RunState.PROPOSED:
        yield f"to see the plan: {plan_command(notice)}"
    if notice.state in (RunState.DONE, RunState.STOPPED):
        yield f"to undo it: {rollback_command(notice)}"
