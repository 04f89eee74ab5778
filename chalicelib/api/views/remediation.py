"""/v1/findings/{fingerprint}/remediation: what mends a finding, and to have that carried out.

Nothing is changed here. What is to be changed is planned anew by the function that carries it out, and carried out only
if that comes to the same plan; whoever has it carried out names the plan that they were shown.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from chalicelib.api.acceptance import found
from chalicelib.api.answers import answered
from chalicelib.api.call import Asking
from chalicelib.api.fields import pointer_to, unprocessable
from chalicelib.api.models.remediation import HandedOver, PlanTold, RemediationWanted
from chalicelib.api.models.values import Fingerprint
from chalicelib.api.problems import Wrong
from chalicelib.api.remedy import plan_for
from chalicelib.api.remedy_run import hand_over
from chalicelib.report.plan_steps import plan_with_diffs


def post_remediation(
    call: Asking, fingerprint: Annotated[Fingerprint, Path()], body: RemediationWanted
) -> Response[PlanTold | HandedOver]:
    """Plan what mends a finding, or have the plan carried out.

    The plan is made of the account as it is now. With `apply` and the id of the plan that was shown it is handed to the
    function that carries plans out. In mode auto that does it within the bounds of the settings. In mode approve you
    must be among the approvers: `put-up` says that the plan is put up for approval, and asking again approves it.
    """
    if body.apply:
        call.check_decided(body.account)
    else:
        call.check_asked(body.account)
    if body.apply != (body.plan is not None):
        raise unprocessable(Wrong(pointer_to("plan"), "goes with apply: the id of the plan that you were shown"))
    stored = found(call.hub, body.account, fingerprint)
    planned = plan_for(call, stored)
    if not body.apply:
        return answered({**plan_with_diffs(planned.plan, planned.audit, planned.snapshot), "mode": str(planned.mode)})
    handed = hand_over(call, stored, planned, body.plan or "")
    told = {
        "status": str(handed.status),
        "account": body.account,
        "plan": planned.plan.id,
        "mode": str(planned.mode),
        "run": handed.run or None,
    }
    return answered(told, HTTPStatus.ACCEPTED, {"Location": f"/v1/findings/{fingerprint}?account={body.account}"})
