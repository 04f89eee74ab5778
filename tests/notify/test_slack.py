"""Slack, over HTTP, from a server that behaves like it: what is taken, what comes of trouble, and threads."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.alerts.messages import Message
from chalicelib.findings import Severity
from chalicelib.ledger import ChangeKind
from chalicelib.local import slack_server as local
from chalicelib.local.slack_server import TOKEN, Fault, SlackServer, slack_server
from chalicelib.notify import slack_api, slack_blocks
from chalicelib.notify.blocks import Rendered
from chalicelib.notify.slack import SlackNotifier
from chalicelib.ports import Notifier, Threads
from tests.alerts.build import notice
from tests.ledger.build import DEVICE, ENFORCED, TAKEOVER
from tests.notify.threads import BrokenThreads, MemoryThreads

RESOLVED, CHANGED, REOPENED = ChangeKind.RESOLVED, ChangeKind.CHANGED, ChangeKind.REOPENED


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    """A workspace that no proxy stands before."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with slack_server() as found:
        yield found


def bot(
    workspace: SlackServer, threads: Threads | None = None, channel: str = "C1", secret: str = TOKEN
) -> SlackNotifier:
    return SlackNotifier(lambda: secret, channel, threads, workspace.api)


def webhook(workspace: SlackServer) -> SlackNotifier:
    return SlackNotifier(lambda: workspace.webhook)


def test_it_is_a_notifier(workspace: SlackServer) -> None:
    notifier: Notifier = bot(workspace)
    assert not notifier.tell([]).taken


# --- what is taken ---------------------------------------------------------------------------------------------------


def test_a_bot_posts_to_its_channel(workspace: SlackServer) -> None:
    notices = [notice(user="alice"), notice(user="bob")]
    told = bot(workspace).tell(notices)
    assert (list(told.taken), told.trouble, told.retry_after) == (notices, "", None)
    first, second = workspace.posted
    assert {first.channel, second.channel} == {"C1"}
    assert "user alice" in first.text
    assert "user bob" in second.text
    assert first.blocks[0]["type"] == "header"
    options = {key: first.options[key] for key in ("unfurl_links", "unfurl_media", "link_names", "parse", "mrkdwn")}
    assert options == {
        "unfurl_links": False,
        "unfurl_media": False,
        "link_names": False,
        "parse": "none",
        "mrkdwn": False,
    }


def test_a_webhook_posts_to_its_own(workspace: SlackServer) -> None:
    notices = [notice()]
    assert webhook(workspace).tell(notices).taken == notices
    [posted] = workspace.posted
    assert posted.channel == local.WEBHOOK_CHANNEL
    assert posted.blocks[0]["type"] == "header"


def test_a_digest_is_one_message(workspace: SlackServer) -> None:
    notices = [notice(user="alice"), notice(user="bob", run="run-2")]
    assert sorted(bot(workspace).tell(notices, digest=True).taken, key=str) == sorted(notices, key=str)
    [posted] = workspace.posted
    assert posted.text.startswith("🌙 Digest")


def test_the_secret_is_read_once_and_when_it_is_needed(workspace: SlackServer) -> None:
    read: list[str] = []

    def secret() -> str:
        read.append(TOKEN)
        return TOKEN

    notifier = SlackNotifier(secret, "C1", None, workspace.api)
    notifier.tell([])
    assert not read
    notifier.tell([notice()])
    notifier.tell([notice()])
    assert read == [TOKEN]


# --- trouble ---------------------------------------------------------------------------------------------------------

EITHER = pytest.mark.parametrize("way", [bot, webhook])


