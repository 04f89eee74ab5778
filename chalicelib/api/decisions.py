"""Decisions on runs that do not count, as they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from chalicelib.api.problems import Problem
from chalicelib.execution.approval import Refused, Why

STATUSES: Mapping[Why, HTTPStatus] = {
    Why.NOT_AN_APPROVER: HTTPStatus.FORBIDDEN,
    Why.UNKNOWN: HTTPStatus.NOT_FOUND,
    Why.NOT_WAITING: HTTPStatus.CONFLICT,
    Why.EXPIRED: HTTPStatus.GONE,
    Why.SWITCHED_OFF: HTTPStatus.CONFLICT,
    Why.STOPPED: HTTPStatus.LOCKED,
}


def refusal(refused: Refused) -> Problem:
    """A decision that does not count, as it is answered."""
    return Problem(STATUSES[refused.why], refused.reason, str(refused.why))
