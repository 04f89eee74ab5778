"""The ledger in one SQLite file, for a laptop."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.ledger import Change, Event, Stored, event_of
from chalicelib.ledger_rows import event_of_row, row_of, row_of_event, stored_of
from chalicelib.local.sqlite_file import Kind, SqliteFile
from chalicelib.moments import to_second
from chalicelib.paging import ANY, FindingPage, Wanted, cursor_of, place_of
from chalicelib.ports import Clock
from chalicelib.runs import RunReport, report_of_row, row_of_report

KEEP = timedelta(days=90)

_OF_VERSION_2 = ("ALTER TABLE history ADD COLUMN cause TEXT",)
"""What makes a ledger of the version before one of this."""
_SCHEMA = """
CREATE TABLE finding (
    account TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    control TEXT NOT NULL,
    user TEXT,
    severity TEXT NOT NULL,
    status TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    resolved_at TEXT,
    version INTEGER NOT NULL,
    since INTEGER NOT NULL,
    run TEXT NOT NULL,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL,
    finding TEXT NOT NULL,
    suppression TEXT,
    PRIMARY KEY (account, fingerprint)
);
CREATE INDEX finding_of_user ON finding (account, user);
CREATE TABLE history (
    account TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    run TEXT NOT NULL,
    status TEXT NOT NULL,
    severity TEXT NOT NULL,
    parts TEXT NOT NULL,
    cause TEXT,
    PRIMARY KEY (account, fingerprint, version)
);
CREATE TABLE report (
    account TEXT NOT NULL,
    run TEXT NOT NULL,
    started TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (account, started, run)
);
"""
_INSERT = """
INSERT INTO finding VALUES (
    :account, :fingerprint, :control, :user, :severity, :status, :first_seen, :last_seen, :resolved_at, :version,
    :since, :run, :kind, :digest, :finding, :suppression
) ON CONFLICT DO NOTHING
"""
_UPDATE = """
UPDATE finding SET
    severity = :severity, status = :status, last_seen = :last_seen, resolved_at = :resolved_at, version = :version,
    since = :since, run = :run, kind = :kind, digest = :digest, finding = :finding, suppression = :suppression
