"""Buttons that decide on a run of a remediation: the decision is in the journal before anything is handed over."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from chalicelib.api.decisions import refusal
from chalicelib.api.problems import Problem
from chalicelib.api.slack_payload import Press
from chalicelib.execution.approval import Person, Refused, approve, decline
from chalicelib.execution.tasks import Task, TaskKind
from chalicelib.functions.telemetry import logger
from chalicelib.hub import Hub
from chalicelib.notify.buttons import APPROVE_RUN
from chalicelib.workshop import Workshop

NOT_HANDED_OVER = "the plan is approved, and could not be handed over: press the button again in a moment"


def decide_run(press: Press, at: datetime, hub: Hub) -> str:
    """Approve a run and hand it over, or decline it; what the person is told.

    Raises:
        Problem: the decision does not count; or the run is approved and could not be handed over, and waits for that.
    """
    shop, about, person = Workshop(hub), press.subject, Person(press.member.id, at)
    logger.append_keys(account=about.account, run=about.name)
    try:
        if press.action != APPROVE_RUN:
            decline(shop.journal, about.account, about.name, person, hub.settings, hub.clock(), shop.told)
            return "You declined the plan: nothing comes of it."
        run = approve(
            shop.journal, about.account, about.name, person, hub.settings, hub.clock(), shop.stopped, shop.told
        )
    except Refused as refused:
        raise refusal(refused) from None
    try:
        shop.queue.send([Task(TaskKind.CARRY_OUT, run.account, run.id, by=person.name, at=at)])
    except Exception:
        logger.exception("not handed over")
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_HANDED_OVER, "not-handed-over") from None
    logger.info("approved", extra={"by": person.name})
    return "You approved the plan: it is carried out now. What comes of it is told where you read of it."
