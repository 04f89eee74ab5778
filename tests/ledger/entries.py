"""Entries of the outbox, and an outbox as it should be: the simplest there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import notice_of
from chalicelib.cause import Cause
from chalicelib.diff import diff
from tests.ledger.build import at, audit, finding

SLACK, SNS, BUS = "slack:C0SECURITY", "sns", "event-bus"
CAUSE = Cause("an-event", "iam:DetachUserPolicy", at(), "arn:aws:iam::111122223333:user/olga", "203.0.113.9", "aws-cli")


def entry(
    user: str = "alice", destination: str = SLACK, hours: float = 0, *, digest: bool = False, attempts: int = 0
) -> Entry:
    """An entry about a finding of a user, which was opened and is due so many hours after the first audit."""
    (change,) = diff(audit(finding(user=user), hours=hours), [], "one", at(hours))
    return Entry(notice_of(replace(change, cause=CAUSE)), destination, at(hours), digest, attempts)


@dataclass
class MemoryOutbox:
    """An `Outbox`."""

    waiting: dict[str, Entry] = field(default_factory=dict)
    broken: bool = False
    """Whether it forgets nothing, and says so."""

    def due(self, now: datetime, most: int) -> Sequence[Entry]:
        found = [one for one in self.waiting.values() if one.due <= now]
        return sorted(found, key=lambda one: (one.due, one.key))[:most]

    def earlier(self, entries: Sequence[Entry], now: datetime) -> Sequence[Entry]:
        def name(one: Entry) -> tuple[str, str, str]:
            return one.destination, one.notice.account, one.notice.fingerprint

        versions = {name(one): one.notice.version for one in entries}
        return [one for one in self.waiting.values() if one.notice.version < versions.get(name(one), 0)]

    def claim(self, entries: Sequence[Entry], until: datetime) -> Sequence[Entry]:
        won = [one for one in entries if self.waiting.get(one.key) == one]
        return [self._move(one, until, 0) for one in won]

    def postpone(self, entries: Sequence[Entry], until: datetime) -> None:
        for one in entries:
            if one.key in self.waiting:
                self._move(one, until, 1)

    def done(self, entries: Sequence[Entry]) -> None:
        if self.broken:
            raise RuntimeError("nothing is forgotten")
        for one in entries:
            self.waiting.pop(one.key, None)

    def _move(self, one: Entry, until: datetime, more: int) -> Entry:
        moved = replace(one, due=until, attempts=one.attempts + more)
        self.waiting[one.key] = moved
        return moved


def outbox_of(*entries: Entry) -> MemoryOutbox:
    """An outbox that holds these."""
    return MemoryOutbox({one.key: one for one in entries})
