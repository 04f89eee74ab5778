"""audit_account: work the accounts of a sweep, one for each message.

A message that fails is handed out again, and ends in the dead queue after a few times. One comes at a time: an account
that takes its worker down must not take others along. The work of a run on an account is done once, however often its
message comes: what was done is remembered, and what was cut short is done again, which changes in the ledger only what
is left to change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any

from chalicelib.cause import Cause, together
from chalicelib.functions.batches import work_batch
from chalicelib.functions.hand_over import hand_over
from chalicelib.functions.keep_page import keep_page
from chalicelib.functions.telemetry import tell_outcome, tracer
from chalicelib.hints import EVENTS, asked_for
from chalicelib.hub import Hub
from chalicelib.pipeline import REPORT_LASTS, run_audit
from chalicelib.scope import Scope
from chalicelib.sweep import Assignment, Run, parse_assignment

LATEST = timedelta(hours=1)
"""Events are mostly heard within minutes, by log files within a quarter of an hour."""


class NotOurs(ValueError):  # noqa: N818 - says what is the matter
    """A message about an account that no sweep goes through: the external id is not shown to whoever owns it."""


def audit_accounts(event: Mapping[str, Any], context: Any, hub: Hub) -> dict[str, Any]:
    """Work a batch of messages; which of them failed, as SQS wants to hear it."""
    return work_batch(event, context, hub, parse_assignment, _audit)


@tracer.capture_method(capture_response=False, capture_error=False)
def _audit(*, work: Mapping[str, str], task: Assignment, hub: Hub) -> dict[str, Any]:
    """Audit one account; what is given back is remembered."""
    began, before = monotonic(), hub.calls.so_far()
    account, run = task.account, task.run
    if not hub.is_ours(account):
        # Whoever handed it over has asked the same: the settings are others now, or somebody else wrote the message.
        raise NotOurs(f"account {account} is none that the settings name")
    cause = _cause(account, run, hub) if run.id.startswith(EVENTS) else None
    outcome = run_audit(Scope(account), run, hub.settings, hub.ports(run.id), cause, _recent(account, hub))
    hand_over(outcome, hub)
    keep_page(outcome, hub)
    tell_outcome(outcome, hub.calls.since(before), monotonic() - began)
    return outcome.report.to_json()


def _recent(account: str, hub: Hub) -> Sequence[str]:
    """The users whose credentials were changed since the credential report may have been made, the latest first."""
    now = hub.clock()
    heard = hub.event_log.heard(account, now - REPORT_LASTS, now)
    return [user for one in reversed(heard) if not one.refused for user in one.users]


def _cause(account: str, run: Run, hub: Hub) -> Cause | None:
    """The events that a run was asked for by, however long before they were heard they were made."""
    heard = hub.event_log.heard(account, run.started - LATEST, run.started)
    asked = (one for one in heard if not one.users and not one.refused)
    return together(one.cause for one in asked if asked_for(run, one.heard_at))
