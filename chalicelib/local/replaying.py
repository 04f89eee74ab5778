"""Records of CloudTrail into a timeline: Git operations are counted, events are kept, and all others passed over.

Nine records in ten are of events that this tool knows nothing of, and a log has millions. Nothing is made of those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.events.effects import is_known
from chalicelib.events.git_activity import GitActivity, activity_of
from chalicelib.events.git_operation import GitOperation, git_operation_of
from chalicelib.events.happening import Happening, happening_of
from chalicelib.events.impact import Impact, impact_of
from chalicelib.events.record import Record, parse_record
from chalicelib.events.rules import Effect
from chalicelib.local.timeline_store import TimelineStore

_CHANGES_NOTHING = frozenset({Effect.SESSION, Effect.SIGN_IN})
"""What was done with MFA, or by those who have none to use."""
_SECOND, _FORMAT = "2026-01-31T23:59:59Z", "%Y-%m-%dT%H:%M:%SZ"
"""How CloudTrail writes times; in this form they are in the order of their texts."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which operations and events are told; None for all."""

    account: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """The first moment that is not told of."""
    concerns: Callable[[Happening], bool] | None = None
    """Whether an event has to do with the users asked for."""
    users: frozenset[str] | None = None
    """The names of the users whose Git operations are told, in small letters."""

    def takes_git(self, operation: GitOperation) -> bool:
        """Whether a Git operation is told."""
        mine = self.users is None or (operation.user or "").lower() in self.users
        # Of an account is what its users do, and what is done to its repositories.
        accounts = (operation.account, *operation.repository.split(":")[4:5])
        return mine and self._takes(operation.at, accounts)

    def takes(self, happening: Happening) -> bool:
        """Whether an event is told."""
        scope = happening.scope
        accounts = (happening.account, *([scope.account] if scope else []))
        mine = self.concerns is None or self.concerns(happening)
        return mine and self._takes(happening.cause.at, accounts)

    def _takes(self, at: datetime | None, accounts: Iterable[str]) -> bool:
        if self.account is not None and self.account not in accounts:
            return False
        # What has no time may have been at any.
        return at is None or not ((self.since and at < self.since) or (self.until and at >= self.until))


class Replay:
    """Counts what goes by. The counts are of all records, whatever is chosen to be told."""

    def __init__(self, store: TimelineStore, choice: Choice) -> None:
        self._store = store
        self._choice = choice
        self._git: dict[str, GitActivity] = {}
        self._first = ""
        self._last = ""
        self.records = 0
        self.ignored = 0
        """Those of events that say nothing of MFA."""
        self.git_with_mfa = 0
        """Git operations, of those that are told, that were made with MFA, or by a role."""

    @property
    def first(self) -> datetime | None:
        """The time of the oldest record."""
        return datetime.fromisoformat(self._first) if self._first else None

    @property
    def last(self) -> datetime | None:
        """The time of the newest record."""
        return datetime.fromisoformat(self._last) if self._last else None

    def git(self) -> Iterator[GitActivity]:
        """The Git operations without MFA, per principal, repository and credential."""
        return iter(self._git.values())

    def take(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Go through the records."""
        for value in records:
            self.records += 1
            at = value.get("eventTime")
            if at.__class__ is str and not self._first <= at <= self._last:
                self._widen(at)
            if is_known(value.get("eventSource"), value.get("eventName")) and (record := parse_record(value)):
                self._tell(record)
            else:
                self.ignored += 1

    def _widen(self, at: str) -> None:
        try:
            moment = datetime.fromisoformat(at)
            usual = len(at) == len(_SECOND) and at[-1] == "Z"
            text = at if usual else f"{moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC):{_FORMAT}}"
        except (ValueError, OverflowError):
            return
        self._first = min(self._first or text, text)
        self._last = max(self._last, text)

    def _tell(self, record: Record) -> None:
        if operation := git_operation_of(record):
            self._count(operation)
        elif (impact := impact_of(record)) is None or not _is_told(impact):
            self.ignored += 1
        else:
            happening = happening_of(record, impact)
            if self._choice.takes(happening):
                self._store.add(record.identity, happening)

    def _count(self, operation: GitOperation) -> None:
        if not self._choice.takes_git(operation) or not self._store.is_new(operation):
            return
        if not operation.without_mfa:
            self.git_with_mfa += operation.transferred is not False
            return
        activity = activity_of(operation)
        before = self._git.get(activity.id)
        self._git[activity.id] = before.merged(activity) if before else activity


def _is_told(impact: Impact) -> bool:
    """Whether the event concerns somebody, or makes a device that is to concern somebody."""
    concerns = impact.scope is not None or impact.everywhere or impact.effect is Effect.DEVICE_MADE
    return concerns and (impact.refused or impact.effect not in _CHANGES_NOTHING)
