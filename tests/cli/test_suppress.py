"""mfawatch suppress and unsuppress: accepted in a ledger for a while, and never for ever."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.ledger import Change
from chalicelib.local.finding_store import SqliteFindingStore
from tests.accounts.build import ADMIN, Person, allow, document, exports
from tests.cli.conftest import Result, Run, write_exports

ANNA = Person("anna", inline=[ADMIN])

Audit = Callable[..., Result]


def day(days: int) -> date:
    """So many days from today."""
    return datetime.now(UTC).date() + timedelta(days=days)


@pytest.fixture
def audit(run: Run, tmp_path: Path) -> Audit:
    """Audits people into the ledger of the test."""
    return lambda *people, style="json": run(
        "audit", *write_exports(exports(*people), tmp_path), "--ledger", tmp_path / "ledger.db", "--format", style
    )


@pytest.fixture
def fingerprint(audit: Audit) -> str:
    """Of anna's only finding, which the ledger holds."""
    [found] = audit(ANNA).json["findings"]
    return str(found["fingerprint"])


@pytest.fixture
def ledger(tmp_path: Path) -> Sequence[object]:
    return ("--ledger", tmp_path / "ledger.db")


def test_what_is_accepted_fails_no_audit_and_is_told_as_such(
    run: Run, audit: Audit, fingerprint: str, ledger: Sequence[object]
) -> None:
    until = day(30)
    done = run(
        "suppress",
        fingerprint[:6].upper(),
        "--until",
        until,
        "--reason",
        "a new\x1b one comes",
        "--by",
        "carla",
        *ledger,
    )
    assert (done.code, done.err) == (0, "")
    words = f"accepted by carla through {until}, if not graver than high: a new<001b> one comes\n"
    assert done.out.startswith(f"{fingerprint}: mfa-not-enforced, user anna, account ")
    assert done.out.endswith(words)
    assert words in run("history", *ledger).out
    again = audit(ANNA)
    assert again.code == 0
    assert [(one["fingerprint"], one["status"]) for one in again.json["findings"]] == [(fingerprint, "suppressed")]
    table = audit(ANNA, style="table").out
    assert "Findings: none\n" in table
    assert "Not told: 1 that somebody has accepted for now." in table


def test_it_comes_back_when_it_is_taken_back(
    run: Run, audit: Audit, fingerprint: str, ledger: Sequence[object]
) -> None:
    run("suppress", fingerprint, "--until", day(30), "--reason", "why", "--by", "carla", *ledger)
    done = run("unsuppress", fingerprint[:6], "--by", "dora", *ledger)
    assert (done.code, done.out.endswith(": open again\n")) == (0, True)
    told = run("history", fingerprint, "--format", "json", *ledger).json
    assert [(one["kind"], one["run"]) for one in told["history"][1:]] == [("suppressed", "carla"), ("reopened", "dora")]
    assert told["finding"]["suppression"] is None
    assert audit(ANNA).code == 3
    run("unsuppress", fingerprint, *ledger).assert_refused("is open, and not suppressed")


def test_it_comes_back_when_it_shows_more(run: Run, audit: Audit, fingerprint: str, ledger: Sequence[object]) -> None:
    run("suppress", fingerprint, "--until", day(30), "--reason", "why", *ledger)
    more = Person("anna", inline=[ADMIN, document(allow("*"))])
    result = audit(more)
    assert result.code == 3
    assert "reopened" in result.err
    told = run("history", fingerprint, "--format", "json", *ledger).json
    last = told["history"][-1]
    assert (last["kind"], last["parts"]) == ("reopened", ["statements"])


def test_who_is_logged_in_decides(
    run: Run, fingerprint: str, ledger: Sequence[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "erik")
    done = run("suppress", fingerprint, "--until", day(0), "--reason", "why", *ledger)
    assert "accepted by erik through" in done.out

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    run("unsuppress", fingerprint, *ledger).assert_refused("--by: nobody says who")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--reason", "why"], "--until"),
        (["--until", "next year", "--reason", "why"], "--until"),
        (["--until", day(30)], "--reason"),
        (["--until", day(30), "--reason", " "], "there is none"),
        (["--until", day(-1), "--reason", "why"], "is over already"),
        (["--until", day(400), "--reason", "why"], "for a year at most, through"),
    ],
)
def test_nothing_is_accepted_for_ever_or_without_a_reason(
    options: list[object], told: str, run: Run, fingerprint: str, ledger: Sequence[object]
) -> None:
    run("suppress", fingerprint, *options, "--by", "carla", *ledger).assert_refused(told)
    assert run("history", fingerprint, "--format", "json", *ledger).json["finding"]["status"] == "open"


def test_what_names_no_finding_is_one_line(run: Run, fingerprint: str, tmp_path: Path) -> None:
    say = ("--until", day(30), "--reason", "why")
    run("suppress", "xyz", *say, "--ledger", tmp_path / "ledger.db").assert_refused("is no fingerprint")
    other = f"{(int(fingerprint[0], 16) + 1) % 16:x}"
    run("suppress", other, *say, "--ledger", tmp_path / "ledger.db").assert_refused("no finding has a fingerprint")
    run("suppress", fingerprint, *say, "--ledger", tmp_path / "none.db").assert_refused("No such file")
    run("suppress", fingerprint, *say).assert_refused("--ledger")
    assert not (tmp_path / "none.db").exists()


def test_who_is_beaten_by_another_writer_decides_anew(
    run: Run, fingerprint: str, ledger: Sequence[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    apply, attempts = SqliteFindingStore.apply, iter((False, True))

    def beaten(store: SqliteFindingStore, changes: Sequence[Change]) -> Sequence[Change]:
        return apply(store, changes) if next(attempts) else []

    monkeypatch.setattr(SqliteFindingStore, "apply", beaten)
    assert run("suppress", fingerprint, "--until", day(1), "--reason", "why", *ledger).code == 0
    monkeypatch.setattr(SqliteFindingStore, "apply", lambda store, changes: [])
    done = run("unsuppress", fingerprint, *ledger)
    assert (done.code, done.out) == (1, "")
    assert "others changed the finding at each of 5 attempts" in done.err
