"""Findings of the ledger that a person accepts for a while, or no longer, from wherever they say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from http import HTTPStatus

from chalicelib.accepting import Outpaced, decide
from chalicelib.api.fields import unprocessable
from chalicelib.api.problems import Problem, Wrong
from chalicelib.findings import Status
from chalicelib.hub import Hub
from chalicelib.ledger import Change, Stored, suppress, unsuppress

UNTIL = "#/until"
"""The field that names the last day."""


def found(hub: Hub, account: str, fingerprint: str) -> Stored:
    """A finding of the ledger.

    Raises:
        Problem: there is none.
    """
    stored = hub.ledger.find(account, fingerprint)
    if stored is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no finding {fingerprint} is known of account {account}", "unknown")
    return stored


def check_open(stored: Stored) -> None:
    """That a finding can be accepted.

    Raises:
        Problem: it is resolved.
    """
    if stored.status is Status.RESOLVED:
        raise Problem(HTTPStatus.CONFLICT, "the finding is resolved: there is nothing to accept", "resolved")


def accept(hub: Hub, account: str, fingerprint: str, until: date, reason: str, by: str) -> Stored:
    """Accept a finding through a day, as it is by then.

    Raises:
        Problem: there is none, it is resolved, the day cannot be, or others were faster again and again.
    """

    def decision(stored: Stored, now: datetime) -> Change:
        check_open(stored)
        try:
            return suppress(stored, until, reason, by, now)
        except ValueError as error:
            raise unprocessable(Wrong(UNTIL, str(error))) from None

    return _decided(hub, account, fingerprint, decision)


def take_back(hub: Hub, account: str, fingerprint: str, by: str) -> Stored:
    """Take back that a finding is accepted.

    Raises:
        Problem: there is none, it is not accepted, or others were faster again and again.
    """

    def decision(stored: Stored, now: datetime) -> Change:
        try:
            return unsuppress(stored, by, now)
        except ValueError as error:
            raise Problem(HTTPStatus.CONFLICT, str(error), "not-accepted") from None

    return _decided(hub, account, fingerprint, decision)


def _decided(hub: Hub, account: str, fingerprint: str, decision: Callable[[Stored, datetime], Change]) -> Stored:
    """What is to be told of it comes into the outbox with the change."""
    store = replace(hub.ledger, entries_of=hub.entries_of)
    try:
        return decide(store, lambda: found(hub, account, fingerprint), decision, hub.clock)
    except Outpaced as error:
        raise Problem(HTTPStatus.CONFLICT, f"{error}: ask again", "outpaced") from None
