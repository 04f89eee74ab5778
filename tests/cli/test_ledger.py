"""mfawatch audit --ledger: findings remembered in a file, and what changed since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chalicelib.local.finding_store import SqliteFindingStore
from tests.accounts.build import ACCOUNT, ADMIN, GUARD, Person, exports
from tests.cli.conftest import Run, write_exports

OPEN = Person("anna", inline=[ADMIN])
CLOSED = Person("anna", inline=[ADMIN, GUARD])


@pytest.fixture
def audit(run: Run, tmp_path: Path) -> Any:
    """Audits these people into the ledger of the test; what it said on standard error."""

    def audit_people(*people: Person, options: tuple[str, ...] = ()) -> str:
        answers = write_exports(exports(*people), tmp_path)
        return run("audit", *answers, "--ledger", tmp_path / "ledger.db", *options).err

    return audit_people


def test_what_changed_is_told_and_remembered(audit: Any, tmp_path: Path) -> None:
    first = audit(OPEN)
    assert "opened" in first
    assert "mfa-not-enforced" in first
    assert audit(OPEN) == f"{tmp_path / 'ledger.db'}: nothing changed\n"
    assert "resolved" in audit(CLOSED)
    with SqliteFindingStore(tmp_path / "ledger.db") as store:
        assert [report.users for report in store.reports(ACCOUNT, 10)] == [1, 1, 1]


def test_an_audit_of_somebody_else_changes_nothing(audit: Any, tmp_path: Path) -> None:
    audit(OPEN, Person("bob", inline=[ADMIN, GUARD]))
    told = audit(CLOSED, Person("bob", inline=[ADMIN, GUARD]), options=("--user", "bob"))
    assert told == f"{tmp_path / 'ledger.db'}: nothing changed\n"


def test_the_result_is_printed_all_the_same(run: Run, tmp_path: Path) -> None:
    answers = write_exports(exports(OPEN), tmp_path)
    with_ledger = run("audit", *answers, "--ledger", tmp_path / "ledger.db")
    assert (with_ledger.code, with_ledger.out) == (3, run("audit", *answers).out)


def test_what_is_no_ledger_is_one_line(run: Run, tmp_path: Path) -> None:
    answers = write_exports(exports(OPEN), tmp_path)
    text = tmp_path / "notes.txt"
    text.write_text("These are no findings. " * 100)
    run("audit", *answers, "--ledger", text).assert_refused(str(text), "not a database")
    missing = tmp_path / "nowhere" / "ledger.db"
    run("audit", *answers, "--ledger", missing).assert_refused(str(missing), "No such file")
