"""JSON texts, read without trust: no input makes this raise anything but `JsonError`.

Python's parser takes things AWS never wrote: names given twice (the last one silently wins), NaN, and documents nested
so deep that the interpreter gives up. A name given twice is kept in sight by `Ambiguous`; the others are errors.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import unquote


class JsonError(ValueError):
    """The text is no JSON; the message is one line and says where."""


class Ambiguous(dict[str, Any]):
    """A JSON object in which a name stands twice.

    Under a mark of its own it holds that name, so that it never equals, nor is written as, an object without the second
    name, and says the same when what was written is read again.
    """

    MARK = "\ufdd0"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    return Ambiguous({**result, Ambiguous.MARK: twice})


def name_twice(value: Mapping[str, Any]) -> str | None:
    """The name that stands twice in an object; None in an object like any other."""
    name = value.get(Ambiguous.MARK)
    return name if isinstance(name, str) else None


def _no_constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is no JSON value")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        JsonError: it is malformed or nested too deep.
    """
    try:
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise JsonError(f"line {error.lineno} column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise JsonError("nested too deep") from None
    except JsonError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise JsonError(str(error).partition(";")[0]) from None


def parse_object(text: str) -> Mapping[str, Any]:
    """The object of a JSON text, each of its names once.

    Raises:
        JsonError: it is malformed, something else, or has a name twice.
    """
    try:
        value = parse_json(text)
    except JsonError as error:
        raise JsonError(f"is no JSON: {error}") from None
    if not isinstance(value, Mapping):
        raise JsonError(f"must be an object, not {kind_of(value)}")
    if (twice := name_twice(value)) is not None:
        raise JsonError(f"{twice[:64]}: stands twice")
    return value


def parse_document(text: str) -> Any:
    """The value of a policy document as AWS hands it out: JSON, or JSON with percent signs (RFC 3986).

    Raises:
        JsonError: it is neither.
    """
    return parse_json(plain_text(text))


def plain_text(text: str) -> str:
    """The JSON of a policy document without percent signs."""
    stripped = text.strip()
    return unquote(stripped) if stripped.startswith("%") else stripped


def stored_text(document: object) -> str:
    """A policy document as the JSON text by which it is known here, or whatever text stands in its place.

    Raises:
        RecursionError, ValueError: it is nested too deep, or within itself.
    """
    return plain_text(document) if isinstance(document, str) else json.dumps(document)


def kind_of(value: object) -> str:
    """What a JSON value is, in the words of an error message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {
        str: "a string",
        int: "a number",
        float: "a number",
        list: "an array",
        tuple: "an array",
        dict: "an object",
    }
    return next((name for kind, name in names.items() if isinstance(value, kind)), "no JSON value")
