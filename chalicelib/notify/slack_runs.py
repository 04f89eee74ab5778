"""Telling in Slack what has become of a run: in the thread of its first message, which shows how the run stands."""

from __future__ import annotations

from functools import partial

from chalicelib.alerts.run_notice import RunNotice
from chalicelib.notify.run_blocks import render_decided, render_run
from chalicelib.notify.run_facts import QUIET
from chalicelib.notify.slack_api import Answer, Slack, SlackBot
from chalicelib.notify.slack_posting import post, put_in_place
from chalicelib.ports import Thread
from chalicelib.remediation.run import RunState
from chalicelib.remediation_settings import Mode

_ASKING = frozenset({RunState.PROPOSED, RunState.WAITING})


def tell_run(slack: Slack, notice: RunNotice, first: Thread | None) -> Answer:
    """Tell of a run; `first` is the thread that its first message began, if that is known.

    The first message of one that waited for approval is changed before anything is told: its buttons are gone then, and
    whoever is stopped in between does so once more, and tells nothing twice.
    """
    asked = notice.mode is Mode.APPROVE and notice.state not in _ASKING
    if asked and first is not None and isinstance(slack, SlackBot):
        changed = put_in_place(slack, first, partial(render_decided, notice))
        if not changed.final:
            return changed
    if notice.state in QUIET:
        return Answer()
    render = partial(render_run, notice, interactive=slack.interactive)
    return post(slack, render, first, broadcast=notice.state is RunState.STOPPED)
