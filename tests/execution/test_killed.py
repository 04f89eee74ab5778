"""An executor that is killed at each of its calls in turn, before or after the call took effect; and the next one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.execution.carry_out import carry_out
from chalicelib.execution.undo import undo
from chalicelib.remediation.run import RunState, StepState
from tests.execution.build import Bench
from tests.execution.test_carry_out import CASES, FIVE, bench
from tests.remediation.accounts import bare
from tests.remediation.test_drifts import Drift


class Killed(BaseException):
    """The process is no more."""


@dataclass
class Life:
    """Ends at a call, and nothing gets through afterwards. `calls` counts those that were begun."""

    ends_at: int | None = None
    after: bool = False
    """Whether the last call still takes effect."""
    calls: int = field(default=0)

    def wrap(self, target: object) -> object:
        """The same, for as long as this lives."""
        return _Mortal(self, target)


class _Mortal:
    def __init__(self, life: Life, target: object) -> None:
        self._life, self._target = life, target

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)

        def call(*arguments: Any, **options: Any) -> Any:
            life = self._life
            life.calls += 1
            if life.ends_at is None or life.calls < life.ends_at:
                return method(*arguments, **options)
            if life.calls == life.ends_at and life.after:
                method(*arguments, **options)
            raise Killed

        return call


def lives(calls: int) -> Iterator[Life]:
    """One that ends at each call, before it and after it."""
    for number in range(1, calls + 1):
        yield Life(number, after=False)
        yield Life(number, after=True)


def killed(there: Bench, life: Life, run: str, *, undoing: bool) -> None:
    """Work until the end of a life."""
    execution = there.execution("the dead", life.wrap)
    with suppress(Killed):
        _ = undo(execution, run, "olga") if undoing else carry_out(execution, run)
    there.later(minutes=6)


@pytest.mark.parametrize("drift", [CASES[0], CASES[1], FIVE], ids=["a user", "a group", "five versions"])
def test_whoever_comes_next_ends_where_the_plan_does(drift: Drift) -> None:
    whole = bench(drift)
    counting = Life()
    run = whole.made()
    carry_out(whole.execution("one", counting.wrap), run.id)
    assert counting.calls > 5 * len(run.steps)
    for life in lives(counting.calls):
        there = bench(drift)
        run = there.made()
        killed(there, life, run.id, undoing=False)
        done = carry_out(there.execution("the next"), run.id).run
        assert (done.state, done.reason) == (RunState.DONE, ""), life
        assert {entry.state for entry in done.steps} == {StepState.DONE}, life
        assert there.executor.calls == [entry.step for entry in run.steps], life
        assert there.load(run) == done
        assert bare(there.executor.snapshot) == bare(whole.executor.snapshot)


@pytest.mark.parametrize("drift", [CASES[0], CASES[1], FIVE], ids=["a user", "a group", "five versions"])
def test_whoever_comes_next_leads_back(drift: Drift) -> None:
    counting, first = Life(), bench(drift)
    run = first.made()
    carry_out(first.execution("one", counting.wrap), run.id)
    for life in lives(counting.calls):
        there = bench(drift)
        run = there.made()
        killed(there, life, run.id, undoing=False)
        before = there.load(run)
        back = undo(there.execution("the next"), run.id, "olga").run
        if before.changed:
            assert (back.state, back.reason) == (RunState.UNDONE, ""), life
        assert texts(there) == texts(bench(drift)), life


@pytest.mark.parametrize("drift", [CASES[0], CASES[1], FIVE], ids=["a user", "a group", "five versions"])
def test_whoever_is_killed_on_the_way_back(drift: Drift) -> None:
    counting, whole = Life(), bench(drift)
    run = whole.made()
    carry_out(whole.execution(), run.id)
    undo(whole.execution("one", counting.wrap), run.id, "olga")
    for life in lives(counting.calls):
        there = bench(drift)
        run = there.made()
        carry_out(there.execution(), run.id)
        killed(there, life, run.id, undoing=True)
        back = undo(there.execution("the next"), run.id, "olga").run
        assert (back.state, back.reason) == (RunState.UNDONE, ""), life
        assert len(there.executor.calls) == 2 * len(run.steps), life
        assert bare(there.executor.snapshot) == bare(whole.executor.snapshot)


def texts(there: Bench) -> object:
    """What the account says, but for what its versions are called."""
    found = bare(there.executor.snapshot)
    policies = {
        arn: (sorted(one.text for one in policy.versions), policy.stored.text) for arn, policy in found.policies.items()
    }
    return found.users, found.groups, policies
