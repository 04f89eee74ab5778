"""remediate: put right what the settings let it, carry out what was approved, and undo what is to be undone.

A message says what was asked for; what is changed is planned anew, or stands in the journal. A message that comes twice
finds done what it asks for. What could not be done at once, as another executor holds the account or enough users were
changed for an hour, is handed over again for later. People are told by `deliver`, from the outbox: who may change an
account needs no way out of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.cause import Cause
from chalicelib.execution.carry_out import Execution, Outcome, carry_out
from chalicelib.execution.ports import LostHold
from chalicelib.execution.respond import Response, respond
from chalicelib.execution.tasks import Task, TaskKind, parse_task
from chalicelib.execution.undo import undo
from chalicelib.functions.audit_account import NotOurs
from chalicelib.functions.batches import work_batch
from chalicelib.functions.telemetry import logger, measure, tracer
from chalicelib.hub import Hub
from chalicelib.ledger import ChangeKind
from chalicelib.ports import AccountClosed
from chalicelib.remediation.run import RemediationRun, RunState
from chalicelib.workshop import Workshop

LATER = 900
"""Seconds until it is tried again to change further users: the most that a queue keeps a message."""
SOON = 60
"""Seconds until it is tried again after another executor held the account."""
METRICS: Mapping[RunState, str] = {
    RunState.PROPOSED: "RemediationsProposed",
    RunState.WAITING: "RemediationsWaiting",
    RunState.DONE: "RemediationsDone",
    RunState.STOPPED: "RemediationsStopped",
    RunState.UNDONE: "RemediationsUndone",
    RunState.EXPIRED: "RemediationsExpired",
}
"""How a run stands → the metric that counts it."""


def remediate_accounts(event: Mapping[str, Any], context: Any, hub: Hub) -> dict[str, Any]:
    """Work a batch of tasks; which of them failed, as SQS wants to hear it."""
    return work_batch(event, context, hub, parse_task, _remediate)


@tracer.capture_method(capture_response=False, capture_error=False)
def _remediate(*, work: Mapping[str, str], task: Task, hub: Hub) -> dict[str, Any]:
    """Do one task; what is given back is remembered."""
    if not hub.is_ours(task.account):
        raise NotOurs(f"account {task.account} is none that the settings name")
    workshop = Workshop(hub)
    try:
        response = _DO[task.kind](task, workshop.execution(task.account), hub)
    except AccountClosed as error:
        # It stays so until somebody offers the role: asked again and again, it would only hide what else fails.
        logger.error("not let in", extra={"reason": str(error)})
        measure(METRICS[RunState.STOPPED], 1)
        response = Response()
    except LostHold as error:
        response = Response(busy=str(error))
    for run in response.runs:
        _tell(run)
    if response.busy or response.postponed:
        delay = SOON if response.busy else LATER
        logger.info("later", extra={"busy": response.busy, "postponed": response.postponed, "seconds": delay})
        measure("RemediationsPostponed", 1)
        workshop.queue.send([replace(task, at=hub.clock(), delay=delay)])
    return {
        "runs": {run.id: str(run.state) for run in response.runs},
        "postponed": response.postponed,
        "busy": response.busy,
    }


def _look(task: Task, execution: Execution, hub: Hub) -> Response:
    def cause_of(fingerprint: str) -> Cause | None:
        history = reversed(hub.ledger.history(task.account, fingerprint))
        return next((event.cause for event in history if event.kind is ChangeKind.REOPENED), None)

    return respond(execution, hub.ledger.load(task.account), cause_of, task.fingerprints)


def _carry_out(task: Task, execution: Execution, _hub: Hub) -> Response:
    return _response(carry_out(execution, task.run))


def _undo(task: Task, execution: Execution, _hub: Hub) -> Response:
    return _response(undo(execution, task.run))


def _response(outcome: Outcome) -> Response:
    return Response(busy=outcome.busy) if outcome.busy else Response([outcome.run])


_DO = {TaskKind.LOOK: _look, TaskKind.CARRY_OUT: _carry_out, TaskKind.UNDO: _undo}


def _tell(run: RemediationRun) -> None:
    """Log and measure how a run stands."""
    told = {
        "remediation": run.id,
        "plan": run.plan,
        "mode": str(run.mode),
        "state": str(run.state),
        "reason": run.reason,
        "users": list(run.users),
        "findings": [aim.fingerprint for aim in run.aims],
        "steps": Counter(f"{one.step.kind} {one.state}" for one in run.steps),
        "decisions": [{"verb": str(one.verb), "by": one.by, "at": one.at.isoformat()} for one in run.decisions],
    }
    (logger.warning if run.state is RunState.STOPPED else logger.info)("remediation %s", run.state, extra=told)
    if name := METRICS.get(run.state):
        measure(name, 1)
