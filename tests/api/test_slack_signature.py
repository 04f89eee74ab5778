"""Requests that Slack signed, and those that only say so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import MappingProxyType

import pytest

from chalicelib.api.exchange import Asked
from chalicelib.api.problems import Problem
from chalicelib.api.slack_signature import MOST_BYTES, WINDOW, signed_at
from chalicelib.local.slack_buttons import SIGNING_SECRET, signed
from tests.accounts.build import TAKEN

NOW = TAKEN.replace(microsecond=0)


def asked(at: datetime = NOW, changes: Mapping[str, str | None] = MappingProxyType({})) -> Asked:
    """A request as Slack signs it, with other headers."""
    headers, body = signed({"type": "block_actions"}, at)
    named = {name.lower(): value for name, value in headers.items()} | dict(changes)
    return Asked({name: value for name, value in named.items() if value is not None}, body.encode())


def refused(request: Asked, secret: str | None = SIGNING_SECRET) -> Problem:
    with pytest.raises(Problem) as problem:
        signed_at(request, lambda: secret, NOW)
    return problem.value


@pytest.mark.parametrize("seconds", [0, -WINDOW, WINDOW, -1])
def test_a_request_that_slack_signed_is_of_that_moment(seconds: int) -> None:
    at = NOW + timedelta(seconds=seconds)
    assert signed_at(asked(at), lambda: SIGNING_SECRET, NOW) == at.astimezone(UTC)


@pytest.mark.parametrize("seconds", [-WINDOW - 1, WINDOW + 1, -86_400, 10**9])
def test_a_request_of_another_time_is_refused(seconds: int) -> None:
    assert refused(asked(NOW + timedelta(seconds=seconds))).why == "not-now"


TIMESTAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"
SHAPES: dict[str, dict[str, str | None]] = {
    "no timestamp": {TIMESTAMP: None},
    "no signature": {SIGNATURE: None},
    "a timestamp in words": {TIMESTAMP: "now"},
    "a timestamp with a sign": {TIMESTAMP: f"+{int(NOW.timestamp())}"},
    "a timestamp with a part of a second": {TIMESTAMP: f"{NOW.timestamp():.3f}"},
    "a timestamp of another script": {TIMESTAMP: "١" * 10},
    "a long timestamp": {TIMESTAMP: "9" * 5000},
    "an empty signature": {SIGNATURE: ""},
    "another version": {SIGNATURE: "v1=" + "0" * 64},
    "a signature of letters beyond ASCII": {SIGNATURE: "v0=" + "é" * 64},
    "a short signature": {SIGNATURE: "v0=0"},
}


@pytest.mark.parametrize("changes", SHAPES.values(), ids=SHAPES)
def test_what_is_not_signed_at_all_is_refused_before_the_secret_is_read(changes: dict[str, str | None]) -> None:
    def secret() -> str:
        raise AssertionError("the secret is read")

    with pytest.raises(Problem) as problem:
        signed_at(asked(changes=changes), secret, NOW)
    assert (problem.value.status, problem.value.why) == (HTTPStatus.UNAUTHORIZED, "not-signed")


def test_a_body_that_is_no_text_is_nobodys() -> None:
    request = asked()
    assert refused(Asked(request.headers, b"\xff")).why == "forged"


def test_a_large_body_is_not_even_looked_at() -> None:
    request = Asked(asked().headers, b"x" * (MOST_BYTES + 1))
    assert refused(request).status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("secret", [None, "", "another-secret-of-slack"])
def test_with_another_secret_or_none_nothing_is_slacks(secret: str | None) -> None:
    problem = refused(asked(), secret)
    assert (problem.status, problem.why) == (HTTPStatus.UNAUTHORIZED, "forged" if secret else "no-secret")
