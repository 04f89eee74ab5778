"""Wildcards and policy variables: which actions, resources and texts a pattern stands for.

Every pattern becomes a regular expression that takes time proportional to pattern times subject: each `*` but the last
matches as little as it can and never backtracks (an atomic group). A leftmost match of each literal run is always as
good as a later one, so nothing is lost, and a document full of stars cannot stall an audit.

Where AWS's pages leave a question open, a pattern can be read in two ways. `taken=True` asks for the reading that
decides; `taken=False` for the other one, which tells whether the doubt matters for a request.

Source: IAM User Guide, "IAM JSON policy elements: Action", "... Resource" and "Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

ContextValue = str | tuple[str, ...]
"""The value of a condition key in a request; a tuple for a multivalued key."""
Context = Mapping[str, ContextValue]
"""A request's condition keys, in lower case, with their values."""

ARN_SEGMENTS = 6
NEVER = r"(?!)"
"""The expression that matches nothing."""

# Characters that a variable put into a text stand for themselves, whatever they are. IAM stores no document with these
# two code points (they are not characters), so they can carry a literal star and question mark through a pattern.
_LITERAL = str.maketrans({"*": "\ufdd0", "?": "\ufdd1"})
_PLAIN = str.maketrans({"\ufdd0": "*", "\ufdd1": "?"})


class Readings(NamedTuple):
    """What holds by the reading that is taken, and by the other one that AWS's documentation leaves open."""

    taken: bool
    other: bool

    @property
    def doubtful(self) -> bool:
        """Whether the two differ."""
        return self.taken != self.other

    @property
    def least(self) -> bool:
        """Whether it holds by both."""
        return self.taken and self.other

    @property
    def most(self) -> bool:
        """Whether it holds by one of them at least."""
        return self.taken or self.other


# --- wildcards -------------------------------------------------------------------------------------------------------


def glob_source(pattern: str, char: str = ".", one: str = "") -> str:
    """Regular expression source of a pattern in which `*` is any run and `?` any one character.

    `char` is the expression for "any one character": `[^:]` keeps a star inside one segment of an ARN. `one` is that of
    `?`, if it is another.
    """
    first, *rest = [(one or char).join(map(_escape, run.split("?"))) for run in re.split(r"\*+", pattern)]
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>{char}*?{run})" for run in middle) + f"{char}*{last}"


def _escape(text: str) -> str:
    return re.escape(text.translate(_PLAIN))


@lru_cache(maxsize=65_536)
def compile_source(source: str) -> re.Pattern[str]:
    """The compiled expression, shared by all documents with the same pattern."""
    return re.compile(source, re.DOTALL)


class Alternatives:
    """Texts of which each stands for an expression; matches where any of them does.

    Compiled when it is first needed: most statements of an account are never asked about most requests.
    """

    __slots__ = ("_pattern", "_source", "_texts")

    def __init__(self, texts: Sequence[str], source: Callable[[str], str]) -> None:
        self._texts = texts
        self._source = source
        self._pattern: re.Pattern[str] | None = None

    def matches(self, text: str) -> bool:
        """Whether any of them matches the whole text."""
        if not self._texts:
            return False
        if self._pattern is None:
            self._pattern = compile_source("|".join(f"(?:{self._source(one)})" for one in self._texts))
        return self._pattern.fullmatch(text) is not None


def fold(text: str) -> str:
    """The form in which names compare without regard to case.

    AWS's names are ASCII. Folding more would let a letter from elsewhere stand for one of theirs (the Kelvin sign folds
    to k), and a deny seem to name what it does not.
    """
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def has_wildcard(text: str) -> bool:
    """Whether the text holds a star or a question mark."""
    return "*" in text or "?" in text


def is_everything(pattern: str) -> bool:
    """Whether the pattern is nothing but stars."""
    return bool(pattern) and not pattern.strip("*")


# --- actions ---------------------------------------------------------------------------------------------------------


class ActionPatterns:
    """The entries of an Action or NotAction element. Names compare without regard to case."""

    __slots__ = ("_exact", "_prefixes", "_wild", "entries")

    def __init__(self, entries: Sequence[str]) -> None:
        self.entries = tuple(entries)
        exact: list[str] = []
        prefixes: list[str] = []
        others: list[str] = []
        for entry in map(fold, entries):
            if is_everything(entry):
                prefixes.append("")
            elif not has_wildcard(entry):
                exact.append(entry)
            elif not has_wildcard(entry[:-1]) and entry[-1] == "*" and ":" in entry:
                prefixes.append(entry[:-1])
            else:
                others.append(entry)
        self._exact = frozenset(exact)
        self._prefixes = tuple(prefixes)
        self._wild = Alternatives(others, _action_source)

    def matches(self, action: str) -> bool:
        """Whether an entry matches `action`, a lower-case `service:name`."""
        return action in self._exact or action.startswith(self._prefixes) or self._wild.matches(action)


def _action_source(entry: str) -> str:
    service, _, name = entry.partition(":")
    if is_everything(service) and is_everything(name):
        return ".*"
    # A service prefix takes no wildcard: one that stands there is matched as the character it is, so by no action.
    return re.escape(service) + ":" + glob_source(name)


# --- policy variables ------------------------------------------------------------------------------------------------

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_DEFAULT = re.compile(r"(?P<key>[^,]+),(?P<blank>\s*)'(?P<default>[^']*)'\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`.

    AWS's page writes a blank before the default. Whether a default without it (`tight`) counts is not documented: the
    reading that is taken ignores it.
    """

    key: str
    default: str | None = None
    tight: bool = False

    def resolve(self, context: Context, *, taken: bool) -> str | None:
        """The text in this request, its wildcards literal; None where the variable has no value."""
        value = context.get(self.key)
        if not isinstance(value, str):
            # A multivalued key cannot serve as a variable.
            value = None if self.tight and taken else self.default
        return None if value is None else value.translate(_LITERAL)


@dataclass(frozen=True, slots=True)
class Template:
    """A text with policy variables: literal pieces and variables in order."""

    pieces: tuple[str | Variable, ...]

    @property
    def in_doubt(self) -> bool:
        """Whether its two readings can differ."""
        return any(isinstance(piece, Variable) and piece.tight for piece in self.pieces)

    @property
    def keys(self) -> frozenset[str]:
        """The condition keys whose values it takes."""
        return frozenset(piece.key for piece in self.pieces if isinstance(piece, Variable))

    def resolve(self, context: Context, *, taken: bool) -> str | None:
        """The text with every variable replaced; None where one has no value."""
        texts: list[str] = []
        for piece in self.pieces:
            text = piece if isinstance(piece, str) else piece.resolve(context, taken=taken)
            if text is None:
                return None
            texts.append(text)
        return "".join(texts)


def parse_template(text: str) -> Template | None:
    """The template in a text, or None when there is no variable and no escape in it."""
    pieces: list[str | Variable] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        pieces.append(text[end : match.start()])
        pieces.append(_parse_variable(match[1]))
        end = match.end()
    if not pieces:
        return None
    return Template(tuple(piece for piece in (*pieces, text[end:]) if piece != ""))


def _parse_variable(body: str) -> str | Variable:
    if body in {"*", "?", "$"}:
        return body.translate(_LITERAL)
    if match := _DEFAULT.fullmatch(body):
        return Variable(fold(match["key"].strip()), match["default"], tight=not match["blank"])
    return Variable(fold(body.strip()))


def plain(text: str) -> str:
    """A resolved text as it compares: what a variable put in stands for itself."""
    return text.translate(_PLAIN)
