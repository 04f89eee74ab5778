"""audit_account: work the accounts of a sweep, one for each message.

A message that fails is handed out again, and ends in the dead queue after a few times. One comes at a time: an account
that takes its worker down must not take others along. The work of a run on an account is done once, however often its
message comes: what was done is remembered, and what was cut short is done again, which changes in the ledger only what
is left to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function

from chalicelib.bootstrap import Hub
from chalicelib.functions.telemetry import logger, tell_outcome, tracer
from chalicelib.pipeline import run_audit
from chalicelib.scope import Scope
from chalicelib.sweep import Assignment, parse_assignment

REMEMBERED = 24 * 3600
"""Seconds for which work that was done is remembered: longer than a message is handed out, three times in 90 minutes
each."""


class NotOurs(ValueError):  # noqa: N818 - says what is the matter
    """A message about an account that no sweep goes through: the external id is not shown to whoever owns it."""


def audit_accounts(event: Mapping[str, Any], context: Any, hub: Hub) -> dict[str, Any]:
    """Work a batch of messages; which of them failed, as SQS wants to hear it.

    Never raises for a message: what goes wrong is logged, and SQS hands it out again.
    """
    config = IdempotencyConfig(
        # The moment at which the run was due says nothing of its own, and is no part of what names the work.
        event_key_jmespath="[run, account]",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=REMEMBERED,
        hash_function="sha256",
        lambda_context=context,
    )
    once = idempotent_function(_audit, data_keyword_argument="work", persistence_store=hub.idempotency, config=config)

    def handle(record: SQSRecord) -> None:
        logger.remove_keys(["correlation_id", "run", "account"])
        try:
            assignment = parse_assignment(record.body)
            work = {"run": assignment.run.id, "account": assignment.account}
            logger.append_keys(correlation_id=assignment.run.id, **work)
            once(work=work, assignment=assignment, hub=hub)
        except Exception:
            logger.exception("not done", extra={"message_id": record.message_id})
            raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(dict(event), handle, processor, context))


@tracer.capture_method(capture_response=False, capture_error=False)
def _audit(*, work: Mapping[str, str], assignment: Assignment, hub: Hub) -> dict[str, Any]:
    """Audit one account; what is given back is remembered. `work` names the work for whoever remembers."""
    began, before = monotonic(), hub.calls.so_far()
    if not hub.is_ours(work["account"]):
        raise NotOurs(f"account {work['account']} is none that the settings name")
    outcome = run_audit(Scope(work["account"]), assignment.run, hub.settings, hub.ports(assignment.run.id))
    tell_outcome(outcome, hub.calls.since(before), monotonic() - began)
    return outcome.report.to_json()
