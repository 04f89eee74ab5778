"""The Lambda functions. Entry points only: each translates its trigger and hands over to chalicelib.functions."""

from __future__ import annotations

import os
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, ConvertToMiddleware, Rate, SQSEvent

from chalicelib.hub import Hub
from chalicelib.functions.audit_account import audit_accounts
from chalicelib.functions.decide import decide_cases
from chalicelib.functions.sweep import start_sweep
from chalicelib.functions.telemetry import logger, tracer

# Powertools writes the log; Chalice would write each line a second time.
app = Chalice(app_name="mfawatch", configure_logs=False)
app.register_middleware(ConvertToMiddleware(logger.inject_lambda_context(clear_state=True)))
app.register_middleware(ConvertToMiddleware(tracer.capture_lambda_handler(capture_response=False, capture_error=False)))


@app.lambda_function(name="decide")
def decide(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Decide neutral cases: `{"cases": [...]}` → `{"outcomes": [...]}`, in order."""
    return decide_cases(event)


@app.schedule(Rate(1, unit=Rate.DAYS), name="sweep")
def sweep(event: CloudWatchEvent) -> dict[str, Any]:
    """Start a sweep: a message to the workers for each account."""
    context: Any = event.context
    return start_sweep(event.to_dict(), context.aws_request_id, _hub(event.context))


@app.on_sqs_message(queue="mfawatch-accounts", batch_size=1, name="audit_account")
def audit_account(event: SQSEvent) -> dict[str, Any]:
    """Audit the account of each message, and tell which messages failed."""
    return audit_accounts(event.to_dict(), event.context, _hub(event.context))
