"""A file of settings: TOML whose values know the line they stand on, and errors that tell it.

Python's parser gives values without positions. So where an error has to be told, and there alone, the text is gone
through once more for the line of the value.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NamedTuple

from chalicelib.iam.patterns import fold

Path = tuple[str | int, ...]
"""The keys of tables and the indexes of arrays that lead to a value."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOML_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


class SettingsError(ValueError):
    """Settings that are none. One line: `where`, the line and the key or the environment variable, and the `reason`."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(f"{where}: {reason}" if where else reason)


# --- values ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place: the path in the text of a file, or in an environment variable, whose name is its start."""

    value: Any
    path: Path = ()
    text: str = ""

    def wrong(self, reason: str) -> SettingsError:
        """That the value is not what it must be."""
        line = line_of(self.text, self.path)
        steps = (f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in self.path)
        where = "".join(steps).removeprefix(".")
        return SettingsError(f"line {line}: {where}" if line else where, reason)

    def must_be(self, wanted: str) -> SettingsError:
        """That the value is of another kind."""
        return self.wrong(f"must be {wanted}, not {_kind(self.value)}")

    def at(self, step: str | int, value: object = None) -> Node:
        """The place of a value inside this one."""
        return Node(value, (*self.path, step), self.text)

    def table(self, readers: Mapping[str, Reader], required: Sequence[str] = ()) -> dict[str, Any]:
        """The values of a table, each by the reader of its key; a key without reader is an error."""
        if not isinstance(self.value, dict):
            raise self.must_be("a table")
        for key in self.value:
            if key not in readers:
                raise self.at(key).wrong(f"unknown key; {hint(key, readers)}")
        for key in required:
            if key not in self.value:
                raise self.at(key).wrong("is missing")
        return {key: readers[key](self.at(key, value)) for key, value in self.value.items()}

    def elements(self, kind: str, read: Reader) -> tuple[Any, ...]:
        """The elements of a list; `kind` is what they are, in words."""
        if not isinstance(self.value, list):
            raise self.must_be(f"a list of {kind}")
        return tuple(read(self.at(index, value)) for index, value in enumerate(self.value))

    def string(self, form: re.Pattern[str] | None = None, kind: str = "") -> str:
        """A string with something in it, of that form if one is asked for; `kind` is what it is then, in words."""
        if not isinstance(self.value, str):
            raise self.must_be("a string")
        if not self.value.strip():
            raise self.wrong("must not be empty")
        if form and not form.fullmatch(self.value):
            raise self.wrong(f"must be {kind}, not {quoted(self.value)}")
        return self.value


Reader = Callable[[Node], Any]
"""Gives what a node stands for, or raises SettingsError."""


def parse_file(text: str) -> Node:
    """The table that the text of a file is.

    Raises:
        SettingsError: it is no TOML.
    """
    text = text.removeprefix("\ufeff")
    try:
        return Node(tomllib.loads(text), (), text)
    except RecursionError:
        raise SettingsError("", "is no TOML: nested too deep") from None
    except ValueError as error:
        message = str(error)
    place = _TOML_PLACE.search(message)
    if place is None:  # an integer of thousands of digits, which is told with advice to programmers
        raise SettingsError("", f"is no TOML: {message.partition(';')[0]}")
    line = place["line"] or text.rstrip().count("\n") + 1
    raise SettingsError(f"line {line}", f"is no TOML: {message[: place.start()][:200]}")


def hint(given: str, known: Iterable[str]) -> str:
    """The known name that was meant, if one is near, or all of them."""
    near = difflib.get_close_matches(fold(given[:64]), list(known), n=1, cutoff=0.7)
    return f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"


def quoted(text: str) -> str:
    """What somebody wrote, fit for one line of an error."""
    return json.dumps(text[:64])


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else quoted(name)


def _kind(value: object) -> str:
    names = {
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        datetime: "a date with a time",
        date: "a date",
        time: "a time",
        list: "a list",
    }
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a table")


# --- lines -----------------------------------------------------------------------------------------------------------

# Possessive, since what a string or a comment has taken is never given back to look for a key in it. Up to two quotes
# may stand before the three that close a multi-line string.
_TOKEN = re.compile(
    r'''
      """(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{3,5}
    | \'\'\'(?:[^']++|'{1,2}(?!'))*+'{3,5}
    | "(?:[^"\\\n]++|\\.)*+"
    | '[^'\n]*+'
    | \#[^\n]*+
    | [\n\[\]{}=,.]
    | [^\s\[\]{}=,.\#"']++
    ''',
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    text: str
    line: int


def line_of(text: str, path: Path) -> int | None:
    """The line, from 1, on which the value begins, or if it is missing the innermost table or array that would hold it.

    `text` is one that tomllib takes. None where that is the whole text.
    """
    found, longest = None, 0
    for place, line in _places(text):
        shared = _shared(place, path)
        if shared > longest:
            found, longest = line, shared
    return found


def _shared(one: Path, other: Path) -> int:
    for count, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return count
    return min(len(one), len(other))


def _places(text: str) -> Iterator[tuple[Path, int]]:
    """The path and the line of each header, key and value, in the order of the text; values more than once."""
    table: Path = ()
    last: dict[Path, int] = {}  # arrays of tables, with the index of the table that stands last in each
    for statement in _statements(text):
        if statement[0].text == "[":
            table = _header([token.text for token in statement], last)
            yield table, statement[0].line
        else:
            yield from _pair(statement, table)


def _statements(text: str) -> Iterator[list[_Token]]:
    """The headers and the pairs of key and value, without comments."""
    statement: list[_Token] = []
    line, depth = 1, 0
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece == "\n" and depth == 0 and statement:
            yield statement
            statement = []
        elif piece[0] not in "#\n":
            statement.append(_Token(piece, line))
            depth += (piece in {"[", "{"}) - (piece in {"]", "}"})
        line += piece.count("\n")
    if statement:
        yield statement


def _header(tokens: list[str], last: dict[Path, int]) -> Path:
    """The path of the table that a header opens; one in double brackets is the next of its array."""
    *outer, name = [_name(token) for token in tokens if token not in {"[", "]", "."}]
    path: Path = ()
    for key in outer:
        path = (*path, key)
        if path in last:
            path = (*path, last[path])
    path = (*path, name)
    if tokens[1] != "[":
        return path
    last[path] = last.get(path, -1) + 1
    return (*path, last[path])


def _pair(statement: list[_Token], table: Path) -> Iterator[tuple[Path, int]]:
    """The places in one pair of key and value."""
    holders = [table]  # what holds the value under way, outermost first
    path: Path | None = None  # of the value under way; None while a key is
    key: list[_Token] = []
    for token in statement:
        match token.text:
            case "=" if path is None:
                path = (*holders[-1], *(_name(part.text) for part in key))
                yield path, key[0].line
                key = []
            case "]" | "}":
                path = holders.pop()
            case "," if path:
                path = (*path[:-1], path[-1] + 1) if isinstance(path[-1], int) else None
            case "[" | "{" if path is not None:
                yield path, token.line
                holders.append(path)
                path = (*path, 0) if token.text == "[" else None
            case part if path is not None:
                yield path, token.line
            case part if part != ".":
                key.append(token)


def _name(token: str) -> str:
    """The key that a token stands for."""
    return str(tomllib.loads(f"name = {token}")["name"]) if token[0] in "\"'" else token
