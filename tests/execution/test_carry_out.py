"""Carrying runs out in an account in memory: what is done, what is not, and what is undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.audit import judge
from chalicelib.execution.approval import Person as Decider
from chalicelib.execution.approval import decline, send_back
from chalicelib.execution.carry_out import LOOKS, NoSuchRun, carry_out
from chalicelib.execution.ports import LostHold
from chalicelib.execution.undo import undo
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.applying import apply_steps
from chalicelib.remediation.run import RunState, StepState, Verb
from chalicelib.remediation.step import Step
from chalicelib.remediation_settings import Mode
from tests.accounts.build import ACCOUNT, ADMIN, Person, managed
from tests.execution.build import Bench, with_mode
from tests.remediation.accounts import LOOSE, NAME, account, bare, wanting
from tests.remediation.test_drifts import DRIFTS, Drift, carrying

CASES = [drift for drift in DRIFTS if drift.steps]
FIVE = Drift("", [carrying()], [], wanting(), {"policies": [managed(NAME, *[LOOSE] * 5, default=5)]})
"""Where a version is deleted, one is made and becomes the default one."""


def bench(drift: Drift) -> Bench:
    """A bench with the account after the drift."""
    return Bench(drift.snapshot, drift.settings)


@pytest.mark.parametrize("drift", CASES, ids=lambda drift: drift.name)
def test_a_run_does_what_was_planned_and_is_undone_exactly(drift: Drift) -> None:
    there = bench(drift)
    run = there.made()
    done = carry_out(there.execution(), run.id).run
    assert (done.state, done.reason) == (RunState.DONE, "")
    assert {entry.state for entry in done.steps} == {StepState.DONE}
    assert there.executor.calls == [entry.step for entry in run.steps]
    assert bare(there.executor.snapshot) == bare(apply_steps(drift.snapshot, [one.step for one in run.steps]))
    left = {finding.fingerprint for finding in judge(there.executor.snapshot, settings=drift.settings).findings}
    assert left.isdisjoint(aim.fingerprint for aim in run.aims)
    assert there.load(run) == done
    assert there.journal.holds == {}

    back = undo(there.execution(), run.id, "olga").run
    assert (back.state, [one.verb for one in back.decisions]) == (RunState.UNDONE, [Verb.APPLY, Verb.UNDO])
    assert {entry.state for entry in back.steps} == {StepState.UNDONE}
    assert bare(there.executor.snapshot) == bare(drift.snapshot)


def test_what_is_done_is_not_done_again() -> None:
    there = bench(CASES[0])
    run = there.made()
    for _ in range(3):
        assert carry_out(there.execution(), run.id).run.state is RunState.DONE
    assert len(there.executor.calls) == len(run.steps)
    for _ in range(3):
        assert undo(there.execution(), run.id, "olga").run.state is RunState.UNDONE
    assert len(there.executor.calls) == 2 * len(run.steps)
    assert carry_out(there.execution(), run.id).run.state is RunState.UNDONE


@pytest.mark.parametrize("state", [RunState.PROPOSED, RunState.WAITING, RunState.DECLINED, RunState.EXPIRED])
def test_what_nobody_approved_is_neither_carried_out_nor_undone(state: RunState) -> None:
    there = bench(CASES[0])
    run = there.made(state)
    assert carry_out(there.execution(), run.id, by="olga").run == there.load(run)
    assert undo(there.execution(), run.id, "olga").run == there.load(run)
    assert (there.load(run).state, there.executor.calls) == (state, [])


def test_a_run_that_nobody_knows() -> None:
    there = bench(CASES[0])
    with pytest.raises(NoSuchRun, match="no run none of account"):
        carry_out(there.execution(), "none")
    with pytest.raises(NoSuchRun, match="no run none of account"):
        undo(there.execution(), "none", "olga")


# --- what AWS makes otherwise ----------------------------------------------------------------------------------------


def test_a_version_that_aws_counts_otherwise() -> None:
    there = bench(FIVE)
    there.executor.next_version = 9
    run = there.made()
    assert [one.step.version for one in run.steps] == ["v1", "v6", "v6"]
    done = carry_out(there.execution(), run.id).run
    assert done.state is RunState.DONE, done.reason
    assert [one.step.version for one in done.steps] == ["v1", "v9", "v9"]
    assert there.executor.snapshot.policies[ARN].version == "v9"
    back = undo(there.execution(), run.id, "olga").run
    assert back.state is RunState.UNDONE, back.reason
    policy = there.executor.snapshot.policies[ARN]
    # A version's id is never given again: the oldest one comes back as the newest, and says what it said.
    assert ([one.id for one in policy.versions], policy.version) == (["v2", "v3", "v4", "v5", "v10"], "v5")


# --- what has moved --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """What somebody does between the plan and the run, and why the run is stopped."""

    name: str
    does: Callable[[AccountSnapshot], AccountSnapshot]
    reason: str


def _user(snapshot: AccountSnapshot, name: str, **traits: Any) -> AccountSnapshot:
    return replace(snapshot, users={**snapshot.users, name: replace(snapshot.users[name], **traits)})


def _without(snapshot: AccountSnapshot, name: str) -> AccountSnapshot:
    return replace(snapshot, users={key: one for key, one in snapshot.users.items() if key != name})


ARN = f"arn:aws:iam::{ACCOUNT}:policy/{NAME}"
MOVES = [
    Move("mended by hand", lambda one: _user(one, "alice", attached=(ARN,)), "of the findings"),
    Move("the user is gone", lambda one: _without(one, "alice"), "of the findings"),
    Move(
        "the device is gone",
        lambda one: _user(
            one,
            "alice",
            mfa=False,
        ),
        "planned anew",
    ),
]


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.name)
def test_an_account_that_is_another_one_by_now(move: Move) -> None:
    there = Bench(account(carrying(attached=[]), policies=[managed(NAME, NO_ENROLMENT)]), wanting(NO_ENROLMENT))
    run = there.made()
    assert run.steps
    there.executor.snapshot = move.does(there.executor.snapshot)
    stopped = carry_out(there.execution(), run.id).run
    assert stopped.state is RunState.STOPPED
    assert move.reason in stopped.reason
    assert (there.executor.calls, there.journal.holds) == ([], {})


NO_ENROLMENT = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        }
    ],
}


def test_a_step_that_moves_at_the_last_moment() -> None:
    there = bench(FIVE)
    run = there.made()
    looks = 0

    def meddle() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            policy = there.executor.snapshot.policies[ARN]
            moved = replace(policy, version="v2", stored=replace(policy.stored, text=policy.versions[0].text))
            there.executor.snapshot = replace(there.executor.snapshot, policies={ARN: moved})

    there.executor.before_look = meddle
    stopped = carry_out(there.execution(), run.id).run
    assert stopped.state is RunState.STOPPED
    assert "step 2, create-policy-version" in stopped.reason
    assert "default is v2 and was v5" in stopped.reason
    assert [one.state for one in stopped.steps] == [StepState.DONE, StepState.PLANNED, StepState.PLANNED]


def test_what_another_hand_did_at_the_last_moment_is_left_when_the_run_is_undone() -> None:
    there = bench(CASES[0])
    run = there.made()

    def meddle() -> None:
        there.executor.before_look = lambda: None
        there.executor.snapshot = apply_steps(there.executor.snapshot, [run.steps[0].step])

    there.executor.before_look = meddle
    done = carry_out(there.execution(), run.id).run
    assert (done.state, done.steps[0].state) == (RunState.DONE, StepState.SKIPPED)
    assert undo(there.execution(), run.id, "olga").run == done
    assert there.executor.calls == []


def test_what_was_changed_since_is_not_undone() -> None:
    there = bench(CASES[0])
    run = there.made()
    carry_out(there.execution(), run.id)
    there.executor.snapshot = _user(there.executor.snapshot, "alice", attached=())
    # What was to be undone is so already.
    assert undo(there.execution(), run.id, "olga").run.state is RunState.UNDONE

    there = bench(FIVE)
    run = there.made()
    carry_out(there.execution(), run.id)
    policy = there.executor.snapshot.policies[ARN]
    there.executor.snapshot = replace(there.executor.snapshot, policies={ARN: replace(policy, version="v3")})
    stopped = undo(there.execution(), run.id, "olga").run
    assert stopped.state is RunState.STOPPED
    assert "step 3 cannot be undone, as policy" in stopped.reason
    assert len(there.executor.calls) == len(run.steps)
    # What was stopped on its way back does not go on forwards.
    assert carry_out(there.execution(), run.id, by="olga").run == stopped
    there.executor.snapshot = replace(there.executor.snapshot, policies={ARN: policy})
    assert undo(there.execution(), run.id, "olga").run.state is RunState.UNDONE


# --- what stops ------------------------------------------------------------------------------------------------------


def test_the_stop_switch_is_read_before_each_step() -> None:
    there = bench(FIVE)
    run = there.made()
    take = there.executor.take

    def last(step: Step) -> Step:
        there.stop = "somebody pulled the switch"
        return take(step)

    there.executor.take = last  # type: ignore[method-assign]
    stopped = carry_out(there.execution(), run.id).run
    assert (stopped.state, stopped.reason) == (RunState.STOPPED, "somebody pulled the switch")
    assert [one.state for one in stopped.steps] == [StepState.DONE, StepState.PLANNED, StepState.PLANNED]
    assert carry_out(there.execution(), run.id).run == stopped
    still = carry_out(there.execution(), run.id, by="olga").run
    assert (still.state, len(there.executor.calls)) == (RunState.STOPPED, 1)
    there.stop, there.executor.take = "", take  # type: ignore[method-assign]
    done = carry_out(there.execution(), run.id, by="olga").run
    assert (done.state, done.reason) == (RunState.DONE, "")
    assert there.executor.calls == [one.step for one in run.steps]
    verbs = [one.verb for one in done.decisions]
    assert verbs == [Verb.APPLY, Verb.CONTINUE, Verb.CONTINUE]


def test_a_step_that_aws_refuses_stops_the_run_and_goes_on_later() -> None:
    there = bench(FIVE)
    run = there.made()
    there.executor.refuses = lambda step: "AccessDenied" if step.kind == "set-default-policy-version" else ""
    stopped = carry_out(there.execution(), run.id).run
    assert (stopped.state, stopped.reason) == (RunState.STOPPED, "AccessDenied")
    assert [one.state for one in stopped.steps] == [StepState.DONE, StepState.DONE, StepState.BEGUN]
    there.executor.refuses = lambda step: ""
    assert carry_out(there.execution(), run.id, by="olga").run.state is RunState.DONE


def test_a_run_that_was_stopped_is_undone() -> None:
    there = bench(FIVE)
    run = there.made()
    there.executor.refuses = lambda step: "AccessDenied" if step.kind == "set-default-policy-version" else ""
    carry_out(there.execution(), run.id)
    there.executor.refuses = lambda step: ""
    back = undo(there.execution(), run.id, "olga").run
    assert back.state is RunState.UNDONE
    policy = there.executor.snapshot.policies[ARN]
    assert policy.version == "v5"
    assert [one.text for one in policy.versions] == [one.text for one in there.snapshot.policies[ARN].versions]


MODES: Mapping[Mode, RunState] = {
    Mode.OFF: RunState.STOPPED,
    Mode.PROPOSE: RunState.STOPPED,
    Mode.APPROVE: RunState.DONE,
    Mode.AUTO: RunState.DONE,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("by_hand", [True, False])
def test_the_settings_may_have_changed_their_mind(mode: Mode, *, by_hand: bool) -> None:
    there = bench(CASES[0])
    run = there.made(by="olga" if by_hand else "")
    there.settings = with_mode(there.settings, mode)
    found = carry_out(there.execution(), run.id).run
    assert found.state is (RunState.DONE if by_hand else MODES[mode])


def test_a_finding_that_stays_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    there = bench(CASES[0])
    run = there.made()
    stale = there.executor.snapshot
    monkeypatch.setattr(there.executor, "read", lambda users: stale)
    stopped = carry_out(there.execution(), run.id).run
    assert stopped.state is RunState.STOPPED
    assert "all steps were taken, and still there" in stopped.reason
    assert there.pauses == [2.0, 4.0, 8.0, 16.0]
    assert len(there.pauses) == LOOKS - 1


# --- two executors ---------------------------------------------------------------------------------------------------


def test_of_two_executors_one_works_and_the_other_says_for_whom_it_waits() -> None:
    there = bench(FIVE)
    run = there.made()
    other: list[Any] = []

    def meddle() -> None:
        if not other:
            other.append(carry_out(there.execution("two"), run.id))
            other.append(undo(there.execution("two"), run.id, "mallory"))

    there.executor.before_look = meddle
    assert carry_out(there.execution("one"), run.id).run.state is RunState.DONE
    assert [outcome.busy for outcome in other] == [run.id, run.id]
    assert there.executor.calls == [one.step for one in run.steps]


def test_an_executor_that_took_too_long_takes_no_further_step() -> None:
    there = bench(FIVE)
    run = there.made()

    def overtaken() -> None:
        there.executor.before_look = lambda: None
        there.later(minutes=6)
        assert carry_out(there.execution("two"), run.id).run.state is RunState.DONE
        assert (
            there.journal.hold(run.account, "three", "another run", there.clock.now.replace(year=2027), there.clock.now)
            is None
        )

    there.executor.before_look = overtaken
    with pytest.raises(LostHold):
        carry_out(there.execution("one"), run.id)
    assert there.executor.calls == [one.step for one in run.steps]
    assert there.load(run).state is RunState.DONE


def test_who_decides_to_go_back_keeps_an_executor_from_the_next_step() -> None:
    there = bench(FIVE)
    run = there.made()
    take = there.executor.take

    def decided(step: Step) -> Step:
        taken = take(step)
        there.executor.take = take  # type: ignore[method-assign]
        olga = Decider("olga", there.clock(), may=True)
        send_back(there.journal, run.account, run.id, olga, there.settings, there.clock(), lambda _: ())
        return taken

    there.executor.take = decided  # type: ignore[method-assign]
    with pytest.raises(LostHold, match="somebody decided something of run"):
        carry_out(there.execution(), run.id)
    assert [one.kind for one in there.executor.calls] == [run.steps[0].step.kind]
    back = undo(there.execution(), run.id).run
    assert (back.state, [(one.verb, one.by) for one in back.decisions][-1]) == (RunState.UNDONE, (Verb.UNDO, "olga"))
    assert len(there.executor.calls) == 2


def test_a_run_that_is_ready_can_be_called_off() -> None:
    there = bench(FIVE)
    run = there.made()
    olga = Decider("olga", there.clock(), may=True)
    decline(there.journal, run.account, run.id, olga, there.settings, there.clock(), lambda _: ())
    assert carry_out(there.execution(), run.id).run.state is RunState.DECLINED
    assert there.executor.calls == []


def test_people_who_are_not_aimed_at_do_not_matter() -> None:
    there = Bench(account(carrying(attached=[]), Person("bob", inline=[ADMIN], attached=[NAME])), wanting())
    run = there.made()
    there.executor.snapshot = _user(there.executor.snapshot, "bob", attached=(), inline=())
    assert carry_out(there.execution(), run.id).run.state is RunState.DONE
