"""Findings page by page: what is wanted of an account, and where a page left off. Pure.

A cursor is a place in one account's findings, with a digest of the account and of what was wanted. The digest is no
secret: it tells a cursor that was cut, mixed up or made up from one that was handed out. What may be read is decided by
whoever asks a store for an account, and never by a cursor: whoever counterfeits one picks another place in findings
that they may read anyway.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from chalicelib.findings import Severity, Status
from chalicelib.ledger import Stored

LONGEST = 2_000
"""Characters of a cursor."""
LONGEST_PLACE = 1_024
"""Bytes of a place: it is a key of a store."""

_NAME = re.compile(r"[^#\ud800-\udfff]{1,128}")
_CURSOR = re.compile(r"[A-Za-z0-9_-]+={0,2}")


class CursorError(ValueError):
    """A cursor was not handed out for what it is used for; the text says so."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings of an account are wanted; None where it does not matter."""

    status: Status | None = None
    control: str | None = None
    severity: Severity | None = None
    user: str | None = None

    @property
    def is_possible(self) -> bool:
        """Whether users and controls can have such names at all. No key of a store is made of any other."""
        return all(name is None or _NAME.fullmatch(name) for name in (self.control, self.user))

    def matches(self, stored: Stored) -> bool:
        """Whether a finding is one of them."""
        pairs = (
            (self.status, stored.status),
            (self.control, stored.control),
            (self.severity, stored.severity),
            (self.user, stored.user),
        )
        return all(wanted is None or wanted == found for wanted, found in pairs)


ANY = Wanted()


@dataclass(frozen=True, slots=True)
class FindingPage:
    """Some findings, and the cursor of those that come after; None where there are none."""

    findings: Sequence[Stored]
    next: str | None = None


def cursor_of(account: str, wanted: Wanted, place: str) -> str:
    """The cursor of what comes after a place in an account; an empty place comes before all others."""
    text = json.dumps([account, place, _digest(account, wanted, place)], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(cursor: str, account: str, wanted: Wanted) -> str:
    """The place in that account from which a cursor leads on.

    Raises:
        CursorError: it was handed out for another account, for other findings, or by nobody.
    """
    named, place, digest = _parts(cursor)
    if named != account or digest != _digest(account, wanted, place):
        raise CursorError("the cursor belongs to another question")
    return place


def account_of(cursor: str) -> str:
    """The account in which a cursor leads on. Whether whoever brings it may read that account is not for it to say.

    Raises:
        CursorError: it was handed out by nobody.
    """
    return _parts(cursor)[0]


def _parts(cursor: str) -> tuple[str, str, str]:
    if len(cursor) > LONGEST or not _CURSOR.fullmatch(cursor):
        raise CursorError("that is no cursor")
    try:
        account, place, digest = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        fits = len(place.encode()) <= LONGEST_PLACE and isinstance(account, str) and isinstance(digest, str)
    except (ValueError, TypeError, AttributeError, RecursionError):
        fits = False
    if not fits:
        raise CursorError("that is no cursor")
    return account, place, digest


def _digest(account: str, wanted: Wanted, place: str) -> str:
    said = json.dumps([account, *astuple(wanted), place])
    return hashlib.sha256(said.encode()).hexdigest()[:16]
