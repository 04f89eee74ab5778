"""What a replay has found so far, in a database of SQLite that is this process's own and goes with it.

It lies in memory while it is small and in a temporary file beyond that, so a replay needs the same memory however long
it goes on. The copies of an event, which come by several ways, are one here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from chalicelib.events.git_operation import GitOperation
from chalicelib.events.happening import Happening, Repeated, parse_happening

_CACHE = 4 * 1024
"""Kilobytes of the database that are kept in memory."""
_SCHEMA = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -{_CACHE};
CREATE TABLE git (identity TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE happening (
    identity TEXT PRIMARY KEY,
    at TEXT,
    day TEXT,
    account TEXT NOT NULL,
    sentence TEXT NOT NULL,
    actor TEXT NOT NULL,
    mfa TEXT NOT NULL,
    address TEXT NOT NULL,
    whole TEXT NOT NULL
);
"""
_ADD = """
INSERT INTO happening VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (identity) DO UPDATE SET
    at = excluded.at, day = excluded.day, account = excluded.account, sentence = excluded.sentence,
    actor = excluded.actor, mfa = excluded.mfa, address = excluded.address, whole = excluded.whole
WHERE (length(excluded.whole), excluded.whole) > (length(whole), whole)
"""
_EACH = "SELECT whole FROM happening ORDER BY at IS NULL, at, identity"
_ALIKE = """
SELECT min(whole), count(*), min(at), max(at) FROM happening GROUP BY day, account, sentence, actor, mfa, address
ORDER BY min(at) IS NULL, min(at), min(identity)
"""


class TimelineStore:
    """The Git operations that have been counted, by their identities, and the events of a timeline."""

    def __init__(self) -> None:
        # The name says: a database of this connection alone, which SQLite deletes.
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def is_new(self, operation: GitOperation) -> bool:
        """Whether the Git operation has not been met before; from now on it has."""
        found = self._connection.execute("INSERT INTO git VALUES (?) ON CONFLICT DO NOTHING", (operation.identity,))
        return found.rowcount == 1

    def add(self, identity: str, happening: Happening) -> None:
        """Keep an event; of its copies the one that tells the most."""
        cause = happening.cause
        at = cause.at.isoformat() if cause.at else None
        done = (identity, at, at and at[:10], happening.account, happening.sentence)
        by = (cause.actor, happening.mfa, cause.address)
        self._connection.execute(_ADD, (*done, *by, json.dumps(happening.to_json())))

    def happenings(self) -> Iterator[Happening]:
        """The events, the oldest first; at the end those whose records do not say when."""
        return (parse_happening(json.loads(row[0])) for row in self._connection.execute(_EACH))

    def by_day(self) -> Iterator[Repeated]:
        """The same, but what was the same on one day is one."""
        for whole, times, first, last in self._connection.execute(_ALIKE):
            yield Repeated(parse_happening(json.loads(whole)), times, _moment(first), _moment(last))

    def __len__(self) -> int:
        count: int = self._connection.execute("SELECT count(*) FROM happening").fetchone()[0]
        return count


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
