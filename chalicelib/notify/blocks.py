"""Blocks of Slack's Block Kit, out of texts that are escaped already; and what a message of them comes with. Pure.

Source of the limits: Slack's developer documentation, "Block Kit reference".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.cause import Cause
from chalicelib.notify.mrkdwn import code, escape, mrkdwn, plain_text, when

LONGEST_HEADER, LONGEST_TEXT = 150, 3000
LONGEST_LINE = 600
"""Characters of a line of a message without blocks."""
LONGEST_ARN = 160

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message for Slack."""

    text: str
    """What a notification shows."""
    blocks: Sequence[Block]
    plain: str
    """The whole of it without blocks, for where Slack takes none."""


def header(escaped: str) -> Block:
    """A header."""
    return {"type": "header", "text": plain_text(escaped)}


def plain(escaped: str) -> Block:
    """A paragraph in which nothing is formatted."""
    return {"type": "section", "text": plain_text(escaped)}


def formatted(escaped: str) -> Block:
    """A paragraph in which stars and backticks mean something."""
    return {"type": "section", "text": mrkdwn(escaped)}


def context(escaped: str) -> Block:
    """What stands small below."""
    return {"type": "context", "elements": [mrkdwn(escaped)]}


def escape_lines(text: str, most: int) -> str:
    """A text of several lines, each escaped and cut, as many as `most` characters take."""
    kept: list[str] = []
    room = most - 2
    for line in text.splitlines():
        told = escape(line, LONGEST_LINE)
        room -= len(told) + 1
        if room < 0:
            return "\n".join([*kept, "…"])
        kept.append(told)
    return "\n".join(kept)


def cause_in_code(cause: Cause) -> str:
    """An event, with whatever somebody chose of it in code spans."""
    parts = [("by", cause.actor), ("from", cause.address), ("with", cause.agent)]
    told = "".join(f" {word} {code(value, LONGEST_ARN)}" for word, value in parts if value)
    about = f" of {code(cause.about, LONGEST_ARN)}" if cause.about else ""
    return f"{code(cause.event, LONGEST_ARN)}{about}{told}{f', {when(cause.at)}' if cause.at else ''}"
