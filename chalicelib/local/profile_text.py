"""A profile in the text of a credentials file: found and put in, with all else left as it stands. Pure.

The text is read as the AWS CLI and the SDKs for Python read it, which is Python's configparser: a line that is indented
more than the setting above it goes on with that setting, even where it looks like a profile's name. What a person wrote
around the profile stays byte for byte: comments, order, blank lines, how lines end, settings in the profile that are
none of ours.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from configparser import Error, RawConfigParser
from dataclasses import dataclass, field

_ENDING = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_HEADER = re.compile(r"\[(?P<name>.+)\]")
_SETTING = re.compile(r"(?P<name>.*?)\s*(?:[=:]|$)")
_COMMENTS = ("#", ";")


class ProfileError(ValueError):
    """The text is none of profiles, or one that nothing can be put into."""


@dataclass(slots=True)
class _Setting:
    """A setting's name in lower case, and the lines that it takes, from `start` up to `end`."""

    name: str
    start: int
    end: int


@dataclass(slots=True)
class _Section:
    """A profile's lines: its header at `start`, its settings, and where the last of them ends."""

    name: str
    start: int
    settings: list[_Setting] = field(default_factory=list)

    @property
    def end(self) -> int:
        """The line behind its last setting, or behind its header."""
        return self.settings[-1].end if self.settings else self.start + 1


def profiles_of(text: str) -> dict[str, dict[str, str]]:
    """The profiles in a text, each with its settings, and with those of a section DEFAULT, which are everybody's.

    Raises:
        ProfileError: the AWS CLI could not read it either.
    """
    return _parsed(text)[1]


def _parsed(text: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What stands in everybody's section, and the profiles."""
    parser = RawConfigParser()
    try:
        # As when it is read from a file: however lines end, they do.
        parser.read_file(io.StringIO(text, newline=None))
        return dict(parser.defaults()), {name: dict(parser.items(name)) for name in parser.sections()}
    except (Error, AttributeError) as error:
        # The parser's messages show the lines, and those may hold secrets.
        place = getattr(error, "lineno", None) or next((line for line, _ in getattr(error, "errors", ())), None)
        raise ProfileError(f"is not as the AWS CLI reads it{f': line {place}' if place else ''}") from None


def with_profile(text: str, name: str, values: Mapping[str, str]) -> str:
    """The text with these settings in the profile of that name, which is put at the end where there is none.

    Raises:
        ProfileError: the AWS CLI could not read the text, or would not read these settings back from it.
    """
    defaults, before = _parsed(text)
    lines = [line for line in _LINE.findall(text) if line]
    section = next((one for one in _sections(lines) if one.name == name), None)
    changed = "".join(_appended(lines, name, values) if section is None else _within(lines, section, values))
    if profiles_of(changed) != before | {name: {**before.get(name, defaults), **values}}:
        raise ProfileError(f"profile {name} cannot be put into it")
    return changed


def _appended(lines: list[str], name: str, values: Mapping[str, str]) -> Iterator[str]:
    ending = _ending_before(lines, len(lines))
    yield from lines
    if lines and not _ENDING.search(lines[-1]):
        yield ending
    if lines and lines[-1].strip():
        yield ending
    yield f"[{name}]{ending}"
    yield from (f"{key} = {value}{ending}" for key, value in values.items())


def _within(lines: list[str], section: _Section, values: Mapping[str, str]) -> Iterator[str]:
    ours = {setting.start: setting for setting in section.settings if setting.name in values}
    there = {setting.name for setting in ours.values()}
    yield from lines[: section.start]
    position = section.start
    while position < section.end:
        if setting := ours.get(position):
            indent, ending = _indent(lines[position]), _ending_before(lines, setting.end)
            yield f"{indent}{setting.name} = {values[setting.name]}{ending}"
            position = setting.end
        else:
            yield lines[position]
            if not _ENDING.search(lines[position]):
                yield _ending_before(lines, position)
            position += 1
    indent, ending = _indent_within(lines, section), _ending_before(lines, section.end)
    yield from (f"{indent}{key} = {value}{ending}" for key, value in values.items() if key not in there)
    yield from lines[section.end :]


def _ending_before(lines: list[str], position: int) -> str:
    """How the last line before a position ends, or the one above it where it has no end.

    What is put there ends so too: a line that ends in a carriage return would swallow the line feed of one behind it.
    """
    found = (match[0] for line in reversed(lines[:position]) if (match := _ENDING.search(line)))
    return next(found, "\n")


def _indent_within(lines: list[str], section: _Section) -> str:
    """How far a setting behind the others has to be indented: less, and what follows would go on with it."""
    if section.settings:
        return _indent(lines[section.settings[-1].start])
    following = next((line for line in lines[section.end :] if _says_something(line)), "")
    return max(_indent(following), _indent(lines[section.start]), key=len)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _says_something(line: str) -> bool:
    """Whether it is neither blank nor a comment."""
    return bool(line.strip()) and not line.strip().startswith(_COMMENTS)


def _sections(lines: list[str]) -> Iterator[_Section]:
    """The profiles of a text that has been parsed, as the parser sees them."""
    section: _Section | None = None
    setting: _Setting | None = None
    indent = 0
    for number, line in enumerate(lines):
        if not _says_something(line):
            continue
        value, deep = line.strip(), len(_indent(line))
        if setting is not None and deep > indent:
            setting.end = number + 1
            continue
        indent = deep
        if match := _HEADER.match(value):
            if section is not None:
                yield section
            section, setting = _Section(match["name"], number), None
        elif section is not None and (match := _SETTING.match(value)):
            setting = _Setting(match["name"].rstrip().lower(), number, number + 1)
            section.settings.append(setting)
    if section is not None:
        yield section
