"""hear: take in CloudTrail's records, and see to it that somebody looks at whom they concern.

Nothing is judged here, and no account is read: a record is a hint. Records come from EventBridge one by one and from a
trail's log files by the thousand, and the same one may come both ways, several times, in any order.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
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
from chalicelib.functions.telemetry import logger, measure
from chalicelib.hints import LOOKS, Hint, assignment_of, hints_of
from chalicelib.hub import Hub
from chalicelib.scope import Scope
from chalicelib.sweep import Assignment, accounts_to_sweep

IGNORED, NOT_OURS, NOBODY, REFUSED = "EventsIgnored", "EventsNotOurs", "EventsAboutNobody", "AttemptsRefused"
USERS, ACCOUNTS, GIT, GIT_WITH_MFA = "EventsAboutUsers", "EventsAboutAccounts", "GitWithoutMfa", "GitWithMfa"
"""What becomes of a record, and the metric that counts it."""

MOST_FAILED = 10
"""Records that fail before the rest of a file is given up: then it is AWS that fails, and not what a record holds."""
INLINE = frozenset(f"{verb}{owner}Policy" for verb in ("Put", "Delete") for owner in ("User", "Group"))
"""The events about inline policies of users and groups."""
PARTNERS = "aws.partner/"
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


class NotHeard(RuntimeError):  # noqa: N818 - says what happened
    """Some records could not be heard. The others were, up to `MOST_FAILED` of those."""


def hear_event(event: Mapping[str, Any], context: Any, hub: Hub) -> dict[str, int]:
    """Hear an event as EventBridge delivers it; how many records did what.

    What the queues and the ledger raise is raised: EventBridge and Lambda try again, and nothing is done twice.
    """
    # Partners choose all else of what comes from a source of theirs, whose name begins like AWS's own.
    forged = str(event.get("source", "")).startswith(PARTNERS)
    return hear(() if forged else records_in(event), context, hub)


def hear(records: Iterable[Mapping[str, Any]], context: Any, hub: Hub) -> dict[str, int]:
    """Hear records; how many of them did what.

    Raises:
        NotHeard: see there; the same records again do what is missing, and nothing is done twice.
    """
    hearing = _Hearing(context, hub)
    told: Counter[str] = Counter()
    failures: list[str] = []
    for value in records:
        try:
            told[hearing.hear(value)] += 1
        except Exception as error:
            # One record must not silence the others: whoever made the call chose some of what it holds.
            logger.exception("not heard")
            failures.append(type(error).__name__)
            if len(failures) == MOST_FAILED:
                break
    hearing.hand_over()
    for name, count in sorted(told.items()):
        measure(name, count)
    if failures:
        raise NotHeard(f"{len(failures)} records: {', '.join(sorted(set(failures)))}")
    return dict(sorted(told.items()))


class _Hearing:
    """What is heard in one invocation, and who is to look at whom after it."""

    def __init__(self, context: Any, hub: Hub) -> None:
        self._hub = hub
        self._now = hub.clock()
        self._context = context
        self._hints: dict[tuple[str, str], Hint] = {}
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
        if impact.refused:
            # Of what concerns all accounts, the attempt is filed with the account that it was made in.
            return self._attempt(scope or (Scope(record.account) if impact.everywhere else None), impact, cause)
        if impact.everywhere:
            for account in self._accounts():
                self._look_at_account(account, str(impact.effect), cause)
            return ACCOUNTS
        if scope is None:
            return NOBODY
        if scope.users is not None:
            # Whether the account is ours is asked by whoever looks: most events are, and it takes a call.
            self._look_at_users(_id(record), scope, cause)
            if impact.effect in REPORTED and scope.users and self._hub.is_ours(scope.account):
                self._keep(scope, str(impact.effect), cause)
            if self._is_canonical(record) and self._hub.is_ours(scope.account):
                self._look_at_account(scope.account, str(impact.effect), cause)
            return USERS
        if not self._hub.is_ours(scope.account):
            return NOT_OURS
        if loss := sight_of(record):
            self._hub.observations.keep_sight(loss)
        self._look_at_account(scope.account, str(impact.effect), cause)
        return ACCOUNTS

    def _attempt(self, scope: Scope | None, impact: Impact, cause: Cause) -> str:
        """Keep what AWS refused: nothing has changed, and somebody has tried."""
        if scope is None:
            return NOBODY
        if not self._hub.is_ours(scope.account):
            return NOT_OURS
        self._keep(scope, str(impact.effect), cause, refused=True)
        return REFUSED

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
            self._hint(hint)

    def _hint(self, hint: Hint) -> None:
        self._hints[hint.run.id, hint.scope.account] = hint

    def _look_at_account(self, account: str, effect: str, cause: Cause) -> None:
        first = self._keep(Scope(account), effect, cause)
        # There is one audit, late enough to be believed.
        work = assignment_of(account, first.heard_at, self._now, len(LOOKS))
        self._assignments[work.run.id, account] = work

    def _keep(self, scope: Scope, effect: str, cause: Cause, *, refused: bool = False) -> Heard:
        """Keep an event; as it was heard first, be it now or before."""
        users = tuple(sorted(scope.users or ()))
        return self._hub.event_log.keep(Heard(scope.account, self._now, effect, refused, users, cause))

    def _cause(self, record: Record) -> Cause:
        return cause_of(record, self._hub.own_roles(record.account))

    # --- Git ---------------------------------------------------------------------------------------------------------

    def _git(self, record: Record, operation: GitOperation) -> str:
        if not operation.without_mfa:
            return GIT_WITH_MFA
        account, cause = operation.account, self._cause(record)
        if not account or not self._hub.is_ours(account):
            return NOT_OURS
        scope = Scope(account, frozenset({operation.user}) if operation.user else None)
        effect = f"git {operation.operation} without MFA"
        if operation.refused:
            self._keep(scope, effect, cause, refused=True)
            return REFUSED
        # What is remembered is whether somebody is to look, and not that somebody was sent: that may fail yet.
        counted = self._count_once(work={"git": record.identity, "account": account}, operation=operation)
        if counted["news"] and operation.user is None:
            self._look_at_account(account, effect, cause)
        elif counted["news"]:
            # Of a push there are two records, and the second one tells more.
            self._hint(Hint(_id(record), 1, scope, cause, round(LOOKS[0].total_seconds())))
        return GIT

    @cached_property
    def _count_once(self) -> Callable[..., dict[str, Any]]:
        """Made for whoever counts: most events are none of Git's, and need nobody who remembers."""
        return once(self._context, self._hub, self._count)

    def _count(self, *, work: Mapping[str, str], operation: GitOperation) -> dict[str, Any]:
        """Count an operation in the ledger; whether somebody is to look at who did it."""
        return {"news": self._hub.observations.count(operation)}


def _id(record: Record) -> str:
    """What names a record in a run's id."""
    found = record.identity
    return found if _ID.fullmatch(found) else hashlib.sha256(found.encode(errors="replace")).hexdigest()[:32]
