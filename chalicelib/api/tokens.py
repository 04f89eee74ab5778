"""Bearer tokens: the secret that says which there are, and which of them somebody shows. Pure.

The secret holds no token, but what each is hashed to (SHA-256: a token is random, and long enough that nobody finds it
from that):

    {"tokens": [{"name": "dashboard", "sha256": "9f86d0…", "expires": "2027-01-31", "accounts": ["111122223333"],
                 "scopes": ["read"]}]}

`accounts` may be ["*"], and `scopes` is ["read"] or ["read", "write"]. A token is good through the day of `expires`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from chalicelib.api.fields import day
from chalicelib.api_settings import EVERY, Grant
from chalicelib.iam.documents import JsonError, parse_object

READ, WRITE = "read", "write"
OF_TOKENS = "token:"
"""What the names of those begin with who show a token."""

_SHOWN = re.compile(r"Bearer +([\w~+/.=-]{32,256})", re.ASCII)
_NAME = re.compile(r"[\w.-]{1,64}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")
_ACCOUNT = re.compile(r"[0-9]{12}|\*")


class TokensError(ValueError):
    """The secret holds something else; the text says where, and nothing that is in it."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, what it is called, and what whoever shows it may do."""

    name: str
    sha256: str
    expires: date
    accounts: frozenset[str]
    write: bool = False

    @property
    def until(self) -> datetime:
        """The moment from which it is good no more. There is no day after the last one that there is."""
        last = self.expires == date.max
        return datetime.combine(self.expires if last else self.expires + timedelta(days=1), time(), UTC)

    @property
    def context(self) -> dict[str, str]:
        """What API Gateway hands on of it with each request."""
        return {
            "token": self.name,
            "accounts": " ".join(sorted(self.accounts)),
            "scopes": f"{READ} {WRITE}" if self.write else READ,
            "until": str(int(self.until.timestamp())),
        }


def parse_tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a secret.

    Raises:
        TokensError: it is none.
    """
    try:
        value = parse_object(text)
    except JsonError as error:
        raise TokensError(str(error)) from None
    found = value.get("tokens")
    if not isinstance(found, list) or set(value) != {"tokens"}:
        raise TokensError("must hold tokens, a list, and nothing else")
    tokens = tuple(_token(f"tokens[{number}]", one) for number, one in enumerate(found))
    if len({one.name for one in tokens}) < len(tokens):
        raise TokensError("tokens: two have the same name")
    return tokens


def token_in(header: str, tokens: Sequence[Token], now: datetime) -> Token | None:
    """The token that an Authorization header shows; None where it shows none that is good now.

    All are compared, each in the same time whatever it is: how long it takes tells nobody how near they are.
    """
    shown = _SHOWN.fullmatch(header)
    digest = hashlib.sha256((shown[1] if shown else "").encode()).hexdigest()
    found = [one for one in tokens if hmac.compare_digest(one.sha256, digest)]
    return next((one for one in found if shown and now < one.until), None)


def grant_in(context: Mapping[str, Any], now: datetime) -> tuple[str, Grant] | None:
    """Who shows the token of which API Gateway hands on this, and what they may; None where it is good no more.

    API Gateway remembers for some time whom the authoriser let in.
    """
    name, accounts = str(context["token"]), frozenset(str(context.get("accounts", "")).split())
    if now.timestamp() >= float(context.get("until", 0)):
        return None
    return f"{OF_TOKENS}{name}", Grant(accounts, write=WRITE in str(context.get("scopes", "")).split())


def _token(where: str, value: object) -> Token:
    if not isinstance(value, Mapping) or set(value) != {"name", "sha256", "expires", "accounts", "scopes"}:
        raise TokensError(f"{where}: must hold name, sha256, expires, accounts and scopes")
    scopes = value["scopes"]
    if scopes not in ([READ], [READ, WRITE]):
        raise TokensError(f'{where}.scopes: must be ["read"] or ["read", "write"]')
    try:
        expires = day(value["expires"])
    except ValueError as error:
        raise TokensError(f"{where}.expires: {error}") from None
    accounts = value["accounts"]
    if not isinstance(accounts, list) or not accounts:
        raise TokensError(f"{where}.accounts: must be a list with something in it")
    return Token(
        name=_text(f"{where}.name", value["name"], _NAME, "letters, digits, dots and dashes, 64 at most"),
        sha256=_text(f"{where}.sha256", value["sha256"], _HASH, "64 hexadecimal digits in small letters"),
        expires=expires,
        accounts=frozenset(
            _text(f"{where}.accounts", one, _ACCOUNT, f'account ids, 12 digits, or "{EVERY}"') for one in accounts
        ),
        write=WRITE in scopes,
    )


def _text(where: str, value: object, form: re.Pattern[str], wanted: str) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise TokensError(f"{where}: must be {wanted}")
    return value
