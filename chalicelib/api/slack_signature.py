"""Whether a request comes from Slack, and now. Source: Slack's documentation, "Verifying requests from Slack".

Whoever knows the signing secret signs the body and the moment; a request that was sent more than five minutes ago, or
will be, is somebody else's by now, whatever its signature.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from slack_sdk.signature import Clock, SignatureVerifier

from chalicelib.api.exchange import Asked
from chalicelib.api.problems import Problem

WINDOW = 300
"""Seconds, which slack_sdk holds to as well."""
MOST_BYTES = 256 * 1024
"""Bytes of a body: Slack sends the message along whose button is pressed."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


class _Now(Clock):
    """The clock of slack_sdk at a moment."""

    def __init__(self, now: datetime) -> None:
        self._now = now.timestamp()

    def now(self) -> float:
        return self._now


def signed_at(asked: Asked, secret: Callable[[], str | None], now: datetime) -> datetime:
    """When Slack signed a request. The secret is read for requests alone that could be Slack's.

    Raises:
        Problem: it did not, or not now.
    """
    timestamp, signature = (
        asked.headers.get("x-slack-request-timestamp", ""),
        asked.headers.get("x-slack-signature", ""),
    )
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        raise _refused("the request is not signed as Slack signs requests", "not-signed")
    if abs(now.timestamp() - int(timestamp)) > WINDOW:
        raise _refused("the request was not signed within the last five minutes", "not-now")
    body = asked.within(MOST_BYTES)
    known = secret()
    if not known:
        raise _refused("this deployment knows no signing secret of Slack's, and takes nobody for Slack", "no-secret")
    try:
        valid = SignatureVerifier(known, _Now(now)).is_valid(body, timestamp, signature)
    except UnicodeDecodeError:
        valid = False
    if not valid:
        raise _refused("the signature is not Slack's", "forged")
    return datetime.fromtimestamp(int(timestamp), UTC)


def _refused(detail: str, why: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, why)
