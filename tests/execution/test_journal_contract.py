"""What `Journal` promises, of each journal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from chalicelib.execution.ports import Journal, LostHold
from chalicelib.remediation.run import Decision, RemediationRun, RunState, StepState, Verb
from tests.accounts.build import ACCOUNT
from tests.execution.journals import run, runs
from tests.ledger.build import at

OTHER = "444455556666"
ME, YOU = "executor-1", "executor-2"
SECOND = timedelta(seconds=1)


def bare(one: RemediationRun) -> RemediationRun:
    return replace(one, steps=())


def holding(journal: Journal, holder: str, hours: float = 1, now: float = 0) -> bool:
    """Whether the holder gets hold of the account until then."""
    return journal.hold(ACCOUNT, holder, f"run of {holder}", at(hours), at(now)) is None


# --- keeping ---------------------------------------------------------------------------------------------------------


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert journal.load(ACCOUNT, run().id) is None
    assert list(journal.runs(ACCOUNT, at(-9))) == []


def test_what_is_kept_comes_back_as_it_was(journal: Journal) -> None:
    one, none = run(), run(1, steps=0)
    assert journal.keep(one)
    assert journal.keep(none)
    assert journal.load(ACCOUNT, one.id) == one
    assert journal.load(ACCOUNT, none.id) == none


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs())
def test_whatever_a_run_says_comes_back(journal: Journal, one: RemediationRun) -> None:
    known = journal.load(ACCOUNT, one.id)
    assert journal.keep(one) is (known is None)
    assert journal.load(ACCOUNT, one.id) == (known or one)


def test_a_run_is_kept_once_and_stays_as_it_has_become(journal: Journal) -> None:
    one = run(steps=3)
    journal.keep(one)
    assert holding(journal, ME)
    journal.note(one, replace(one.steps[1], state=StepState.DONE), ME)
    before = journal.load(ACCOUNT, one.id)
    for again in (one, run(steps=5, reason="another"), run(steps=0)):
        assert not journal.keep(again)
    assert journal.load(ACCOUNT, one.id) == before


@pytest.mark.parametrize(
    ("account", "id_"),
    [
        (ACCOUNT, ""),
        (ACCOUNT, "x" * 3000),
        (ACCOUNT, "20261127T193000Z-\ud800"),
        (ACCOUNT, "20261127T193000Z-a#0001"),
        (ACCOUNT, "20261127T193000Z-" + "a" * 99),
        (ACCOUNT, "' OR 1=1 --"),
        ("", "20261127T193000Z-a"),
        ("1" * 13, "20261127T193000Z-a"),
        ("\u0661" * 12, "20261127T193000Z-a"),
        ("account", "20261127T193000Z-a"),
    ],
)
def test_what_no_run_can_be_called_is_neither_kept_nor_there(journal: Journal, account: str, id_: str) -> None:
    assert journal.load(account, id_) is None
    with pytest.raises(ValueError, match="no run can be called"):
        journal.keep(replace(run(), account=account, id=id_))


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), ["c", "b", "a"]),
        (at(0), ["c", "b", "a"]),
        (at(0) + SECOND / 2, ["c", "b"]),
        (at(1).astimezone(UTC), ["c", "b"]),
        (at(1) + SECOND, ["c"]),
        (at(2) + SECOND, []),
        (datetime(9999, 1, 1, tzinfo=UTC), []),
    ],
)
def test_the_runs_of_an_account_since_a_moment_the_latest_first(
    journal: Journal, since: datetime, expected: list[str]
) -> None:
    for one in (run(1, name="b"), run(0, name="a"), run(2, name="c"), run(1, name="z", account=OTHER)):
        journal.keep(one)
    found = journal.runs(ACCOUNT, since)
    assert [one.id.rpartition("-")[2] for one in found] == expected
    assert all(one.steps == () and one.account == ACCOUNT for one in found)
    assert list(journal.runs("000000000000", since)) == []


# --- moving ----------------------------------------------------------------------------------------------------------


def test_a_run_moves_with_all_but_its_steps(journal: Journal) -> None:
    one = run()
    journal.keep(one)
    moved = one.moved(RunState.READY, at(1), "a reason", Decision(Verb.APPROVE, "carla", at(1)))
    other = replace(moved.with_step(replace(one.steps[0], state=StepState.DONE)), users=("bob", "carol"))
    assert journal.move(other)
    assert journal.load(ACCOUNT, one.id) == replace(other, steps=one.steps)
    assert list(journal.runs(ACCOUNT, at(0))) == [bare(other)]


def test_one_of_the_runs_that_come_without_steps_moves_and_keeps_them(journal: Journal) -> None:
    one = run()
    journal.keep(one)
    [found] = journal.runs(ACCOUNT, at(0))
    assert journal.move(found.moved(RunState.EXPIRED, at(25)))
    assert journal.load(ACCOUNT, one.id) == one.moved(RunState.EXPIRED, at(25))


Mover = Callable[[RemediationRun], RemediationRun]


@pytest.mark.parametrize(
    "mine",
    [
        lambda one: one.moved(RunState.DECLINED, at(2)),
        lambda one: one,
        lambda one: replace(one.moved(RunState.READY, at(2)), version=9),
        lambda one: replace(one.moved(RunState.READY, at(2)), account=OTHER),
        lambda one: run(5).moved(RunState.READY, at(2)),
    ],
    ids=["late", "unmoved", "far", "another account", "unknown"],
)
def test_a_run_that_is_in_another_version_by_now_does_not_move(journal: Journal, mine: Mover) -> None:
    one = run()
    journal.keep(one)
    theirs = one.moved(RunState.READY, at(1), "theirs")
    assert journal.move(theirs)
    assert not journal.move(mine(one))
    assert journal.load(ACCOUNT, one.id) == theirs
    assert list(journal.runs(OTHER, at(-9))) == []
    assert list(journal.runs(ACCOUNT, at(-9))) == [bare(theirs)]


# --- holding ---------------------------------------------------------------------------------------------------------


def test_one_holds_an_account_until_a_moment(journal: Journal) -> None:
    assert holding(journal, ME, 1)
    assert journal.hold(ACCOUNT, YOU, "yours", at(3), at(0.5)) == f"run of {ME}"
    assert journal.hold(OTHER, YOU, "yours", at(3), at(0.5)) is None
    assert holding(journal, ME, 2, now=0.9)
    assert not holding(journal, YOU, 3, now=1.5)
    assert journal.hold(ACCOUNT, YOU, "yours", at(3), at(2) - SECOND / 1000) == f"run of {ME}"
    assert holding(journal, YOU, 3, now=2)
    assert journal.hold(ACCOUNT, ME, "mine", at(4), at(2.5)) == f"run of {YOU}"


def test_moments_are_compared_wherever_they_are_told(journal: Journal) -> None:
    def east(hours: float) -> datetime:
        return at(hours).astimezone(tz=EAST)

    assert journal.hold(ACCOUNT, ME, "mine", east(1), at(0)) is None
    assert journal.hold(ACCOUNT, YOU, "yours", at(3), east(0.9)) == "mine"
    assert journal.hold(ACCOUNT, YOU, "yours", at(3), at(1)) is None


EAST = datetime.strptime("+1300", "%z").tzinfo


def test_who_holds_an_account_may_take_it_for_another_run(journal: Journal) -> None:
    assert journal.hold(ACCOUNT, ME, "first", at(1), at(0)) is None
    assert journal.hold(ACCOUNT, ME, "second", at(1), at(0)) is None
    assert journal.hold(ACCOUNT, YOU, "yours", at(3), at(0)) == "second"


def test_who_lets_go_lets_others_in_and_nobody_lets_go_for_others(journal: Journal) -> None:
    journal.release(ACCOUNT, ME)
    assert holding(journal, ME)
    journal.release(ACCOUNT, YOU)
    assert not holding(journal, YOU)
    journal.release(ACCOUNT, ME)
    assert holding(journal, YOU)
    journal.release(ACCOUNT, ME)
    assert not holding(journal, ME)


# --- writing while one holds the account -----------------------------------------------------------------------------


def test_steps_are_written_while_one_holds_the_account(journal: Journal) -> None:
    one = run(steps=3)
    journal.keep(one)
    assert holding(journal, ME)
    taken = replace(one.steps[1], state=StepState.DONE, at=at(0.5), step=replace(one.steps[1].step, version="v7"))
    for step in (replace(one.steps[1], state=StepState.BEGUN), taken, taken):
        journal.note(one, step, ME)
    assert journal.load(ACCOUNT, one.id) == one.with_step(taken)
    moved = one.moved(RunState.RUNNING, at(0.6))
    assert journal.move(moved, holder=ME)
    assert journal.load(ACCOUNT, one.id) == moved.with_step(taken)


def test_who_is_late_writes_on_as_long_as_no_other_comes(journal: Journal) -> None:
    one = run()
    journal.keep(one)
    assert holding(journal, ME, 1)
    done = replace(one.steps[0], state=StepState.DONE, at=at(5))
    journal.note(one, done, ME)
    assert journal.load(ACCOUNT, one.id) == one.with_step(done)


def test_a_step_is_of_the_run_as_it_is(journal: Journal) -> None:
    one = run()
    journal.keep(one)
    assert holding(journal, ME, 1)
    assert journal.move(one.moved(RunState.UNDOING, at(1)))
    before = journal.load(ACCOUNT, one.id)
    with pytest.raises(LostHold, match=f"somebody decided something of run {one.id}"):
        journal.note(one, replace(one.steps[0], state=StepState.DONE), ME)
    assert journal.load(ACCOUNT, one.id) == before


@pytest.mark.parametrize("held", [True, False], ids=["by another", "by nobody"])
def test_who_has_lost_the_account_writes_nothing_and_hears_who_has_it(journal: Journal, held: bool) -> None:
    one = run()
    journal.keep(one)
    assert holding(journal, ME, 1)
    if held:
        assert holding(journal, YOU, 2, now=1)
    else:
        journal.release(ACCOUNT, ME)
    told = f"account {ACCOUNT} is held by {f'{YOU} for run run of {YOU}' if held else 'nobody'} by now"
    with pytest.raises(LostHold, match=re.escape(told)):
        journal.note(one, replace(one.steps[0], state=StepState.DONE), ME)
    for moved in (one.moved(RunState.RUNNING, at(1)), one):  # the second is in no version that can be written, either
        with pytest.raises(LostHold, match=re.escape(told)):
            journal.move(moved, holder=ME)
    assert journal.load(ACCOUNT, one.id) == one
    assert holding(journal, YOU, 3, now=2)


def test_without_a_holder_a_run_moves_whoever_holds_the_account(journal: Journal) -> None:
    """Whoever approves or declines holds nothing."""
    one = run()
    journal.keep(one)
    assert holding(journal, YOU)
    assert journal.move(one.moved(RunState.DECLINED, at(1)))


def test_the_holder_of_one_account_writes_in_no_other(journal: Journal) -> None:
    one = run(account=OTHER)
    journal.keep(one)
    assert holding(journal, ME)
    with pytest.raises(LostHold, match="nobody"):
        journal.note(one, replace(one.steps[0], state=StepState.DONE), ME)
    with pytest.raises(LostHold, match="nobody"):
        journal.move(one.moved(RunState.RUNNING, at(1)), holder=ME)
    assert journal.load(OTHER, one.id) == one
