"""mfawatch history: what a ledger in a file remembers, and of what is none one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.audit import judge
from chalicelib.iam.exports import read_exports
from chalicelib.ledger import suppress
from chalicelib.local.finding_store import SqliteFindingStore
from chalicelib.recording import record
from tests.accounts.build import ACCOUNT, ADMIN, TAKEN, Person, Root, deny_all_but, document, exports
from tests.cli.conftest import Result, Run
from tests.ledger.build import at, audit, finding

OPEN, CLOSED = [ADMIN], [ADMIN, document(deny_all_but("iam:ListMFADevices"))]
UNTIL = (TAKEN + timedelta(days=30)).date()
OTHER = "999999999999"

History = Callable[..., Result]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Two audits: anna was mended in between, bob was not, and the root user is without MFA."""
    path = tmp_path / "ledger.db"
    with SqliteFindingStore(path, clock=lambda: at(2)) as store:
        for hours, policies in ((0, OPEN), (1, CLOSED)):
            people = (Person("anna", inline=policies), Person("Bob", inline=OPEN))
            snapshot = read_exports(exports(*people, root=Root(mfa="false")), at(hours))
            record(store, judge(snapshot), f"run-{hours}", lambda hours=hours: at(hours))
    return path


@pytest.fixture
def history(run: Run, ledger: Path) -> History:
    """Asks the ledger."""
    return lambda *options: run("history", "--ledger", ledger, *options)


ROWS = re.compile(r"^([0-9a-f]{8})  (\w+) +(\w+) +([\d-]+)  ([\d-]+)  ([\d-]*) +(\S+) +(\S+)$", re.MULTILINE)
DAY = f"{TAKEN:%Y-%m-%d}"


def test_findings_are_told_with_how_they_stand_and_since_when(history: History) -> None:
    result = history()
    assert (result.code, result.err) == (0, "")
    assert [row[1:] for row in ROWS.findall(result.out)] == [
        ("open", "critical", DAY, DAY, "", "(root)", "root-without-mfa"),
        ("open", "high", DAY, DAY, "", "Bob", "mfa-not-enforced"),
        ("resolved", "high", DAY, DAY, DAY, "anna", "mfa-not-enforced"),
    ]
    assert result.out.endswith(f"\nAccount {ACCOUNT}: 2 open, 1 resolved.\n")


def test_the_same_as_json(history: History) -> None:
    found = history("--format", "json").json["findings"]
    assert [(one["user"], one["status"], one["resolved_at"]) for one in found] == [
        (None, "open", None),
        ("Bob", "open", None),
        ("anna", "resolved", at(1).isoformat()),
    ]
    assert {(one["account"], one["first_seen"], one["suppression"]) for one in found} == {
        (ACCOUNT, at(0).isoformat(), None)
    }
    assert all(one["witness"] and one["evidence"] for one in found[1:])


def test_a_user_is_named_in_any_case(history: History) -> None:
    assert [row[6] for row in ROWS.findall(history("--user", "BOB").out)] == ["Bob"]
    assert history("--user", "nobody").out.endswith("ledger.db: no findings of user nobody\n")
    assert history("--user", "nobody", "--format", "json").json == {"findings": []}


def fingerprint_of(history: History, user: str) -> str:
    """Of a user's only finding."""
    [found] = history("--user", user, "--format", "json").json["findings"]
    return str(found["fingerprint"])


@pytest.mark.parametrize("digits", [8, 31, 32])
def test_what_happened_to_a_finding_is_told(digits: int, history: History) -> None:
    out = history(fingerprint_of(history, "anna")[:digits].upper()).out
    first, sentence, *_ = out.splitlines()
    assert first == f"mfa-not-enforced, user anna, account {ACCOUNT}: resolved"
    assert sentence.startswith("  was: no-deny: ")
    rows = re.findall(r"^(\S+ \S+) UTC +(\w+) +(\w+) +(\w+) +(\S+)$", out, re.MULTILINE)
    assert rows == [
        (f"{at(0):%Y-%m-%d %H:%M:%S}", "opened", "high", "open", "run-0"),
        (f"{at(1):%Y-%m-%d %H:%M:%S}", "resolved", "high", "resolved", "run-1"),
    ]


