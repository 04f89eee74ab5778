"""Messages of runs: whatever names and reasons hold, within Slack's limits, and what can be done with them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.alerts.run_notice import MOST_AIMS, MOST_STEPS, RunNotice
from chalicelib.cause import Cause
from chalicelib.findings import Severity
from chalicelib.local.slack_limits import complaint, problems, texts
from chalicelib.notify.blocks import Rendered
from chalicelib.notify.run_blocks import render_decided, render_run
from chalicelib.notify.run_facts import commands
from chalicelib.notify.run_plain import run_body, run_subject
from chalicelib.remediation.run import Aim, RunState
from chalicelib.remediation_settings import Mode
from tests.accounts.build import ACCOUNT
from tests.alerts.build import DETACHED, RUN, aim, run_notice
from tests.hostile import each_of_all
from tests.ledger.build import at
from tests.notify.golden_runs import golden_runs
from tests.notify.test_slack_blocks import TEXT, formatted, objects
from tests.report.audits import unsafe

STATES = list(RunState)
OURS = re.compile(r"<(?:@[UW][A-Z0-9]{2,30}|!date\^\d+\^[^<>^|]+\|[^<>|]+)>")
"""What is meant to stand between < and >: a member who decided, and a date."""


def renderings(notice: RunNotice) -> Iterator[Rendered]:
    yield render_run(notice, interactive=True)
    yield render_run(notice, interactive=False)
    yield render_decided(notice)


def assert_fits_and_is_tame(notice: RunNotice) -> None:
    for rendered in renderings(notice):
        posted = {"text": rendered.text, "blocks": rendered.blocks}
        assert not list(problems(rendered.blocks))
        assert not complaint(json.loads(json.dumps(posted)))
        assert 0 < len(rendered.text) <= 300
        assert 0 < len(rendered.plain) <= 3000
        for text in [rendered.text, *rendered.plain.splitlines(), *texts(list(rendered.blocks))]:
            assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", OURS.sub("", text)), text
            assert not unsafe(text.replace("\n", ""))
        for text in formatted(rendered.blocks):
            # Outside code spans there is nothing that anybody else chose; a span ends where it should.
            outside = OURS.sub("", re.sub(r"```[^`]*```|`[^`\n]+`", "", text))
            assert "`" not in outside
            assert "evil" not in outside
        for one in objects(rendered.blocks):
            assert one["emoji"] is False if one["type"] == "plain_text" else one["verbatim"] is True
    subject = run_subject(notice)
    assert subject.isascii()
    assert subject.isprintable()
    assert 0 < len(subject) < 100
    assert not unsafe(run_body(notice).replace("\n", ""))


def hostile(name: str, state: RunState) -> RunNotice:
    """A notice with the name wherever somebody else chooses a text."""
    one = Aim("f" * 32, "mfa-not-enforced", Severity.HIGH, f"arn:aws:iam::{ACCOUNT}:user/{name}", name, name)
    return run_notice(
        state,
        reason=name,
        by=name,
        aims=(one,) * MOST_AIMS,
        aim_count=500,
        users=[name] * MOST_AIMS,
        steps=(f"attach-user-policy: {name} carries {name}, as {name}",) * MOST_STEPS,
        step_count=500,
        undoes=Cause(name, name, DETACHED.at, name, name, name, about=name),
    )


@each_of_all
def test_slack_and_mail_make_nothing_of_what_names_hold(name: str) -> None:
    for state in (RunState.WAITING, RunState.DONE, RunState.STOPPED, RunState.DECLINED):
        assert_fits_and_is_tame(hostile(name, state))


AIMS = st.builds(
    Aim,
    st.just("f" * 32),
    st.sampled_from(["mfa-not-enforced", "x" * 300]),
    st.sampled_from(list(Severity)),
    TEXT,
    st.none() | TEXT,
    TEXT,
)
NOTICES = st.builds(
    RunNotice,
    account=st.just(ACCOUNT),
    run=st.just(RUN),
    version=st.integers(1, 9),
    state=st.sampled_from(STATES),
    mode=st.sampled_from(list(Mode)),
    at=st.just(at(1)),
    reason=TEXT,
    by=TEXT | st.sampled_from(["U012AB3CD", "W1X", ""]),
    expires=st.just(at(24)),
    aims=st.lists(AIMS, max_size=8).map(tuple),
    aim_count=st.integers(8, 10**6),
    users=st.lists(TEXT, max_size=8).map(tuple),
    user_count=st.integers(8, 10**6),
    steps=st.lists(TEXT, max_size=MOST_STEPS).map(tuple),
    step_count=st.integers(MOST_STEPS, 10**6),
    taken=st.integers(0, 10**6),
    undoes=st.none() | st.builds(Cause, TEXT, TEXT, st.none() | st.just(DETACHED.at), TEXT, TEXT, TEXT, about=TEXT),
)


@settings(max_examples=60)
@given(NOTICES)
def test_any_run_is_told_within_the_limits(notice: RunNotice) -> None:
    assert_fits_and_is_tame(notice)


@pytest.mark.parametrize("name", golden_runs())
def test_examples_are_tame(name: str) -> None:
    assert_fits_and_is_tame(golden_runs()[name])


# --- buttons ---------------------------------------------------------------------------------------------------------


def buttons(rendered: Rendered) -> list[dict[str, Any]]:
    return [one for block in rendered.blocks if block["type"] == "actions" for one in block["elements"]]


def read(rendered: Rendered) -> str:
    return "\n".join(texts(list(rendered.blocks)))


def test_who_approves_is_told_what_is_changed() -> None:
    rendered = render_run(run_notice(users=["alice", "bob"]), interactive=True)
    approve, decline = buttons(rendered)
    assert (approve["action_id"], decline["action_id"]) == ("approve_run", "decline_run")
    assert {approve["value"], decline["value"]} == {f"{ACCOUNT}/{RUN}"}
    assert approve["confirm"]["text"]["text"].startswith(
        f"2 steps in account {ACCOUNT}, for alice, bob: 1. attach-user-policy: alice carries arn:aws:iam::"
    )
    assert "confirm" not in decline


@pytest.mark.parametrize("state", STATES)
def test_only_what_waits_has_buttons_and_only_where_somebody_hears_them(state: RunState) -> None:
    notice = run_notice(state)
    assert bool(buttons(render_run(notice, interactive=True))) is (state is RunState.WAITING)
    assert not buttons(render_run(notice, interactive=False))
    assert not buttons(render_decided(notice))


def test_who_approves_is_told_how_many_are_changed() -> None:
    notice = run_notice(users=[f"user-{number:02}" for number in range(20)], user_count=700)
    rendered = render_run(notice, interactive=True)
    assert rendered.text.startswith("✋ Waiting for approval · 700 users · ")
    assert "`user-04` and 695 more" in read(rendered)
    assert "user-04 and 695 more: 1. " in buttons(rendered)[0]["confirm"]["text"]["text"]
    assert "Users changed: user-00, user-01, user-02, user-03, user-04 and 695 more" in run_body(notice)


def test_where_there_are_no_buttons_there_is_a_command() -> None:
    line = f"mfawatch approve {RUN} --account {ACCOUNT}"
    assert line in read(render_run(run_notice(), interactive=False))
    assert line not in read(render_run(run_notice(), interactive=True))
    assert line in run_body(run_notice())


# --- what is told ----------------------------------------------------------------------------------------------------


def line_of(notice: RunNotice) -> str:
    [command] = commands(notice, buttons=True)
    return command.line


def proposal(*aims: Aim, more: int = 0) -> RunNotice:
    return run_notice(RunState.PROPOSED, aims=aims, aim_count=len(aims) + more)


@pytest.mark.parametrize(
    ("aims", "more", "words"),
    [
        ([aim("alice")], 0, "--control mfa-not-enforced --user alice"),
        ([aim("alice"), aim("bob")], 0, "--control mfa-not-enforced --user alice --user bob"),
        ([aim("a b;c")], 0, "--control mfa-not-enforced --user 'a b;c'"),
        ([aim("alice"), aim(None)], 0, "--control mfa-not-enforced"),
        ([aim("alice")], 1, ""),
        ([aim(f"user-{number}") for number in range(11)], 0, ""),
        ([aim("x" * 600)], 0, ""),
        ([aim("a`b")], 0, ""),
        ([aim("a\nb")], 0, ""),
        ([aim("ä")], 0, ""),
        ([], 0, ""),
    ],
)
def test_a_proposal_tells_how_to_carry_it_out(aims: Sequence[Aim], more: int, words: str) -> None:
    line = line_of(proposal(*aims, more=more))
    assert line == f"mfawatch remediate {words}".strip()


def test_what_stopped_tells_why_and_how_far_it_came() -> None:
    rendered = render_run(
        run_notice(RunState.STOPPED, users=["alice", "bob"], taken=1, reason="AccessDenied"), interactive=True
    )
    assert "1 of 2 steps taken. Reason: AccessDenied" in read(rendered)
    assert rendered.text.endswith("1 of 2 steps taken. Reason: AccessDenied")
    assert f"mfawatch remediate --rollback {RUN} --table mfawatch-ledger --account {ACCOUNT}" in read(rendered)


def test_what_waits_tells_why_it_was_not_done_by_itself() -> None:
    rendered = render_run(run_notice(reason="enough users were changed"), interactive=True)
    assert "Why it waits for somebody: enough users were changed" in read(rendered)
    assert rendered.text.endswith("Why it waits for somebody: enough users were changed")


@pytest.mark.parametrize("state", [RunState.WAITING, RunState.STOPPED])
def test_a_fight_tells_of_both_sides(state: RunState) -> None:
    rendered = render_run(run_notice(state, undoes=DETACHED), interactive=True)
    told = read(rendered)
    assert ": somebody undoes it · user alice" in rendered.text
    assert "*Undone after* `iam:DetachUserPolicy` by `arn:aws:iam::111122223333:user/carol` from `203.0.113.9`" in told
    assert "mfawatch puts it right so:\n1. attach-user-policy: alice carries" in told


@pytest.mark.parametrize(
    ("by", "shown"),
    [
        ("U012AB3CD", "<@U012AB3CD>"),
        (f"arn:aws:iam::{ACCOUNT}:user/carol", f"`arn:aws:iam::{ACCOUNT}:user/carol`"),
        ("U1|boss", "`U1|boss`"),
        ("<@U012AB3CD>", "`&lt;@U012AB3CD&gt;`"),
    ],
)
def test_who_decided_is_named(by: str, shown: str) -> None:
    assert f"*Approved by* {shown}, " in read(render_run(run_notice(RunState.DONE, by=by), interactive=True))
    assert f"*Declined* by {shown} · " in read(render_run(run_notice(RunState.DECLINED, by=by), interactive=True))
    decided = render_decided(run_notice(RunState.DONE, by=by))
    assert f"*Put right and verified* · approved by {shown} · " in read(decided)


def test_nobody_decides_where_the_settings_say_auto() -> None:
    told = [run_body(run_notice(RunState.DONE, mode=mode)) for mode in (Mode.AUTO, Mode.APPROVE)]
    assert ["Nobody was asked" in one for one in told] == [True, False]
    by_hand = replace(run_notice(RunState.DONE, mode=Mode.AUTO), by="carol")
    assert "Decided by carol" in run_body(by_hand)
    assert "Nobody was asked" not in run_body(by_hand)
