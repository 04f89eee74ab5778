"""/v1/findings/{fingerprint}/suppressions: to accept a finding for a while, and to take that back."""

from __future__ import annotations

from http import HTTPStatus

from chalicelib.api import fields
from chalicelib.api.acceptance import accept, take_back
from chalicelib.api.exchange import Answer, Asked
from chalicelib.api.fields import read_fields
from chalicelib.api.problems import Problem
from chalicelib.hub import Hub
from chalicelib.report.stored import finding_to_json


def create_suppression(asked: Asked, hub: Hub, fingerprint: str) -> Answer:
    """Accept a finding: `{"account", "until", "reason"}` → the finding as it stands then.

    Raises:
        Problem: it cannot be accepted, or not so.
    """
    caller = asked.caller
    named = _named(fingerprint)
    readers = {"account": fields.account, "until": fields.day, "reason": fields.reason}
    stored = accept(hub, by=caller, fingerprint=named, **read_fields(asked.values, readers))
    return Answer(HTTPStatus.CREATED, finding_to_json(stored))


def delete_suppression(asked: Asked, hub: Hub, fingerprint: str) -> Answer:
    """Take back that a finding of `?account=` is accepted; the finding as it stands then.

    Raises:
        Problem: it is not accepted.
    """
    caller = asked.caller
    named = _named(fingerprint)
    wanted = read_fields(asked.query, {"account": fields.account})
    return Answer(HTTPStatus.OK, finding_to_json(take_back(hub, by=caller, fingerprint=named, **wanted)))


def _named(fingerprint: str) -> str:
    """The fingerprint in the path.

    Raises:
        Problem: it is none.
    """
    try:
        return fields.fingerprint(fingerprint)
    except ValueError as error:
        raise Problem(HTTPStatus.NOT_FOUND, f"the fingerprint in the path {error}", "unknown") from None
