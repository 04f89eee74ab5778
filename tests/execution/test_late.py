"""An account that answers as before for some seconds after each change, as IAM may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from chalicelib.execution.carry_out import Execution, carry_out
from chalicelib.execution.undo import undo
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.run import RunState, StepState
from chalicelib.remediation.step import Step
from tests.execution.build import Bench, Clock
from tests.execution.snapshot_executor import SnapshotExecutor
from tests.execution.test_carry_out import ARN, CASES, FIVE
from tests.execution.test_killed import Killed, texts
from tests.remediation.accounts import account, wanting
from tests.remediation.test_drifts import Drift, carrying

T = TypeVar("T")
LATE = timedelta(seconds=5)


class LateExecutor(SnapshotExecutor):
    """Shows what was so a while ago, and changes what is so."""

    def __init__(self, snapshot: AccountSnapshot, clock: Clock) -> None:
        super().__init__(snapshot)
        self._clock = clock
        self._since = [(clock() - LATE, snapshot)]

    def read(self, _users: Sequence[str] = ()) -> AccountSnapshot:
        return [snapshot for since, snapshot in self._since if since <= self._clock() - LATE][-1]

    def look(self, step: Step) -> Mapping[str, str]:
        return self._before(lambda: SnapshotExecutor.look(self, step))

    def taken(self, step: Step) -> Step | None:
        return self._before(lambda: SnapshotExecutor.taken(self, step))

    def take(self, step: Step) -> Step:
        taken = super().take(step)
        self._since.append((self._clock(), self.snapshot))
        return taken

    def _before(self, ask: Callable[[], T]) -> T:
        now, self.snapshot = self.snapshot, self.read()
        try:
            return ask()
        finally:
            self.snapshot = now


class LateBench(Bench):
    """A bench with such an account, where time passes while somebody waits."""

    def __post_init__(self) -> None:
        self.executor = LateExecutor(self.snapshot, self.clock)

    def execution(self, *arguments: Any, **options: Any) -> Execution:
        return replace(super().execution(*arguments, **options), pause=lambda seconds: self.later(seconds=seconds))


@pytest.mark.parametrize("drift", [*CASES, FIVE], ids=lambda drift: drift.name)
def test_what_is_not_to_be_seen_yet_stops_no_run(drift: Drift) -> None:
    there = LateBench(drift.snapshot, drift.settings)
    run = there.made()
    done = carry_out(there.execution(), run.id).run
    assert (done.state, done.reason) == (RunState.DONE, "")
    assert there.executor.calls == [entry.step for entry in run.steps]
    back = undo(there.execution(), run.id, "olga").run
    assert (back.state, back.reason) == (RunState.UNDONE, "")
    assert texts(there) == texts(Bench(drift.snapshot, drift.settings))


def test_a_step_that_is_not_to_be_seen_yet_is_undone_all_the_same() -> None:
    snapshot = account(carrying("alice", attached=[]), carrying("bob", attached=[]))
    there = LateBench(snapshot, wanting())
    run = there.made()
    there.executor.refuses = lambda step: "AccessDenied" if step.user == "bob" else ""
    assert carry_out(there.execution(), run.id).run.state is RunState.STOPPED
    assert undo(there.execution(), run.id, "olga").run.state is RunState.UNDONE
    assert there.executor.snapshot.users["alice"].attached == ()


def test_a_step_of_which_no_answer_came_and_that_is_not_to_be_seen_yet() -> None:
    snapshot = account(carrying(attached=[]))
    there = LateBench(snapshot, wanting())
    run = there.made()
    take = there.executor.take

    def dies(step: Step) -> Step:
        take(step)
        raise Killed

    there.executor.take = dies  # type: ignore[method-assign]
    with pytest.raises(Killed):
        carry_out(there.execution(), run.id)
    there.executor.take = take  # type: ignore[method-assign]
    there.journal.holds.clear()
    assert undo(there.execution(), run.id, "olga").run.state is RunState.UNDONE
    assert there.executor.snapshot.users["alice"].attached == ()


def test_what_the_run_itself_has_done_is_not_said_to_be_another_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Bench(account(carrying(attached=[])), wanting())
    run = there.made()
    [entry] = run.steps
    assert there.journal.hold(run.account, "the dead", run.id, there.clock(), there.clock()) is None
    there.journal.note(run, replace(entry, state=StepState.BEGUN, at=there.clock()), "the dead")
    there.executor.take(entry.step)
    there.later(minutes=6)
    # What was not there at the first look is there at the next.
    taken, answers = there.executor.taken, [None]
    monkeypatch.setattr(there.executor, "taken", lambda step: answers.pop() if answers else taken(step))
    reads = [there.snapshot]
    monkeypatch.setattr(there.executor, "read", lambda _: reads.pop() if reads else there.executor.snapshot)
    assert [one.state for one in carry_out(there.execution(), run.id).run.steps] == [StepState.DONE]
    assert undo(there.execution(), run.id, "olga").run.state is RunState.UNDONE
    assert ARN not in there.executor.snapshot.users["alice"].attached
