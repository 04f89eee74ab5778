"""audit_change: look at the users whom an event concerns, and tell at once what has changed.

A hint says where to look; what is there is read anew. What a look finds is in the ledger and in the outbox before it is
told: whatever goes wrong after that, `deliver` tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

from chalicelib.config import Settings
from chalicelib.delivery import deliver
from chalicelib.events.heard import Heard
from chalicelib.functions.batches import work_batch
from chalicelib.functions.hand_over import hand_over
from chalicelib.functions.telemetry import logger, measure, tell_delivery, tell_outcome, tracer
from chalicelib.hints import Hint, assignment_of, parse_hint
from chalicelib.hub import TELLS, Hub
from chalicelib.pipeline import Outcome, run_audit
from chalicelib.ports import TooManyUsers
from chalicelib.scope import Scope


def audit_changes(event: Mapping[str, Any], context: Any, hub: Hub) -> dict[str, Any]:
    """Work a batch of hints; which of them failed, as SQS wants to hear it."""
    hub.read_ahead()
    return work_batch(event, context, hub, parse_hint, _look)


@tracer.capture_method(capture_response=False, capture_error=False)
def _look(*, work: Mapping[str, str], task: Hint, hub: Hub) -> dict[str, Any]:
    """Take one look; what is given back is remembered."""
    began, before = monotonic(), hub.calls.so_far()
    scope = task.scope
    if not hub.is_ours(scope.account):
        # Whoever forwards events of an account that is none of ours is not shown what we have.
        logger.warning("not ours")
        measure("EventsNotOurs", 1)
        return {"looked": False}
    if is_about_account(scope, hub.settings):
        # Its users need not wait for that.
        _whole(task, hub)
    try:
        outcome = run_audit(scope, task.run, hub.settings, hub.ports(task.run.id, after_event=True), task.cause)
    except TooManyUsers as error:
        logger.info("whole account", extra={"reason": str(error)})
        return _whole(task, hub)
    hand_over(outcome, hub)
    _tell(outcome, hub)
    tell_outcome(outcome, hub.calls.since(before), monotonic() - began)
    return outcome.report.to_json()


def is_about_account(scope: Scope, settings: Settings) -> bool:
    """Whether more hangs on the scope than its users: a policy that the settings call canonical is judged itself."""
    return any(canonical.names(policy) for canonical in settings.canonical for policy in scope.policies)


def _whole(task: Hint, hub: Hub) -> dict[str, Any]:
    """Let the whole account be audited, once for all events of a span of time."""
    account, now = task.scope.account, hub.clock()
    first = hub.event_log.keep(Heard(account, now, task.cause.event, False, (), task.cause))
    hub.work_queue.send([assignment_of(account, first.heard_at, now, task.look)])
    return {"looked": False}


def _tell(outcome: Outcome, hub: Hub) -> None:
    """Tell what is due at once. What an earlier attempt wrote may have been told: `deliver` knows what was not."""
    now = hub.clock()
    found = (entry for change in outcome.news if not change.again for entry in hub.entries_of(change))
    due = [entry for entry in found if entry.due <= now and not entry.digest]
    if due:
        # What could not be told before goes with it: told later it would be taken for what is now.
        due += hub.outbox.claim(hub.outbox.earlier(due, now), now + TELLS)
        tell_delivery(deliver(due, hub.outbox, hub.notifier_of, hub.clock))
