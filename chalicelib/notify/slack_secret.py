"""What the Slack secret holds: a bot's token or the URL of an incoming webhook. Pure; no error tells any of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_TOKEN = re.compile(r"xox[a-z]-[A-Za-z0-9-]{1,500}|xox[a-z]\.[A-Za-z0-9.-]{1,500}")
_URL = re.compile(r"https?://[!-~]{1,2000}")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SecretError(ValueError):
    """The secret is none; the text says what is the matter, and nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class BotToken:
    """A bot's token: it posts to any channel that the bot is in."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An incoming webhook: it posts to the channel that it was made for."""

    url: str = field(repr=False)


def parse_secret(text: str) -> BotToken | Webhook:
    """The secret: JSON with `bot_token` or `webhook`, or one of them bare.

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
    return _secret(given[0], values[given[0]])


def _secret(kind: str, value: object) -> BotToken | Webhook:
    if kind == "webhook":
        if not isinstance(value, str) or not _URL.fullmatch(value):
            raise SecretError("the webhook of the Slack secret is no URL")
        return Webhook(checked_url(value, "the webhook of the Slack secret"))
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise SecretError("the Slack secret holds no bot token, which begins with xoxb-")
    return BotToken(value)


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
