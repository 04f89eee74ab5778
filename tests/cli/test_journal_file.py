"""The journal of the commands: which files are one, which run of it is meant, and whose."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.cli import live
from chalicelib.local import sqlite_file
from chalicelib.local.finding_store import SqliteFindingStore
from chalicelib.local.journal import SqliteJournal
from chalicelib.remediation.run import RemediationRun, RunState
from tests.accounts.build import ACCOUNT
from tests.cli.conftest import Run
from tests.execution.runs import a_run

NOW = datetime.now(UTC).replace(microsecond=0)
COMMANDS = [
    ["runs"],
    ["runs", "2026"],
    ["remediate", "--apply", "--yes"],
    ["remediate", "--continue", "2026"],
    ["remediate", "--rollback", "2026"],
]


@pytest.fixture(autouse=True)
def caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whose credentials they are needs no AWS; and nothing of whoever runs the tests is touched."""
    found = live.Caller(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/olga")
    monkeypatch.setattr("chalicelib.cli.applying.caller_of", lambda _: found)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


def no_database(path: Path) -> None:
    path.write_text("dear diary\n" * 100)


def ledger(path: Path) -> None:
    SqliteFindingStore(path).close()


def database(path: Path) -> None:
    with sqlite3.connect(path) as found:
        found.execute("CREATE TABLE mine (x)")
    found.close()


def later(path: Path) -> None:
    SqliteJournal(path).close()
    with sqlite3.connect(path) as found:
        found.execute("PRAGMA user_version = 99")
    found.close()


def folder(path: Path) -> None:
    path.mkdir()


def below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("no folder")


FILES: list[tuple[Callable[[Path], None], str]] = [
    (no_database, "file is not a database"),
    (ledger, "is a database, and no journal"),
    (database, "is a database, and no journal"),
    (later, "is a journal of version 99, this is mfawatch for 1"),
    (folder, "is a directory"),
    (below_a_file, "Not a directory"),
]


@pytest.mark.parametrize(("make", "told"), FILES, ids=lambda one: getattr(one, "__name__", None))
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_file_that_is_no_journal(
    command: list[str], make: Callable[[Path], None], told: str, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "folder" / "j\x1b[31m.db"
    path.parent.mkdir()
    make(path)
    run(*command, "--journal", path).assert_refused("[31m.db", told)


def test_a_journal_that_somebody_else_keeps_to_himself(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    monkeypatch.setattr(sqlite_file, "WAIT", 0.01)
    SqliteJournal(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for command in COMMANDS:
        run(*command, "--journal", path).assert_refused("journal.db: database is locked")
    other.close()


def test_looking_makes_no_journal(run: Run, tmp_path: Path) -> None:
    run("runs", "--journal", tmp_path / "none.db").assert_refused("none.db: No such file")
    run("runs").assert_refused("home", "journal.db: No such file or directory")
    assert list(tmp_path.iterdir()) == []


def test_the_usual_journal_is_its_owners_alone(run: Run, tmp_path: Path) -> None:
    run("remediate", "--rollback", "2026").assert_refused("journal.db: there is no run 2026")
    [path] = (tmp_path / "home").rglob("journal.db")
    assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert run("runs").out == f"{path}: no runs\n"
    assert run("runs", "--format", "json").json == {"runs": []}


# --- which run is meant ----------------------------------------------------------------------------------------------

Keep = Callable[..., RemediationRun]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def keep(path: Path) -> Iterator[Keep]:
    """Keeps a run that was made so many hours ago."""

    def keep(hours: float = 0, state: RunState = RunState.DONE, **traits: Any) -> RemediationRun:
        made = a_run(state, made=NOW - timedelta(hours=hours), **traits)
        with SqliteJournal(path) as journal:
            assert journal.keep(made)
        return made

    return keep  # type: ignore[return-value]


@pytest.mark.parametrize("command", COMMANDS[3:] + COMMANDS[1:2], ids=" ".join)
def test_a_beginning_that_names_no_run_or_many(command: list[str], run: Run, path: Path, keep: Keep) -> None:
    [*words, _] = command
    made = [keep(hours) for hours in range(6)]
    run(*words, "19991231", "--journal", path).assert_refused("journal.db: there is no run 19991231")
    told = run(*words, made[0].id[:3], "--journal", path)
    told.assert_refused(f"{made[0].id[:3]} begins 6 runs: {made[0].id}, {made[1].id}, ", " and 2 more")
    run(*words, "x\x1b[2J", "--journal", path).assert_refused("is no run, nor how one begins")
    run(*words, "%", "--journal", path).assert_refused("is no run, nor how one begins")


@pytest.mark.parametrize("verb", ["--continue", "--rollback"])
def test_a_run_of_another_account(verb: str, run: Run, path: Path, keep: Keep) -> None:
    made = keep(account="444455556666")
    told = run("remediate", verb, made.id, "--journal", path)
    told.assert_refused(f"run {made.id} is of account 444455556666, and the credentials are of account {ACCOUNT}")
    with SqliteJournal(path) as journal:
        assert journal.load(made.account, made.id) == made


def test_a_run_that_nobody_knows_here_may_be_a_deployments(run: Run, path: Path, keep: Keep) -> None:
    keep()
    run("remediate", "--rollback", "1999", "--journal", path).assert_refused("--table mfawatch-ledger")


@pytest.mark.parametrize("state", [RunState.READY, RunState.RUNNING, RunState.STOPPED, RunState.EXPIRED])
def test_of_a_run_that_has_changed_nothing_nothing_is_undone(state: RunState, run: Run, path: Path, keep: Keep) -> None:
    made = keep(state=state)
    told = run("remediate", "--rollback", made.id, "--journal", path)
    assert (told.code, told.err) == (0, "")
    assert told.out == f"Run {made.id} has changed nothing: there is nothing to undo.\n"
    with SqliteJournal(path) as journal:
        assert journal.load(made.account, made.id) == replace(made)
