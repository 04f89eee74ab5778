"""/v1/findings/{fingerprint}/suppressions: to accept a finding for a while, and to take that back."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from chalicelib.api.acceptance import accept, take_back
from chalicelib.api.answers import answered
from chalicelib.api.call import Asking
from chalicelib.api.models.findings import FindingTold, SuppressionWanted
from chalicelib.api.models.values import Account, Fingerprint
from chalicelib.report.stored import finding_to_json


def post_suppression(
    call: Asking, fingerprint: Annotated[Fingerprint, Path()], body: SuppressionWanted
) -> Response[FindingTold]:
    """Accept a finding for a while; the finding as it stands then."""
    call.check_decided(body.account)
    stored = accept(call.hub, body.account, fingerprint, body.until, body.reason, call.caller.name)
    return answered(finding_to_json(stored), HTTPStatus.CREATED)


def delete_suppression(
    call: Asking, fingerprint: Annotated[Fingerprint, Path()], account: Annotated[Account, Query()]
) -> Response[FindingTold]:
    """Take back that a finding is accepted; the finding as it stands then."""
    call.check_decided(account)
    return answered(finding_to_json(take_back(call.hub, account, fingerprint, call.caller.name)))
