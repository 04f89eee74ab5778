"""The Lambda functions. Entry points only: each translates its trigger and hands over to chalicelib.functions."""

from __future__ import annotations

import os
from typing import Any

from chalice.app import (
    AuthRequest,
    Chalice,
    CloudWatchEvent,
    ConvertToMiddleware,
    IAMAuthorizer,
    Rate,
    Response,
    SQSEvent,
)

from chalicelib.api.answering import ask, in_problems, respond
from chalicelib.api.bearer import TTL, authorize_bearer
from chalicelib.api.routes import ROUTES
from chalicelib.api.slack_actions import act
from chalicelib.deployment import API_AUTHORIZER
from chalicelib.events.patterns import CHANGES, GIT
from chalicelib.functions.audit_account import audit_accounts
from chalicelib.functions.audit_change import audit_changes
from chalicelib.functions.decide import decide_cases
from chalicelib.functions.deliver import deliver_what_is_due
from chalicelib.functions.hear import hear_event
from chalicelib.functions.hear_log_file import hear_log_files
from chalicelib.functions.remediate import remediate_accounts
from chalicelib.functions.sweep import start_sweep
from chalicelib.functions.telemetry import logger, tracer
from chalicelib.hub import Hub

# Powertools writes the log; Chalice would write each line a second time.
app = Chalice(app_name="mfawatch", configure_logs=False)
app.register_middleware(ConvertToMiddleware(logger.inject_lambda_context(clear_state=True)))
app.register_middleware(ConvertToMiddleware(tracer.capture_lambda_handler(capture_response=False, capture_error=False)))
app.register_middleware(in_problems, "http")


def _hub(context: Any) -> Hub:
    return Hub(os.environ, context.invoked_function_arn)


@app.lambda_function(name="decide")
def decide(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Decide neutral cases: `{"cases": [...]}` → `{"outcomes": [...]}`, in order."""
    return decide_cases(event)


@app.schedule(Rate(1, unit=Rate.DAYS), name="sweep")
def sweep(event: CloudWatchEvent) -> dict[str, Any]:
    """Start a sweep: a message to the workers for each account."""
    context: Any = event.context
    return start_sweep(event.to_dict(), context.aws_request_id, _hub(context))


@app.on_sqs_message(queue="mfawatch-accounts", batch_size=1, name="audit_account")
def audit_account(event: SQSEvent) -> dict[str, Any]:
    """Audit the account of each message, and tell which messages failed."""
    return audit_accounts(event.to_dict(), event.context, _hub(event.context))


@app.on_cw_event(CHANGES, name="hear_change")
def hear_change(event: CloudWatchEvent) -> dict[str, Any]:
    """Hear an event that can change who acts without MFA: whom it concerns is looked at."""
    return hear_event(event.to_dict(), event.context, _hub(event.context))


@app.on_cw_event(GIT, name="hear_git")
def hear_git(event: CloudWatchEvent) -> dict[str, Any]:
    """Hear a pull or push of Git's."""
    return hear_event(event.to_dict(), event.context, _hub(event.context))


@app.lambda_function(name="hear_log_file")
def hear_log_file(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Hear the records of a trail's log files, which S3 tells of; Chalice cannot package a trigger of S3's."""
    return hear_log_files(event, context, _hub(context))


@app.on_sqs_message(queue="mfawatch-changes", batch_size=1, name="audit_change")
def audit_change(event: SQSEvent) -> dict[str, Any]:
    """Audit whom the hint of each message concerns, and tell which messages failed."""
    return audit_changes(event.to_dict(), event.context, _hub(event.context))


@app.schedule(Rate(1, unit=Rate.MINUTES), name="deliver")
def deliver(event: CloudWatchEvent) -> dict[str, Any]:
    """Tell what still waits in the outbox and is due."""
    return deliver_what_is_due(_hub(event.context))


@app.on_sqs_message(queue="mfawatch-remediations", batch_size=1, name="remediate")
def remediate(event: SQSEvent) -> dict[str, Any]:
    """Put right what the task of each message asks for, and tell which messages failed."""
    return remediate_accounts(event.to_dict(), event.context, _hub(event.context))


# --- over HTTP -------------------------------------------------------------------------------------------------------


@app.route("/v1/slack/actions", methods=["POST"], content_types=["application/x-www-form-urlencoded"])
def slack_actions() -> Response:
    """Do what somebody presses or submits in Slack, which signs the request itself."""
    return respond(act, app.current_request, _hub(app.lambda_context))


@app.authorizer(name="authorize", ttl_seconds=TTL)
def authorize(request: AuthRequest) -> dict[str, Any]:
    """Let in who shows a token; asked only by a deployment that is packaged so."""
    return authorize_bearer(request.token, Hub(os.environ, ""))


# Whom API Gateway lets in: who signs as AWS wants it, and whose policies let them call the route; or who shows a token.
# That is settled when the application is packaged, by the environment of the stage in .chalice/config.json.
LETS_IN = {"iam": IAMAuthorizer(), "bearer": authorize}[os.environ.get(API_AUTHORIZER, "iam")]


def _ask(**_names: str) -> Response:
    """Answer a request of one of the routes, which it names itself."""
    return ask(app.current_request, _hub(app.lambda_context), app.lambda_context)


for _route in ROUTES:
    app.route(_route.path, methods=[_route.method], authorizer=None if _route.is_open else LETS_IN)(_ask)