@EITHER
@pytest.mark.parametrize(
    ("fault", "trouble", "retry_after"),
    [
        (local.busy(7), "Slack: asks to be left alone for a while", 7.0),
        (Fault(429, "", {"Retry-After": "soon"}), "Slack: asks to be left alone for a while", slack_api.LEFT_ALONE),
        (Fault(429), "Slack: asks to be left alone for a while", slack_api.LEFT_ALONE),
        (local.busy(10**9), "Slack: asks to be left alone for a while", slack_api.LONGEST_LEFT_ALONE),
        (local.busy(-1), "Slack: asks to be left alone for a while", slack_api.LEFT_ALONE),
        (local.broken(500), "Slack: answered with status 500", None),
        (local.broken(503), "Slack: answered with status 503", None),
        (local.gone(), "Slack: cannot be reached (RemoteDisconnected)", None),
        (local.refusing("channel_not_found"), "Slack: channel_not_found", None),
        (local.refusing("invalid_auth"), "Slack: invalid_auth", None),
        (Fault(200), "Slack: answered with status 200", None),
    ],
)
def test_what_goes_wrong_is_told_and_not_tried_again(
    workspace: SlackServer, way: type, fault: Fault, trouble: str, retry_after: float | None
) -> None:
    notices = [notice(user="alice"), notice(user="bob")]
    workspace.outage = fault
    notifier = way(workspace)
    told = notifier.tell(notices)
    assert (list(told.taken), told.trouble, told.retry_after) == ([], trouble, retry_after)
    assert workspace.requests == 1
    workspace.outage = None
    assert list(notifier.tell(notices).taken) == notices
    assert len(workspace.posted) == 2


@EITHER
def test_nobody_at_home(workspace: SlackServer, way: type) -> None:
    notifier = way(workspace)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        workspace.port = free.getsockname()[1]
        notifier = way(workspace)
    told = notifier.tell([notice()])
    assert (list(told.taken), told.trouble) == ([], "Slack: cannot be reached (ConnectionRefusedError)")


