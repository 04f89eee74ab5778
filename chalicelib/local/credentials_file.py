"""The shared credentials file of the AWS CLI: one profile of it is written, and nothing else touched.

A reader sees the file as it was or as it is, never half of it. Of two writers of this kind one waits for the other;
what any other program writes meanwhile is not lost either.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from chalicelib.local.profile_text import ProfileError, profiles_of, with_profile

_ROUNDS = 20
"""Attempts at a file that others change all the time."""

Decide = Callable[[Mapping[str, Mapping[str, str]]], Mapping[str, str]]
"""The profiles as they are → the settings to write."""


def read_profiles(path: Path) -> Mapping[str, Mapping[str, str]]:
    """The profiles in the file; none where there is no file.

    Raises:
        ProfileError: the AWS CLI could not read it either.
        OSError: it cannot be read.
    """
    return profiles_of(_text(path))


def write_profile(path: Path, name: str, decide: Decide) -> None:
    """Write settings into a profile of the file, all of them or none.

    The file can be read by its owner alone afterwards. Where it is a link, what it leads to is written. `decide` is
    asked while no other writer of this kind is at it, and again where some other program was faster.

    Raises:
        ProfileError: the AWS CLI could not read the file, or it is changed again and again.
        OSError: it cannot be written.
    """
    path = path.resolve()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _ in range(_ROUNDS):
        with _locked(path):
            before = _text(path)
            settings = decide(profiles_of(before))
            if _replaced(path, before, with_profile(before, name, settings)):
                return
    raise ProfileError("others change it again and again")


def _text(path: Path) -> str:
    # What is no UTF-8 comes back as the bytes that it was.
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Nobody else is here with this file. The lock is on the file itself, so that none is left lying around."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_there(descriptor, path):
                yield
                return
        finally:
            os.close(descriptor)
        # Whoever had the lock has put another file in its place.


def _is_there(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _replaced(path: Path, before: str, after: str) -> bool:
    """Put a new file in the place of the old one; False where that says something else by now."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            owner = path.stat().st_uid
            if owner != os.geteuid():
                # By sudo, say: the file stays its owner's.
                os.fchown(stream.fileno(), owner, -1)
            stream.write(after.encode("utf-8", "surrogateescape"))
            stream.flush()
            os.fsync(stream.fileno())
        if _text(path) != before:
            temporary.unlink()
            return False
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return True
