"""The journal of remediation runs in one SQLite file, for a laptop."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from chalicelib.alerts.entry import Entry
from chalicelib.execution.ports import lost_hold, moved_on
from chalicelib.local.sqlite_file import Kind, SqliteFile
from chalicelib.remediation.run import RemediationRun, RunStep, id_at, is_name, parse_run, parse_run_step

_SCHEMA = """
CREATE TABLE run (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    header TEXT NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE TABLE step (
    account TEXT NOT NULL,
    run TEXT NOT NULL,
    number INTEGER NOT NULL,
    step TEXT NOT NULL,
    PRIMARY KEY (account, run, number)
);
CREATE TABLE hold (
    account TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    run TEXT NOT NULL,
    until TEXT NOT NULL
);
"""
_HOLD = """
INSERT INTO hold VALUES (:account, :holder, :run, :until)
ON CONFLICT DO UPDATE SET holder = :holder, run = :run, until = :until WHERE holder = :holder OR until <= :now
"""


class JournalError(ValueError):
    """The file is no journal that this version can read."""


class SqliteJournal(SqliteFile):
    """A `Journal` in a file. Nobody tells from there what becomes of a run: entries are refused with a `ValueError`.

    Raises:
        JournalError: the file is something else, or was made by a later version.
        OSError: it cannot be opened.
    """

    kind = Kind("journal", 0x6D66616A, 1, _SCHEMA, JournalError)  # "mfaj"

    def accounts(self) -> Sequence[str]:
        """The accounts that there are runs of, sorted."""
        return [str(row["account"]) for row in self._all("SELECT DISTINCT account FROM run ORDER BY account")]

    def keep(self, run: RemediationRun, entries: Sequence[Entry] = ()) -> bool:
        """See `Journal`.

        Raises:
            ValueError: no run can be called so.
        """
        _refuse(entries)
        if not is_name(run.account, run.id):
            raise ValueError(f"no run can be called {run.account}/{run.id}")
        with self._transaction():
            insert = "INSERT INTO run VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
            header = (run.account, run.id, run.version, json.dumps(run.header()))
            if not self._connection.execute(insert, header).rowcount:
                return False
            for step in run.steps:
                self._write(run, step)
        return True

    def load(self, account: str, id_: str) -> RemediationRun | None:
        """See `Journal`."""
        if not is_name(account, id_):
            return None
        found = self._all("SELECT header FROM run WHERE account = ? AND id = ?", account, id_)
        steps = self._all("SELECT step FROM step WHERE account = ? AND run = ?", account, id_)
        parsed = [parse_run_step(json.loads(row["step"])) for row in steps]
        return parse_run(json.loads(found[0]["header"]), parsed) if found else None

    def runs(self, account: str, since: datetime) -> Sequence[RemediationRun]:
        """See `Journal`."""
        select = "SELECT header FROM run WHERE account = ? AND id >= ? ORDER BY id DESC"
        runs = [parse_run(json.loads(row["header"]), ()) for row in self._all(select, account, id_at(since))]
        return [run for run in runs if run.made >= since]

    def move(self, run: RemediationRun, entries: Sequence[Entry] = (), holder: str | None = None) -> bool:
        """See `Journal`."""
        _refuse(entries)
        update = "UPDATE run SET version = ?, header = ? WHERE account = ? AND id = ? AND version = ?"
        values = (run.version, json.dumps(run.header()), run.account, run.id, run.version - 1)
        with self._transaction():
            if holder is not None:
                self._check(run.account, holder)
            return bool(self._connection.execute(update, values).rowcount)

    def note(self, run: RemediationRun, step: RunStep, holder: str) -> None:
        """See `Journal`."""
        with self._transaction():
            self._check(run.account, holder)
            found = self._all("SELECT version FROM run WHERE account = ? AND id = ?", run.account, run.id)
            if not found or found[0]["version"] != run.version:
                raise moved_on(run.id)
            self._write(run, step)

    def hold(self, account: str, holder: str, run: str, until: datetime, now: datetime) -> str | None:
        """See `Journal`."""
        values = {"account": account, "holder": holder, "run": run, "until": _text(until), "now": _text(now)}
        with self._transaction():
            if self._connection.execute(_HOLD, values).rowcount:
                return None
            return str(self._all("SELECT run FROM hold WHERE account = ?", account)[0]["run"])

    def release(self, account: str, holder: str) -> None:
        """See `Journal`."""
        self._connection.execute("DELETE FROM hold WHERE account = ? AND holder = ?", (account, holder))

    # --- how -------------------------------------------------------------------------------------------------------

    def _write(self, run: RemediationRun, step: RunStep) -> None:
        values = (run.account, run.id, step.number, json.dumps(step.to_json()))
        self._connection.execute("INSERT OR REPLACE INTO step VALUES (?, ?, ?, ?)", values)

    def _check(self, account: str, holder: str) -> None:
        """That nobody else holds the account. Whose time is over holds it until another one comes."""
        found = self._all("SELECT holder, run FROM hold WHERE account = ?", account)
        if not found or found[0]["holder"] != holder:
            held = found[0] if found else {"holder": None, "run": None}
            raise lost_hold(account, held["holder"], held["run"])


def _refuse(entries: Sequence[Entry]) -> None:
    if entries:
        raise ValueError("nobody tells what a journal in a file says")


def _text(moment: datetime) -> str:
    """The moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
