"""A text of indented lines, as `explain`, `surface` and `git` tell it, for the terminal that it goes to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.cells import cell_len

from chalicelib.report.screen import Line, console_for, hanging, screen_of, shown

_HANGING = 2
_DOCUMENT = ('"', "{", "}", "[", "]")
"""Begins a line of a JSON document: that stays as it is, for it is there to be copied."""
_DOUBTS = ("uncertain: ", "not exhaustive: ", "not certain: ", "note: ")


def fitted(lines: Iterable[str], to: TextIO | None = None) -> str:
    """The lines, what is too long for the terminal below its own beginning; elsewhere each as long as it is.

    What begins at the margin is a headline, and what is in doubt stands out. They have to be clean.
    """
    screen = screen_of(to)
    found: list[Line] = []
    for line in lines:
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        style = "yellow" if text.startswith(_DOUBTS) else "" if indent else "bold"
        if not screen.cut or text.startswith(_DOCUMENT) or cell_len(line) <= screen.width:
            found.append(((line, style),))
            continue
        one, *rest = hanging(((" " * (indent + _HANGING), ""),), text, screen, style)
        # Only the first line stands where it was: the others hang.
        found += [((" " * indent, ""), *one[1:]), *rest]
    return shown(found, console_for(screen.width, to))
