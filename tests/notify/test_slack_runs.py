"""Runs in Slack, over HTTP: in the thread of the first message, whose buttons are gone when it is decided."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

import pytest

from chalicelib.alerts.run_notice import RunNotice
from chalicelib.local import slack_server as local
from chalicelib.local.slack_buttons import SIGNING_SECRET
from chalicelib.local.slack_server import TOKEN, Fault, Posted, SlackServer, slack_server
from chalicelib.notify import slack_api
from chalicelib.notify.blocks import Rendered
from chalicelib.notify.run_blocks import render_run
from chalicelib.notify.slack import SlackNotifier
from chalicelib.ports import Notifier, Threads
from chalicelib.remediation.run import RunState
from chalicelib.remediation_settings import Mode
from tests.alerts.build import notice, run_notice
from tests.notify.threads import BrokenThreads, MemoryThreads

WAITING, READY, RUNNING, DONE = RunState.WAITING, RunState.READY, RunState.RUNNING, RunState.DONE
STOPPED, UNDOING, UNDONE = RunState.STOPPED, RunState.UNDOING, RunState.UNDONE
approved = partial(run_notice, by="U012AB3CD")


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    """A workspace that no proxy stands before."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with slack_server() as found:
        yield found


def bot(workspace: SlackServer, threads: Threads | None = None, signing_secret: str = SIGNING_SECRET) -> SlackNotifier:
    secret = json.dumps({"bot_token": TOKEN, "signing_secret": signing_secret})
    return SlackNotifier(lambda: secret, "C1", threads, workspace.api)


def webhook(workspace: SlackServer) -> SlackNotifier:
    return SlackNotifier(lambda: json.dumps({"webhook": workspace.webhook, "signing_secret": SIGNING_SECRET}))


def has_buttons(posted: Posted) -> bool:
    return any(block["type"] == "actions" for block in posted.blocks)


def words(posted: Posted) -> str:
    return posted.text.partition(" · ")[0]


def test_what_becomes_of_a_run_is_told_in_one_thread(workspace: SlackServer) -> None:
    notifier: Notifier = bot(workspace, MemoryThreads())
    assert notifier.tell_runs([run_notice()]).trouble == ""
    [waiting] = workspace.posted
    assert has_buttons(waiting)
    told = [approved(state) for state in (READY, RUNNING, STOPPED, RUNNING, DONE, UNDOING, UNDONE)]
    for one in told:
        assert list(notifier.tell_runs([one]).taken) == [one]
    first, *answers = workspace.posted
    assert [words(one) for one in answers] == ["🛑 Remediation stopped", "✅ Put right and verified", "↩️ Undone"]
    assert {one.thread_ts for one in answers} == {first.ts}
    assert [one.broadcast for one in answers] == [True, False, False]
    assert (words(first), first.edited, has_buttons(first)) == ("↩️ Undone", True, False)


def test_the_buttons_vanish_as_soon_as_somebody_approved(workspace: SlackServer) -> None:
    notifier = bot(workspace, MemoryThreads())
    notifier.tell_runs([run_notice()])
    notifier.tell_runs([approved(READY)])
    [first] = workspace.posted
    assert not has_buttons(first)
    assert "👍 Approved by <@U012AB3CD> · " in "\n".join(first.lines())


def test_what_passes_by_itself_is_no_message_of_its_own(workspace: SlackServer) -> None:
    quiet = [approved(READY)]
    for notifier in (bot(workspace, MemoryThreads()), bot(workspace), webhook(workspace)):
        assert list(notifier.tell_runs(quiet).taken) == quiet
    assert (workspace.posted, workspace.requests) == ([], 0)


def test_the_first_message_of_a_run_that_asked_nobody_stays_as_it_is(workspace: SlackServer) -> None:
    notifier = bot(workspace, MemoryThreads())
    notifier.tell_runs([run_notice(DONE, mode=Mode.AUTO)])
    notifier.tell_runs([run_notice(UNDONE, mode=Mode.AUTO)])
    first, undone = workspace.posted
    assert (first.edited, undone.thread_ts) == (False, first.ts)


def test_of_what_waited_together_the_last_counts(workspace: SlackServer) -> None:
    told = [approved(DONE), run_notice(), approved(READY), run_notice(run="20260601T060000Z-another")]
    assert sorted(bot(workspace, MemoryThreads()).tell_runs(told).taken, key=str) == sorted(told, key=str)
    assert sorted(words(one) for one in workspace.posted) == ["✅ Put right and verified", "✋ Waiting for approval"]


def test_there_are_no_buttons_where_nobody_could_say_who_pressed_them(workspace: SlackServer) -> None:
    bot(workspace, signing_secret="").tell_runs([run_notice()])
    bot(workspace, signing_secret="").tell([notice()])
    webhook(workspace).tell_runs([run_notice()])
    webhook(workspace).tell([notice()])
    assert [has_buttons(one) for one in workspace.posted] == [False, False, True, True]


