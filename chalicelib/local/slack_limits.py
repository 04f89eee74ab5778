"""What Slack refuses of a message: Block Kit's limits, for the kinds of blocks that alerts are made of. Pure.

Source: Slack's developer documentation, "Block Kit reference" and chat.postMessage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

MOST_BLOCKS = 50
LONGEST_MESSAGE = 40_000
LONGEST_TEXT, LONGEST_HEADER, LONGEST_FIELD = 3000, 150, 2000
MOST_FIELDS = MOST_ELEMENTS = 10
LONGEST_BLOCKS = 13_200
"""Characters in all blocks together, about: Slack names the error, and no number."""


def complaint(message: Mapping[str, Any]) -> str:
    """The code with which Slack refuses a message; empty where it takes it."""
    text, blocks = message.get("text"), message.get("blocks")
    if not text and not blocks:
        return "no_text"
    if text and (not isinstance(text, str) or len(text) > LONGEST_MESSAGE):
        return "msg_too_long"
    if blocks is None:
        return ""
    if not isinstance(blocks, list) or not blocks:
        return "invalid_blocks_format"
    if sum(map(len, texts(blocks))) > LONGEST_BLOCKS:
        return "msg_blocks_too_long"
    return "invalid_blocks" if any(problems(blocks)) else ""


def problems(blocks: Sequence[Any]) -> Iterator[str]:
    """What is wrong with blocks."""
    if len(blocks) > MOST_BLOCKS:
        yield f"{len(blocks)} blocks"
    for block in blocks:
        check = _CHECKS.get(block.get("type")) if isinstance(block, Mapping) else None
        if check is None:
            yield f"no block: {block}"
        else:
            yield from check(block)


def texts(value: Any) -> Iterator[str]:
    """Every text that is shown of blocks."""
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def _header(block: Mapping[str, Any]) -> Iterator[str]:
    yield from _text(block.get("text"), LONGEST_HEADER, ("plain_text",))


def _section(block: Mapping[str, Any]) -> Iterator[str]:
    fields = block.get("fields", [])
    if "text" not in block and not fields:
        yield "a section without text"
    if "text" in block:
        yield from _text(block["text"], LONGEST_TEXT)
    if len(fields) > MOST_FIELDS:
        yield f"{len(fields)} fields"
    for one in fields:
        yield from _text(one, LONGEST_FIELD)


def _context(block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 0 < len(elements) <= MOST_ELEMENTS:
        yield f"{len(elements)} elements"
    for one in elements:
        yield from _text(one, LONGEST_TEXT)


def _nothing(_: Mapping[str, Any]) -> Iterator[str]:
    return iter(())


def _text(value: Any, most: int, kinds: Sequence[str] = ("plain_text", "mrkdwn")) -> Iterator[str]:
    if not isinstance(value, Mapping) or value.get("type") not in kinds:
        yield f"no text: {value}"
        return
    known = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}[value["type"]]
    if beside := value.keys() - known:
        yield f"fields that are not known: {beside}"
    text = value.get("text")
    if not isinstance(text, str) or not 0 < len(text) <= most:
        yield f"a text of {len(text) if isinstance(text, str) else 'no'} characters"


_CHECKS: Mapping[Any, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "divider": _nothing,
}
