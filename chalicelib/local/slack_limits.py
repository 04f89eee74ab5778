"""What Slack refuses of a message or a modal: Block Kit's limits, for the kinds of blocks that these are made of. Pure.

Source: Slack's developer documentation, "Block Kit reference", "Views" and chat.postMessage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

MOST_BLOCKS = 50
LONGEST_MESSAGE = 40_000
LONGEST_TEXT, LONGEST_HEADER, LONGEST_FIELD = 3000, 150, 2000
MOST_FIELDS = MOST_ELEMENTS = 10
MOST_BUTTONS = 25
LONGEST_ID, LONGEST_BUTTON, LONGEST_VALUE = 255, 75, 2000
LONGEST_CONFIRM_TITLE, LONGEST_CONFIRM, LONGEST_CONFIRM_BUTTON = 100, 300, 30
MOST_VIEW_BLOCKS = 100
LONGEST_VIEW_TITLE, LONGEST_LABEL, LONGEST_HINT, LONGEST_PLACEHOLDER = 24, 2000, 2000, 150
LONGEST_METADATA = 3000
MOST_OPTIONS, LONGEST_OPTION, LONGEST_OPTION_VALUE = 100, 75, 150
LONGEST_BLOCKS = 13_200
"""Characters in all blocks together, about: Slack names the error, and no number."""

_PLAIN = ("plain_text",)
_Check = Callable[[Mapping[str, Any]], Iterator[str]]


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


def view_complaint(view: Mapping[str, Any]) -> str:
    """The code with which Slack refuses a modal; empty where it takes it."""
    return "invalid_arguments" if any(view_problems(view)) else ""


def view_problems(view: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a modal."""
    known = {"type", "title", "blocks", "close", "submit", "private_metadata", "callback_id", "notify_on_close"}
    if view.get("type") != "modal" or view.keys() - known:
        yield f"no modal: {view}"
    yield from _text(view.get("title"), LONGEST_VIEW_TITLE, _PLAIN)
    for name in ("close", "submit"):
        if name in view:
            yield from _text(view[name], LONGEST_VIEW_TITLE, _PLAIN)
    yield from _name(view.get("private_metadata", ""), LONGEST_METADATA)
    yield from _name(view.get("callback_id", ""), LONGEST_ID)
    blocks = view.get("blocks")
    if not isinstance(blocks, list):
        yield "no blocks"
        return
    if "submit" not in view and any(isinstance(block, Mapping) and block.get("type") == "input" for block in blocks):
        yield "an input that nobody can submit"
    yield from problems(blocks, MOST_VIEW_BLOCKS, {**_CHECKS, "input": _input})


def problems(
    blocks: Sequence[Any], most: int = MOST_BLOCKS, checks: Mapping[Any, _Check] | None = None
) -> Iterator[str]:
    """What is wrong with blocks."""
    if len(blocks) > most:
        yield f"{len(blocks)} blocks"
    for block in blocks:
        check = (checks or _CHECKS).get(block.get("type")) if isinstance(block, Mapping) else None
        if check is None:
            yield f"no block: {block}"
        else:
            yield from check(block)
    ids = [block["block_id"] for block in blocks if isinstance(block, Mapping) and "block_id" in block]
    if len(set(ids)) < len(ids):
        yield "two blocks of one id"
    for one in ids:
        yield from _name(one, LONGEST_ID)


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
    yield from _text(block.get("text"), LONGEST_HEADER, _PLAIN)


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


def _actions(block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 0 < len(elements) <= MOST_BUTTONS:
        yield f"{len(elements)} buttons"
    for one in elements:
        yield from _button(one)
    if len({one.get("action_id") for one in elements}) < len(elements):
        yield "two buttons of one id"


def _button(button: Mapping[str, Any]) -> Iterator[str]:
    known = {"type", "text", "action_id", "value", "style", "confirm", "accessibility_label", "url"}
    if button.get("type") != "button" or button.keys() - known:
        yield f"no button: {button}"
    yield from _text(button.get("text"), LONGEST_BUTTON, _PLAIN)
    yield from _name(button.get("action_id"), LONGEST_ID)
    yield from _name(button.get("value", ""), LONGEST_VALUE)
    if button.get("style", "primary") not in ("primary", "danger"):
        yield f"a style that is not known: {button['style']}"
    if "confirm" in button:
        yield from _confirm(button["confirm"])


def _confirm(dialog: Mapping[str, Any]) -> Iterator[str]:
    if dialog.keys() - {"title", "text", "confirm", "deny", "style"}:
        yield f"no dialog: {dialog}"
    yield from _text(dialog.get("title"), LONGEST_CONFIRM_TITLE, _PLAIN)
    yield from _text(dialog.get("text"), LONGEST_CONFIRM)
    for name in ("confirm", "deny"):
        yield from _text(dialog.get(name), LONGEST_CONFIRM_BUTTON, _PLAIN)


def _input(block: Mapping[str, Any]) -> Iterator[str]:
    if block.keys() - {"type", "block_id", "label", "element", "hint", "optional", "dispatch_action"}:
        yield f"no input: {block}"
    yield from _text(block.get("label"), LONGEST_LABEL, _PLAIN)
    if "hint" in block:
        yield from _text(block["hint"], LONGEST_HINT, _PLAIN)
    element = block.get("element")
    known = _ELEMENTS.get(element.get("type"), frozenset()) if isinstance(element, Mapping) else frozenset()
    if not isinstance(element, Mapping) or element.keys() - known - {"type", "action_id", "placeholder"}:
        yield f"no element of an input: {element}"
        return
    if not known:
        yield f"no element of an input: {element}"
    yield from _name(element.get("action_id"), LONGEST_ID)
    if "placeholder" in element:
        yield from _text(element["placeholder"], LONGEST_PLACEHOLDER, _PLAIN)
    if element.get("type") == "static_select":
        yield from _options(element)


def _options(element: Mapping[str, Any]) -> Iterator[str]:
    options = element.get("options", [])
    if not 0 < len(options) <= MOST_OPTIONS:
        yield f"{len(options)} options"
    for one in options:
        yield from _text(one.get("text"), LONGEST_OPTION, _PLAIN)
        yield from _name(one.get("value"), LONGEST_OPTION_VALUE)
    if element.get("initial_option", options[:1][0] if options else None) not in options:
        yield "an option to begin with that is none"


def _name(value: Any, most: int) -> Iterator[str]:
    if not isinstance(value, str) or len(value) > most:
        yield f"a name or a value that is none, or too long: {value}"


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


_CHECKS: Mapping[Any, _Check] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "divider": _nothing,
    "actions": _actions,
}
_ELEMENTS: Mapping[Any, frozenset[str]] = {
    "plain_text_input": frozenset({"multiline", "min_length", "max_length", "initial_value", "focus_on_load"}),
    "datepicker": frozenset({"initial_date", "focus_on_load"}),
    "static_select": frozenset({"options", "initial_option", "focus_on_load"}),
}
"""Elements of an input → what they may have of their own."""
