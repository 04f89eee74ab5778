"""A message as plain text: for mail, and wherever nothing better is taken. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from chalicelib.alerts.messages import Form, Item, Message
from chalicelib.cause import Cause
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
from chalicelib.report.sentences import request, subject
from chalicelib.report.text import clean

MOST_FULL = 20
"""Findings of which all is told; of the others a line each."""
MOST_LINES = 200
MOST_GRAVEST = 10
"""Findings that a summary names."""
LONGEST = 2000
"""Characters of a line."""


def subject_line(message: Message) -> str:
    """The headline as the subject of a mail."""
    return subject_of(headline(message))


def subject_of(line: str, most: int = 99) -> str:
    """A line in ASCII, at most `most` characters."""
    # The sign is for whoever sees it; the word beside it says the same.
    words = line.replace("·", "-").replace("…", "...")
    flat = unicodedata.normalize("NFKD", clean(words, most=most * 4))
    text = " ".join(c for c in "".join(c if c.isascii() else "?" for c in flat if not _aside(c)).split())
    text = text.strip("? ") or "mfawatch"
    text = f"mfawatch: {text}"
    return text if len(text) <= most else text[: most - 3] + "..."


def _aside(c: str) -> bool:
    """Whether it only goes with another character, or is a picture."""
    return unicodedata.category(c) in ("Mn", "So", "Sk")


def body(message: Message) -> str:
    """All of the message, line by line; each line is safe to print."""
    return "\n".join(clean(line, most=LONGEST) for line in _lines(message))


def _lines(message: Message) -> Iterator[str]:
    yield headline(message)
    yield f"account {', '.join(message.accounts)}"
    yield ""
    if message.form is Form.FULL:
        for item in message.items[:MOST_FULL]:
            yield from _full(item)
        yield from _named(message, MOST_FULL, MOST_LINES)
    else:
        for told, controls in count_lines(message):
            yield f"{told}: {', '.join(f'{control} {count}' for control, count in controls.items())}"
        yield ""
        yield from _named(message, 0, MOST_GRAVEST)


def _named(message: Message, start: int, most: int) -> Iterator[str]:
    """A line for each of some items, from `start` on, and how many there are beside them."""
    yield from map(line_of, message.items[start : start + most])
    if len(message.items) > start + most:
        yield f"and {len(message.items) - start - most} more"


def line_of(item: Item) -> str:
    """What has become of a finding, in a line."""
    mark, word = label(item)
    finding = finding_of(item)
    told = f": {lead(finding)}" if item.alarming else f" ({finding.severity})"
    return f"{mark} {word} · {subject(finding)} of {item.last.account} · {what(item)}{told}"


def _full(item: Item) -> Iterator[str]:
    finding, notice = finding_of(item), item.last
    yield line_of(item)
    yield f"  since {notice.finding.get('first_seen')}"
    if until := notice.finding.get("resolved_at"):
        yield f"  until {until}"
    for cause in causes([item]):
        yield f"  {cause_in_words(cause)}"
    if item.alarming:
        yield from _proof(item)
        yield f"  fix: {finding.fix}"
        if finding.commands:
            yield "  with MFA:"
            yield from (f"    {line}" for line in finding.commands)
    if link := console_link(finding):
        yield f"  {link}"
    yield f"  control {finding.control}, finding {notice.fingerprint}"
    yield ""


def _proof(item: Item) -> Iterator[str]:
    finding = finding_of(item)
    if finding.witness:
        yield f"  request: {request(finding.witness)}"
    for decider in deciders(finding):
        yield f"  {decider.verb.lower()} by: {decider.policy}, {decider.name}"
    if line := command(item.last):
        yield f"  try it: {line}"


def cause_in_words(cause: Cause) -> str:
    """The event after which something was found; nobody has proved that it is because of it."""
    parts = [("by", cause.actor), ("from", cause.address), ("with", cause.agent)]
    # Whoever made the call chose the agent: without marks around it, it could go on as if it were our words.
    told = "".join(f" {word} “{value}”" if word == "with" else f" {word} {value}" for word, value in parts if value)
    about = f" of “{cause.about}”" if cause.about else ""
    return f"after {cause.event}{about}{told}{f' at {cause.at.isoformat()}' if cause.at else ''}"