# --- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "trouble", "retry_after"),
    [
        (local.busy(7), "Slack: asks to be left alone for a while", 7.0),
        (local.broken(), "Slack: answered with status 503", None),
        (local.gone(), "Slack: cannot be reached (RemoteDisconnected)", None),
    ],
)
@pytest.mark.parametrize("at_the", ["update", "answer"])
def test_in_an_outage_nothing_is_told_twice(
    workspace: SlackServer, fault: Fault, trouble: str, retry_after: float | None, at_the: str
) -> None:
    notifier, done = bot(workspace, MemoryThreads()), approved(DONE)
    notifier.tell_runs([run_notice()])
    workspace.faults.extend([fault] if at_the == "update" else [None, fault])
    told = notifier.tell_runs([done, approved(DONE, run="20260601T060000Z-another")])
    assert (list(told.taken), told.trouble, told.retry_after) == ([], trouble, retry_after)
    assert len(workspace.posted) == 1
    assert list(notifier.tell_runs([done]).taken) == [done]
    assert [words(one) for one in workspace.posted] == ["✅ Put right and verified"] * 2


@pytest.mark.parametrize("error", ["cant_update_message", "edit_window_closed", "message_not_found", "invalid_blocks"])
def test_a_first_message_that_cannot_be_changed_keeps_nobody_from_hearing(workspace: SlackServer, error: str) -> None:
    notifier = bot(workspace, MemoryThreads())
    notifier.tell_runs([run_notice()])
    workspace.faults.extend([local.refusing(error)] * (2 if error in slack_api.TOO_MUCH else 1))
    assert notifier.tell_runs([approved(DONE)]).trouble == ""
    assert [words(one) for one in workspace.posted] == ["✋ Waiting for approval", "✅ Put right and verified"]


def test_a_first_message_whose_blocks_are_refused_loses_its_buttons_still(workspace: SlackServer) -> None:
    notifier = bot(workspace, MemoryThreads())
    notifier.tell_runs([run_notice()])
    workspace.faults.append(local.refusing("msg_blocks_too_long"))
    notifier.tell_runs([approved(READY)])
    [first] = workspace.posted
    assert not has_buttons(first)
    assert "Approved by U012AB3CD" in "\n".join(first.lines())


def test_a_thread_that_is_gone_is_begun_anew(workspace: SlackServer) -> None:
    notifier = bot(workspace, MemoryThreads())
    notifier.tell_runs([run_notice()])
    workspace.forget(workspace.posted[0].ts)
    notifier.tell_runs([approved(STOPPED)])
    notifier.tell_runs([approved(DONE)])
    stopped, done = workspace.posted
    assert (stopped.thread_ts, done.thread_ts) == (None, stopped.ts)


def test_threads_that_cannot_be_kept_lose_no_message(workspace: SlackServer) -> None:
    for state in (WAITING, DONE):
        assert bot(workspace, BrokenThreads()).tell_runs([run_notice(state)]).trouble == ""
    assert [one.thread_ts for one in workspace.posted] == [None, None]


def test_a_webhook_tells_each_state_by_itself(workspace: SlackServer) -> None:
    for state in (WAITING, READY, DONE):
        assert webhook(workspace).tell_runs([run_notice(state)]).trouble == ""
    assert [words(one) for one in workspace.posted] == ["✋ Waiting for approval", "✅ Put right and verified"]


def test_a_run_that_cannot_be_shown_keeps_no_other_from_being_told(
    workspace: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = run_notice(), run_notice(version=2, run="20260601T060000Z-another")

    def odd(notice: RunNotice, *, interactive: bool) -> Rendered:
        if notice == first:
            raise ZeroDivisionError
        return render_run(notice, interactive=interactive)

    monkeypatch.setattr("chalicelib.notify.slack_runs.render_run", odd)
    told = bot(workspace).tell_runs([first, second])
    assert (list(told.taken), told.trouble) == ([second], "Slack: cannot be shown")


def test_no_message_is_begun_when_there_is_no_time(workspace: SlackServer) -> None:
    left = [True, False]
    notifier = SlackNotifier(lambda: TOKEN, "C1", None, workspace.api, lambda: left.pop(0))
    first, second = run_notice(), run_notice(run="20260601T060000Z-another")
    told = notifier.tell_runs([first, second])
    assert (list(told.taken), told.trouble, told.retry_after) == ([first], "there is no time left", 0)


def test_a_secret_that_does_not_fit(workspace: SlackServer) -> None:
    told = bot(workspace, signing_secret="short").tell_runs([run_notice()])
    assert told.trouble == "the signing_secret of the Slack secret is none that Slack gives out"
    assert (list(told.taken), workspace.requests) == ([], 0)
