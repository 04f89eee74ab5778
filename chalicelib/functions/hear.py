"""hear: take in CloudTrail's records, and see to it that somebody looks at whom they concern.

Nothing is judged here, and no account is read: a record is a hint. Records come from EventBridge one by one and from a
trail's log files by the thousand, and the same one may come both ways, several times, in any order.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chalicelib.cause import Cause
from chalicelib.events.causes import cause_of
from chalicelib.events.envelopes import records_in
from chalicelib.events.fields import text_in
from chalicelib.events.git_operation import GitOperation, git_operation_of
from chalicelib.events.heard import Heard
from chalicelib.events.impact import Impact, impact_of
from chalicelib.events.patterns import TOO_MANY
from chalicelib.events.record import Record, parse_record
from chalicelib.events.rules import Effect
from chalicelib.events.sight import sight_of
from chalicelib.functions.batches import once
from chalicelib.functions.telemetry import measure
from chalicelib.hints import LOOKS, Hint, assignment_of, hints_of
from chalicelib.hub import Hub
from chalicelib.scope import Scope
from chalicelib.sweep import Assignment, accounts_to_sweep

IGNORED, NOT_OURS, NOBODY, REFUSED = "EventsIgnored", "EventsNotOurs", "EventsAboutNobody", "AttemptsRefused"
USERS, ACCOUNTS, GIT, GIT_WITH_MFA = "EventsAboutUsers", "EventsAboutAccounts", "GitWithoutMfa", "GitWithMfa"
"""What becomes of a record, and the metric that counts it."""

INLINE = frozenset(f"{verb}{owner}Policy" for verb in ("Put", "Delete") for owner in ("User", "Group"))
"""The events about inline policies of users and groups."""

REPORTED = frozenset(
    {
        Effect.ACCESS_KEY_GAINED,
        Effect.ACCESS_KEY_LOST,
        Effect.ACCESS_KEY_SWITCHED,
        Effect.LOGIN_GAINED,
        Effect.LOGIN_LOST,
    }
)
"""What audits of whole accounts have from a credential report, which may be of before: it is kept whose they are."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,60}")


def hear_event(event: Mapping[str, Any], context: Any, hub: Hub) -> dict[str, int]:
    """Hear an event as EventBridge delivers it; how many records did what.

    What the queues and the ledger raise is raised: EventBridge and Lambda try again, and nothing is done twice.
    """
    return hear(records_in(event), context, hub)


def hear(records: Iterable[Mapping[str, Any]], context: Any, hub: Hub) -> dict[str, int]:
    """Hear records; how many of them did what."""
    hearing = _Hearing(context, hub)
    told = Counter(hearing.hear(value) for value in records)
    hearing.hand_over()
    for name, count in sorted(told.items()):
        measure(name, count)
    return dict(sorted(told.items()))


