"""The JSON values of a text that comes in pieces: one, several, one a line, or the elements of a list of records.

Of a text of any length no more is held than the value that is being read, and that is bounded. What comes before a
broken place is given out, and where lines begin anew behind it, so is what follows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

LONGEST = 16 * 1024 * 1024
"""Characters of one value, or of white space: a record of CloudTrail has at most a quarter of a million bytes."""
MOST_BROKEN = 100
"""Broken places in one text, after which the rest is given up."""

_AHEAD = 256
_LONGEST_TOKEN = len('"\\uD800\\uDC00"')
_LIST = re.compile(r'\{\s{0,64}"(Records|Events)"\s{0,64}:\s{0,64}\[')
_SPACE = re.compile(r"[ \t\n\r\ufeff]*")
_NEXT = re.compile(r"\n[^\S\n]*(?=\{)")
_STRAY = ",]}"
"""What is left of a list, or of an object, whose beginning was lost to a broken place."""

_decode = json.JSONDecoder().raw_decode


class BrokenError(ValueError):
    """The text is no JSON; the message is one line and says where."""


def json_values(pieces: Iterator[str], broken: Callable[[str], None]) -> Iterator[object]:
    """The values in the text that the pieces make.

    An object that begins with a list of `Records` or `Events` is not given as one: of `Records` each element is, of
    `Events` an object with that element alone. `broken` is told of each place where the text is none of this.

    Raises:
        Whatever the pieces raise, once all values before it have been given out.
    """
    window = _Window(pieces)
    broke = 0
    while True:
        try:
            yield from window.values(recovering=broke > 0)
        except BrokenError as error:
            broke += 1
            if broke > MOST_BROKEN:
                broken(f"{MOST_BROKEN} broken places: the rest was not read")
                return
            broken(str(error))
            if window.find_line():
                continue
        return


class _Window:
    """The part of the text that is being read; `at` is the place in it."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._failure: Exception | None = None
        self._lines = 0
        """Lines that ended in what is no longer held."""
        self._columns = 0
        """Characters of the line that began in what is no longer held."""
        self.text = ""
        self.at = 0

    def values(self, *, recovering: bool) -> Iterator[object]:
        while first := self._skip():
            if recovering and first in _STRAY:
                self.at += 1
            elif first == "[":
                self.at += 1
                yield from self._elements()
            elif first == "{" and (opened := self._opening()):
                self.at = opened.end()
                yield from self._elements(opened[1])
                yield from self._members()
            else:
                yield self._value()

    def find_line(self) -> bool:
        """Go to the next line that an object begins; False where there is none."""
        while not (found := _NEXT.search(self.text, self.at)):
            # The white space behind the last line may go on in the next piece.
            line = self.text.rfind("\n", len(self.text.rstrip()))
            goes_on = line >= 0 and len(self.text) - line <= LONGEST
            self.at = max(self.at, line if goes_on else len(self.text))
            if not self._more():
                return False
        self.at = found.end()
        return True

    def _opening(self) -> re.Match[str] | None:
        """How an object begins whose first member is a list of records."""
        while len(self.text) - self.at < _AHEAD and not self._failure and self._more():
            pass
        return _LIST.match(self.text, self.at)

    def _elements(self, name: str = "Records") -> Iterator[object]:
        """The elements of a list, of which the bracket has been read."""
        while (first := self._skip()) != "]":
            if not first:
                raise self._broken("ends in the middle of a list", self.at)
            yield self._value() if name == "Records" else {name: [self._value()]}
            after = self._skip()
            if after == ",":
                self.at += 1
            elif after and after != "]":
                raise self._broken("a comma or a bracket is missing", self.at)
        self.at += 1

    def _members(self) -> Iterator[object]:
        """What an object has beside its list: a token for the next page, or more than that."""
        while (after := self._skip()) == ",":
            self.at += 1
            self._skip()
            name = self._value()
            if self._skip() != ":":
                raise self._broken("a colon is missing", self.at)
            self.at += 1
            self._skip()
            yield {str(name): self._value()}
        if after != "}":
            raise self._broken("ends in the middle of an object" if not after else "a comma is missing", self.at)
        self.at += 1

    def _value(self) -> object:
        """The value that begins here."""
        while True:
            before = self.at
            try:
                found, end = _decode(self.text, self.at)
            except json.JSONDecodeError as error:
                self._read_on(error.msg, error.pos)
            except RecursionError:
                raise self._broken("nested too deep", self.at) from None
            except ValueError as error:  # an integer of thousands of digits
                raise self._broken(str(error).partition(";")[0], self.at) from None
            else:
                # Of a number more may be in the next piece.
                near_the_end = end > len(self.text) - _LONGEST_TOKEN
                if near_the_end and isinstance(found, int | float) and self._more():
                    continue
                self.at += end - before
                return found

    def _read_on(self, reason: str, place: int) -> None:
        """Read on where what is wrong may be no more than that the rest of a value has not been read yet."""
        open_text = reason.startswith("Unterminated string")
        if not open_text and place < len(self.text) - _LONGEST_TOKEN:
            raise self._broken(reason, place)
        if len(self.text) - self.at > LONGEST:
            raise self._broken(f"one value is longer than {LONGEST:,} characters", self.at)
        behind = place - self.at
        if not self._more():
            ended = open_text or self.at + behind >= len(self.text.rstrip())
            raise self._broken("ends in the middle of a value" if ended else reason, self.at + behind)

    def _skip(self) -> str:
        """Pass over white space; the character behind it, empty at the end."""
        blank = 0
        while True:
            text, at = self.text, self.at
            if at < len(text) and (first := text[at]) > " " and first != "\ufeff":
                return first
            found = _SPACE.match(text, at)
            assert found
            blank += found.end() - at
            self.at = found.end()
            if self.at < len(text):
                return text[self.at]
            if blank > LONGEST:
                raise self._broken(f"more than {LONGEST:,} characters of white space", self.at)
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on, twice as far as is held, so that a long value is not begun too often; False at the end."""
        if self._failure:
            raise self._failure
        gone, kept = self.text[: self.at], self.text[self.at :]
        ended = gone.count("\n")
        self._lines += ended
        self._columns = len(gone) - gone.rindex("\n") - 1 if ended else self._columns + len(gone)
        parts, got = [kept], 0
        while got <= len(kept):
            try:
                piece = next(self._pieces, "")
            except Exception as error:  # raised when what came before it has been given out
                self._failure = error
                break
            if not piece:
                break
            parts.append(piece)
            got += len(piece)
        self.text, self.at = "".join(parts), 0
        if self._failure and not got:
            raise self._failure
        return got > 0

    def _broken(self, reason: str, place: int) -> BrokenError:
        before = self.text[:place]
        line = self._lines + before.count("\n") + 1
        column = len(before) - before.rindex("\n") if "\n" in before else self._columns + len(before) + 1
        return BrokenError(f"line {line} column {column}: {reason}")
