"""mfawatch runs: which runs are listed, and what is shown of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.findings import Severity
from chalicelib.local.journal import SqliteJournal
from chalicelib.remediation.run import (
    Aim,
    Decision,
    RemediationRun,
    RunState,
    StepState,
    Verb,
    parse_run,
    parse_run_step,
)
from chalicelib.remediation.step import Step, StepKind
from chalicelib.report.runs import render_run, render_runs
from tests.accounts.build import TAKEN
from tests.cli.conftest import Result, Run
from tests.execution.runs import a_run
from tests.hostile import each
from tests.report.test_hostile_names import assert_safe

OTHER = "444455556666"
LATER = TAKEN + timedelta(minutes=1, seconds=30)
ARN = "arn:aws:sts::111122223333:assumed-role/operator/olga"
STOPPED = replace(
    a_run(RunState.STOPPED, made=TAKEN),
    at=LATER,
    reason="AWS refused it",
    decisions=(Decision(Verb.APPLY, ARN, TAKEN), Decision(Verb.CONTINUE, ARN, LATER)),
)
RUNS = [
    replace(STOPPED, steps=(replace(STOPPED.steps[0], state=StepState.DONE, at=LATER), *STOPPED.steps[1:])),
    a_run(RunState.WAITING, made=TAKEN + timedelta(days=1), account=OTHER, users=("bob", "carol", "dave", "eve")),
    a_run(RunState.DONE, made=TAKEN - timedelta(days=1)),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("journal") / "journal.db"
    with SqliteJournal(found) as journal:
        for run in RUNS:
            assert journal.keep(run)
    return found


@pytest.fixture
def ask(run: Run, path: Path) -> Callable[..., Result]:
    return lambda *options: run("runs", "--journal", path, *options)


def test_the_latest_stand_first(ask: Callable[..., Result]) -> None:
    done = ask()
    assert (done.code, done.err) == (0, "")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["RUN", "ACCOUNT", "WHEN", "STATE", "MODE", "USERS", "FINDINGS", "BY"]
    stopped, waiting, earlier = RUNS
    assert rows[1] == [waiting.id, OTHER, *"2026-06-02 06:00 waiting approve 4 users 2".split()]
    assert rows[2] == [stopped.id, stopped.account, *"2026-06-01 06:00 stopped by hand alice 2 operator/olga".split()]
    assert rows[3] == [earlier.id, earlier.account, *"2026-05-31 06:00 done approve alice 2".split()]


def test_one_account_alone(ask: Callable[..., Result]) -> None:
    assert [run["id"] for run in ask("--account", OTHER, "--format", "json").json["runs"]] == [RUNS[1].id]
    assert ask("--account", "111111111111").out.endswith("journal.db: no runs\n")
    ask("--account", "12").assert_refused("'12' is no account id")
    ask(RUNS[0].id, "--account", OTHER).assert_refused(f"there is no run {RUNS[0].id}")


def test_json_has_all_of_a_run(ask: Callable[..., Result]) -> None:
    for run in RUNS:
        told = ask(run.id, "--format", "json").json
        assert parse_run(told, [parse_run_step(step) for step in told["steps"]]) == run
        assert told["expires"] == (run.expires.isoformat() if run.state is RunState.WAITING else None)
    listed = ask("--format", "json").json["runs"]
    assert [parse_run(one, ()) for one in listed] == [replace(RUNS[n], steps=()) for n in (1, 0, 2)]


def test_one_is_shown_whole(ask: Callable[..., Result]) -> None:
    done = ask(RUNS[0].id[:15])
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"Run {RUNS[0].id} of account 111122223333: stopped since 2026-06-01 06:01:30 UTC",
        "  because AWS refused it",
        f"  plan {RUNS[0].plan}, made 2026-06-01 06:00:00 UTC, by hand",
        "",
        "Decided:",
        f"  2026-06-01 06:00:00 UTC  apply by {ARN}",
        f"  2026-06-01 06:01:30 UTC  continue by {ARN}",
        "",
        "To be mended (2):",
        f"  high mfa-not-enforced, alice: about mfa-not-enforced ({'a' * 8})",
        f"  high canonical-policy-missing, alice: about canonical-policy-missing ({'b' * 8})",
        "",
        "It changes: alice",
        "",
        "Steps (1 planned, 1 done):",
        "  1. done 2026-06-01 06:01:30 UTC: attach arn:aws:iam::111122223333:policy/RequireMfa to user alice",
        '  2. planned: delete the inline policy "old" of user alice',
    ]
    assert "  it can be approved until 2026-06-03 06:00:00 UTC\n" in ask(RUNS[1].id).out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--table", "t"], "--journal is a file, and --table a deployment's: give one"),
        (["--profile", "p"], "--profile reaches a deployment: it goes with --table"),
        (["--region", "r"], "--region reaches a deployment"),
        (["no run"], "'no run' is no run, nor how one begins"),
    ],
)
def test_wrong_usage(options: list[str], told: str, ask: Callable[..., Result]) -> None:
    ask(*options).assert_refused(told)


def test_a_deployments_runs_are_an_accounts(run: Run) -> None:
    run("runs", "--table", "t").assert_refused("--table has the runs of many accounts: it goes with --account")


@each
def test_nothing_in_a_run_does_anything_to_a_terminal(name: str) -> None:
    step = Step(StepKind.PUT_USER_POLICY, user=name, policy=name, document=name, reason=name, effect=name)
    aim = Aim(name, name, Severity.HIGH, name, name, name)
    run: RemediationRun = replace(
        RUNS[1],
        id=name,
        account=name,
        plan=name,
        aims=(aim, replace(aim, user=None)),
        users=(name, "bob"),
        reason=name,
        decisions=(Decision(Verb.APPROVE, name, TAKEN),),
        steps=(replace(RUNS[0].steps[0], step=step),),
    )
    shown = render_run(run)
    assert_safe(shown, lines=len(render_run(replace(run, reason="a", id="b")).splitlines()))
    assert_safe(render_runs([run, run]))
