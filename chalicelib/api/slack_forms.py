"""The form in which somebody accepts a finding in Slack: opened by a button, and submitted."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from chalicelib.api import fields
from chalicelib.api.acceptance import accept, check_open, found
from chalicelib.api.exchange import Answer
from chalicelib.api.fields import LONGEST_REASON, SHORTEST_REASON, read_fields
from chalicelib.api.problems import Problem
from chalicelib.api.slack_payload import Member, Press, Submission
from chalicelib.deployment import SLACK_API
from chalicelib.execution.approval import Person, Refused, check_approver
from chalicelib.functions.telemetry import logger
from chalicelib.hub import Hub
from chalicelib.notify.accept_form import REASON, UNTIL, accept_form
from chalicelib.notify.slack_api import SLACK_API as SLACK
from chalicelib.notify.slack_person import open_form
from chalicelib.notify.slack_secret import BotToken, parse_secret


def open_accepting(press: Press, at: datetime, hub: Hub) -> str:
    """Open the form for a finding; there is nothing to tell the person then.

    Raises:
        Problem: they may not accept it, there is nothing to accept, or Slack does not open it.
    """
    _check(press.member, at, hub)
    stored = found(hub, press.subject.account, press.subject.name)
    check_open(stored)
    secret = parse_secret(hub.slack_secret())
    if not isinstance(secret, BotToken):
        raise Problem(HTTPStatus.CONFLICT, "a form takes a bot's token, and mfawatch has a webhook", "no-bot")
    form = accept_form(stored, hub.clock().date(), SHORTEST_REASON, LONGEST_REASON)
    if trouble := open_form(secret, press.trigger, form, hub.environment.get(SLACK_API) or SLACK):
        logger.warning("form not opened", extra={"trouble": trouble})
        raise Problem(HTTPStatus.BAD_GATEWAY, f"Slack did not open the form: {trouble}", "not-opened")
    return ""


def submit_accepting(submission: Submission, at: datetime, hub: Hub) -> Answer:
    """Accept the finding of a form, which closes then; or show in it what is wrong.

    Raises:
        Problem: the person may not accept it.
    """
    member, about = submission.member, submission.subject
    _check(member, at, hub)
    given = {name: submission.values.get(name) for name in (UNTIL, REASON)}
    try:
        wanted = read_fields(given, {UNTIL: fields.day, REASON: fields.reason})
        accept(hub, about.account, about.name, by=str(member), **wanted)
    except Problem as problem:
        # Slack shows errors under inputs, and what is about none of them under the first one.
        told = {one.pointer.removeprefix("#/"): one.detail for one in problem.errors} or {REASON: problem.detail}
        return Answer(value={"response_action": "errors", "errors": told})
    logger.info("accepted", extra={"account": about.account, "fingerprint": about.name, "by": member.id})
    return Answer()


def _check(member: Member, at: datetime, hub: Hub) -> None:
    try:
        check_approver(Person(member.id, at), hub.settings)
    except Refused as refused:
        raise Problem(HTTPStatus.FORBIDDEN, refused.reason, str(refused.why)) from None
