"""One message in Slack, as well as Slack takes it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chalicelib.notify.blocks import Rendered, plain
from chalicelib.notify.slack_api import NO_THREAD, TOO_MUCH, Answer, Slack, SlackBot
from chalicelib.ports import Thread

_LOG = logging.getLogger(__name__)
NOT_SHOWN = "cannot be shown"
"""In place of Slack's code, for a message that was not sent."""


def post(
    slack: Slack, render: Callable[[], Rendered], thread: Thread | None = None, *, broadcast: bool = False
) -> Answer:
    """Post a message: as an answer with blocks, on its own where the thread is gone, or plain.

    With `broadcast` an answer is shown in the channel as well. What comes of it names the thread that the message
    began, if it did.
    """
    rendered = _rendered(render)
    if rendered is None:
        return Answer(error=NOT_SHOWN)
    message: dict[str, Any] = {
        "text": rendered.text,
        "blocks": rendered.blocks,
        "mrkdwn": False,
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    answering: dict[str, Any] = {"thread_ts": thread.ts, "reply_broadcast": broadcast} if thread else {}
    answer = slack.post(message | answering)
    if answer.error in NO_THREAD and answering:
        answering = {}
        answer = slack.post(message)
    if answer.error in TOO_MUCH:
        del message["blocks"]
        answer = slack.post(message | answering | {"text": rendered.plain})
    return replace(answer, thread=None) if answering else answer


def put_in_place(slack: SlackBot, first: Thread, render: Callable[[], Rendered]) -> Answer:
    """Put a message in the place of the one that a thread begins with."""
    rendered = _rendered(render)
    if rendered is None:
        return Answer(error=NOT_SHOWN)
    message: dict[str, Any] = {"text": rendered.text, "blocks": rendered.blocks, "link_names": False}
    answer = slack.update(first, message)
    if answer.error in TOO_MUCH:
        # Without blocks it might keep those that it has, and its buttons with them.
        answer = slack.update(first, message | {"blocks": [plain(rendered.plain)]})
    return answer


def _rendered(render: Callable[[], Rendered]) -> Rendered | None:
    try:
        return render()
    except Exception as error:
        # What nobody thought of in one message must not keep the others from being told. The text may hold a secret.
        _LOG.error("cannot show a message in Slack (%s)", type(error).__name__)
        return None
