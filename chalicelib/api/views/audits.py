"""/v1/audits: to have an account audited, and to hear what came of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from chalicelib.api.answers import answered
from chalicelib.api.call import Asking, Call
from chalicelib.api.fields import unprocessable
from chalicelib.api.live import check_ours, new_run, reading
from chalicelib.api.models.audits import AuditDone, AuditWanted, RunTold
from chalicelib.api.models.values import Account
from chalicelib.api.problems import Problem, Wrong
from chalicelib.findings import Status
from chalicelib.functions.hand_over import hand_over
from chalicelib.pipeline import MOST_USERS, Outcome, run_audit
from chalicelib.scope import Scope
from chalicelib.sweep import Assignment

PENDS = timedelta(hours=6)
"""For how long a run may still tell something: its message is handed out three times, for 90 minutes each."""
MOST_RUNS = 200
"""Runs of an account that are looked through."""

_OURS = re.compile(r"api-([0-9]{8}T[0-9]{6}Z)-([0-9]{12})-[0-9a-f]{8}")
_AT_ONCE = "-once"
"""What the id of a run ends with that was answered where it was asked for: it tells nothing afterwards."""
RunId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="What `POST /v1/audits` answered with 202, or a sweep.")
]


def post_audit(call: Asking, body: AuditWanted) -> Response[AuditDone | RunTold]:
    """Audit an account now, or some of its users.

    A few users are audited at once, and what is found is answered. For more of them, and for a whole account, a run is
    handed to the workers: ask for it where `Location` says. Either way the ledger holds what is found, and people hear
    of what is new.
    """
    call.check_asked(body.account)
    check_ours(call, body.account)
    if body.users and len(set(body.users)) <= MOST_USERS:
        return _at_once(call, body.account, frozenset(body.users))
    run = new_run(body.account, call.hub.clock())
    call.hub.work_queue.send([Assignment(run, body.account)])
    told = {"id": run.id, "status": "pending", "account": body.account, "report": None}
    return answered(told, HTTPStatus.ACCEPTED, {"Location": f"/v1/audits/{run.id}"})


def get_audit(
    call: Asking,
    run: RunId,
    account: Annotated[
        Account | None, Query(description="Of which account; a run that was asked for here names it.")
    ] = None,
) -> Response[RunTold]:
    """Show what a run says of an account, or that it has said nothing yet."""
    ours = _OURS.fullmatch(run.removesuffix(_AT_ONCE))
    if account is None and ours is None:
        raise unprocessable(Wrong("", "is missing: the run is of more accounts than one", "account"))
    of = account or (ours[2] if ours else "")
    call.check_seen(of)
    report = next((one for one in call.hub.ledger.reports(of, MOST_RUNS) if one.run == run), None)
    waits = ours and ours[2] == of and not run.endswith(_AT_ONCE) and _may_come(ours[1], call.hub.clock())
    if report is None and not waits:
        raise Problem(HTTPStatus.NOT_FOUND, f"no run {run} is known of account {of}", "unknown")
    status = "done" if report else "pending"
    return answered({"id": run, "status": status, "account": of, "report": report.to_json() if report else None})


def _at_once(call: Call, account: str, users: frozenset[str]) -> Response[AuditDone | RunTold]:
    hub, made = call.hub, new_run(account, call.hub.clock())
    run = replace(made, id=made.id + _AT_ONCE)
    with reading():
        outcome = run_audit(Scope(account, users), run, hub.settings, hub.ports(run.id))
        hand_over(outcome, hub)
    audit = outcome.audit.with_suppressed(_accepted(outcome))
    there = {name.lower() for name in audit.judged}
    unknown = sorted(name for name in users if name.lower() not in there)
    told = {"id": run.id, "status": "done", "account": account, "unknown_users": unknown, "audit": audit.to_json()}
    return answered(told)


def _accepted(outcome: Outcome) -> set[str]:
    """The findings that somebody has accepted for now, as the ledger has them after the audit."""
    return {change.fingerprint for change in outcome.changes if change.after.status is Status.SUPPRESSED}


def _may_come(made: str, now: datetime) -> bool:
    """Whether a run made at that moment may still tell something."""
    try:
        at = datetime.strptime(made, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return timedelta(0) <= now - at + timedelta(seconds=1) < PENDS
