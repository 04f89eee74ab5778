"""A run of a remediation in Slack's Block Kit. Pure.

Who reads it is asked to let something be changed, or is told what was: whom it changes, what it mends and each step
stand before the buttons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from chalicelib.alerts.run_notice import RunNotice
from chalicelib.notify.blocks import (
    LONGEST_ARN,
    LONGEST_HEADER,
    LONGEST_TEXT,
    Block,
    Rendered,
    cause_in_code,
    context,
    escape_lines,
    formatted,
    header,
    plain,
)
from chalicelib.notify.buttons import APPROVE_RUN, DECLINE_RUN, LONGEST_CONFIRM, actions, button, confirm, value_of
from chalicelib.notify.mrkdwn import code, code_block, escape, when
from chalicelib.notify.run_facts import (
    APPROVERS,
    FIGHT,
    LEFT,
    aim_lines,
    changed_users,
    commands,
    decided,
    gravest,
    matter,
    run_headline,
    state_words,
    step_lines,
    steps_in_words,
    what_happened,
)
from chalicelib.notify.run_plain import run_body
from chalicelib.remediation.run import RunState

MOST_AIMS = 5
MOST_STEPS = 10
_LINE, _NAME, _SENTENCE, _COMMAND = 300, 80, 1000, 1500

_SHORT = frozenset({RunState.DECLINED, RunState.EXPIRED, RunState.UNDONE})
"""States of which a line says all: nothing is to be done, and nothing is changed."""
_MEMBER = re.compile(r"[UW][A-Z0-9]{2,30}")


def render_run(notice: RunNotice, *, interactive: bool) -> Rendered:
    """The notice for Slack; with buttons only where it can be known who presses them."""
    happened = what_happened(notice) if notice.state in (RunState.STOPPED, RunState.WAITING) else ""
    text = escape(f"{run_headline(notice)}{f': {happened}' if happened else ''}", _LINE)
    blocks = _short(notice) if notice.state in _SHORT else _full(notice, interactive)
    return Rendered(text, list(blocks), escape_lines(run_body(notice), LONGEST_TEXT))


def render_decided(notice: RunNotice) -> Rendered:
    """What stands in the place of the message that asked for approval, now that the run has come further."""
    blocks = [_header(notice), *_plan(notice), formatted(_status(notice)), _footer(notice)]
    return Rendered(escape(run_headline(notice), _LINE), blocks, escape_lines(run_body(notice), LONGEST_TEXT))


def _header(notice: RunNotice) -> Block:
    return header(escape(run_headline(notice), LONGEST_HEADER))


def _footer(notice: RunNotice) -> Block:
    return context(f"mfawatch · account {code(notice.account, _NAME)} · run {code(notice.run, _NAME)}")


def _short(notice: RunNotice) -> Iterator[Block]:
    yield formatted(f"{_status(notice)}\n{_whom(notice)}")
    yield plain(escape(" · ".join(filter(None, [matter(notice), what_happened(notice)])), _SENTENCE))
    yield _footer(notice)


def _status(notice: RunNotice) -> str:
    """How the run stands, by whom and since when."""
    mark, words = state_words(notice)
    decision, who = decided(notice)
    # The words of some states say what was decided.
    verb = " by" if decision == f"{words} by" else f" · {decision.lower()}"
    return f"{mark} *{words}*{f'{verb} {_person(who)}' if who else ''} · {when(notice.at)}"


def _person(name: str) -> str:
    # Slack shows a member by the name that everybody knows.
    return f"<@{name}>" if _MEMBER.fullmatch(name) else code(name, LONGEST_ARN)


# --- all of it -------------------------------------------------------------------------------------------------------


def _full(notice: RunNotice, interactive: bool) -> Iterator[Block]:
    yield _header(notice)
    if happened := what_happened(notice):
        yield plain(escape(happened, _SENTENCE))
    if notice.state is RunState.STOPPED:
        yield plain(LEFT)
    if notice.undoes:
        yield formatted(f"*Undone after* {cause_in_code(notice.undoes)}")
        yield plain(FIGHT)
    decision, who = decided(notice)
    if who:
        yield formatted(f"*{decision}* {_person(who)}, {when(notice.at)}")
    yield from _plan(notice)
    waits = notice.state is RunState.WAITING
    if waits:
        yield formatted(f"*It can be approved until* {when(notice.expires)}. {APPROVERS}")
    for command in commands(notice, buttons=interactive):
        yield formatted(f"*{command.label}:*\n{code_block([command.line], _COMMAND)}")
    if waits and interactive:
        yield _buttons(notice)
    yield _footer(notice)


def _plan(notice: RunNotice) -> Iterator[Block]:
    yield formatted(f"{gravest(notice)} in account {code(notice.account, _NAME)}. {_whom(notice)}")
    if aims := aim_lines(notice, MOST_AIMS):
        yield _list("Findings:", aims)
    if steps := step_lines(notice, MOST_STEPS):
        # What mfawatch does stands beside what somebody does against it.
        yield _list("mfawatch puts it right so:" if notice.undoes else "Steps:", steps)


def _list(title: str, lines: list[str]) -> Block:
    return plain(escape_lines("\n".join([title, *lines]), LONGEST_TEXT))


def _whom(notice: RunNotice) -> str:
    users, more = changed_users(notice)
    if not users:
        return "*Changes* no user by name"
    return f"*Changes* {', '.join(code(user, _NAME) for user in users)}{f' and {more} more' if more else ''}"


def _buttons(notice: RunNotice) -> Block:
    value = value_of(notice.account, notice.run)
    users, more = changed_users(notice)
    whom = f", for {', '.join(users)}{f' and {more} more' if more else ''}" if users else ""
    steps = "; ".join(step_lines(notice, MOST_STEPS))
    told = escape(f"{steps_in_words(notice)} in account {notice.account}{whom}: {steps}", LONGEST_CONFIRM)
    asks = confirm("Put this right?", told, "Approve")
    return actions(
        button(APPROVE_RUN, "Approve", value, style="primary", confirm=asks),
        button(DECLINE_RUN, "Decline", value),
    )
