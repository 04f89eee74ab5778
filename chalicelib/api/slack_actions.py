"""POST /v1/slack/actions: what people press and submit in Slack. It is answered within the three seconds that Slack
waits, and whoever pressed reads there what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus

from chalicelib.api.approvals import decide_run
from chalicelib.api.exchange import Answer, Asked
from chalicelib.api.problems import Problem
from chalicelib.api.slack_forms import open_accepting, submit_accepting
from chalicelib.api.slack_payload import PayloadError, Press, Submission, parse_payload
from chalicelib.api.slack_signature import signed_at
from chalicelib.deployment import SLACK_API
from chalicelib.functions.telemetry import logger
from chalicelib.hub import Hub
from chalicelib.notify.buttons import ACCEPT_FINDING, APPROVE_RUN, DECLINE_RUN
from chalicelib.notify.slack_api import SLACK_API as SLACK
from chalicelib.notify.slack_person import whisper
from chalicelib.notify.slack_secret import parse_secret

BROKEN = "Something went wrong in mfawatch, and was written down. Press again in a moment."

_PRESSES: Mapping[str, Callable[[Press, datetime, Hub], str]] = {
    APPROVE_RUN: decide_run,
    DECLINE_RUN: decide_run,
    ACCEPT_FINDING: open_accepting,
}
"""Button → what a press does; it gives what the person is told, which may be nothing."""


def act(asked: Asked, hub: Hub) -> Answer:
    """Do what somebody asks for in Slack.

    Raises:
        Problem: it is not Slack that asks, or nothing comes of it.
    """
    at = signed_at(asked, lambda: parse_secret(hub.slack_secret()).signing_secret, hub.clock())
    try:
        payload = parse_payload(asked.body)
    except PayloadError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body {error}") from None
    match payload:
        case Press():
            return _pressed(payload, at, hub)
        case Submission():
            return submit_accepting(payload, at, hub)
    return Answer()


def _pressed(press: Press, at: datetime, hub: Hub) -> Answer:
    """Do what a button is for. Whatever comes of it, the person is told."""
    told = BROKEN
    try:
        told = _PRESSES[press.action](press, at, hub)
    except Problem as problem:
        told = f"{problem.detail[:1].upper()}{problem.detail[1:]}."
        raise
    finally:
        if told and press.response_url:
            _whisper(press.response_url, told, hub)
    return Answer()


def _whisper(url: str, text: str, hub: Hub) -> None:
    if trouble := whisper(url, text, hub.environment.get(SLACK_API) or SLACK):
        logger.warning("not told", extra={"trouble": trouble})
