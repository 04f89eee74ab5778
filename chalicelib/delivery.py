"""Telling what waits in the outbox: to each destination what is due, and later what it did not take."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice
from chalicelib.ports import Clock, Notifier, Outbox, Told

_LOG = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=2)
"""How long a destination that took nothing is left alone; the time doubles with each attempt."""
LONGEST_PAUSE = timedelta(hours=1)
LATE = timedelta(hours=1)
"""An entry that has waited for so long beyond what was wanted is late: somebody should see to its destination."""
LATE_ATTEMPTS = 5
"""Attempts after which one for a digest is, which was to wait: the pauses between them come to an hour."""


@dataclass(slots=True)
class Delivery:
    """What was told and what was not, by destination."""

    told: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    """Destination → why it took no more."""
    late: int = 0
    """Entries that wait for longer than they should."""


def deliver(entries: Iterable[Entry], outbox: Outbox, notifier_of: Callable[[str], Notifier], clock: Clock) -> Delivery:
    """Tell entries that are held or claimed; those that were taken leave the outbox, the others wait.

    Whoever is killed between telling and writing that down has them told once more: nothing is lost.
    """
    found = Delivery()
    for (destination, digest), some in _parts(entries).items():
        told = _told(destination, [entry.notice for entry in some], digest, notifier_of)
        taken = {(notice.account, notice.fingerprint, notice.version) for notice in told.taken}
        done = [entry for entry in some if _name(entry) in taken]
        left = [entry for entry in some if _name(entry) not in taken]
        outbox.done(done)
        _count(found.told, destination, len(done))
        if left:
            now = clock()
            outbox.postpone(left, now + pause_after(left, told.retry_after))
            _count(found.waiting, destination, len(left))
            found.troubles[destination] = told.trouble
            found.late += sum(_is_late(entry, now) for entry in left)
    return found


def _told(
    destination: str, notices: Sequence[Notice | RunNotice], digest: bool, notifier_of: Callable[[str], Notifier]
) -> Told:
    """What the destination took: of findings first, of which a run tells what was done about them.

    A finding that it does not take for what it says keeps no run from being told; that it asks to be left alone does.
    """
    findings = [notice for notice in notices if isinstance(notice, Notice)]
    runs = [notice for notice in notices if isinstance(notice, RunNotice)]
    try:
        notifier = notifier_of(destination)
        told = notifier.tell(findings, digest=digest) if findings else Told(())
        if told.retry_after is not None or not runs:
            return told
        more = notifier.tell_runs(runs)
        return replace(more, taken=(*told.taken, *more.taken), trouble=told.trouble or more.trouble)
    except Exception as error:
        # One destination, or what is told there, must not keep the others from hearing. The text may hold a secret.
        _LOG.error("cannot tell %s (%s)", destination, type(error).__name__)
        return Told((), f"failed ({type(error).__name__})")


def _is_late(entry: Entry, now: datetime) -> bool:
    return entry.attempts + 1 >= LATE_ATTEMPTS if entry.digest else now - entry.notice.at > LATE


def pause_after(left: Sequence[Entry], retry_after: float | None) -> timedelta:
    """How long a destination is left alone: as long as it asked for, or longer with each attempt."""
    if retry_after is not None:
        return timedelta(seconds=min(max(1.0, retry_after), LONGEST_PAUSE.total_seconds()))
    attempts = min(max(entry.attempts for entry in left), 10)
    return min(FIRST_PAUSE * 2.0**attempts, LONGEST_PAUSE)


def _parts(entries: Iterable[Entry]) -> Mapping[tuple[str, bool], Sequence[Entry]]:
    """The entries of each destination, those for a digest apart, the earliest first."""
    parts: dict[tuple[str, bool], list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.notice.at, entry.key)):
        parts[entry.destination, entry.digest].append(entry)
    return parts


def _name(entry: Entry) -> tuple[str, str, int]:
    return entry.notice.account, entry.notice.fingerprint, entry.notice.version


def _count(counts: dict[str, int], destination: str, more: int) -> None:
    if more:
        counts[destination] = counts.get(destination, 0) + more
