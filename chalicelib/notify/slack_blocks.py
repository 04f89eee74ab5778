"""A message in Slack's Block Kit. Pure.

It is read on a phone in the middle of the night: how grave, who and what stand in the header, then what can be done
without MFA, since when and after what; how to see it for oneself and how to mend it come behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from chalicelib.alerts.messages import Form, Item, Message, News
from chalicelib.findings import Finding
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
from chalicelib.notify.buttons import ACCEPT_FINDING, actions, button, value_of
from chalicelib.notify.facts import (
    causes,
    command,
    console_link,
    count_lines,
    deciders,
    finding_of,
    headline,
    label,
    lead,
    what,
)
from chalicelib.notify.mrkdwn import code, code_block, escape, when
from chalicelib.notify.plain import body, line_of
from chalicelib.report.sentences import request, subject

MOST_FULL = 3
"""Findings of which all is told; of the others a line each."""
MOST_NAMED = 10
"""Findings that have a line."""
MOST_CAUSES = 3
_MOST_CONTROLS = 6
_SENTENCE, _LINE, _FIX, _CODE, _NAME, _COMMAND = 600, 300, 500, 300, 80, 1500


def render(message: Message, *, interactive: bool = False) -> Rendered:
    """The message for Slack, within its limits, with all of its texts escaped.

    It has buttons where it is `interactive`: where it can be known who presses them.
    """
    told = f": {lead(finding_of(message.first))}" if message.alarming else ""
    text = escape(f"{headline(message)}{told}", _LINE)
    return Rendered(text, list(_blocks(message, interactive)), escape_lines(body(message), LONGEST_TEXT))


def named(message: Message) -> Sequence[Item]:
    """The findings that a rendered message names; of more it says how many."""
    return message.items[: MOST_NAMED + (MOST_FULL if message.form is Form.FULL and message.alarming else 0)]


def _blocks(message: Message, interactive: bool) -> Iterator[Block]:
    if message.form is not Form.FULL:
        yield _header(message)
        yield from _summary(message)
        yield from _lines(message, 0)
        yield from _causes(message.items)
    elif message.alarming:
        yield _header(message)
        yield from _alarm(message, interactive)
    else:
        yield from map(_over, message.items[:MOST_NAMED])
        yield from _more(message, MOST_NAMED)
        yield from _causes(message.items)
    yield _footer(message)


def _header(message: Message) -> Block:
    return header(escape(headline(message), LONGEST_HEADER))


# --- something has to be done ----------------------------------------------------------------------------------------


def _alarm(message: Message, interactive: bool) -> Iterator[Block]:
    several, users = len(message.items) > 1, {item.last.user for item in message.items}
    for index, item in enumerate(message.items[:MOST_FULL]):
        if not item.alarming:
            yield _over(item)
            continue
        finding = finding_of(item)
        if several:
            mark, word = label(item)
            whose = f"{code(subject(finding), LONGEST_ARN)}, " if len(users) > 1 else ""
            yield formatted(f"{mark} *{word}:* {whose}{escape(what(item), _LINE)}")
        yield plain(escape(_capital(lead(finding)), _SENTENCE))
        if index == 0:
            yield formatted(f"{_since(item)} in account {code(message.accounts[0], _NAME)}")
            yield from _causes(message.items)
        yield from _proof(item, finding)
        if interactive:
            value = value_of(item.last.account, item.last.fingerprint)
            yield actions(button(ACCEPT_FINDING, "Accept…", value))
    yield from _lines(message, MOST_FULL)
    if link := console_link(finding_of(message.first)):
        yield formatted(f"<{link}|Open the {'first user' if len(users) > 1 else 'user'} in the AWS console>")


def _proof(item: Item, finding: Finding) -> Iterator[Block]:
    lines = []
    if finding.witness:
        lines.append(f"*Request:* {code(request(finding.witness), _CODE)}")
    lines += [f"*{one.verb} by* {code(one.policy, LONGEST_ARN)}, {code(one.name, _NAME)}" for one in deciders(finding)]
    # One that is cut is another command; escapes make it up to five times as long.
    if (line := command(item.last)) and len(shown := escape(line, LONGEST_TEXT)) <= _COMMAND:
        lines.append(f"*Try it:*\n```{shown}```")
    if lines:
        yield formatted("\n".join(lines))
    yield plain(escape(f"Fix: {finding.fix}", _FIX))
    if finding.commands:
        yield formatted(f"*With MFA:*\n{code_block(finding.commands, LONGEST_TEXT - 20)}")


def _capital(text: str) -> str:
    # Names and actions begin as they are written.
    return text if ":" in text.partition(" ")[0] else text[:1].upper() + text[1:]


def _since(item: Item) -> str:
    first = when(_moment(item, "first_seen"))
    return (
        f"*Again since* {when(item.last.at)}, first seen {first}" if item.news is News.REOPENED else f"*Since* {first}"
    )


def _moment(item: Item, key: str) -> datetime:
    told = item.last.finding.get(key)
    return datetime.fromisoformat(told) if told else item.last.at


# --- something is over -----------------------------------------------------------------------------------------------


def _over(item: Item) -> Block:
    mark, word = label(item)
    finding = finding_of(item)
    told = f"{mark} *{word}:* {code(subject(finding), LONGEST_ARN)}, {escape(finding.title, _LINE)}"
    told += f" ({finding.severity})"
    if item.news in (News.RESOLVED, News.PASSED):
        told += f"\nOpen from {when(_moment(item, 'first_seen'))} until {when(_moment(item, 'resolved_at'))}"
    return formatted(told)


# --- many things -----------------------------------------------------------------------------------------------------


def _summary(message: Message) -> Iterator[Block]:
    lines = []
    for told, controls in list(count_lines(message))[:MOST_NAMED]:
        some = [f"{code(control, 40)} {count}" for control, count in list(controls.items())[:_MOST_CONTROLS]]
        more = [f"{len(controls) - len(some)} controls more"] if len(controls) > len(some) else []
        lines.append(f"*{told}:* {', '.join([*some, *more])}")
    yield formatted("\n".join(lines))


def _lines(message: Message, start: int) -> Iterator[Block]:
    """A line for each of the items from `start` on, as far as they are named."""
    for item in message.items[start : start + MOST_NAMED]:
        yield plain(escape(line_of(item), _LINE))
    yield from _more(message, start + MOST_NAMED)


def _more(message: Message, told: int) -> Iterator[Block]:
    if len(message.items) > told:
        yield plain(f"and {len(message.items) - told} more")


def _causes(items: Sequence[Item]) -> Iterator[Block]:
    found = causes(items)
    lines = [f"*After* {cause_in_code(cause)}" for cause in found[:MOST_CAUSES]]
    if len(found) > MOST_CAUSES:
        lines.append(f"and {len(found) - MOST_CAUSES} more events")
    if lines:
        yield formatted("\n".join(lines))


def _footer(message: Message) -> Block:
    """What names the findings to mfawatch."""
    some = message.items[:MOST_FULL]
    told = ", ".join(f"{code(item.last.control, 40)} {code(item.last.fingerprint[:8], 12)}" for item in some)
    accounts = ", ".join(code(account, 40) for account in message.accounts[:MOST_NAMED])
    return context(f"mfawatch · account {accounts} · {told}")
