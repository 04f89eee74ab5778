"""Telling what waits: what was taken is forgotten, what was not waits longer with each attempt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice
from chalicelib.delivery import FIRST_PAUSE, LATE, LONGEST_PAUSE, Delivery, deliver, pause_after
from chalicelib.ports import Notifier, Told
from tests.alerts.build import run_notice
from tests.ledger.build import HOUR, at
from tests.ledger.entries import BUS, SLACK, SNS, MemoryOutbox, entry, outbox_of

ALICE, BOB, CAROL = entry("alice"), entry("bob"), entry("carol")
SOON = at(0.1)


@dataclass
class Listener:
    """A destination that takes what is about some users, or all; `trouble` and `retry_after` are what it says."""

    takes: Collection[str] | None = None
    trouble: str = ""
    retry_after: float | None = None
    told: list[tuple[list[str | None], bool]] = field(default_factory=list)
    """Whom each call was about, and whether it was a digest."""
    runs: list[RunNotice] = field(default_factory=list)

    def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
        self.told.append(([notice.user for notice in notices], digest))
        taken = [notice for notice in notices if self.takes is None or notice.user in self.takes]
        return Told(taken, self.trouble, self.retry_after)

    def tell_runs(self, notices: Sequence[RunNotice]) -> Told:
        self.runs += notices
        return Told(notices)


def told(outbox: MemoryOutbox, *entries: Entry, hours: float = 0.1, **destinations: Notifier) -> Delivery:
    """What comes of telling these so many hours after the first audit; destinations by the word before the colon."""
    return deliver(entries, outbox, lambda name: destinations[name.partition(":")[0]], lambda: at(hours))


def test_what_is_taken_leaves_the_outbox() -> None:
    outbox, slack = outbox_of(ALICE, BOB, CAROL), Listener()
    found = told(outbox, ALICE, BOB, slack=slack)
    assert (found.told, found.waiting, found.troubles, found.late) == ({SLACK: 2}, {}, {}, 0)
    assert list(outbox.waiting) == [CAROL.key]
    assert slack.told == [(["alice", "bob"], False)]


def test_nothing_is_told_of_nothing() -> None:
    assert told(outbox_of()) == Delivery()


def test_each_destination_hears_its_own_the_earliest_first_and_digests_apart() -> None:
    late, early = entry("bob", SLACK, 1), entry("carol", SLACK, 0.5)
    digests = [entry(name, SLACK, 2, digest=True) for name in ("dave", "erin")]
    sns = entry("alice", SNS)
    slack, topic = Listener(), Listener()
    found = told(outbox_of(), late, *digests, sns, early, hours=3, slack=slack, sns=topic)
    assert slack.told == [(["carol", "bob"], False), (["dave", "erin"], True)]
    assert topic.told == [(["alice"], False)]
    assert found.told == {SLACK: 4, SNS: 1}


def test_a_part_that_is_taken_is_not_told_again() -> None:
    outbox = outbox_of(ALICE, BOB)
    found = told(outbox, ALICE, BOB, slack=Listener({"bob"}, "channel_not_found"))
    assert (found.told, found.waiting, found.troubles) == ({SLACK: 1}, {SLACK: 1}, {SLACK: "channel_not_found"})
    [left] = outbox.waiting.values()
    assert (left.notice.user, left.attempts, left.due) == ("alice", 1, SOON + FIRST_PAUSE)


def test_one_version_of_a_finding_is_not_another() -> None:
    """The destination takes the first of two notices about one finding."""
    second = entry("alice", hours=1)
    later = replace(second, notice=replace(second.notice, version=2))

    class First(Listener):
        def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
            return Told(notices[:1])

    outbox = outbox_of(ALICE, later)
    told(outbox, later, ALICE, hours=2, slack=First())
    assert list(outbox.waiting) == [later.key]


def run_entry(destination: str = SLACK) -> Entry:
    return Entry(run_notice(), destination, at())


def test_runs_are_told_after_findings() -> None:
    outbox, slack = outbox_of(ALICE, run_entry()), Listener()
    found = told(outbox, run_entry(), ALICE, slack=slack)
    assert (found.told, slack.told, slack.runs) == ({SLACK: 2}, [(["alice"], False)], [run_notice()])
    assert not outbox.waiting


def test_runs_are_told_where_there_is_nothing_to_tell_of_findings() -> None:
    slack = Listener()
    found = told(outbox_of(run_entry()), run_entry(), slack=slack)
    assert (found.told, slack.told, slack.runs) == ({SLACK: 1}, [], [run_notice()])


def test_runs_are_told_beside_findings_that_are_not_taken() -> None:
    outbox, slack = outbox_of(ALICE, BOB, run_entry()), Listener({"bob"}, "invalid_blocks")
    found = told(outbox, ALICE, BOB, run_entry(), slack=slack)
    assert (found.told, found.waiting, slack.runs) == ({SLACK: 2}, {SLACK: 1}, [run_notice()])
    assert (list(outbox.waiting), found.troubles) == ([ALICE.key], {SLACK: "invalid_blocks"})


def test_runs_wait_where_a_destination_asks_to_be_left_alone() -> None:
    outbox, slack = outbox_of(ALICE, BOB, run_entry()), Listener({"bob"}, "rate limited", 240)
    found = told(outbox, ALICE, BOB, run_entry(), slack=slack)
    assert (found.told, found.waiting, slack.runs) == ({SLACK: 1}, {SLACK: 2}, [])
    assert set(outbox.waiting) == {ALICE.key, run_entry().key}
    assert {one.due - SOON for one in outbox.waiting.values()} == {timedelta(minutes=4)}


def test_trouble_at_one_destination_is_nobody_elses() -> None:
    entries = [entry("alice", name) for name in (SLACK, SNS, BUS)]
    outbox = outbox_of(*entries)
    bus = Listener()
    found = deliver(
        entries,
        outbox,
        lambda name: {SLACK: Listener((), "no", 240), SNS: Listener((), "no topic"), BUS: bus}[name],
        lambda: SOON,
    )
    assert (found.told, found.waiting) == ({BUS: 1}, {SLACK: 1, SNS: 1})
    assert found.troubles == {SLACK: "no", SNS: "no topic"}
    assert {one.destination: one.due - SOON for one in outbox.waiting.values()} == {
        SLACK: timedelta(minutes=4),
        SNS: FIRST_PAUSE,
    }


class Broken:
    """A destination whose adapter fails."""

    def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
        raise ValueError("xoxb-secret")

    def tell_runs(self, notices: Sequence[RunNotice]) -> Told:
        raise ValueError("xoxb-secret")


def unknown(name: str) -> Notifier:
    raise LookupError(f"nobody knows {name}")


@pytest.mark.parametrize(("make", "kind"), [(unknown, "LookupError"), (lambda _: Broken(), "ValueError")])
def test_a_destination_that_cannot_be_asked_waits_and_silences_no_other(
    make: Callable[[str], Notifier], kind: str
) -> None:
    entries = [entry("alice", SLACK), entry("alice", SNS)]
    outbox, topic = outbox_of(*entries), Listener()
    found = deliver(entries, outbox, lambda name: topic if name == SNS else make(name), lambda: SOON)
    assert (found.told, found.waiting) == ({SNS: 1}, {SLACK: 1})
    assert kind in found.troubles[SLACK]
    assert "secret" not in found.troubles[SLACK]
    assert [one.due for one in outbox.waiting.values()] == [SOON + FIRST_PAUSE]


def test_who_cannot_write_down_what_was_told_says_so_and_loses_nothing() -> None:
    outbox = outbox_of(ALICE)
    outbox.broken = True
    with pytest.raises(RuntimeError, match="nothing is forgotten"):
        told(outbox, ALICE, slack=Listener())
    assert list(outbox.waiting) == [ALICE.key]


# --- how long a destination is left alone ----------------------------------------------------------------------------


def test_the_pause_doubles_up_to_an_hour() -> None:
    minutes = [pause_after([entry(attempts=n)], None).total_seconds() / 60 for n in range(8)]
    assert minutes == [2, 4, 8, 16, 32, 60, 60, 60]


def test_the_most_patient_counts() -> None:
    assert pause_after([entry(attempts=2), entry("bob")], None) == FIRST_PAUSE * 4


@given(st.integers(0, 10**9), st.none() | st.floats() | st.integers(-(10**30), 10**30))
def test_it_is_never_without_end_and_never_none(attempts: int, retry_after: float | None) -> None:
    pause = pause_after([entry(attempts=attempts)], retry_after)
    assert timedelta(seconds=1) <= pause <= LONGEST_PAUSE


@pytest.mark.parametrize(("asked", "seconds"), [(0, 1), (0.5, 1), (30, 30), (3600, 3600), (86400, 3600)])
def test_who_asks_to_be_left_alone_is(asked: float, seconds: int) -> None:
    assert pause_after([entry(attempts=5)], asked) == timedelta(seconds=seconds)


def test_in_an_outage_each_entry_is_tried_seldom_and_told_in_the_end() -> None:
    outbox, slack = outbox_of(ALICE, BOB), Listener((), "Slack cannot be reached")
    now, outage = at(), at(24)
    while now < outage:
        deliver(outbox.due(now, 100), outbox, lambda _: slack, lambda now=now: now)
        now += timedelta(minutes=5)
    assert len(outbox.waiting) == 2
    assert len(slack.told) < 35
    slack.takes = None
    deliver(outbox.due(now + LONGEST_PAUSE, 100), outbox, lambda _: slack, lambda: now)
    assert not outbox.waiting


# --- late ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "digest", "late"), [(0.1, False, 0), (1, False, 0), (1.1, False, 2), (1.1, True, 0), (48, False, 2)]
)
def test_what_waits_for_more_than_an_hour_is_late_unless_it_was_to_wait(hours: float, digest: bool, late: int) -> None:
    assert LATE == HOUR
    entries = [entry(name, digest=digest) for name in ("alice", "bob", "carol")]
    found = told(outbox_of(*entries), *entries, hours=hours, slack=Listener({"carol"}, "no"))
    assert (found.late, found.waiting) == (late, {SLACK: 2})


# --- whatever comes --------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.builds(
            entry,
            st.sampled_from(["alice", "bob", "carol"]),
            st.sampled_from([SLACK, SNS, BUS]),
            st.integers(0, 3),
            digest=st.booleans(),
        ),
        unique_by=lambda one: one.key,
    ),
    st.sets(st.sampled_from(["alice", "bob", "carol"])),
)
def test_each_entry_is_told_or_waits(entries: list[Entry], takes: set[str]) -> None:
    outbox = outbox_of(*entries)
    found = told(outbox, *entries, hours=4, slack=Listener(takes), sns=Listener(takes), **{BUS: Listener()})
    assert sum(found.told.values()) + sum(found.waiting.values()) == len(entries)
    assert sum(found.waiting.values()) == len(outbox.waiting)
    assert all(one.destination != BUS and one.notice.user not in takes for one in outbox.waiting.values())
    assert all(one.attempts == 1 and one.due > at(4) for one in outbox.waiting.values())
