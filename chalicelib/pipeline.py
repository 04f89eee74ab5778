"""One audit from end to end: read, judge, compare with the ledger, and write down what changed.

An audit of some users tells the ledger of each look, so that one of an older state that comes in later changes nothing:
a sweep beside it, or the look at an event before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.audit import Audit, judge
from chalicelib.cause import Cause
from chalicelib.config import Settings
from chalicelib.diff import DAY
from chalicelib.findings import Status
from chalicelib.iam.account import AccountSnapshot, Gap, Read
from chalicelib.iam.exports import read_exports
from chalicelib.ledger import Change, Stored
from chalicelib.ports import AccountClosed, Accounts, Clock, Ledger, RunLog
from chalicelib.recording import record
from chalicelib.runs import RunReport, report_of
from chalicelib.scope import Scope
from chalicelib.sweep import Run

MOST_USERS = 20
"""Users who are read one by one, with some five calls each; for more the whole account costs less."""
REPORT_LASTS = timedelta(hours=4)
"""For how long AWS makes no other credential report (IAM User Guide, "Getting credential reports")."""
MOST_RECENT = 50
"""Users whose credentials are read one by one beside the report, with two calls each."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a run asks of the world."""

    accounts: Accounts
    store: Ledger
    runs: RunLog
    clock: Clock


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found, and what it changed in the ledger, the gravest first."""

    snapshot: AccountSnapshot
    audit: Audit
    changes: Sequence[Change]
    report: RunReport

    @property
    def news(self) -> Sequence[Change]:
        """The changes that the ledger's history tells of."""
        return [change for change in self.changes if change.is_news]


def run_audit(
    scope: Scope,
    run: Run,
    settings: Settings,
    ports: Ports,
    cause: Cause | None = None,
    recent: Sequence[str] = (),
) -> Outcome:
    """Audit what the scope names, as it is now, and bring the ledger in step; `cause` is the event that asked for it.

    `recent` are users of whose credentials a report may be wrong, the likeliest first, for an audit of a whole account.

    What cannot be read is a gap in the outcome, up to the whole account; nothing that lies in a gap is resolved. Doing
    a run again does what a first time that was cut short left undone.

    Raises:
        ExportError: AWS gave an answer that cannot be what it is said to be, as one about another account.
        StillRacing: other writers changed the same findings, again and again.
        TooManyUsers: the scope's groups and policies lead to more than `MOST_USERS`.
    """
    before = ports.store.known(scope.account) if scope.users is None else None
    recent = [*recent, *(looked_at_since(before.findings, ports.clock()) if before else ())]
    snapshot, users = read_snapshot(scope, ports.accounts, ports.clock, list(dict.fromkeys(recent))[:MOST_RECENT])
    known = before or ports.store.known(scope.account, users)
    audit = judge(snapshot, users=users, settings=settings, observed=known.observed)
    of_account = users is None
    changes = record(
        ports.store,
        audit,
        run.id,
        ports.clock,
        touch_after=DAY if of_account else timedelta(0),
        lost=lost_since(audit, run, ports) if of_account else (),
        known=known.findings,
        cause=cause,
    )
    audit = audit.with_suppressed({one.fingerprint for one in changes if one.after.status is Status.SUPPRESSED})
    report = report_of(audit, changes, run, ports.clock())
    if of_account:
        ports.runs.keep_report(report)
    return Outcome(snapshot, audit, changes, report)


def lost_since(audit: Audit, run: Run, ports: Ports) -> frozenset[Read]:
    """The reads of the whole account that the run before had and this one lacks."""
    before = (report for report in ports.runs.reports(audit.account, 2) if report.run != run.id)
    last = next(before, None)
    return last.lost_by(audit) if last else frozenset()


def looked_at_since(findings: Iterable[Stored], now: datetime) -> Sequence[str]:
    """The users of whom the ledger may know more than the credential report: an event's look came after it.

    What such a look resolved, as a key was deleted, would be there again by the report.
    """
    seen = [one for one in findings if one.user and one.known_at > max(one.first_seen, now - REPORT_LASTS)]
    latest = sorted(seen, key=lambda one: one.known_at, reverse=True)
    return [str(one.user) for one in latest]


def read_snapshot(
    scope: Scope, accounts: Accounts, clock: Clock, recent: Collection[str] = ()
) -> tuple[AccountSnapshot, frozenset[str] | None]:
    """The state of what the scope names, and the names of its users; None for the whole account.

    `recent` is as of `SnapshotReader.read_account`. An account that lets nobody in is all gaps.
    """
    try:
        reader = accounts.reader_of(scope.account)
    except AccountClosed as error:
        return _closed(scope, clock, str(error)), scope.users
    if scope.users is None:
        exports, taken = reader.read_account(recent)
    else:
        exports, taken = reader.read_users(scope.users, scope.groups, scope.policies, most=MOST_USERS)
    if exports.authorization_details is None and exports.credential_report is None:
        return AccountSnapshot(scope.account, taken, gaps=exports.gaps), scope.users
    snapshot = read_exports(exports, taken)
    if not snapshot.account:  # nobody and nothing is in it that has an ARN
        return replace(snapshot, account=scope.account), scope.users
    if snapshot.account != scope.account:
        # The findings of one account must not be resolved by what another one shows.
        return _closed(scope, clock, f"the credentials for it are of account {snapshot.account}"), scope.users
    return snapshot, None if scope.users is None else names_in(snapshot, scope.users) | (exports.asked or frozenset())


def names_in(snapshot: AccountSnapshot, names: frozenset[str]) -> frozenset[str]:
    """The names as the account has them: who called AWS may have written them otherwise."""
    found = {name: snapshot.user_named(name) for name in names}
    return frozenset(user.name if user else name for name, user in found.items())


def _closed(scope: Scope, clock: Clock, reason: str) -> AccountSnapshot:
    gaps = tuple(Gap(read, "", reason) for read in (Read.AUTHORIZATION_DETAILS, Read.CREDENTIAL_REPORT))
    return AccountSnapshot(scope.account, clock(), gaps=gaps)
