"""Tells people in Slack: with a bot's token in a channel and its threads, or through an incoming webhook."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from chalicelib.alerts.messages import Form, Message, News, messages_of
from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice
from chalicelib.notify.run_facts import latest_of
from chalicelib.notify.slack_api import SLACK_API, TOO_MUCH, Answer, Slack, SlackBot, SlackWebhook
from chalicelib.notify.slack_blocks import named, render
from chalicelib.notify.slack_posting import NOT_SHOWN, post
from chalicelib.notify.slack_runs import tell_run
from chalicelib.notify.slack_secret import BotToken, SecretError, parse_secret
from chalicelib.ports import Thread, Threads, Told, always

_LOG = logging.getLogger(__name__)
_ANSWERING = frozenset({News.RESOLVED, News.WORSENED, News.PASSED, News.SUPPRESSED, News.CHANGED})
"""News of findings that may have been told before."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is told at once."""

    notices: Sequence[Notice | RunNotice]
    say: Callable[[Slack], Answer]
    named: Mapping[str, Sequence[str]]
    """Account → what of it is to be answered in the thread that this begins, by fingerprint."""


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
        return self._tell(piece for message in messages for piece in self._parts(message))

    def tell_runs(self, notices: Sequence[RunNotice]) -> Told:
        """See `Notifier`. Of several notices of one run the last says all; what passes by itself is no message."""
        return self._tell(self._run(some) for some in latest_of(notices))

    def _tell(self, pieces: Iterable[_Piece]) -> Told:
        """Tell them one after the other: each is put together when those before it are told."""
        taken: list[Notice | RunNotice] = []
        trouble = ""
        for piece in pieces:
            slack = self._reached()
            if isinstance(slack, str):
                return Told(taken, slack)
            if not self.more():
                return Told(taken, trouble or "there is no time left", 0)
            answer = piece.say(slack)
            if not answer.error:
                taken += piece.notices
                self._keep(piece, answer.thread)
                continue
            trouble = trouble or f"Slack: {answer.error}"
            if answer.error not in TOO_MUCH | {NOT_SHOWN}:
                return Told(taken, f"Slack: {answer.error}", answer.retry_after)
        return Told(taken, trouble)

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

    # --- threads -----------------------------------------------------------------------------------------------------

    def _parts(self, message: Message) -> Iterator[_Piece]:
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
            yield _part(replace(message, items=tuple(message.items[index] for index in indexes)), thread)

    def _run(self, notices: Sequence[RunNotice]) -> _Piece:
        last = notices[-1]
        say = partial(tell_run, notice=last, first=self._find(last))
        return _Piece(notices, say, {last.account: [last.fingerprint]})

    def _find(self, notice: Notice | RunNotice) -> Thread | None:
        if self.threads is None or not self.channel:
            return None
        try:
            return self.threads.find(self.destination, notice.account, notice.fingerprint)
        except Exception:
            # The message counts for more than where it stands.
            _LOG.warning("cannot look for a thread in Slack", exc_info=True)
            return None

    def _keep(self, piece: _Piece, thread: Thread | None) -> None:
        """Remember the thread that a piece began for what it names."""
        if self.threads is None or thread is None:
            return
        try:
            for account, fingerprints in piece.named.items():
                self.threads.keep(self.destination, account, fingerprints, thread)
        except Exception:
            # It was told: to tell it again for the sake of its thread would be worse.
            _LOG.warning("cannot keep a thread in Slack", exc_info=True)


def _part(message: Message, thread: Thread | None) -> _Piece:
    """A message, which answers in a thread if there is one. Everybody shall see what got worse; what is over is for
    those who follow it."""
    open_: dict[str, list[str]] = {}
    for item in named(message):
        if item.alarming:
            open_.setdefault(item.last.account, []).append(item.last.fingerprint)

    def say(slack: Slack) -> Answer:
        return post(slack, partial(render, message, interactive=slack.interactive), thread, broadcast=message.alarming)

    return _Piece(message.notices, say, open_)
