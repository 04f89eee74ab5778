"""The ledger in a file."""

from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chalicelib.ledger import Change
from chalicelib.local.finding_store import LedgerError, SqliteFindingStore
from chalicelib.recording import record
from tests.accounts.build import ACCOUNT
from tests.ledger.build import BROKEN, audit, finding, news
from tests.ledger.conftest import Ticking
from tests.ledger.entries import CAUSE

MANY = [finding(BROKEN, distinction=str(number)) for number in range(300)]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_its_owner_alone_reads_it(tmp_path: Path, umask: int, clock: Ticking) -> None:
    path, before = tmp_path / "ledger.db", os.umask(umask)
    try:
        with SqliteFindingStore(path) as store:
            record(store, audit(finding()), "one", clock)
            files = list(tmp_path.iterdir())
            assert len(files) == 3  # with those of the write-ahead log
            assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    finally:
        os.umask(before)


def test_it_is_there_the_next_time(tmp_path: Path, clock: Ticking) -> None:
    path = tmp_path / "ledger.db"
    with SqliteFindingStore(path) as store:
        record(store, audit(finding()), "one", clock)
    with SqliteFindingStore(path) as store:
        assert [one.run for one in store.load(ACCOUNT)] == ["one"]


def make(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("version", [0, 1, 4, 1000])
def test_a_ledger_of_another_version_is_refused_and_left_alone(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ledger.db"
    SqliteFindingStore(path).close()
    make(path, f"PRAGMA user_version = {version}")
    with pytest.raises(LedgerError, match=f"is a ledger of version {version}, this is mfawatch for 3"):
        SqliteFindingStore(path)
    assert asked(path, "PRAGMA user_version") == [(version,)]


def asked(path: Path, question: str) -> list[tuple[Any, ...]]:
    """What SQLite itself says of a file."""
    connection = sqlite3.connect(path)
    found = connection.execute(question).fetchall()
    connection.close()
    return found


COLUMNS = (
    'SELECT m.name, c.name, c.type, c."notnull" FROM sqlite_schema m, pragma_table_info(m.name) c ORDER BY 1, c.cid'
)


@pytest.fixture
def of_version_2(tmp_path: Path, clock: Ticking) -> Path:
    """A ledger that the version before this one has written: its history knows no causes."""
    path = tmp_path / "old.db"
    with SqliteFindingStore(path, clock=clock) as store:
        record(store, audit(*MANY[:3]), "one", clock)
    make(path, "ALTER TABLE history DROP COLUMN cause", "PRAGMA user_version = 2")
    return path


@pytest.mark.parametrize("create", [True, False])
def test_a_ledger_of_version_2_becomes_one_of_this_and_loses_nothing(
    of_version_2: Path, tmp_path: Path, clock: Ticking, create: bool
) -> None:
    with SqliteFindingStore(of_version_2, clock=clock, create=create) as store:
        assert len(store.load(ACCOUNT)) == 3
        assert [(event.run, event.cause) for event in store.history(ACCOUNT, MANY[0].fingerprint)] == [("one", None)]
        record(store, audit(hours=1), "two", clock, cause=CAUSE)
        causes = [event.cause for event in store.history(ACCOUNT, MANY[0].fingerprint)]
        assert causes == [None, CAUSE]
    SqliteFindingStore(tmp_path / "new.db").close()
    assert asked(of_version_2, COLUMNS) == asked(tmp_path / "new.db", COLUMNS)
    assert asked(of_version_2, "PRAGMA user_version") == [(3,)]
    with SqliteFindingStore(of_version_2, clock=clock) as store:
        assert len(store.history(ACCOUNT, MANY[0].fingerprint)) == 2


def test_an_old_ledger_that_cannot_be_changed_stays_as_it_is(of_version_2: Path, clock: Ticking) -> None:
    """Whoever made it what it is has given the column already: nothing is left half done."""
    make(of_version_2, "ALTER TABLE history ADD COLUMN cause TEXT")
    with pytest.raises(LedgerError, match="duplicate column name"):
        SqliteFindingStore(of_version_2, clock=clock)
    assert asked(of_version_2, "PRAGMA user_version") == [(2,)]


def test_whoever_opens_an_old_ledger_at_once_makes_it_new_once(of_version_2: Path) -> None:
    barrier = threading.Barrier(4, timeout=60)

    def look(_: int) -> int:
        barrier.wait()
        with SqliteFindingStore(of_version_2, clock=Ticking()) as store:
            return len(store.load(ACCOUNT))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(look, range(4))) == [3] * 4


def test_another_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    make(path, "CREATE TABLE people (name TEXT)")
    with pytest.raises(LedgerError, match="is a database, and no ledger"):
        SqliteFindingStore(path)
    connection = sqlite3.connect(path)
    assert [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")] == ["people"]
    connection.close()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are notes. " * 100, encoding="utf-8")
    with pytest.raises(LedgerError, match=r"notes\.txt: file is not a database"):
        SqliteFindingStore(path)
    assert path.read_text(encoding="utf-8").startswith("These are notes.")


def test_a_failure_leaves_nothing_half_written(tmp_path: Path, clock: Ticking, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteFindingStore(tmp_path / "ledger.db") as store:
        record(store, audit(MANY[0]), "one", clock)

        def fail() -> None:
            raise OSError("the disk is full")

        monkeypatch.setattr(store, "_forget", fail)
        with pytest.raises(OSError, match="disk is full"):
            record(store, audit(*MANY, hours=1), "two", clock)
        assert [one.run for one in store.load(ACCOUNT)] == ["one"]


def test_threads_that_race_tell_each_change_once(tmp_path: Path) -> None:
    barrier = threading.Barrier(3, timeout=60)

    def sweep(number: int) -> list[Change]:
        barrier.wait()
        with SqliteFindingStore(tmp_path / "ledger.db") as store:
            return news(record(store, audit(*MANY), f"run-{number}", Ticking()))

    with ThreadPoolExecutor(3) as pool:
        told = [change.fingerprint for changes in pool.map(sweep, range(3)) for change in changes]
    assert sorted(told) == sorted(one.fingerprint for one in MANY)
