"""Which destinations hear of a change or of a remediation, and when. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from chalicelib.alert_settings import Route
from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import notice_of
from chalicelib.alerts.quiet_hours import end_of_quiet
from chalicelib.alerts.run_notice import destinations_of, run_notice_of
from chalicelib.cause import Cause
from chalicelib.config import Settings
from chalicelib.findings import Severity, Status
from chalicelib.ledger import Change, ChangeKind
from chalicelib.remediation.run import RemediationRun


def entries_of(change: Change, settings: Settings) -> Sequence[Entry]:
    """The entries that a change makes in the outbox: one for each destination, in the order of the routes.

    Where several routes lead to one destination, the one that tells first counts.
    """
    found: dict[str, Entry] = {}
    for entry in _entries(change, settings.alerts):
        known = found.get(entry.destination)
        if known is None or (entry.due, entry.digest) < (known.due, known.digest):
            found[entry.destination] = entry
    return list(found.values())


def entries_of_run(
    run: RemediationRun, settings: Settings, now: datetime, undoes: Cause | None = None
) -> Sequence[Entry]:
    """The entries for a run as it stands: one for each destination, all of them due at once."""
    notice = run_notice_of(run, undoes)
    return [Entry(notice, destination, now) for destination in destinations_of(run, settings.alerts)]


def _entries(change: Change, routes: Sequence[Route]) -> Iterator[Entry]:
    routes = [route for route in routes if _tells(route, change)]
    if not routes:
        return
    notice = notice_of(change)
    for route in routes:
        quiet = route.quiet
        waits = quiet is not None and change.after.severity.rank < quiet.below.rank
        end = end_of_quiet(quiet, change.at) if quiet and waits else None
        yield Entry(notice, route.destination, due=end or change.at, digest=end is not None)


def _tells(route: Route, change: Change) -> bool:
    after = change.after
    if not route.is_for(after.account, after.control, after.user):
        return False
    if route.to.for_people:
        return after.severity.rank >= route.severity.rank and _for_people(change)
    # Who heard of a finding hears that it is less grave now, too.
    return change.is_news and _gravest(change).rank >= route.severity.rank


def _for_people(change: Change) -> bool:
    """Whether people hear of it: what they accepted, and what is no worse than they know, asks nothing of them."""
    before, after = change.before, change.after
    if Status.SUPPRESSED in (after.status, before.status if before else None):
        # A suppression that is over, or that broke, opens the finding again.
        return change.kind is ChangeKind.REOPENED and after.status is Status.OPEN
    if change.kind is ChangeKind.CHANGED:
        return before is not None and after.severity.rank > before.severity.rank
    return change.kind in (ChangeKind.OPENED, ChangeKind.REOPENED, ChangeKind.RESOLVED)


def _gravest(change: Change) -> Severity:
    found = [change.after.severity, *([change.before.severity] if change.before else [])]
    return max(found, key=lambda one: one.rank)
