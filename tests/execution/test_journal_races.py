"""Several executors and one journal: whatever they do in whatever order, it is as if they took turns."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.execution.ports import Journal, LostHold
from chalicelib.remediation.run import RemediationRun, RunState, StepState
from tests.accounts.build import ACCOUNT
from tests.execution.conftest import Opener
from tests.execution.journals import run
from tests.execution.memory_journal import MemoryJournal
from tests.ledger.build import at

HOLDERS = ("executor-1", "executor-2")
MINUTE = timedelta(minutes=1)

WHO = st.sampled_from(HOLDERS)
ACTIONS = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 10)),
    st.tuples(st.just("hold"), WHO, st.integers(-1, 10)),
    st.tuples(st.just("release"), WHO),
    st.tuples(st.just("keep"), WHO),
    st.tuples(st.just("look"), WHO),
    st.tuples(st.just("move"), WHO, st.booleans()),
    st.tuples(st.just("note"), WHO, st.integers(1, 2), st.sampled_from(StepState)),
)
ACCOUNTS = (f"{number:012}" for number in itertools.count())


@dataclass
class Play:
    """What executors do in one account with one run: each writes what follows from what it saw last."""

    journal: Journal
    account: str
    now: datetime = field(default_factory=at)
    seen: dict[str, RemediationRun] = field(default_factory=dict)
    versions: list[int] = field(default_factory=list)
    """Those that were written."""
    holder: tuple[str, datetime] | None = None
    """Who got hold of the account last, and until when."""

    def __post_init__(self) -> None:
        self.run = run(account=self.account)
        self.seen |= dict.fromkeys(HOLDERS, self.run)

    def do(self, verb: str, *how: Any) -> object:
        """Do it; what came of it."""
        try:
            return getattr(self, verb)(*how)
        except LostHold as error:
            return str(error)

    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    def hold(self, who: str, minutes: int) -> str | None:
        until = self.now + minutes * MINUTE
        found = self.journal.hold(self.account, who, f"run of {who}", until, self.now)
        if found is None:
            assert self.holder is None or self.holder[0] == who or self.holder[1] <= self.now, "two hold the account"
            self.holder = (who, until)
        return found

    def release(self, who: str) -> None:
        self.journal.release(self.account, who)
        if self.holder and self.holder[0] == who:
            self.holder = None

    def keep(self, who: str) -> bool:
        kept = self.journal.keep(replace(self.run, reason=who))
        self.versions += [1] * kept
        return kept

    def look(self, who: str) -> RemediationRun | None:
        found = self.journal.load(self.account, self.run.id)
        self.seen[who] = found or self.run
        return found

    def move(self, who: str, holding: bool) -> bool:
        moved = self.seen[who].moved(RunState.RUNNING, self.now, who)
        won = self.journal.move(moved, holder=who if holding else None)
        self.versions += [moved.version] * won
        return won

    def note(self, who: str, number: int, state: StepState) -> None:
        if self.versions:
            step = replace(self.seen[who].steps[number - 1], state=state, at=self.now)
            self.journal.note(self.seen[who], step, who)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTIONS, max_size=25))
def test_in_whatever_order_two_executors_write_all_goes_as_in_the_simplest_journal(
    journal: Journal, actions: Sequence[tuple[Any, ...]]
) -> None:
    account = next(ACCOUNTS)
    play, simple = Play(journal, account), Play(MemoryJournal(), account)
    for action in actions:
        came, should = play.do(*action), simple.do(*action)
        assert came == should, action
        lost = came is False or isinstance(came, str)
        if lost or action is actions[-1]:  # a loser leaves no trace
            assert play.look(HOLDERS[0]) == simple.look(HOLDERS[0]), action
    assert play.versions == list(range(1, len(play.versions) + 1)), "each version is written once, in its turn"


def at_once(open_journal: Opener, do: Callable[[Journal, int], Any]) -> list[Any]:
    """What comes of four threads' doing it at once, each with the journal opened for itself."""
    barrier = threading.Barrier(4, timeout=60)

    def act(number: int) -> Any:
        with open_journal() as journal:
            barrier.wait()
            return do(journal, number)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(act, range(4)))


@pytest.mark.parametrize("open_journal", ["dynamodb", "sqlite"], indirect=True)
def test_of_several_at_once_one_wins(open_journal: Opener, journal: Journal) -> None:
    one = run()
    kept = at_once(open_journal, lambda journal, n: journal.keep(replace(one, reason=f"of {n}")))
    assert sorted(kept) == [False, False, False, True]
    found = journal.load(ACCOUNT, one.id)
    assert found == replace(one, reason=f"of {kept.index(True)}")
    moved = found.moved(RunState.READY, at(1))
    won = at_once(open_journal, lambda journal, n: journal.move(replace(moved, reason=f"of {n}")))
    assert sorted(won) == [False, False, False, True]
    assert journal.load(ACCOUNT, one.id) == replace(moved, reason=f"of {won.index(True)}")
    held = at_once(open_journal, lambda journal, n: journal.hold(ACCOUNT, f"{n}", f"run {n}", at(2), at(1)))
    winner = held.index(None)
    assert held == [None if number == winner else f"run {winner}" for number in range(4)]
