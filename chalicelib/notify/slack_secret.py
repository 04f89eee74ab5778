"""What the Slack secret holds: a bot's token or the URL of an incoming webhook, and what Slack signs its requests with.

Pure; no error tells any of it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_TOKEN = re.compile(r"xox[a-z]-[A-Za-z0-9-]{1,500}|xox[a-z]\.[A-Za-z0-9.-]{1,500}")
_SIGNING_SECRET = re.compile(r"[!-~]{16,200}")
_URL = re.compile(r"https?://[!-~]{1,2000}")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SecretError(ValueError):
    """The secret is none; the text says what is the matter, and nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class BotToken:
    """A bot's token: it posts to any channel that the bot is in."""

    token: str = field(repr=False)
    signing_secret: str = field(default="", repr=False)
    """Proves that a request is Slack's: without it messages have no buttons, which nobody could answer for."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An incoming webhook: it posts to the channel that it was made for."""

    url: str = field(repr=False)
    signing_secret: str = field(default="", repr=False)
    """As a bot's."""


def parse_secret(text: str) -> BotToken | Webhook:
    """The secret: JSON with `bot_token` or `webhook`, and `signing_secret` if messages are to have buttons; or a token
    or a webhook bare.

    Raises:
        SecretError: it is none of these.
    """
    text = text.strip()
    if not text.startswith("{"):
        return _secret("webhook" if text.startswith("http") else "bot_token", text)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise SecretError("the Slack secret is no JSON") from None
    given = [key for key in ("bot_token", "webhook") if values.get(key)]
    if len(given) != 1:
        raise SecretError("the Slack secret must have either bot_token or webhook")
    return _secret(given[0], values[given[0]], values.get("signing_secret") or "")


def _secret(kind: str, value: object, signing_secret: object = "") -> BotToken | Webhook:
    if not isinstance(signing_secret, str) or (signing_secret and not _SIGNING_SECRET.fullmatch(signing_secret)):
        raise SecretError("the signing_secret of the Slack secret is none that Slack gives out")
    if kind == "webhook":
        if not isinstance(value, str) or not _URL.fullmatch(value):
            raise SecretError("the webhook of the Slack secret is no URL")
        return Webhook(checked_url(value, "the webhook of the Slack secret"), signing_secret)
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise SecretError("the Slack secret holds no bot token, which begins with xoxb-")
    return BotToken(value, signing_secret)


def checked_url(url: str, name: str) -> str:
    """The URL, if nobody on the way can read what is sent to it; `name` says in the error what it is.

    Raises:
        SecretError: it is neither https nor on this machine.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise SecretError(f"{name} is no URL") from None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        raise SecretError(f"{name} must begin with https://")
    return url
