"""The journal in a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.local.finding_store import LedgerError, SqliteFindingStore
from chalicelib.local.journal import JournalError, SqliteJournal
from chalicelib.remediation.run import RemediationRun, RunState, RunStep
from tests.accounts.build import ACCOUNT
from tests.execution.journals import entry, run
from tests.ledger.build import at

OTHER = "444455556666"


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_its_owner_alone_reads_it_and_it_is_there_the_next_time(tmp_path: Path, umask: int) -> None:
    path, before = tmp_path / "journal.db", os.umask(umask)
    try:
        with SqliteJournal(path) as journal:
            journal.keep(run())
            assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    finally:
        os.umask(before)
    with SqliteJournal(path, create=False) as journal:
        assert journal.load(ACCOUNT, run().id) == run()


def test_it_knows_the_accounts_that_there_are_runs_of(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "journal.db") as journal:
        assert list(journal.accounts()) == []
        for one in (run(account=OTHER), run(), run(1)):
            journal.keep(one)
        journal.hold("999999999999", "me", "a", at(1), at(0))
        assert list(journal.accounts()) == [ACCOUNT, OTHER]


Maker = Callable[[Path], object]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_text("These are notes. " * 100, encoding="utf-8"), "file is not a database"),
        (lambda path: SqliteFindingStore(path).close(), "is a database, and no journal"),
        (lambda path: path.touch(), "is empty, and no journal"),
    ],
    ids=["notes", "ledger", "empty"],
)
def test_another_file_is_refused_and_left_alone(tmp_path: Path, make: Maker, told: str) -> None:
    path = tmp_path / "a-file"
    make(path)
    before = path.read_bytes()
    with pytest.raises(JournalError) as error:
        SqliteJournal(path, create=False)
    assert str(error.value) == f"{path}: {told}"
    assert path.read_bytes() == before


@pytest.mark.parametrize("create", [False, True])
def test_who_may_read_another_file_is_not_changed(tmp_path: Path, create: bool) -> None:
    """A name that was typed wrongly may be that of any file, which others may have to read."""
    notes, ledger = tmp_path / "notes", tmp_path / "ledger.db"
    notes.write_text("These are notes. " * 100, encoding="utf-8")
    SqliteFindingStore(ledger).close()
    for path in (notes, ledger):
        path.chmod(0o644)
        with pytest.raises(JournalError):
            SqliteJournal(path, create=create)
        assert path.stat().st_mode & 0o777 == 0o644


def test_a_journal_that_others_could_read_is_its_owners_alone_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    path.chmod(0o644)
    with SqliteJournal(path) as journal:
        journal.keep(run())
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_a_journal_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    with pytest.raises(LedgerError, match="is a database, and no ledger"):
        SqliteFindingStore(path)


def test_without_create_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SqliteJournal(tmp_path / "journal.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_nobody_tells_from_there_and_nothing_is_written_as_if(tmp_path: Path) -> None:
    one = run()
    with SqliteJournal(tmp_path / "journal.db") as journal:
        with pytest.raises(ValueError, match="nobody tells"):
            journal.keep(one, [entry(one)])
        assert journal.load(ACCOUNT, one.id) is None
        journal.keep(one)
        with pytest.raises(ValueError, match="nobody tells"):
            journal.move(one.moved(RunState.READY, at(1)), [entry(one)])
        assert journal.load(ACCOUNT, one.id) == one


class Mortal(SqliteJournal):
    """Dies with the second step."""

    def _write(self, run: RemediationRun, step: RunStep) -> None:
        if step.number == 2:
            raise KeyboardInterrupt
        super()._write(run, step)


def test_killed_while_it_is_kept_a_run_is_not_there_and_can_be_kept_again(tmp_path: Path) -> None:
    one, path = run(steps=3), tmp_path / "journal.db"
    with Mortal(path) as journal:
        with pytest.raises(KeyboardInterrupt):
            journal.keep(one)
        assert journal.load(ACCOUNT, one.id) is None
    with SqliteJournal(path) as journal:
        assert journal.keep(one)
        assert journal.load(ACCOUNT, one.id) == one
        assert not journal.keep(replace(one, reason="again"))
