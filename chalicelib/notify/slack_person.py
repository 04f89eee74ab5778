"""What one person in Slack sees and nobody else: an answer to what they pressed, and a form. Nothing here tries again.

Source: Slack's developer documentation, "Handling user interaction" and views.open. Slack waits three seconds for all
that comes of a press, so that neither is waited for long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from chalicelib.notify.mrkdwn import escape
from chalicelib.notify.slack_api import ERRORS, SILENT, SLACK_API, kind_of, refusal_of
from chalicelib.notify.slack_secret import BotToken, SecretError, checked_url

SECONDS = 1
"""How long an answer is waited for."""
LONGEST = 1000


def whisper(url: str, text: str, api: str = SLACK_API) -> str:
    """Tell a person something at the response URL of what they pressed; why that failed, or nothing."""
    if not _is_slack(url, api):
        return "the response URL is not Slack's"
    client = WebhookClient(url, timeout=SECONDS, logger=SILENT, retry_handlers=[])
    message = {"response_type": "ephemeral", "replace_original": False, "text": escape(text, LONGEST)}
    try:
        answer = client.send_dict(message)
    except ERRORS as error:
        return f"cannot be reached ({kind_of(error)})"
    return "" if answer.status_code == 200 else f"answered with status {answer.status_code}"


def open_form(secret: BotToken, trigger: str, view: Mapping[str, Any], api: str = SLACK_API) -> str:
    """Open a form for whoever pressed; why that failed, or nothing."""
    try:
        url = checked_url(api if api.endswith("/") else f"{api}/", "the URL of Slack's API")
        client = WebClient(secret.token, base_url=url, timeout=SECONDS, logger=SILENT, retry_handlers=[])
        client.views_open(trigger_id=trigger, view=dict(view))
    except SecretError as error:
        return str(error)
    except SlackApiError as error:
        return refusal_of(error).error
    except ERRORS as error:
        return f"cannot be reached ({kind_of(error)})"
    return ""


def _is_slack(url: str, api: str) -> bool:
    """Whether a response URL leads to Slack, by way of which nobody else hears of it.

    That is a host of Slack's beside the one of the API, hooks.slack.com. Where the API is elsewhere, it is there too.
    """
    try:
        told, known = urlsplit(url), urlsplit(api)
        ports = told.port, known.port
    except ValueError:
        return False
    if told.username is not None or told.password is not None or not told.hostname:
        return False
    if told.scheme == "https" and told.hostname == f"hooks.{known.hostname}" and ports[0] in (None, 443):
        return True
    return api != SLACK_API and (told.scheme, told.hostname, ports[0]) == (known.scheme, known.hostname, ports[1])
