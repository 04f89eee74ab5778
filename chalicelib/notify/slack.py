"""Tells people in Slack: with a bot's token in a channel and its threads, or through an incoming webhook."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.alerts.messages import Form, Message, News, messages_of
from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice
from chalicelib.notify.run_facts import QUIET
from chalicelib.notify.run_plain import run_body
from chalicelib.notify.slack_api import NO_THREAD, SLACK_API, TOO_MUCH, Answer, Slack, SlackBot, SlackWebhook
from chalicelib.notify.slack_blocks import LONGEST_TEXT, escape_lines, named, render
from chalicelib.notify.slack_secret import BotToken, SecretError, parse_secret
from chalicelib.ports import Thread, Threads, Told, always

_LOG = logging.getLogger(__name__)
NO_TIME = "there is no time left"
NOT_SHOWN = "cannot be shown"
"""In place of Slack's code, for a message that was not sent."""
_ANSWERING = frozenset({News.RESOLVED, News.WORSENED, News.PASSED, News.SUPPRESSED, News.CHANGED})
"""News of findings that may have been told before."""


@dataclass(frozen=True, slots=True)
class _Post:
    """A message, and the thread that it answers in."""

    message: Message
    thread: Thread | None = None


@dataclass
class SlackNotifier:
    """A `Notifier` of one destination: a channel by id or name with a bot's token; no channel with a webhook.

    `secret` reads the secret (see `slack_secret`), and is asked when there is something to tell. Threads are known to
    bots alone.
    """

    secret: Callable[[], str]
    channel: str = ""
    threads: Threads | None = None
    api: str = SLACK_API
    more: Callable[[], bool] = always
    """Whether there is time for another message: whoever is stopped in the middle cannot say what was told."""
    _slack: Slack | None = field(default=None, init=False, repr=False)

    @property
    def destination(self) -> str:
        """The route's, as the outbox has it."""
        return f"slack:{self.channel}" if self.channel else "slack"

    def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
        """See `Notifier`. After a message that Slack did not take for what it says, the others are told still."""
        messages = messages_of(notices, digest=digest)
        if not messages:
            return Told(())
        slack = self._reached()
        return Told((), slack) if isinstance(slack, str) else self._tell(slack, messages)

    def tell_runs(self, notices: Sequence[RunNotice]) -> Told:
        """See `Notifier`. What passes by itself is no message."""
        slack = self._reached()
        if isinstance(slack, str):
            return Told((), slack)
        taken: list[RunNotice] = []
        for notice in notices:
            if notice.state not in QUIET:
                if not self.more():
                    return Told(taken, NO_TIME, 0)
                answer = slack.post({"text": escape_lines(run_body(notice), LONGEST_TEXT), "mrkdwn": False})
                if answer.error:
                    return Told(taken, f"Slack: {answer.error}", answer.retry_after)
            taken.append(notice)
        return Told(taken)

    def _reached(self) -> Slack | str:
        """What posts to Slack, or why nothing does."""
        try:
            return self._connected()
        except SecretError as error:
            return str(error)
        except Exception as error:
            # Whatever reads secrets fails in ways of its own, and may tell of what it read.
            return f"the Slack secret cannot be read ({type(error).__name__})"

    def _connected(self) -> Slack:
        if self._slack is None:
            secret = parse_secret(self.secret())
            if isinstance(secret, BotToken):
                if not self.channel:
                    raise SecretError("the Slack secret is a bot token, which needs a channel in the settings")
                self._slack = SlackBot(secret, self.channel, self.api)
            elif self.channel:
                raise SecretError("the Slack secret is a webhook, which takes no channel from the settings")
            else:
                self._slack = SlackWebhook(secret)
        return self._slack

    def _tell(self, slack: Slack, messages: Sequence[Message]) -> Told:
        taken: list[Notice] = []
        trouble = ""
        for post in (post for message in messages for post in self._posts(message)):
            if not self.more():
                return Told(taken, trouble or NO_TIME, 0)
            answer = _posted_or_not(slack, post)
            if not answer.error:
                taken += post.message.notices
                self._keep(post.message, answer.thread)
                continue
            trouble = trouble or f"Slack: {answer.error}"
            if answer.error not in TOO_MUCH | {NOT_SHOWN}:
                return Told(taken, f"Slack: {answer.error}", answer.retry_after)
        return Told(taken, trouble)

    # --- threads -----------------------------------------------------------------------------------------------------

    def _posts(self, message: Message) -> Iterator[_Post]:
        """The message, without what answers in threads; and an answer in each of these."""
        threads: dict[Thread | None, list[int]] = {}
        of_user: dict[str | None, Thread | None] = {}
        for index, item in enumerate(message.items):
            if item.news in (News.COVERED, News.UNCOVERED):
                # It goes where the graver finding goes that spoke for it, or does now: that stands before it.
                thread = of_user.get(item.last.user)
            else:
                asked = message.form is Form.FULL and item.news in _ANSWERING
                thread = self._find(item.last) if asked else None
                of_user.setdefault(item.last.user, thread)
            threads.setdefault(thread, []).append(index)
        for thread, indexes in threads.items():
            yield _Post(replace(message, items=tuple(message.items[index] for index in indexes)), thread)

    def _find(self, notice: Notice) -> Thread | None:
        if self.threads is None or not self.channel:
            return None
        try:
            return self.threads.find(self.destination, notice.account, notice.fingerprint)
        except Exception:
            # The message counts for more than where it stands.
            _LOG.warning("cannot look for a thread in Slack", exc_info=True)
            return None

    def _keep(self, message: Message, thread: Thread | None) -> None:
        """Remember the thread that a message began for the open findings that it names."""
        if self.threads is None or thread is None:
            return
        found: dict[str, list[str]] = {}
        for item in named(message):
            if item.alarming:
                found.setdefault(item.last.account, []).append(item.last.fingerprint)
        try:
            for account, fingerprints in found.items():
                self.threads.keep(self.destination, account, fingerprints, thread)
        except Exception:
            # It was told: to tell it again for the sake of its thread would be worse.
            _LOG.warning("cannot keep a thread in Slack", exc_info=True)


def _posted_or_not(slack: Slack, post: _Post) -> Answer:
    try:
        return _posted(slack, post)
    except Exception as error:
        # What nobody thought of in one message must not keep the others from being told. The text may hold a secret.
        _LOG.error("cannot show a message in Slack (%s)", type(error).__name__)
        return Answer(error=NOT_SHOWN)


def _posted(slack: Slack, post: _Post) -> Answer:
    """Post it as well as Slack takes it: as an answer with blocks, on its own where the thread is gone, or plain.

    The answer names the thread that it began, if it did.
    """
    rendered = render(post.message)
    message: dict[str, Any] = {
        "text": rendered.text,
        "blocks": rendered.blocks,
        "mrkdwn": False,
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    answering: dict[str, Any] = {}
    if post.thread:
        # Everybody shall see what got worse; what is over is for those who follow it.
        answering = {"thread_ts": post.thread.ts, "reply_broadcast": post.message.alarming}
    answer = slack.post(message | answering)
    if answer.error in NO_THREAD and answering:
        answering = {}
        answer = slack.post(message)
    if answer.error in TOO_MUCH:
        del message["blocks"]
        answer = slack.post(message | answering | {"text": rendered.plain})
    return replace(answer, thread=None) if answering else answer
