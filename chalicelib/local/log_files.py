"""CloudTrail's records in files, however they came there: as CloudTrail puts them into S3, or as a tool printed them.

A file is what its first bytes say, and not its name: gzip or plain, UTF-8 or what a shell of Windows writes instead. It
is read in pieces and never held as a whole. What cannot be read is told, and what stands before it is not lost.
"""

from __future__ import annotations

import codecs
import errno
import gzip
import io
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from chalicelib.events.envelopes import records_in
from chalicelib.local.json_values import json_values

STANDARD_INPUT = "-"
ENDINGS = (".json", ".jsonl", ".ndjson", ".gz")
"""How files end that are taken out of a directory."""
_NONE_BELOW = f"no file in it is one of CloudTrail's: they end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"

_PIECE = 256 * 1024
_GZIP = b"\x1f\x8b"
_NO_RECORDS = ("CloudTrail-Digest", "CloudTrail-Insight")
"""In the names of folders, and of files, that CloudTrail puts beside its logs."""
_BUCKET, _TRAIL = "AWSLogs", "CloudTrail"
"""The folder in which AWS's services put what they log, and CloudTrail's own in it."""


Broken = Callable[[str, str], None]
"""Is told of what could not be read: the file, and the place and the reason on one line."""


class LogFiles:
    """The records of some files and directories, in the order of the names; "-" is standard input.

    `broken` is told of what could not be read, and `advance` of the bytes that have been.
    """

    def __init__(self, paths: Sequence[Path], broken: Broken, advance: Callable[[int], None] = lambda _: None) -> None:
        self._paths = paths
        self._broken = broken
        self._advance = advance
        self.files = 0
        """How many have been read, in part at least."""

    def size(self) -> int | None:
        """The bytes of all files; None where standard input is among them."""
        if any(str(path) == STANDARD_INPUT for path in self._paths):
            return None
        return sum(_size(path) for path in self._found(lambda _: None))

    def records(self) -> Iterator[Mapping[str, Any]]:
        """The records, of all files one after the other."""
        for path in self._found(lambda error: self._tell(Path(error.filename), error)):
            self.files += 1
            for value in self._values(path):
                # Most are records as they stand, and there are many.
                if type(value) is dict and "eventName" in value and "eventSource" in value:
                    yield value
                elif isinstance(value, str):
                    yield from records_in(_unfolded(value))
                else:
                    yield from records_in(value)

    def _found(self, failed: Callable[[OSError], None]) -> Iterator[Path]:
        for path in self._paths:
            if path.is_dir():
                errors: list[OSError] = []
                found = False
                for below in _files_below(path, errors.append):
                    found = True
                    yield below
                if not found and not errors:
                    errors.append(OSError(errno.ENOENT, _NONE_BELOW, str(path)))
                for error in errors:
                    failed(error)
            else:
                yield path

    def _values(self, path: Path) -> Iterator[object]:
        try:
            yield from json_values(self._pieces(path), lambda reason: self._broken(str(path), reason))
        except (OSError, EOFError, zlib.error) as error:
            self._tell(path, error)

    def _pieces(self, path: Path) -> Iterator[str]:
        """The text of a file."""
        with ExitStack() as stack:
            stream = sys.stdin.buffer if str(path) == STANDARD_INPUT else stack.enter_context(path.open("rb"))
            plain = io.BufferedReader(_Counted(stream, self._advance), _PIECE)
            is_gzip = plain.peek(len(_GZIP)).startswith(_GZIP)
            content = stack.enter_context(gzip.GzipFile(fileobj=plain)) if is_gzip else plain
            decoder: codecs.IncrementalDecoder | None = None
            while data := content.read1(_PIECE):
                if decoder is None:
                    # A byte that is wrong in one user agent must not cost the other records.
                    decoder = codecs.getincrementaldecoder(json.detect_encoding(data))(errors="replace")
                if text := decoder.decode(data):
                    yield text

    def _tell(self, path: Path, error: Exception) -> None:
        if isinstance(error, gzip.BadGzipFile | zlib.error):
            reason = f"is broken gzip: {error}"
        elif isinstance(error, OSError):
            reason = error.strerror or str(error)
        else:
            reason = "ends in the middle of gzip: it is cut off"
        self._broken(str(path), reason)


class _Counted(io.RawIOBase):
    """A binary stream whose bytes are counted as they are read."""

    def __init__(self, stream: IO[bytes], advance: Callable[[int], None]) -> None:
        self._stream = stream
        self._advance = advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._stream.read1(len(buffer))  # type: ignore[attr-defined]
        buffer[: len(data)] = data
        self._advance(len(data))
        return len(data)


def holds_records(name: str) -> bool:
    """Whether a file of that name is one of records, and none of what CloudTrail puts beside them."""
    return not any(mark in name for mark in _NO_RECORDS)


def _files_below(folder: Path, failed: Callable[[OSError], None]) -> Iterator[Path]:
    """The files of a directory that may hold records, in the order of their names: days in their order.

    In what CloudTrail and other services put into one bucket, CloudTrail's logs alone.
    """
    for place, folders, names in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        path = Path(place)
        if _of_others(path):
            continue
        for name in sorted(names):
            if name.lower().endswith(ENDINGS) and holds_records(name):
                yield path / name


def _of_others(folder: Path) -> bool:
    """Whether what lies here is no log of CloudTrail's, by where it lies."""
    parts = folder.parts
    below = parts[parts.index(_BUCKET) + 1 :] if _BUCKET in parts else (_TRAIL,)
    return _TRAIL not in below or not set(_NO_RECORDS).isdisjoint(parts)


def _unfolded(text: str) -> object:
    """The value of a text that is JSON itself, as events are listed without their envelopes."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