def test_an_answer_is_not_waited_for_for_ever(workspace: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_api, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        workspace.port = silent.getsockname()[1]
        started = time.monotonic()
        told = bot(workspace).tell([notice()])
        assert time.monotonic() - started < 5
    assert told.trouble == "Slack: cannot be reached (TimeoutError)"


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_what_was_taken_before_trouble_is_told(workspace: SlackServer, taken: int) -> None:
    notices = [notice(user="alice"), notice(user="bob"), notice(user="carol")]
    workspace.faults.extend([*[None] * taken, local.busy(3)])
    told = bot(workspace).tell(notices)
    assert list(told.taken) == notices[:taken]
    assert told.retry_after == 3
    assert workspace.requests == taken + 1


def test_a_channel_that_is_not_there(workspace: SlackServer) -> None:
    workspace.channels = {"alerts": "C1"}
    assert bot(workspace, channel="other").tell([notice()]).trouble == "Slack: channel_not_found"
    assert bot(workspace, channel="alerts").tell([notice()]).trouble == ""
    assert workspace.posted[0].channel == "C1"


# --- blocks that Slack does not take ---------------------------------------------------------------------------------


@EITHER
def test_a_message_whose_blocks_are_refused_is_told_plainly(
    workspace: SlackServer, way: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_blocks, "LONGEST_HEADER", 1000)
    notices = [notice(control="x" * 400, user="a" * 400)]
    assert list(way(workspace).tell(notices).taken) == notices
    [posted] = workspace.posted
    assert posted.blocks == ()
    assert workspace.requests == 2
    assert "fix: Mend it." in posted.text
    assert posted.options["mrkdwn"] is False


@pytest.mark.parametrize("error", sorted(slack_api.TOO_MUCH))
def test_one_that_is_refused_plainly_as_well_stands_in_nobodys_way(workspace: SlackServer, error: str) -> None:
    notices = [notice(user="alice"), notice(user="bob")]
    workspace.faults.extend([local.refusing(error)] * 2)
    told = bot(workspace).tell(notices)
    assert (list(told.taken), told.trouble) == (notices[1:], f"Slack: {error}")


# --- threads ---------------------------------------------------------------------------------------------------------


def test_what_is_resolved_answers_where_it_was_opened(workspace: SlackServer) -> None:
    threads = MemoryThreads()
    bot(workspace, threads).tell([notice(), notice(control=DEVICE)])
    over = [notice(RESOLVED, version=2, run="run-2", hours=1), notice(RESOLVED, control=DEVICE, version=2, run="run-2")]
    assert len(bot(workspace, threads).tell(over).taken) == 2
    opened, resolved = workspace.posted
    assert (opened.thread_ts, resolved.thread_ts, resolved.broadcast) == (None, opened.ts, False)
    assert resolved.text.startswith("✅ Resolved")


def test_what_is_resolved_and_was_told_nowhere_is_a_message_of_its_own(workspace: SlackServer) -> None:
    for threads in (MemoryThreads(), None):
        bot(workspace, threads).tell([notice(RESOLVED, version=2)])
    assert [one.thread_ts for one in workspace.posted] == [None, None]
    assert all(len(one.blocks) <= 3 for one in workspace.posted)


def test_what_got_worse_answers_for_all_to_see(workspace: SlackServer) -> None:
    threads = MemoryThreads()
    notifier = bot(workspace, threads)
    notifier.tell([notice(severity=Severity.MEDIUM)])
    notifier.tell([notice(CHANGED, version=2, before=Severity.MEDIUM)])
    notifier.tell([notice(RESOLVED, version=3)])
    opened, worse, resolved = workspace.posted
    assert (worse.thread_ts, worse.broadcast) == (opened.ts, True)
    assert (resolved.thread_ts, resolved.broadcast) == (opened.ts, False)


def test_what_opens_again_begins_a_thread(workspace: SlackServer) -> None:
    notifier = bot(workspace, MemoryThreads())
    kinds = (ChangeKind.OPENED, RESOLVED, REOPENED, RESOLVED)
    for version, kind in enumerate(kinds, 1):
        notifier.tell([notice(kind, version=version, run=f"run-{version}")])
    first, _, again, last = workspace.posted
    assert [one.thread_ts for one in workspace.posted] == [None, first.ts, None, again.ts]
    assert last.thread_ts == again.ts


def test_one_run_that_opens_and_resolves_tells_each_where_it_belongs(workspace: SlackServer) -> None:
    notifier = bot(workspace, MemoryThreads())
    notifier.tell([notice(control=ENFORCED)])
    mixed = [
        notice(control=DEVICE, run="run-2"),
        notice(RESOLVED, control=ENFORCED, version=2, run="run-2"),
        notice(RESOLVED, control=TAKEOVER, version=2, run="run-2"),
    ]
    assert len(notifier.tell(mixed).taken) == 3
    first, opened, resolved = workspace.posted
    assert (opened.thread_ts, resolved.thread_ts) == (None, first.ts)
    assert [block for block in opened.blocks if "Resolved" in block.get("text", {}).get("text", "")]


def test_channels_have_threads_of_their_own(workspace: SlackServer) -> None:
    threads = MemoryThreads()
    for channel in ("C1", "C2"):
        bot(workspace, threads, channel).tell([notice()])
    for channel in ("C1", "C2"):
        bot(workspace, threads, channel).tell([notice(RESOLVED, version=2)])
    one, two, *answers = workspace.posted
    assert [answer.thread_ts for answer in answers] == [one.ts, two.ts]
    assert [answer.channel for answer in answers] == ["C1", "C2"]


def test_a_thread_that_is_gone_is_replaced(workspace: SlackServer) -> None:
    threads = MemoryThreads()
    notifier = bot(workspace, threads)
    notifier.tell([notice(severity=Severity.MEDIUM)])
    workspace.forget(workspace.posted[0].ts)
    worse = notice(CHANGED, version=2, before=Severity.MEDIUM)
    assert list(notifier.tell([worse]).taken) == [worse]
    notifier.tell([notice(RESOLVED, version=3)])
    anew, resolved = workspace.posted
    assert (anew.thread_ts, resolved.thread_ts) == (None, anew.ts)


def test_a_summary_keeps_the_threads_of_what_it_names(workspace: SlackServer) -> None:
    threads = MemoryThreads()
    notifier = bot(workspace, threads)
    notifier.tell([notice(user=f"user-{number:02}") for number in range(30)])
    assert len(threads.kept) == slack_blocks.MOST_NAMED
    notifier.tell([notice(RESOLVED, user="user-03", version=2), notice(RESOLVED, user="user-23", version=2)])
    summary, *answers = workspace.posted
    assert {one.thread_ts for one in answers} == {summary.ts, None}


def test_a_webhook_knows_no_threads(workspace: SlackServer) -> None:
    notifier = SlackNotifier(lambda: workspace.webhook, "", BrokenThreads())
    assert len(notifier.tell([notice(), notice(RESOLVED, control=DEVICE, version=2)]).taken) == 2
    assert [one.thread_ts for one in workspace.posted] == [None]


def test_threads_that_cannot_be_kept_lose_no_message(workspace: SlackServer, caplog: pytest.LogCaptureFixture) -> None:
    notices = [notice(), notice(RESOLVED, control=DEVICE, version=2)]
    with caplog.at_level(logging.WARNING):
        told = bot(workspace, BrokenThreads()).tell(notices)
    assert (len(told.taken), told.trouble) == (2, "")
    assert [record.message for record in caplog.records] == [
        "cannot look for a thread in Slack",
        "cannot keep a thread in Slack",
    ]


# --- secrets ---------------------------------------------------------------------------------------------------------

HIDDEN = "xoxb-9-hidden"


@pytest.mark.parametrize(
    ("secret", "channel", "trouble"),
    [
        ("", "C1", "the Slack secret holds no bot token, which begins with xoxb-"),
        ("hidden", "C1", "the Slack secret holds no bot token, which begins with xoxb-"),
        (HIDDEN, "", "the Slack secret is a bot token, which needs a channel in the settings"),
        (
            "https://hooks.example/hidden",
            "C1",
            "the Slack secret is a webhook, which takes no channel from the settings",
        ),
        ("http://hooks.example/hidden", "", "the webhook of the Slack secret must begin with https://"),
    ],
)
def test_a_secret_that_does_not_fit(workspace: SlackServer, secret: str, channel: str, trouble: str) -> None:
    told = bot(workspace, channel=channel, secret=secret).tell([notice()])
    assert (list(told.taken), told.trouble) == ([], trouble)
    assert workspace.requests == 0


def test_a_secret_that_cannot_be_read(workspace: SlackServer) -> None:
    def secret() -> str:
        raise KeyError(HIDDEN)

    told = SlackNotifier(secret, "C1", None, workspace.api).tell([notice()])
    assert (list(told.taken), told.trouble) == ([], "the Slack secret cannot be read (KeyError)")


def test_a_token_goes_nowhere_in_the_clear(workspace: SlackServer) -> None:
    told = SlackNotifier(lambda: HIDDEN, "C1", None, "http://slack.example/api").tell([notice()])
    assert told.trouble == "the URL of Slack's API must begin with https://"


@pytest.mark.parametrize(
    "fault",
    [
        local.broken(),
        local.gone(),
        local.busy(1),
        local.refusing("invalid_auth"),
        local.refusing("no_service"),
        Fault(200, f"not {HIDDEN}"),
        Fault(500, HIDDEN),
        None,
    ],
)
def test_no_secret_is_told_or_logged(
    workspace: SlackServer, fault: Fault | None, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    workspace.outage = fault
    with caplog.at_level(1):
        for name in ("slack_sdk", "slack_sdk.web", "slack_sdk.webhook", "mfawatch"):
            logging.getLogger(name).setLevel(1)
        hook, told = webhook(workspace), []
        told.append(bot(workspace, secret=HIDDEN).tell([notice()]).trouble)
        told.append(hook.tell([notice()]).trouble)
    written = capfd.readouterr()
    for text in [*told, caplog.text, written.out, written.err, repr(hook), repr(bot(workspace, secret=HIDDEN))]:
        assert "hidden" not in text
        assert local.WEBHOOK_PATH not in text


# --- one message is nothing to the others ----------------------------------------------------------------------------


def test_a_message_that_cannot_be_shown_keeps_no_other_from_being_told(
    workspace: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = slack_blocks.render

    def odd(message: Message, **options: Any) -> Rendered:
        if message.first.last.user == "alice":
            raise ZeroDivisionError
        return render(message, **options)

    monkeypatch.setattr("chalicelib.notify.slack.render", odd)
    alice, bob = notice(user="alice"), notice(user="bob")
    told = bot(workspace).tell([alice, bob])
    assert (list(told.taken), told.trouble) == ([bob], "Slack: cannot be shown")


def test_no_message_is_begun_when_there_is_no_time(workspace: SlackServer) -> None:
    left = [True, False]
    notifier = SlackNotifier(lambda: TOKEN, "C1", None, workspace.api, lambda: left.pop(0))
    alice, bob = notice(user="alice"), notice(user="bob")
    told = notifier.tell([alice, bob])
    assert (list(told.taken), told.trouble, told.retry_after) == ([alice], "there is no time left", 0)
    assert len(workspace.posted) == 1


def test_an_answer_that_a_locked_thread_does_not_take_stands_alone(workspace: SlackServer) -> None:
    threads = MemoryThreads()
    opened = notice(user="alice")
    bot(workspace, threads).tell([opened])
    workspace.faults += [Fault(200, "restricted_action_thread_locked")]
    over = notice(RESOLVED, user="alice", version=2)
    assert list(bot(workspace, threads).tell([over]).taken) == [over]
    assert workspace.posted[-1].thread_ts is None