WHERE account = :account AND fingerprint = :fingerprint AND version = :seen AND last_seen <= :known_at
"""
_TELL = """
INSERT INTO history (account, fingerprint, version, kind, at, run, status, severity, parts, cause)
VALUES (:account, :fingerprint, :version, :kind, :at, :run, :status, :severity, :parts, :cause)
"""
_FORGET = (
    """
    DELETE FROM history WHERE (account, fingerprint) IN (
        SELECT account, fingerprint FROM finding WHERE resolved_at < :before
    )
    """,
    "DELETE FROM finding WHERE resolved_at < :before",
    "DELETE FROM report WHERE started < :before",
)


def _now() -> datetime:
    return datetime.now(UTC)


class LedgerError(ValueError):
    """The file is no ledger that this version can read."""


class SqliteFindingStore(SqliteFile):
    """A `FindingStore` and `RunLog` in a file.

    Findings that have been resolved for longer than `keep` are forgotten, and so are the runs of that time.

    Raises:
        LedgerError: the file is something else, or was made by a later version.
        OSError: it cannot be opened.
    """

    kind = Kind("ledger", 0x6D666177, 3, _SCHEMA, LedgerError, {2: _OF_VERSION_2})  # "mfaw"

    def __init__(self, path: Path, keep: timedelta = KEEP, clock: Clock = _now, *, create: bool = True) -> None:
        super().__init__(path, create=create)
        self._keep = keep
        self._clock = clock

    def accounts(self) -> Sequence[str]:
        """The accounts that there are findings or runs of, sorted."""
        select = "SELECT account FROM finding UNION SELECT account FROM report ORDER BY account"
        return [str(row["account"]) for row in self._connection.execute(select)]

    def load(self, account: str, users: Collection[str] | None = None) -> Sequence[Stored]:
        """See `FindingStore`."""
        select = "SELECT * FROM finding WHERE account = ?"
        if users is None:
            return [stored_of(_filled(row)) for row in self._connection.execute(select, (account,))]
        found: list[sqlite3.Row] = []
        for user in sorted(set(users)):
            found += self._connection.execute(f"{select} AND user = ?", (account, user))
        return [stored_of(_filled(row)) for row in found]

    def find(self, account: str, fingerprint: str) -> Stored | None:
        """The finding of an account with that fingerprint, whosever it is."""
        select = "SELECT * FROM finding WHERE account = ? AND fingerprint = ?"
        row = self._connection.execute(select, (account, fingerprint)).fetchone()
        return stored_of(_filled(row)) if row else None

    def page(self, account: str, after: str | None, most: int, wanted: Wanted = ANY) -> FindingPage:
        """See `FindingPages`."""
        place = place_of(after, account, wanted) if after is not None else ""
        if not wanted.is_possible:
            return FindingPage(())
        asked = {name: str(value) for name, value in asdict(wanted).items() if value is not None}
        where = "".join(f" AND {name} = :{name}" for name in asked)
        select = f"SELECT * FROM finding WHERE account = :account AND fingerprint > :place{where}"  # noqa: S608 - our names
        rows = self._connection.execute(
            f"{select} ORDER BY fingerprint LIMIT :most",
            asked | {"account": account, "place": place, "most": most + 1},
        ).fetchall()
        found = [stored_of(_filled(row)) for row in rows[:most]]
        return FindingPage(found, cursor_of(account, wanted, found[-1].fingerprint) if len(rows) > most else None)

    def apply(self, changes: Sequence[Change]) -> Sequence[Change]:
        """See `FindingStore`. All are written in one transaction."""
        with self._transaction():
            won = [change for change in changes if change.before == change.after or self._write(change)]
            self._forget()
        return won

    def history(self, account: str, fingerprint: str) -> Sequence[Event]:
        """See `FindingStore`."""
        select = "SELECT * FROM history WHERE account = ? AND fingerprint = ? ORDER BY version"
        return [event_of_row(_filled(row)) for row in self._connection.execute(select, (account, fingerprint))]

    def keep_report(self, report: RunReport) -> None:
        """See `RunLog`."""
        insert = "INSERT OR REPLACE INTO report VALUES (:account, :run, :started, :report)"
        self._connection.execute(insert, row_of_report(report))

    def reports(self, account: str, most: int) -> Sequence[RunReport]:
        """See `RunLog`."""
        select = "SELECT * FROM report WHERE account = ? ORDER BY started DESC, run DESC LIMIT ?"
        return [report_of_row(_filled(row)) for row in self._connection.execute(select, (account, most))]

    # --- how -------------------------------------------------------------------------------------------------------

    def _write(self, change: Change) -> bool:
        """Write one change with its entry in the history; whether it was won."""
        row: dict[str, str | int | None] = dict.fromkeys(("user", "resolved_at", "suppression"))
        row |= row_of(change.after)
        if change.before is None:
            written = self._connection.execute(_INSERT, row)
        else:
            known_at = change.after.known_at.isoformat()
            written = self._connection.execute(_UPDATE, row | {"seen": change.before.version, "known_at": known_at})
        if not written.rowcount:
            return False
        if change.is_news:
            told = {"cause": None} | row_of_event(event_of(change)) | {"account": change.after.account}
            self._connection.execute(_TELL, told)
        return True

    def _forget(self) -> None:
        """Delete what was resolved long ago."""
        before = to_second(self._clock() - self._keep).isoformat()
        for statement in _FORGET:
            self._connection.execute(statement, {"before": before})


def _filled(row: sqlite3.Row) -> dict[str, Any]:
    return {name: row[name] for name in row.keys() if row[name] is not None}  # noqa: SIM118 - a Row iterates its values