class _Hearing:
    """What is heard in one invocation, and who is to look at whom after it."""

    def __init__(self, context: Any, hub: Hub) -> None:
        self._hub = hub
        self._now = hub.clock()
        self._count_once = once(context, hub, self._count)
        self._hints: dict[tuple[str, int], Hint] = {}
        self._assignments: dict[tuple[str, str], Assignment] = {}

    def hear(self, value: Mapping[str, Any]) -> str:
        """Hear one record; what became of it."""
        record = parse_record(value)
        if record is None:
            return IGNORED
        operation = git_operation_of(record)
        if operation is not None:
            return self._git(record, operation)
        impact = impact_of(record)
        if impact is None or (record.source, record.name) in TOO_MANY:
            return IGNORED
        return self._impact(record, impact)

    def hand_over(self) -> None:
        """Put into the queues what is to be looked at."""
        if self._hints:
            self._hub.changes_queue.send(list(self._hints.values()))
        if self._assignments:
            self._hub.work_queue.send(list(self._assignments.values()))

    # --- changes -----------------------------------------------------------------------------------------------------

    def _impact(self, record: Record, impact: Impact) -> str:
        scope, cause = impact.scope, self._cause(record)
        if scope is None and not impact.everywhere:
            return NOBODY
        if impact.everywhere and not impact.refused:
            for account in self._accounts():
                self._look_at_account(account, impact, cause)
            return ACCOUNTS
        if scope is None or ((impact.refused or scope.users is None) and not self._hub.is_ours(scope.account)):
            return NOT_OURS
        if impact.refused:
            self._keep(scope, impact, cause)
            return REFUSED
        if loss := sight_of(record):
            self._hub.observations.keep_sight(loss)
        if scope.users is None:
            self._look_at_account(scope.account, impact, cause)
            return ACCOUNTS
        self._look_at_users(_id(record), scope, cause)
        if impact.effect in REPORTED and scope.users:
            self._keep(scope, impact, cause)
        if self._is_canonical(record) and self._hub.is_ours(scope.account):
            self._look_at_account(scope.account, impact, cause)
        return USERS

    def _is_canonical(self, record: Record) -> bool:
        """Whether it is about an inline policy that the settings call canonical, which is judged itself."""
        name = text_in(record.parameters, "policyName") if record.name in INLINE else ""
        return name != "" and any(canonical.names(name) for canonical in self._hub.settings.canonical)

    def _accounts(self) -> Iterable[str]:
        own = self._hub.identity.account
        return accounts_to_sweep(
            self._hub.settings, own, lambda: [account.id for account in self._hub.organization.accounts()]
        )

    def _look_at_users(self, id_: str, scope: Scope, cause: Cause) -> None:
        for hint in hints_of(id_, scope, cause, self._now):
            self._hints[hint.id, hint.look] = hint

    def _look_at_account(self, account: str, impact: Impact, cause: Cause) -> None:
        found = assignment_of(account, self._now, self._keep(Scope(account), impact, cause))
        self._assignments[account, found.run.id] = found

    def _keep(self, scope: Scope, impact: Impact, cause: Cause) -> datetime:
        users = tuple(sorted(scope.users or ()))
        heard = Heard(scope.account, self._now, str(impact.effect), impact.refused, users, cause)
        return self._hub.event_log.keep(heard)

    def _cause(self, record: Record) -> Cause:
        return cause_of(record, self._hub.own_roles(record.account))

    # --- Git ---------------------------------------------------------------------------------------------------------

    def _git(self, record: Record, operation: GitOperation) -> str:
        if not operation.without_mfa:
            return GIT_WITH_MFA
        if not operation.account or not self._hub.is_ours(operation.account):
            return NOT_OURS
        if operation.refused:
            users = (operation.user,) if operation.user else ()
            words = f"git {operation.operation} without MFA"
            self._hub.event_log.keep(Heard(operation.account, self._now, words, True, users, self._cause(record)))
            return REFUSED
        work = {"git": _id(record), "account": operation.account}
        self._count_once(work=work, operation=operation, record=record)
        return GIT

    def _count(self, *, work: Mapping[str, str], operation: GitOperation, record: Record) -> dict[str, Any]:
        """Count an operation in the ledger; somebody looks at who did it where that is new, or graver than before."""
        counted = self._hub.observations.count(operation)
        if counted.unseen:
            # Handed over here and not later: once it is remembered as counted, nobody would do it again.
            account = operation.account
            if operation.user is None:
                self._hub.work_queue.send([assignment_of(account, self._now)])
            else:
                scope = Scope(account, frozenset({operation.user}))
                # What somebody changed just before has an event of its own, whose look comes first and names them.
                delay = round(LOOKS[0].total_seconds())
                self._hub.changes_queue.send([Hint(work["git"], 1, scope, self._cause(record), delay)])
            self._hub.observations.looked_at(counted)
        return {"counted": True}


def _id(record: Record) -> str:
    """What names a record in a run's id."""
    found = record.identity
    return found if _ID.fullmatch(found) else hashlib.sha256(found.encode(errors="replace")).hexdigest()[:32]
