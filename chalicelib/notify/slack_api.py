"""One message to Slack over slack_sdk, and what came of it. Nothing here waits, tries again, or tells a secret."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import Any, Protocol

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from chalicelib.notify.slack_secret import BotToken, Webhook, checked_url
from chalicelib.ports import Thread

SLACK_API = "https://slack.com/api/"
SECONDS = 10
"""How long an answer is waited for."""
LEFT_ALONE = 30.0
"""Seconds, where Slack asks to be left alone and does not say for how long."""
LONGEST_LEFT_ALONE = 3600.0

TOO_MUCH = frozenset(
    {
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "invalid_json",
        "invalid_payload",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
    }
)
"""Errors of messages whose blocks Slack does not take."""
NO_THREAD = frozenset(
    {
        "cannot_reply_to_message",
        "invalid_thread_ts",
        "message_not_found",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "thread_not_found",
    }
)
"""Errors of replies to what is there no more, or to what nobody may answer."""

_CODE = re.compile(r"[a-z][a-z0-9_]{1,60}")
ERRORS = (SlackClientError, HTTPException, OSError, ValueError, LookupError, AttributeError, TypeError)
"""What slack_sdk, and the library below it, fail with on the way, or at an answer that is none."""

# slack_sdk logs the webhook's URL, and answers, at its own levels: its clients get a logger that tells nobody.
SILENT = logging.Logger("mfawatch.slack", logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a message: where it stands, if that is known, or what was the matter."""

    thread: Thread | None = None
    error: str = ""
    """Slack's code, or what went wrong on the way; empty where the message was taken."""
    retry_after: float | None = None

    @property
    def final(self) -> bool:
        """Whether Slack took it, or refused it for what it is: asked again it would say the same."""
        return not self.error or (self.retry_after is None and _CODE.fullmatch(self.error) is not None)


class Slack(Protocol):
    """A way to post messages."""

    @property
    def interactive(self) -> bool:
        """Whether it can be known who pressed a button of a message."""
        ...

    def post(self, message: Mapping[str, Any]) -> Answer:
        """Post a message, as chat.postMessage and incoming webhooks take it."""
        ...


class SlackBot:
    """Posts to a channel with a bot's token, and changes what it posted."""

    def __init__(self, secret: BotToken, channel: str, api: str = SLACK_API) -> None:
        url = checked_url(api if api.endswith("/") else f"{api}/", "the URL of Slack's API")
        self.interactive = bool(secret.signing_secret)
        self._channel = channel
        self._client = WebClient(secret.token, base_url=url, timeout=SECONDS, logger=SILENT, retry_handlers=[])

    def post(self, message: Mapping[str, Any]) -> Answer:
        """See `Slack`."""
        return self._called(partial(self._client.chat_postMessage, channel=self._channel, parse="none", **message))

    def update(self, first: Thread, message: Mapping[str, Any]) -> Answer:
        """Put another message in the place of the one that a thread began with."""
        return self._called(
            partial(self._client.chat_update, channel=first.channel, ts=first.ts, parse="none", **message)
        )

    def _called(self, call: Callable[[], SlackResponse]) -> Answer:
        try:
            answer = call()
            return Answer(Thread(str(answer["channel"]), str(answer["ts"])))
        except SlackApiError as error:
            return refusal_of(error)
        except ERRORS as error:
            return Answer(error=f"cannot be reached ({kind_of(error)})")


class SlackWebhook:
    """Posts to the channel of an incoming webhook, which tells nothing of where a message stands."""

    def __init__(self, secret: Webhook) -> None:
        self.interactive = bool(secret.signing_secret)
        self._client = WebhookClient(secret.url, timeout=SECONDS, logger=SILENT, retry_handlers=[])

    def post(self, message: Mapping[str, Any]) -> Answer:
        """See `Slack`."""
        try:
            answer = self._client.send_dict(dict(message))
        except ERRORS as error:
            return Answer(error=f"cannot be reached ({kind_of(error)})")
        if answer.status_code == 200 and answer.body == "ok":
            return Answer()
        return _refused(answer.status_code, answer.body, answer.headers)


def refusal_of(error: SlackApiError) -> Answer:
    """What Slack's refusal of a call comes to."""
    response: Any = error.response
    told = response.data.get("error") if isinstance(response.data, Mapping) else None
    return _refused(response.status_code, str(told or ""), response.headers)


def _refused(status: int, told: str, headers: Mapping[str, Any]) -> Answer:
    """What a refusal comes to. An answer that holds no code may be anybody's, and is not told."""
    code = told if _CODE.fullmatch(told) else ""
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return Answer(error="asks to be left alone for a while", retry_after=_seconds(headers))
    return Answer(error=code or f"answered with status {status}")


def _seconds(headers: Mapping[str, Any]) -> float:
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        seconds = float(told)
    except (TypeError, ValueError):
        return LEFT_ALONE
    return min(seconds, LONGEST_LEFT_ALONE) if seconds >= 0 else LEFT_ALONE


def kind_of(error: Exception) -> str:
    """What went wrong, by name: the text of an error may hold the URL."""
    reason = getattr(error, "reason", None)
    return type(reason if isinstance(reason, Exception) else error).__name__
