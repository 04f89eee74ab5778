"""Texts as Slack takes them. Pure. Source: Slack's developer documentation, "Formatting message text".

In every text `&`, `<` and `>` begin what Slack makes something of: mentions, links, dates. Escaped they are characters.
Stars, underscores and the like have no escape: whatever somebody typed stands in a code span, where they say nothing,
or in a text that is plain.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.report.text import clean

CUT = "…"
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_FENCE, _NEW_LINE = "```", "\n"
_BACKTICK, _LOOKS_LIKE_ONE = "`", "\u02cb"


def escape(text: str, most: int) -> str:
    """The text on one line, safe to read, as Slack takes it: at most `most` characters, cut between escapes."""
    shown = "".join(_ESCAPES.get(c, c) for c in clean(text, most=most))
    return cut(shown, most)


def cut(escaped: str, most: int) -> str:
    """What is escaped already, cut to `most` characters, and never inside an escape."""
    if len(escaped) <= most:
        return escaped
    kept = escaped[: most - len(CUT)]
    start = kept.rfind("&")
    # Every & begins an escape, which ends in a semicolon.
    return (kept[:start] if start > kept.rfind(";") else kept) + CUT


def code(text: str, most: int) -> str:
    """The text as a code span, in which nothing but the end of it means anything; `most` counts the backticks."""
    inside = escape(text.replace(_BACKTICK, _LOOKS_LIKE_ONE), most - 2).strip()
    return f"{_BACKTICK}{inside}{_BACKTICK}" if inside else "(nothing)"


def code_block(lines: Sequence[str], most: int) -> str:
    """The lines as a block of code, to copy; as many of them as `most` characters take, and no part of one."""
    kept: list[str] = []
    room = most - 2 * len(_FENCE)
    for line in lines:
        told = escape(line.replace(_BACKTICK, _LOOKS_LIKE_ONE), most)
        room -= len(told) + 1
        if room < 0:
            break
        kept.append(told)
    return f"{_FENCE}{_NEW_LINE.join(kept)}{_FENCE}"


def when(moment: datetime) -> str:
    """A moment, which Slack shows in the time zone of whoever reads it."""
    told = f"{moment:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}}, {{time}}|{told}>"


def plain_text(escaped: str) -> dict[str, Any]:
    """An object of plain text; a colon in it begins no emoji."""
    return {"type": "plain_text", "text": escaped, "emoji": False}


def mrkdwn(escaped: str) -> dict[str, Any]:
    """An object of formatted text, in which Slack makes no link of what looks like one, nor a mention of a name."""
    return {"type": "mrkdwn", "text": escaped, "verbatim": True}
