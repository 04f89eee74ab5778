"""Having a plan carried out that somebody was shown: as far as the settings let it, by the function that may."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from chalicelib.api.call import Call
from chalicelib.api.decisions import refusal
from chalicelib.api.live import new_run
from chalicelib.api.problems import Problem
from chalicelib.api.remedy import Planned
from chalicelib.execution.approval import CARRIED_OUT, Person, Refused, Why, approve, check_approver
from chalicelib.findings import Status
from chalicelib.functions.telemetry import logger
from chalicelib.ledger import Stored
from chalicelib.moments import to_second
from chalicelib.remediation.limit import users_changed
from chalicelib.remediation.run import WAITS, Decision, RemediationRun, RunState, Verb, run_of
from chalicelib.remediation_settings import Mode
from chalicelib.remediation_tasks import Task, TaskKind
from chalicelib.workshop import Workshop

NOT_HANDED_OVER = "the plan is approved, and could not be handed over: ask again in a moment"


def run_by(call: Call, stored: Stored, planned: Planned, shown: str) -> str | None:
    """Have the plan carried out that the caller was shown; the id of its run, where there is one already.

    Raises:
        Problem: it is another plan by now, or the settings or somebody do not let it.
    """
    _check(stored, planned, shown)
    shop = Workshop(call.hub)
    if why := shop.stopped():
        raise Problem(HTTPStatus.LOCKED, f"nothing is changed now: {why}", str(Why.STOPPED))
    if planned.mode is Mode.AUTO:
        _hand_over_look(call, shop, stored)
        return None
    try:
        return _approved(call, shop, stored.account, planned)
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


def _hand_over_look(call: Call, shop: Workshop, stored: Stored) -> None:
    """Let the remediator do by itself, within its bounds, what it would do after an audit."""
    now = call.hub.clock()
    run = new_run(stored.account, now)
    shop.queue.send([Task(TaskKind.LOOK, stored.account, run.id, (stored.fingerprint,), call.caller.name, now)])


def _approved(call: Call, shop: Workshop, account: str, planned: Planned) -> str:
    """Approve the run that waits with this plan, or make one that is approved; and hand it over.

    Raises:
        Refused: the caller may not approve, or somebody was faster.
    """
    hub, now = call.hub, call.hub.clock()
    person = Person(call.caller.name, now, may=hub.settings.remediation.may_approve(call.caller.principal))
    check_approver(person, hub.settings)
    plan = planned.plan
    since = now - WAITS
    ours = [run for run in shop.journal.runs(account, since) if run.plan == plan.id]
    waiting = next((run for run in ours if run.state is RunState.WAITING and run.expires > now), None)
    again = next((run for run in ours if run.state is RunState.READY and _is_by(run, person)), None)
    if waiting:
        run = approve(shop.journal, account, waiting.id, person, hub.settings, now, shop.stopped, shop.told)
    elif again:
        run = again  # it was approved, and handing it over may have failed
    else:
        users = sorted(users_changed(plan, planned.snapshot))
        decision = Decision(Verb.APPROVE, person.name, to_second(now))
        run = run_of(plan, planned.findings, users, RunState.READY, Mode.APPROVE, now, decision)
        shop.journal.keep(run, shop.told(run))
    try:
        shop.queue.send([Task(TaskKind.CARRY_OUT, account, run.id, by=person.name, at=now)])
    except Exception:
        logger.exception("not handed over")
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_HANDED_OVER, "not-handed-over") from None
    logger.info("approved", extra={"by": person.name, "run": run.id})
    return run.id


def _is_by(run: RemediationRun, person: Person) -> bool:
    return bool(run.decisions) and (run.decisions[-1].verb, run.decisions[-1].by) == (Verb.APPROVE, person.name)
