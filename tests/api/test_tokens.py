"""Bearer tokens: which are good, and an API that is packaged so that it takes them in place of signatures."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.api.callers import caller_of
from chalicelib.api.problems import Problem
from chalicelib.api.routes import ROUTES
from chalicelib.api.tokens import Token, TokensError, grant_in, parse_tokens, token_in
from chalicelib.api_settings import ApiSettings
from chalicelib.deployment import API_TOKENS
from chalicelib.local.http_events import HttpAnswer
from tests.api.world import Served, now
from tests.packaging.rendering import packaged

NOW = datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC)
GOOD = "a-token-of-thirty-two-characters-or-more"
OTHER = GOOD[::-1]
ELSEWHERE, GONE = "of-another-account-thirty-two-characters", "gone-since-yesterday-thirty-two-characters"
THEIRS = "111122223333"


def entry(shown: str = GOOD, **changes: Any) -> dict[str, Any]:
    """A token as the secret has it."""
    return {
        "name": "dashboard",
        "sha256": hashlib.sha256(shown.encode()).hexdigest(),
        "expires": "2026-11-27",
        "accounts": [THEIRS],
        "scopes": ["read"],
        **changes,
    }


def secret(*entries: dict[str, Any]) -> str:
    return json.dumps({"tokens": list(entries)})


# --- which are good --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "at", "name"),
    [
        (f"Bearer {GOOD}", NOW, "dashboard"),
        (f"Bearer {OTHER}", NOW, "writer"),
        (f"Bearer {GOOD}", NOW + timedelta(seconds=1), None),
        (f"Bearer {GOOD} ", NOW, None),
        (f"bearer {GOOD}", NOW, None),
        (GOOD, NOW, None),
        ("Bearer ", NOW, None),
        ("", NOW, None),
        (f"Bearer {GOOD[:-1]}", NOW, None),
        (f"Bearer {hashlib.sha256(GOOD.encode()).hexdigest()}", NOW, None),
        ("Bearer " + "ü" * 40, NOW, None),
    ],
)
def test_a_token_is_good_through_its_day(header: str, at: datetime, name: str | None) -> None:
    tokens = parse_tokens(secret(entry(), entry(OTHER, name="writer", scopes=["read", "write"])))
    found = token_in(header, tokens, at)
    assert (found.name if found else None) == name


def test_the_last_day_that_there_is_may_be_the_last_of_a_token() -> None:
    [token] = parse_tokens(secret(entry(expires="9999-12-31")))
    assert token_in(f"Bearer {GOOD}", [token], NOW) == token
    assert grant_in(token.context, NOW) is not None


def test_what_is_handed_on_says_what_they_may() -> None:
    [token] = parse_tokens(secret(entry(scopes=["read", "write"], accounts=[THEIRS, "444455556666"])))
    found = grant_in(token.context, NOW)
    assert found is not None
    name, grant = found
    assert (name, grant.write) == ("token:dashboard", True)
    assert [grant.covers(one) for one in (THEIRS, "444455556666", "999999999999")] == [True, True, False]
    assert grant_in(replace(token, write=False).context, NOW)[1].write is False  # type: ignore[index]
    assert grant_in(token.context, NOW + timedelta(seconds=1)) is None
    assert all(isinstance(value, str) for value in token.context.values())


def test_nobody_is_let_in_by_a_hash_of_nothing() -> None:
    nothing = Token("empty", hashlib.sha256(b"").hexdigest(), NOW.date(), frozenset({"*"}))
    assert [token_in(header, [nothing], NOW) for header in ("", "Bearer ", "Basic x")] == [None] * 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no JSON"),
        ("[]", "must be an object"),
        ("{}", "must hold tokens"),
        ('{"tokens": [], "more": 1}', "and nothing else"),
        (secret({}), "tokens[0]: must hold name"),
        (secret(entry(), entry(OTHER)), "two have the same name"),
        (secret(entry(sha256="A" * 64)), "tokens[0].sha256"),
        (secret(entry(name="a b")), "tokens[0].name"),
        (secret(entry(expires="tomorrow")), "tokens[0].expires"),
        (secret(entry(accounts=[])), "tokens[0].accounts"),
        (secret(entry(accounts=["1"])), "tokens[0].accounts"),
        (secret(entry(scopes=["write"])), "tokens[0].scopes"),
        (secret(entry(scopes=[])), "tokens[0].scopes"),
    ],
)
def test_a_secret_that_is_none_tells_nothing_that_is_in_it(text: str, told: str) -> None:
    with pytest.raises(TokensError) as refused:
        parse_tokens(text)
    assert told in str(refused.value)
    assert hashlib.sha256(GOOD.encode()).hexdigest() not in str(refused.value)


# --- an API that takes them ------------------------------------------------------------------------------------------


@pytest.fixture
def bearing(served: Served) -> Iterator[Served]:
    """The deployment with its routes as they are packaged for tokens."""
    day = (now() + timedelta(days=1)).date().isoformat()
    entries = [
        entry(expires=day),
        entry(OTHER, name="writer", expires=day, scopes=["read", "write"]),
        entry(ELSEWHERE, name="other", expires=day, accounts=["444455556666"]),
        entry(GONE, name="old", expires="2020-01-01"),
    ]
    text = secret(*entries)
    served.world.client("ssm", "123456789012").put_parameter(
        Name="/mfawatch/api-tokens", Value=text, Type="SecureString", Overwrite=True
    )
    plain, os.environ[API_TOKENS] = served.world.deployment, "ssm:/mfawatch/api-tokens"
    app = packaged(MFAWATCH_API_AUTHORIZER="bearer").app
    served.world.deployment = replace(plain, api=app, functions={**plain.functions, "api_handler": app})
    yield served
    served.world.deployment = plain
    del os.environ[API_TOKENS]


def ask(served: Served, method: str, path: str, token: str = "", body: Any = None) -> HttpAnswer:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    text = "" if body is None else json.dumps(body)
    return served.world.deployment.request(method, path, headers, text, "arn:aws:iam::123456789012:user/signed")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_without_a_token_nobody_is_let_in(bearing: Served, route: Any) -> None:
    path = route.path.format(fingerprint="0" * 32, name="open", run="one")
    body: Any = {} if route.has_body else None
    shown = {token: ask(bearing, route.method, path, token, body).status for token in ("", "nothing" * 9)}
    old = ask(bearing, route.method, path, GONE, body).status
    assert (*shown.values(), old) == ((200,) * 3 if route.is_open else (401, 403, 403))


def test_a_token_sees_its_accounts_and_decides_by_its_scope(bearing: Served) -> None:
    stored = bearing.finding()
    one = f"/v1/findings/{stored.fingerprint}"
    assert ask(bearing, "GET", f"{one}?account={stored.account}", GOOD).status == 200
    assert ask(bearing, "GET", f"{one}?account={stored.account}", ELSEWHERE).status == 404
    body = {"account": stored.account, "until": now().date().isoformat(), "reason": "accepted"}
    assert ask(bearing, "POST", f"{one}/suppressions", GOOD, body).status == 403
    made = ask(bearing, "POST", f"{one}/suppressions", OTHER, body)
    assert (made.status, made.json["suppression"]["by"]) == (201, "token:writer")


def test_a_token_that_expired_while_it_was_remembered_is_good_no_more() -> None:
    shown = {"token": "dashboard", "accounts": "*", "scopes": "read write", "until": str(now().timestamp() + 1)}
    assert caller_of({"authorizer": shown}, ApiSettings, now()).may_change(THEIRS)
    with pytest.raises(Problem) as refused:
        caller_of({"authorizer": shown}, ApiSettings, now() + timedelta(seconds=2))
    assert refused.value.status == 401
