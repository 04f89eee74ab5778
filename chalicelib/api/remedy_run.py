"""Having a plan carried out that somebody was shown: as far as the settings let it, by the function that may.

Runs are made by that function alone. In mode approve it puts the plan up first, if none waits with it; and whoever asks
again then has approved it. So what is carried out is planned by who carries it out, whatever is asked for here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from chalicelib.api.call import Call
from chalicelib.api.decisions import refusal
from chalicelib.api.live import new_run
from chalicelib.api.problems import Problem
from chalicelib.api.remedy import Planned
from chalicelib.execution.approval import Person, Refused, Why, approve, check_approver
from chalicelib.execution.deciding import CARRIED_OUT
from chalicelib.execution.respond import REMEMBERS
from chalicelib.execution.tasks import Task, TaskKind
from chalicelib.findings import Status
from chalicelib.functions.telemetry import logger
from chalicelib.ledger import Stored
from chalicelib.remediation.run import RemediationRun, RunState, Verb
from chalicelib.remediation_settings import Mode
from chalicelib.workshop import Workshop

NOT_HANDED_OVER = "it could not be handed over: ask again in a moment"


class Handed(StrEnum):
    """What came of it."""

    OVER = "handed-over"
    """It is carried out now; by mode auto within the bounds of the settings."""
    PUT_UP = "put-up"
    """The plan is put up for approval: whoever asks again approves it."""


@dataclass(frozen=True, slots=True)
class Handing:
    """What came of it, and of which run; empty where there is none yet."""

    status: Handed
    run: str = ""


def hand_over(call: Call, stored: Stored, planned: Planned, shown: str) -> Handing:
    """Have the plan carried out that the caller was shown.

    Raises:
        Problem: it is another plan by now, or the settings or somebody do not let it.
    """
    _check(stored, planned, shown)
    shop = Workshop(call.hub)
    if why := shop.stopped():
        raise Problem(HTTPStatus.LOCKED, f"nothing is changed now: {why}", str(Why.STOPPED))
    if planned.mode is Mode.AUTO:
        _look(call, shop, stored)
        return Handing(Handed.OVER)
    try:
        return _approved(call, shop, stored, planned)
    except Refused as refused:
        raise refusal(refused) from None


def _check(stored: Stored, planned: Planned, shown: str) -> None:
    if planned.mode not in CARRIED_OUT:
        told = f"the settings let findings of {stored.control} in {stored.account} be {_SAYS[planned.mode]}"
        raise Problem(HTTPStatus.CONFLICT, told, str(Why.SWITCHED_OFF))
    if stored.status is not Status.OPEN:
        raise Problem(HTTPStatus.CONFLICT, f"the finding is {stored.status}: nothing is done about it", "not-open")
    if not planned.plan.steps:
        raise Problem(HTTPStatus.CONFLICT, "the plan has no steps: nothing can be carried out", "no-steps")
    if planned.plan.id != shown:
        raise Problem(HTTPStatus.CONFLICT, "the plan is another one by now: have it shown again", "another-plan")


_SAYS: Mapping[Mode, str] = {Mode.OFF: "told of, and nothing else", Mode.PROPOSE: "planned for, and nothing else"}


def _approved(call: Call, shop: Workshop, stored: Stored, planned: Planned) -> Handing:
    """Approve the run that waits with this plan and hand it over; or have one put up.

    Raises:
        Refused: the caller may not approve, or somebody was faster.
        Problem: somebody decided otherwise before.
    """
    hub, now = call.hub, call.hub.clock()
    person = Person(call.caller.name, now, may=hub.settings.remediation.may_approve(call.caller.principal))
    check_approver(person, hub.settings)
    runs = [run for run in shop.journal.runs(stored.account, now - REMEMBERS) if run.plan == planned.plan.id]
    found = next((run for run in runs if run.state is RunState.READY or _waits(run, call)), None)
    if found is None:
        _check_declined(runs)
        _look(call, shop, stored)
        return Handing(Handed.PUT_UP)
    run = approve(shop.journal, stored.account, found.id, person, hub.settings, now, shop.stopped, shop.told)
    _send(shop, Task(TaskKind.CARRY_OUT, stored.account, run.id, by=person.name, at=now))
    logger.info("approved", extra={"by": person.name, "remediation": run.id})
    return Handing(Handed.OVER, run.id)


def _waits(run: RemediationRun, call: Call) -> bool:
    return run.state is RunState.WAITING and run.expires > call.hub.clock()


def _check_declined(runs: Sequence[RemediationRun]) -> None:
    """That nobody declined the plan lately: it would not be put up again."""
    for run in runs:
        for one in run.decisions:
            if one.verb is Verb.DECLINE:
                told = f"{one.by} declined this plan at {one.at:%Y-%m-%d %H:%M} UTC"
                raise Problem(HTTPStatus.CONFLICT, told, "declined")


def _look(call: Call, shop: Workshop, stored: Stored) -> None:
    """Let the remediator do about the finding what it does after an audit, by the mode of the settings."""
    now = call.hub.clock()
    run = new_run(stored.account, now)
    _send(shop, Task(TaskKind.LOOK, stored.account, run.id, (stored.fingerprint,), call.caller.name, now))


def _send(shop: Workshop, task: Task) -> None:
    try:
        shop.queue.send([task])
    except Exception:
        logger.exception("not handed over")
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_HANDED_OVER, "not-handed-over") from None
