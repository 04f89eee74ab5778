"""mfawatch remediate --apply, --continue and --rollback on an emulated account, over HTTP."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta

import pytest

from chalicelib.aws.iam_reader import IamReader
from chalicelib.aws.step_executor import IamStepExecutor
from chalicelib.cli import applying, by_hand
from chalicelib.cli.clock import now
from chalicelib.execution.ports import LostHold, StepFailed
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.exports import Exports
from chalicelib.local.journal import SqliteJournal
from chalicelib.remediation.run import RemediationRun, RunState, RunStep, StepState, Verb
from chalicelib.remediation.step import Step
from tests.accounts.build import ACCOUNT
from tests.cli.live_account import CALLER, POLICY, Account, Bench, account, assert_told, bench, waits

__all__ = ["account", "bench", "waits"]


def test_a_plan_is_applied_verified_and_undone(bench: Bench, account: Account) -> None:
    pair = account.pair()
    done = bench.apply(*pair)
    run = bench.only_run()
    assert done.code == 0, done
    assert_told(
        done.out,
        f"Step 1.1: attach {POLICY} to user {pair[0]}",
        f"Run {run.id} is done and verified: 4 findings are gone.",
        f"To undo it: mfawatch remediate --rollback {run.id} --endpoint-url {account.url} --journal {bench.journal}\n",
    )
    assert "Nothing was changed" not in done.out
    steps = [f"step {number} of 2" for number in (1, 2)]
    assert_told(done.err, f"{steps[0]}: attach {POLICY} to user {pair[0]}\n", f"{steps[0]}: done\n{steps[1]}: ")
    assert account.carriers(*pair) == [*pair]
    assert (run.state, run.users, [one.state for one in run.steps]) == (RunState.DONE, pair, [StepState.DONE] * 2)
    assert [(one.verb, one.by) for one in run.decisions] == [(Verb.APPLY, CALLER)]

    again = bench.apply(*pair)
    assert (again.code, len(bench.runs())) == (0, 1)
    assert_told(again.out, f"There is nothing to do in account {ACCOUNT}: nothing was changed.")

    back = bench.roll_back(run.id[:20])
    assert (back.code, back.out) == (0, f"Run {run.id} is undone.\n")
    assert_told(back.err, f"Undoing run {run.id} from here, as {CALLER}\nundoing step 2 of 2: detach {POLICY}")
    assert account.carriers(*pair) == []
    twice = bench.roll_back(run.id)
    assert (twice.code, twice.out, twice.err) == (0, f"Run {run.id} is undone.\n", "")
    assert len(bench.only_run().decisions) == 2
    on = bench.go_on(run.id)
    assert (on.code, on.out) == (1, f"Run {run.id} is undone, and does not go on: plan anew.\n")


def test_max_bounds_what_is_applied(bench: Bench, account: Account) -> None:
    pair = account.pair()
    done = bench.apply(*pair, more=("--yes", "--max", "1", "--format", "json"))
    assert done.code == 0, done.err
    assert account.carriers(*pair) == [pair[0]]
    told = done.json
    assert (told["run"]["state"], told["run"]["plan"], told["run"]["users"]) == ("done", told["id"], [pair[0]])
    assert [step["state"] for step in told["run"]["steps"]] == ["done"]
    assert_told(done.err, f"Run {bench.only_run().id} is done and verified: 2 findings are gone.")


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"\n", 1), (b"", 130)])
def test_at_a_terminal_it_asks(
    answer: bytes, code: int, bench: Bench, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "at_terminal", lambda: True)
    pair = account.pair()
    done = bench.apply(*pair, more=("-o", bench.folder / "plan.txt"), stdin=answer)
    assert (done.code, done.out) == (code, "")
    assert "The plan: 2 repairs, 2 steps, 2 users changed; 4 findings mended" in done.err
    assert f"Take 2 steps that change 2 users of account {ACCOUNT}, as {CALLER}? [y/N]: " in done.err
    assert account.carriers(*pair) == ([*pair] if code == 0 else [])
    assert len(bench.runs()) == (code == 0)
    assert (bench.folder / "plan.txt").read_text().startswith("Plan ")
    assert ("Nothing was changed." in done.err) is (code == 1)


def test_without_a_terminal_it_wants_yes(bench: Bench, account: Account) -> None:
    pair = account.pair()
    bench.apply(*pair, more=()).assert_refused("nobody is at a terminal: --yes")
    assert account.carriers(*pair) == []
    assert not bench.journal.exists()


def test_it_tells_that_it_waits_for_iam(bench: Bench, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = account.pair()
    take, late = IamStepExecutor.take, list[Step]()

    def put_off(_: IamStepExecutor, step: Step) -> Step:
        late.append(step)
        return step

    monkeypatch.setattr(IamStepExecutor, "take", put_off)

    def pause(_: float) -> None:
        while late:
            take(IamStepExecutor(account.clients("iam")), late.pop())

    monkeypatch.setattr(by_hand, "pause", pause)
    done = bench.apply(*pair)
    assert done.code == 0, done
    assert done.err.endswith("step 2 of 2: done\nIAM does not show it yet: looking again in 2 s\n")


# --- killed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
@pytest.mark.parametrize("back", [False, True], ids=["on", "back"])
def test_interrupted_half_way(
    bench: Bench, account: Account, monkeypatch: pytest.MonkeyPatch, *, after: bool, back: bool
) -> None:
    pair = account.pair()
    take = IamStepExecutor.take

    def interrupted(executor: IamStepExecutor, step: Step) -> Step:
        taken = take(executor, step) if after or step.user == pair[0] else step
        if step.user == pair[1]:
            raise KeyboardInterrupt
        return taken

    monkeypatch.setattr(IamStepExecutor, "take", interrupted)
    cut = bench.apply(*pair)
    run = bench.only_run()
    assert cut.code == 130
    assert_told(
        cut.err,
        f"Interrupted; to go on: mfawatch remediate --continue {run.id} --endpoint-url {account.url} ",
        f"; to go back: mfawatch remediate --rollback {run.id} ",
    )
    assert [one.state for one in run.steps] == [StepState.DONE, StepState.BEGUN]
    monkeypatch.setattr(IamStepExecutor, "take", take)
    done = bench.roll_back(run.id) if back else bench.go_on(run.id)
    assert done.code == 0, done
    assert account.carriers(*pair) == ([] if back else [*pair])
    assert bench.only_run().state is (RunState.UNDONE if back else RunState.DONE)


def test_interrupted_on_the_way_back(bench: Bench, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = account.pair()
    bench.apply(*pair)
    run, take = bench.only_run(), IamStepExecutor.take

    def interrupted(executor: IamStepExecutor, step: Step) -> Step:
        raise KeyboardInterrupt

    monkeypatch.setattr(IamStepExecutor, "take", interrupted)
    cut = bench.roll_back(run.id)
    assert cut.code == 130
    assert_told(cut.err, f"Interrupted; to go on: mfawatch remediate --rollback {run.id} ")
    monkeypatch.setattr(IamStepExecutor, "take", take)
    on = bench.go_on(run.id)
    assert on.code == 1
    assert_told(on.out, "is undoing, on its way back, and does not go on.\n", "rest of it: mfawatch remediate --roll")
    assert bench.roll_back(run.id).code == 0
    assert account.carriers(*pair) == []


def test_who_is_killed_holds_the_account_for_a_while(
    bench: Bench, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = account.pair()
    take, release = IamStepExecutor.take, SqliteJournal.release

    def killed(executor: IamStepExecutor, step: Step) -> Step:
        raise KeyboardInterrupt

    monkeypatch.setattr(IamStepExecutor, "take", killed)
    monkeypatch.setattr(SqliteJournal, "release", lambda *_: None)
    bench.apply(*pair)
    monkeypatch.setattr(IamStepExecutor, "take", take)
    monkeypatch.setattr(SqliteJournal, "release", release)
    run = bench.only_run()
    for verb, busy in {"--continue": bench.go_on(run.id), "--rollback": bench.roll_back(run.id)}.items():
        assert busy.code == 1
        assert_told(
            busy.out,
            f"Account {ACCOUNT} is held for run {run.id} by another executor: nothing was done.",
            f"One that was killed holds it for 5 minutes at most. To try again: mfawatch remediate {verb} {run.id} ",
        )
    other = bench.apply(*account.pair())
    assert other.code == 1
    assert_told(other.out, f"held for run {run.id} by another", "To try again: mfawatch remediate --continue ")
    assert account.carriers(*pair) == []
    monkeypatch.setattr("chalicelib.cli.by_hand.now", lambda: now() + timedelta(minutes=6))
    assert bench.go_on(run.id).code == 0
    assert account.carriers(*pair) == [*pair]


CUT = {
    "the journal": sqlite3.OperationalError("disk I/O error"),
    "another executor": LostHold(f"account {ACCOUNT} is held by another for run x by now"),
}


@pytest.mark.parametrize("what", CUT)
def test_cut_short_by_what_is_written(
    what: str, bench: Bench, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, error, note = account.pair(), CUT[what], SqliteJournal.note

    def cut_short(journal: SqliteJournal, run: RemediationRun, step: RunStep, holder: str) -> None:
        if step.number == 2:
            raise error
        note(journal, run, step, holder)

    monkeypatch.setattr(SqliteJournal, "note", cut_short)
    cut = bench.apply(*pair)
    run = bench.only_run()
    assert (cut.code, account.carriers(*pair)) == (1, [pair[0]])
    assert_told(cut.err, f"mfawatch: run {run.id} was cut short", str(error), f"remediate --continue {run.id}")
    monkeypatch.setattr(SqliteJournal, "note", note)
    assert bench.roll_back(run.id).code == 0
    assert account.carriers(*pair) == []


def test_an_account_that_cannot_be_read(bench: Bench, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        IamReader, "read_account", lambda *_: (Exports(gaps=(Gap(Read.AUTHORIZATION_DETAILS, "", "no"),)), now())
    )
    bench.apply(*account.pair()).assert_refused(f"AWS: account {ACCOUNT} could not be read: no")
    bench.ask("--apply", "--yes", "--endpoint-url", "http://127.0.0.1:9").assert_refused("AWS: ", "127.0.0.1:9")
    assert bench.runs() == []


# --- stopped ---------------------------------------------------------------------------------------------------------


def test_a_deployments_stop_switch_holds_the_command_line(bench: Bench, account: Account) -> None:
    pair = account.pair()
    account.switch("stop")
    refused = bench.apply(*pair)
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert_told(refused.err, "nothing was changed: the parameter /mfawatch/remediation does not say run", "''")
    assert bench.runs() == []
    account.switch("run")
    assert bench.apply(*pair).code == 0
    account.switch("stop")
    assert bench.roll_back(bench.only_run().id).code == 0
    assert account.carriers(*pair) == []
    assert bench.apply(*pair, more=("--yes", "--stop-parameter", "")).code == 0


def test_one_that_is_pulled_half_way(bench: Bench, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = account.pair()
    take = IamStepExecutor.take

    def last(executor: IamStepExecutor, step: Step) -> Step:
        account.switch("no more")
        return take(executor, step)

    monkeypatch.setattr(IamStepExecutor, "take", last)
    stopped = bench.apply(*pair)
    run = bench.only_run()
    assert stopped.code == 1
    assert_told(
        stopped.out,
        f"Run {run.id} was stopped with 1 of 2 steps taken: the parameter /mfawatch/remediation does not say run\n",
        f"To go on: mfawatch remediate --continue {run.id} ",
        f"To go back: mfawatch remediate --rollback {run.id} ",
    )
    assert account.carriers(*pair) == [pair[0]]
    assert bench.go_on(run.id).code == 1
    account.switch("run")
    assert bench.go_on(run.id).code == 0
    assert account.carriers(*pair) == [*pair]
    assert [one.verb for one in bench.only_run().decisions] == [Verb.APPLY, Verb.CONTINUE]
    assert bench.go_on(run.id).code == 0


def test_what_aws_says_does_nothing_to_a_terminal(
    bench: Bench, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(executor: IamStepExecutor, step: Step) -> Step:
        raise StepFailed("AccessDenied: \x1b[2J\u202e\nRun is done")

    monkeypatch.setattr(IamStepExecutor, "take", refused)
    pair = account.pair()
    stopped = bench.apply(*pair)
    run = bench.only_run()
    assert stopped.code == 1
    assert_told(stopped.out, "was stopped with 0 of 2 steps taken: AccessDenied: <001b>[2J<202e><000a>Run is done\n")
    shown = bench.run_command("runs", run.id[:18], "--journal", bench.journal)
    assert_told(shown.out, "because AccessDenied: <001b>[2J<202e><000a>Run is done\n", "1. begun 2")
    back = bench.roll_back(run.id)
    assert (back.code, back.out) == (0, f"Run {run.id} is undone.\n")


def test_somebody_elses_changes_are_not_undone(bench: Bench, account: Account) -> None:
    pair = account.pair()
    bench.apply(*pair)
    run, iam = bench.only_run(), account.clients("iam")
    iam.detach_user_policy(UserName=pair[1], PolicyArn=POLICY)
    iam.delete_user_policy(UserName=pair[1], PolicyName="work")
    done = bench.roll_back(run.id)
    assert done.code == 0, done
    assert account.carriers(*pair) == []


def test_json_tells_how_a_run_stands(bench: Bench, account: Account) -> None:
    bench.apply(*account.pair())
    run = bench.only_run()
    done = bench.ask("--rollback", run.id, "--format", "json", settings=False)
    assert (done.code, json.loads(done.out)["run"]["state"]) == (0, "undone")
    assert done.err.endswith(f"Run {run.id} is undone.\n")
