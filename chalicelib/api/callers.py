"""Who asks, as API Gateway knows them, and what they may ask about. Pure.

Whoever signs a request as AWS wants it is known by their ARN, and the settings say what is theirs to see; whoever shows
a token by its name, and the token says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from chalicelib.api.problems import Problem
from chalicelib.api.tokens import grant_in
from chalicelib.api_settings import ApiSettings, Grant

_ARN = re.compile(r"arn:[!-~]{1,400}")
_SESSION = re.compile(r"(arn:[a-z-]+):sts::([0-9]{12}):assumed-role/([^/]+)/.+")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let in."""

    name: str
    """Names them where something that they decide is told: the ARN of the user or session, or the name of the token."""
    principal: str
    """The ARN of the user or role; of a role without its path, which API Gateway does not tell. Of a token its name."""
    grants: tuple[Grant, ...] = ()

    def may_see(self, account: str) -> bool:
        """Whether they may ask about the account."""
        return any(grant.covers(account) for grant in self.grants)

    def may_change(self, account: str) -> bool:
        """Whether they may decide something about it."""
        return any(grant.write and grant.covers(account) for grant in self.grants)


def caller_of(context: Mapping[str, Any], settings: Callable[[], ApiSettings], now: datetime) -> Caller:
    """Who asks, by the context that API Gateway gives along with a request. The settings are read for somebody alone.

    Raises:
        Problem: nobody that it names, or no more.
    """
    shown = context.get("authorizer") or {}
    if "token" in shown:
        return _by_token(shown, now)
    arn = (context.get("identity") or {}).get("userArn")
    if not isinstance(arn, str) or not _ARN.fullmatch(arn):
        raise Problem(HTTPStatus.FORBIDDEN, "the request is signed by nobody that AWS names", "not-signed")
    principal = principal_of(arn)
    return Caller(arn, principal, settings().grants_of(principal))


def _by_token(shown: Mapping[str, Any], now: datetime) -> Caller:
    found = grant_in(shown, now)
    if found is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "the token is good no more", "expired")
    name, grant = found
    return Caller(name, name, (grant,))


def principal_of(arn: str) -> str:
    """The ARN of the role of a session; any other ARN as it is."""
    found = _SESSION.fullmatch(arn)
    return f"{found[1]}:iam::{found[2]}:role/{found[3]}" if found else arn