def test_the_parts_that_changed_are_told(history: History, ledger: Path) -> None:
    with SqliteFindingStore(ledger, clock=lambda: at(3)) as store:
        record(store, audit(finding(), account=ACCOUNT), "a", lambda: at(2))
        record(store, audit(finding(action="s3:GetObject"), hours=3), "b", lambda: at(3))
    name = finding().fingerprint
    assert re.search(r"changed +high +open +b +witness$", history(name).out, re.MULTILINE)
    told = history(name, "--format", "json").json
    assert told["finding"]["fingerprint"] == name
    assert [(event["kind"], event["run"], event["parts"]) for event in told["history"]] == [
        ("opened", "a", []),
        ("changed", "b", ["witness"]),
    ]
    assert set(told["history"][0]) == {"at", "kind", "run", "status", "severity", "parts", "cause"}


def test_what_somebody_accepted_is_told_with_who_and_why(history: History, ledger: Path) -> None:
    with SqliteFindingStore(ledger, clock=lambda: at(3)) as store:
        [bob] = store.load(ACCOUNT, ["Bob"])
        store.apply([suppress(bob, UNTIL, "a new\x1b[31m one comes", "carla", at(3))])
    listed = history().out
    assert "1 open, 1 suppressed, 1 resolved" in listed
    name = bob.fingerprint
    told = f"accepted by carla through {UNTIL}, if not graver than high: a new<001b>[31m one comes\n"
    assert f"  {told}" in history(name).out
    assert f"  {name[:8]} {told}" in listed
    assert history(name, "--format", "json").json["finding"]["suppression"] == {
        "until": UNTIL.isoformat(),
        "severity": "high",
        "reason": "a new\x1b[31m one comes",
        "by": "carla",
    }


def test_each_account_of_the_file_is_told_apart(history: History, ledger: Path) -> None:
    with SqliteFindingStore(ledger, clock=lambda: at(3)) as store:
        record(store, audit(finding(account=OTHER), account=OTHER), "a", lambda: at(2))
        assert store.accounts() == [ACCOUNT, OTHER]
    out = history().out
    assert out.index(f"Account {ACCOUNT}: 2 open, 1 resolved.") < out.index(f"Account {OTHER}: 1 open.")
    assert [one["account"] for one in history("--format", "json").json["findings"]] == [ACCOUNT] * 3 + [OTHER]


# --- what cannot be told ---------------------------------------------------------------------------------------------


def test_a_beginning_of_several_fingerprints_or_of_none_is_one_line(history: History, ledger: Path) -> None:
    with SqliteFindingStore(ledger, clock=lambda: at(3)) as store:
        many = [finding(distinction=str(number)) for number in range(100)]
        record(store, audit(*many), "a", lambda: at(2))
    shared = sorted(one.fingerprint for one in many if one.fingerprint.startswith("0"))
    history("0").assert_refused(f"0 begins {len(shared)} fingerprints: {shared[0]}, {shared[1]}")
    history("0123456789abcdef").assert_refused("ledger.db", "no finding", "0123456789abcdef")
    history(fingerprint_of(history, "anna"), "--user", "bob").assert_refused("no finding")


@pytest.mark.parametrize("name", ["", "xyz", "\x1b[31m", "0" * 33])
def test_what_is_no_fingerprint_is_one_line(name: str, history: History) -> None:
    history(name).assert_refused("mfawatch history", "is no fingerprint")


def test_what_is_no_ledger_is_one_line_and_left_alone(run: Run, tmp_path: Path) -> None:
    missing, empty, text = tmp_path / "missing.db", tmp_path / "empty.db", tmp_path / "notes.txt"
    empty.touch(0o644)
    text.write_text("These are no findings. " * 100)
    run("history", "--ledger", missing).assert_refused(str(missing), "No such file")
    run("history", "--ledger", empty).assert_refused(str(empty), "is empty, and no ledger")
    run("history", "--ledger", text).assert_refused(str(text), "not a database")
    run("history", "--ledger", tmp_path).assert_refused("directory")
    run("history").assert_refused("--ledger")
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {"empty.db": 0, "notes.txt": 2300}
    assert empty.stat().st_mode & 0o777 == 0o644


def test_a_ledger_without_findings_says_so(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    SqliteFindingStore(path).close()
    assert run("history", "--ledger", path).out == f"{path}: no findings\n"
