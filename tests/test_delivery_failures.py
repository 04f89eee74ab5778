"""Telling what waits: what one destination does is nothing to the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice
from chalicelib.delivery import LATE_ATTEMPTS, deliver
from chalicelib.ports import Told
from tests.alerts.build import notice

NOW = datetime.now(UTC)


@dataclass
class Box:
    """An outbox that notes what becomes of entries."""

    gone: list[Entry] = field(default_factory=list)
    kept: list[Entry] = field(default_factory=list)

    def due(self, now: datetime, most: int) -> Sequence[Entry]:
        raise NotImplementedError

    def earlier(self, entries: Sequence[Entry], now: datetime) -> Sequence[Entry]:
        raise NotImplementedError

    def claim(self, entries: Sequence[Entry], until: datetime) -> Sequence[Entry]:
        raise NotImplementedError

    def postpone(self, entries: Sequence[Entry], until: datetime) -> None:
        self.kept += entries

    def done(self, entries: Sequence[Entry]) -> None:
        self.gone += entries


class Taking:
    """Takes all."""

    def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
        return Told(notices)

    def tell_runs(self, notices: Sequence[RunNotice]) -> Told:
        return Told(notices)


class Failing:
    """Fails in a way of its own, or refuses."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
        if self._error:
            raise self._error
        return Told((), "no")

    def tell_runs(self, notices: Sequence[RunNotice]) -> Told:
        return Told((), "no")


def entry(destination: str, at: datetime = NOW) -> Entry:
    return Entry(replace(notice(), at=at), destination, NOW)


def test_a_destination_that_fails_keeps_no_other_from_hearing() -> None:
    box, entries = Box(), [entry("a"), entry("b"), entry("none")]

    def notifier_of(destination: str) -> Taking | Failing:
        known: dict[str, Taking | Failing] = {"a": Failing(ZeroDivisionError("a secret")), "b": Taking()}
        return known[destination]

    found = deliver(entries, box, notifier_of, lambda: NOW)
    assert (box.gone, box.kept) == ([entries[1]], [entries[0], entries[2]])
    assert found.troubles == {"a": "failed (ZeroDivisionError)", "none": "failed (KeyError)"}


@pytest.mark.parametrize(
    ("ago", "digest", "attempts", "late"),
    [
        (timedelta(minutes=50), False, LATE_ATTEMPTS, 0),
        (timedelta(minutes=70), False, 1, 1),
        (timedelta(hours=9), True, 0, 0),
        (timedelta(hours=9), True, LATE_ATTEMPTS, 1),
    ],
)
def test_what_is_late(ago: timedelta, digest: bool, attempts: int, late: int) -> None:
    one = replace(entry("a", NOW - ago), digest=digest, attempts=attempts)
    assert deliver([one], Box(), lambda _: Failing(None), lambda: NOW).late == late
