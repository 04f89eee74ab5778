"""How to go on from an audit in a terminal: the commands, to copy into a shell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from chalicelib.report.proof import replay, typed
from chalicelib.report.screen import Line, Screen
from chalicelib.report.table_groups import Group

_ON = " \\"
"""Ends a line of a command that goes on."""
_INDENT = 2


@dataclass(frozen=True, slots=True)
class Source:
    """What an audit was of, as the options that other commands take to ask of the same."""

    account: tuple[str, ...] = ()
    """Those that name the account's state."""
    settings: tuple[str, ...] = ()
    users: tuple[str, ...] = ()


NO_SOURCE = Source()
"""The live account, all of it, by the settings that are found."""


def next_steps(groups: Iterable[Group], source: Source, screen: Screen) -> Iterator[Line]:
    """What to ask next, where anything was found: why the gravest gets through, all of it as a page, what mends it."""
    proofs = (replay(group.user, one.finding.witness, source.account) for group in groups for one in group.told)
    replays = (("why it gets through", command) for command in proofs if command)
    audited = (*source.account, *source.settings, *source.users)
    steps = [
        *next(([one] for one in replays if _fits(one[1], screen)), []),
        ("all of it as a page", ["mfawatch", "audit", *audited, "--format", "html", "-o", "report.html"]),
        ("what would mend it", ["mfawatch", "remediate", *audited]),
    ]
    for what, command in steps:
        if _fits(command, screen):
            yield ((f"# {what}", "dim"),)
            yield from (((" " * _INDENT, ""), (line, "")) for line in _lines(command, screen))


def _fits(command: Sequence[str], screen: Screen) -> bool:
    """Whether the command can be shown so that a shell takes it as it is: no word is too long or holds odd signs."""
    room = screen.width - 2 * _INDENT - len(_ON)
    return all(word.isprintable() and (not screen.cut or cell_len(word) <= room) for word in typed(command))


def _lines(command: Sequence[str], screen: Screen) -> list[str]:
    """The command on as many lines as it takes; where nothing is cut, on one."""
    room = screen.width - _INDENT - len(_ON)
    one, *rest = _options(typed(command), room - _INDENT)
    lines = [one]
    for words in rest:
        longer = f"{lines[-1]} {words}"
        if not screen.cut or cell_len(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(f"{' ' * _INDENT}{words}")
    return [*(f"{line}{_ON}" for line in lines[:-1]), lines[-1]]


def _options(words: Sequence[str], room: int) -> Iterator[str]:
    """The words, an option with its value where both fit on a line."""
    option = ""
    for word in words:
        if option and not word.startswith("-") and cell_len(f"{option} {word}") <= room:
            yield f"{option} {word}"
            option = ""
            continue
        if option:
            yield option
        option = word if word.startswith("-") else ""
        if not option:
            yield word
    if option:
        yield option
