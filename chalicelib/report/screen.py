"""The terminal that a report goes to, or what takes its place: its width, its colours, and lines that fit.

Colour is where rich finds that it can be: at a terminal, unless NO_COLOR or TERM=dumb say otherwise, and elsewhere
where FORCE_COLOR asks for it.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

PLAIN_WIDTH = 120
"""Of a file or a pipe, which have none."""
NARROWEST = 40
"""A terminal that is narrower is taken for one of this width."""
_BREAKS = ":/,"
"""A word that is too long is broken behind one of these, if it can be."""

_WIDENS = "\ufe0f"
"""Shows the character before it as a picture, which may take one cell more."""

Line = tuple[tuple[str, str], ...]
"""Pieces of a line, each with how it looks."""


@dataclass(frozen=True, slots=True)
class Screen:
    """How wide the lines are, and whether they may be cut to it."""

    width: int
    cut: bool
    """Whether a long text may be cut, and a long word be broken; where there is no terminal nothing is lost."""


def screen_of(to: TextIO | None = None, *, plain: bool = False) -> Screen:
    """The screen that a text is for; by default standard output."""
    if plain or not (to or sys.stdout).isatty():
        return Screen(PLAIN_WIDTH, cut=False)
    return Screen(max(shutil.get_terminal_size().columns, NARROWEST), cut=True)


def console_for(width: int, to: TextIO | None = None, *, plain: bool = False) -> Console:
    """A console that keeps what it is given, with the colours of where that goes; none if it is to be `plain`."""
    terminal = False if plain else True if (to or sys.stdout).isatty() else None
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, highlight=False, markup=False, emoji=False)


def printed(console: Console) -> str:
    """What the console was given, without the spaces that end a line."""
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().split("\n"))


def shown(lines: Iterable[Line], console: Console) -> str:
    """The lines as text, in the console's colours."""
    paints: dict[str, tuple[str, str]] = {"": ("", "")}

    def painted(text: str, style: str) -> str:
        if style not in paints:
            # Asked once for each style: to print each line through the console takes ten times as long.
            with console.capture() as capture:
                console.print(Text("x", style), end="")
            before, _, after = capture.get().partition("x")
            paints[style] = before, after
        before, after = paints[style]
        return f"{before}{text}{after}" if text else ""

    return "\n".join("".join(painted(*piece) for piece in line).rstrip() for line in lines)


def wrapped(text: str, screen: Screen, indent: int = 0) -> list[str]:
    """The text in lines that fit behind an indentation."""
    width = screen.width - indent
    if cell_len(text) <= width:
        return [text]
    lines: list[str] = []
    line: str | None = None
    for word in text.split(" "):
        longer = word if line is None else f"{line} {word}"
        if cell_len(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, width) if screen.cut else [word]
        lines += full
    return lines if line is None else [*lines, line]


def _pieces(word: str, width: int) -> list[str]:
    """A word in pieces that fit."""
    pieces = []
    while cell_len(word) > width:
        piece = _beginning(word, width)
        end = 1 + max(map(piece.rfind, _BREAKS))
        # A break in the first half would leave more of the line empty than it is worth.
        piece = piece[:end] if end > len(piece) // 2 else piece
        pieces.append(piece)
        word = word[len(piece) :]
    return [*pieces, word]


def _beginning(text: str, width: int) -> str:
    """As much of the text as fits; signs that take no cell of their own stay with what they belong to."""
    used = 0
    for place, character in enumerate(text):
        used += 1 if character == _WIDENS else cell_len(character)
        if used > width:
            return text[:place]
    return text


def cut(text: str, width: int) -> str:
    """The text on one line; its end is replaced where it is too long."""
    return text if cell_len(text) <= width else f"{_beginning(text, width - 1).rstrip()}…"


def hanging(first: Line, text: str, screen: Screen, style: str = "") -> list[Line]:
    """A text behind what its first line begins with; its other lines stand below where the text begins."""
    indent = width_of(first)
    one, *rest = wrapped(text, screen, indent)
    return [(*first, (one, style)), *(((" " * indent, ""), (line, style)) for line in rest)]


def enumerated(first: Line, items: Sequence[tuple[str, str]], screen: Screen) -> list[Line]:
    """Short items with their looks, a comma between them, behind what the first line begins with."""
    indent = used = width_of(first)
    lines, line = [], first
    for number, (item, style) in enumerate(items, 1):
        comma = "," if number < len(items) else ""
        gap = " " if used > indent else ""
        if gap and used + cell_len(f"{gap}{item}{comma}") > screen.width:
            lines.append(line)
            line, used, gap = ((" " * indent, ""),), indent, ""
        line = (*line, (gap, ""), (item, style), (comma, ""))
        used += cell_len(f"{gap}{item}{comma}")
    return [*lines, line]


def width_of(line: Line) -> int:
    """How many cells the line takes."""
    return sum(cell_len(piece) for piece, _ in line)
