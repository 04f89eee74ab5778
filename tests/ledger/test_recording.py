"""Audits into the ledger, by several at once, and by some who die on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.audit import Audit
from chalicelib.diff import diff
from chalicelib.findings import Severity
from chalicelib.ledger import Change, ChangeKind, Event, Stored
from chalicelib.ports import FindingStore
from chalicelib.recording import ROUNDS, StillRacing, record
from tests.accounts.build import ACCOUNT
from tests.ledger.build import BROKEN, ROOT, Memory, at, audit, finding, kinds, news
from tests.ledger.conftest import Opener, Ticking
from tests.ledger.test_diff import audits

ALICE = finding()
BOB = finding(user="bob")
TOP = finding(ROOT, None, Severity.CRITICAL)
MANY = [finding(BROKEN, distinction=str(number)) for number in range(45)]


@dataclass
class Interrupted:
    """A store before whose writes something happens; the number tells which write it is, from 0."""

    store: FindingStore
    before_write: Callable[[int], None]
    writes: Iterable[int] = field(default_factory=count)

    def load(self, account: str, users: Collection[str] | None = None) -> Sequence[Stored]:
        return self.store.load(account, users)

    def apply(self, changes: Sequence[Change]) -> Sequence[Change]:
        self.before_write(next(iter(self.writes)))
        return self.store.apply(changes)

    def history(self, account: str, fingerprint: str) -> Sequence[Event]:
        return self.store.history(account, fingerprint)


def contents(store: FindingStore) -> dict[str, Stored]:
    return {one.fingerprint: one for one in store.load(ACCOUNT)}


def told(store: FindingStore) -> list[tuple[str, int, str]]:
    """Every entry of every history, without the run."""
    events = [event for name in contents(store) for event in store.history(ACCOUNT, name)]
    return sorted((event.fingerprint, event.version, str(event.kind)) for event in events)


def test_an_audit_is_recorded(store: FindingStore, clock: Ticking) -> None:
    assert kinds(record(store, audit(ALICE, TOP), "one", clock)) == [
        ("opened", TOP.control, ""),
        ("opened", ALICE.control, "alice"),
    ]
    assert kinds(record(store, audit(ALICE, hours=1), "two", clock)) == [
        ("resolved", TOP.control, ""),
        ("persisting", ALICE.control, "alice"),
    ]
    assert news(record(store, audit(ALICE, hours=1), "three", clock)) == []


def test_a_run_that_is_done_again_tells_what_it_did(store: FindingStore, clock: Ticking) -> None:
    """Whoever was to hear of it may not have."""
    record(store, audit(ALICE, TOP), "one", clock)
    record(store, audit(ALICE, hours=1), "two", clock)
    before = contents(store)
    assert kinds(record(store, audit(ALICE, hours=1), "two", clock)) == [
        ("resolved", TOP.control, ""),
        ("persisting", ALICE.control, "alice"),
    ]
    assert contents(store) == before


def test_an_audit_of_some_users_reads_and_touches_no_others(store: FindingStore, clock: Ticking) -> None:
    record(store, audit(ALICE, BOB, TOP), "one", clock)
    assert kinds(record(store, audit(hours=1, asked=["bob"]), "two", clock)) == [("resolved", BOB.control, "bob")]
    assert {one.run for one in contents(store).values() if one.user != "bob"} == {"one"}


@pytest.mark.parametrize("first", [(), (ALICE, TOP)], ids=["empty", "known"])
@pytest.mark.parametrize("seen", [(ALICE, BOB, TOP), (BOB,), ()], ids=["all", "some", "none"])
def test_of_two_who_race_with_the_same_audit_each_change_is_told_by_one(
    open_store: Opener, clock: Ticking, first: tuple[()], seen: tuple[()]
) -> None:
    one, two, alone = open_store(), open_store(), Memory()
    for store in (one, alone):
        record(store, audit(*first), "zero", clock)
    result = audit(*seen, hours=1)
    theirs: list[Change] = []

    def overtake(write: int) -> None:
        if write == 0:
            theirs.extend(record(two, result, "two", clock))

    mine = record(Interrupted(one, overtake), result, "one", clock)
    expected = record(alone, result, "alone", clock)
    assert kinds(news([*mine, *theirs])) == kinds(news(expected))
    assert told(one) == told(alone)
    assert {name: one.status for name, one in contents(one).items()} == {
        name: one.status for name, one in contents(alone).items()
    }


def test_of_two_who_race_with_audits_of_two_moments_the_later_one_counts(open_store: Opener, clock: Ticking) -> None:
    one, two = open_store(), open_store()
    record(one, audit(ALICE, BOB), "zero", clock)
    early, late = audit(ALICE, hours=1), audit(BOB, hours=2)
    theirs: list[Change] = []

    def overtake(write: int) -> None:
        if write == 0:
            theirs.extend(record(two, late, "late", clock))

    mine = record(Interrupted(one, overtake), early, "early", clock)
    assert kinds(news(theirs)) == [("resolved", ALICE.control, "alice")]
    assert kinds(news(mine)) == [("resolved", BOB.control, "bob")]
    # The later audit saw bob's finding and wrote nothing, for it was there already: the next sweep sees it again.
    assert kinds(news(record(one, audit(BOB, hours=3), "next", clock))) == [("reopened", BOB.control, "bob")]


def test_both_changes_of_two_who_saw_different_things_are_told(open_store: Opener, clock: Ticking) -> None:
    one, two = open_store(), open_store()
    record(one, audit(ALICE), "zero", clock)
    graver = replace(ALICE, severity=Severity.CRITICAL)
    theirs: list[Change] = []

    def overtake(write: int) -> None:
        if write == 0:
            theirs.extend(record(two, audit(graver, BOB, hours=1), "two", clock))

    mine = record(Interrupted(one, overtake), audit(BOB, hours=2), "one", clock)
    assert sorted(kinds(news(theirs))) == [("changed", ALICE.control, "alice"), ("opened", BOB.control, "bob")]
    assert kinds(news(mine)) == [("resolved", ALICE.control, "alice")]
    assert [event.run for event in one.history(ACCOUNT, ALICE.fingerprint)] == ["zero", "two", "one"]


def test_whoever_is_overtaken_each_time_says_what_was_won_and_what_not(open_store: Opener, clock: Ticking) -> None:
    one, two = open_store(), open_store()
    record(one, audit(ALICE), "zero", clock)

    def overtake(write: int) -> None:
        other = replace(ALICE, evidence={"write": write})
        record(two, audit(other, hours=1), f"other-{write}", clock)

    mine = replace(ALICE, evidence={"mine": True})
    with pytest.raises(StillRacing, match="1 findings") as raised:
        record(Interrupted(one, overtake), audit(mine, BOB, hours=1), "one", clock)
    assert kinds(raised.value.won) == [("opened", BOB.control, "bob")]
    assert [change.fingerprint for change in raised.value.lost] == [ALICE.fingerprint]
    assert len(one.history(ACCOUNT, ALICE.fingerprint)) == 1 + ROUNDS


class Killed(Exception):  # noqa: N818
    """The process is gone."""


@dataclass
class Mortal:
    """A store that writes in batches and is gone after so many of them."""

    store: FindingStore
    batches: int
    size: int

    def load(self, account: str, users: Collection[str] | None = None) -> Sequence[Stored]:
        return self.store.load(account, users)

    def apply(self, changes: Sequence[Change]) -> Sequence[Change]:
        won: list[Change] = []
        for start in range(0, len(changes), self.size):
            if self.batches == 0:
                raise Killed
            self.batches -= 1
            won += self.store.apply(changes[start : start + self.size])
        return won

    def history(self, account: str, fingerprint: str) -> Sequence[Event]:
        return self.store.history(account, fingerprint)


@pytest.mark.parametrize("batches", range(3))
def test_whoever_is_killed_between_writes_and_runs_again_ends_the_same(
    store: FindingStore, clock: Ticking, batches: int
) -> None:
    first, second = audit(*MANY[:35]), audit(*MANY[15:], hours=1)
    alone = Memory()
    for one in (first, second):
        with pytest.raises(Killed):
            record(Mortal(store, batches, 15), one, "run", clock)
        record(store, one, "run", clock)
        record(alone, one, "run", clock)
    assert contents(store) == contents(alone)
    assert told(store) == told(alone)


@given(st.lists(audits(), min_size=1, max_size=3), st.integers(0, 6), st.integers(1, 3))
def test_killed_anywhere_any_sequence_of_audits_ends_the_same(found: list[Audit], batches: int, size: int) -> None:
    store, alone, clock = Memory(), Memory(), Ticking()
    for hours, one in enumerate(found):
        later = replace(one, generated_at=at(hours))
        try:
            record(Mortal(store, batches, size), later, f"run-{hours}", clock)
        except Killed:
            record(store, later, f"run-{hours}", clock)
        record(alone, later, f"run-{hours}", clock)
    assert contents(store) == contents(alone)
    assert told(store) == told(alone)


@given(audits(), audits(hours=1), audits(hours=1))
def test_whatever_two_racers_saw_each_version_is_told_once(first: Audit, mine: Audit, theirs: Audit) -> None:
    store, clock = Memory(), Ticking()
    record(store, first, "zero", clock)
    other: list[Change] = []

    def overtake(write: int) -> None:
        if write == 0:
            other.extend(record(store, theirs, "theirs", clock))

    changes = [*record(Interrupted(store, overtake), mine, "mine", clock), *other]
    versions = [(change.fingerprint, change.after.version) for change in news(changes)]
    assert len(versions) == len(set(versions))
    later = [(event.fingerprint, event.version) for event in store.events if event.run != "zero"]
    assert sorted(versions) == sorted(later)


def test_the_store_for_comparison_is_one(clock: Ticking) -> None:
    store: FindingStore = Memory()
    (change,) = record(store, audit(ALICE), "one", clock)
    assert change.kind is ChangeKind.OPENED
    assert store.apply(diff(audit(ALICE), [], "two", at(0))) == []
